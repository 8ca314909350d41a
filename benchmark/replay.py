"""Answer mazes of a record once more, as the evaluation did, to be drawn."""

import copy
from collections import defaultdict
from collections.abc import Iterable

import polars as pl
import torch

from extramaze.blocks import answer_block, draw_block, to_input
from extramaze.mazes import InputError
from extramaze.models.contract import IterativeSolver, answer, card_of
from extramaze.models.devices import reference_arithmetic
from extramaze.pictures import Drawing
from extramaze.records import Record
from extramaze.scoring import FAILURES, Failure

STRIP = (0, 1, 2, 3, 5, 8, 12, 20, 30, 50, 100, 300)  # iterations drawn of one maze


def failures(solver: IterativeSolver, record: Record, most: int) -> list[Drawing]:
    """Draw up to ``most`` mazes that a record marks as wrong at the last rung.

    The cells take turns, so that every kind of difficulty is seen.
    """
    wrong = record.mazes.filter(~pl.col("optimal").list.last())
    by_cell = [wrong.filter(pl.col("cell") == cell.name).rows(named=True) for cell in record.summary.cells]
    turns = [(turn, place, row) for place, rows in enumerate(by_cell) for turn, row in enumerate(rows)]
    chosen = [row for _, _, row in sorted(turns, key=lambda entry: entry[:2])[:most]]
    return [drawing for drawings in _answer(solver, record, chosen).values() for drawing in drawings]


def failures_by_kind(solver: IterativeSolver, record: Record, most: int) -> dict[str, list[Drawing]]:
    """Draw up to ``most`` wrong answers of each kind, the kinds in the order of ``Failure``."""
    chosen = []
    for kind in FAILURES:
        rows = record.mazes.filter(pl.col("failure") == kind)
        chosen += rows.head(most).rows(named=True)
    drawn = _answer(solver, record, chosen)
    return {kind: drawn[kind] for kind in FAILURES if kind in drawn and kind != Failure.NONE}


def _answer(solver: IterativeSolver, record: Record, rows: Iterable[dict]) -> dict[str, list[Drawing]]:
    """Answer the mazes of some rows; return the drawings by kind of failure."""
    plan = record.summary.plan
    _same_solver(solver, record)
    by_cell: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        by_cell[row["cell"]].append(row)
    ours = copy.deepcopy(solver).to(getattr(torch, plan.dtype))
    device = next((p.device for p in ours.parameters()), torch.device("cpu"))
    drawn: dict[str, list[Drawing]] = defaultdict(list)
    for cell, planned in zip(plan.suite.cells, plan.cells, strict=True):
        for block in sorted({row["index"] // planned.block for row in by_cell[cell.name]}):
            with reference_arithmetic():
                images, targets, answers = answer_block(ours, plan.suite, cell, planned, block, device, plan.dtype)
            for row in by_cell[cell.name]:
                at = row["index"] - block * planned.block
                if 0 <= at < planned.block:
                    title = f"{cell.name} #{row['index']}"
                    prediction = answers[-1][at].cpu().numpy()
                    drawn[row["failure"]].append(Drawing(images[at], title, targets[at], prediction))
    return drawn


def strip(solver: IterativeSolver, record: Record, cell: str, index: int = 0) -> list[Drawing]:
    """Draw the answers to one maze of a record's suite after more and more iterations. Raises InputError."""
    plan = record.summary.plan
    _same_solver(solver, record)
    cells = {found.name: found for found in plan.suite.cells}
    if cell not in cells or not 0 <= index < cells[cell].count:
        raise InputError(f"{plan.suite.name} has no maze {index} in a cell {cell!r}; its cells: {', '.join(cells)}")
    _, images, targets = draw_block(plan.suite, cells[cell], index, 1)
    ours = copy.deepcopy(solver).to(getattr(torch, plan.dtype))
    device = next((p.device for p in ours.parameters()), torch.device("cpu"))
    x = to_input(images, device, getattr(torch, plan.dtype))
    last = next(planned.rungs[-1] for planned in plan.cells if planned.name == cell)
    drawings = []
    with reference_arithmetic():
        state, done = ours.initial_state(x), 0
        for iterations in (*(number for number in STRIP if number < last), last):
            while done < iterations:
                state, done = ours.step(state, x), done + 1
            said = answer(ours.readout(state), x)[0].cpu().numpy()
            drawings.append(Drawing(images[0], f"after {iterations}", targets[0], said))
    return drawings


def _same_solver(solver: IterativeSolver, record: Record) -> None:
    expected, card = record.summary.plan.solver, card_of(solver)
    if (card.name, card.weights_sha256 or expected.weights_sha256) != (expected.name, expected.weights_sha256):
        raise InputError(f"the record is of {expected.name}, with other weights than {card.name}; name its own solver")
