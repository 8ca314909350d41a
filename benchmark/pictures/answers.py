"""Mazes of a record with their answers, to be drawn: failures, chosen ones, one being solved.

Answers are those that the record keeps, else its solver gives them once more, as the evaluation did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import torch

from extramaze.blocks.answering import answer_block, make_answers
from extramaze.blocks.block import draw_block, to_input
from extramaze.blocks.identity import refuse_other_solver
from extramaze.core.errors import InputError, unknown_name
from extramaze.mazes import generate, raster
from extramaze.models.calling import calling, in_precision
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import reference_arithmetic
from extramaze.pictures.accuracy import title_of
from extramaze.pictures.mazes import Drawing, save_failures
from extramaze.records import Place, Record
from extramaze.records.answers import Packed, unpack
from extramaze.schema.suite import suite_names

EACH_KIND = 4  # failures drawn of each kind
ANOTHER = "another shortest path"
FRAMES = 8  # of a maze being solved
LEGIBLE = 33  # the largest size that is drawn iteration by iteration, where there is a choice


def draw_answers(
    record: Record, titles: Mapping[Place, str], solver: IterativeSolver | None = None
) -> dict[Place, Drawing]:
    """Return the answers at the last rung of the mazes that have a title: as the record keeps them, or of its solver.

    Raises InputError where neither is at hand.
    """
    packed = record.packed_answers()
    if packed is not None:
        return _kept_answers(record, packed, titles)
    if solver is None:
        refuse_made_elsewhere(record)
        raise InputError("the record keeps no answers; say which solver made it: --solver")
    return _answered_again(solver, record, titles)


def _kept_answers(record: Record, packed: Packed, titles: Mapping[Place, str]) -> dict[Place, Drawing]:
    suite = record.summary.plan.suite
    cells = {cell.name: cell.maze_spec for cell in suite.cells}
    drawings = {}
    for (name, index), title in titles.items():
        images, targets = raster(generate(cells[name], 1, split=suite.split, first=index), suite.scale)
        said = unpack(packed[name][index : index + 1], images.shape[2:])
        drawings[name, index] = Drawing(images[0], title, targets[0], said[0])
    return drawings


def _answered_again(solver: IterativeSolver, record: Record, titles: Mapping[Place, str]) -> dict[Place, Drawing]:
    """Answer mazes once more, as the evaluation did. Each block is computed once."""
    plan = record.summary.plan
    with calling(solver):
        ours, device = in_precision_of(solver, record)
    drawings = {}
    for cell, planned in plan.pairs():
        indices = [index for name, index in titles if name == cell.name]
        for block in sorted({index // planned.block for index in indices}):
            with reference_arithmetic(plan.tf32), calling(ours):
                found = answer_block(ours, plan, cell, planned, block, device)
            for index in indices:
                if index // planned.block == block:
                    at = index % planned.block
                    said = found.answers.rungs[-1][at].cpu().numpy()
                    title = titles[cell.name, index]
                    drawings[cell.name, index] = Drawing(found.images[at], title, found.targets[at], said)
    return drawings


def in_precision_of(solver: IterativeSolver, record: Record) -> tuple[IterativeSolver, torch.device]:
    """Return a copy of a solver in a record's precision, and the device it is on."""
    ours = in_precision(solver, getattr(torch, record.summary.plan.dtype))
    return ours, next((parameter.device for parameter in ours.parameters()), torch.device("cpu"))


def failures_by_kind(record: Record, solver: IterativeSolver | None = None) -> list[list[Drawing]]:
    """Return the answers to up to EACH_KIND wrong mazes of each failure kind, to be drawn, a row a kind."""
    wrong = record.mazes.filter(pl.col("failure").is_not_null())
    by_kind: dict[str, list[Place]] = {}
    for kind in wrong["failure"].value_counts(sort=True)["failure"].to_list():
        found = wrong.filter(pl.col("failure") == kind).select("cell", "index")
        first = found.unique(["cell"], keep="first", maintain_order=True)
        by_kind[kind] = pl.concat([first, found]).unique(maintain_order=True).head(EACH_KIND).rows()
    titles = {(cell, index): f"{kind}: {cell} #{index}" for kind in by_kind for cell, index in by_kind[kind]}
    drawings = draw_answers(record, titles, solver)
    return [[drawings[place] for place in places] for places in by_kind.values()]


def save_mazes(record: Record, names: Sequence[str], path: Path, solver: IterativeSolver | None = None) -> Path:
    """Draw chosen mazes of a record, ``CELL:INDEX`` each, with the true path and the solver's answer at the last rung.

    An answer that is another shortest path than the stored one is drawn as the true path that it is.
    Raises InputError for a maze that the record does not have, where the solver is not the record's, and where neither
    the record keeps its answers nor the solver is there.
    """
    if solver is not None:
        refuse_made_elsewhere(record)
        refuse_other_solver(solver, record.summary.plan.solver)
    counts = {planned.name: planned.mazes for planned in record.summary.plan.cells}
    titles: dict[Place, str] = {}
    for name in names:
        cell, colon, index = name.rpartition(":")
        if not colon or not index.isdecimal():
            raise InputError(f"a maze is written CELL:INDEX, such as {next(iter(counts))}:0, got {name!r}")
        if cell not in counts:
            raise unknown_name("cell", cell, counts)
        if int(index) >= counts[cell]:
            raise InputError(f"{cell} has mazes 0 to {counts[cell] - 1} in this record, got {index}")
        titles[cell, int(index)] = f"{cell} #{index}: {_outcome(record, cell, int(index))}"
    drawings = [
        replace(drawn, target=drawn.prediction) if titles[place].endswith(ANOTHER) else drawn
        for place, drawn in draw_answers(record, titles, solver).items()
    ]
    save_failures(drawings, f"answers of {title_of(record)}", path)
    return path


def refuse_made_elsewhere(record: Record) -> None:
    """Raise InputError for a record of predictions: nobody here can give its answers again."""
    plan = record.summary.plan
    if plan.mode == "predictions":
        name = plan.suite.name
        suite = name if name in suite_names() else f"{name}.yaml"
        raise InputError(
            f"the answers of {plan.solver.name} were made elsewhere (evaluate --predictions), and no solver here gives "
            f"them again; a maze alone is drawn by extramaze generate --suite {suite} --cell CELL --first "
            "INDEX --count 1 --picture FILE.png"
        )


def _outcome(record: Record, cell: str, index: int) -> str:
    """Say how the record has a maze's answer at the last rung."""
    row = record.mazes.row(by_predicate=(pl.col("cell") == cell) & (pl.col("index") == index), named=True)
    if row["exact"][-1]:
        return "the shortest path" if row["n_shortest"] == 1 else "the stored shortest path"
    return ANOTHER if row["optimal"][-1] else str(row["failure"])


def save_strip(solver: IterativeSolver, record: Record, path: Path) -> Path:
    """Draw one maze iteration by iteration: the hardest that was solved, of the cell with the longest paths."""
    cell, index, drawings = solving(solver, record)
    heading = f"{record.summary.plan.solver.name} solving {cell} #{index}, iteration by iteration"
    save_failures(drawings, heading, path)
    return path


def solving(solver: IterativeSolver, record: Record) -> tuple[str, int, list[Drawing]]:
    """Return the cell and index of the maze to be shown, and its answers up to the first rung at which it was right."""
    plan = record.summary.plan
    row = _worth_watching(record)
    cell, planned = next(pair for pair in plan.pairs() if pair[0].name == row["cell"])
    with calling(solver):
        ours, device = in_precision_of(solver, record)
    number, at = divmod(row["index"], planned.block)
    _, images, targets = draw_block(plan.suite, cell, number, planned.block)
    end = row["first_right"] or planned.rungs[-1]
    shown = sorted({round(value) for value in np.geomspace(1, end, FRAMES)})  # spread as rungs are
    with reference_arithmetic(plan.tf32), calling(ours):
        x = to_input(images, device, getattr(torch, plan.dtype))
        answers = make_answers(ours, x, tuple(shown), plan.way)
    drawings = [
        Drawing(images[at], f"after {iteration}", targets[at], said[at].cpu().numpy())
        for iteration, said in zip(shown, answers.rungs, strict=True)
    ]
    return cell.name, row["index"], drawings


def _worth_watching(record: Record) -> dict:
    """Choose the longest path among mazes small enough to be seen, right at the last rung if any is: its row."""
    legible = [cell.name for cell, _ in record.summary.plan.pairs() if cell.maze_spec.size <= LEGIBLE]
    seen = record.mazes.filter(pl.col("cell").is_in(legible))
    seen = seen if len(seen) else record.mazes
    right = seen.filter(pl.col("optimal").list.last())
    return (right if len(right) else seen).sort("path_length", descending=True).row(0, named=True)
