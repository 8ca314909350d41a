"""The first command: shipped solvers and algorithms, evaluated live on a part of ``smoke-v1``."""

import copy
from pathlib import Path

import polars as pl
import torch

from extramaze.answering import answer_block
from extramaze.board_text import board_table
from extramaze.evaluation import evaluate, way_of
from extramaze.leaderboard import boards
from extramaze.mazes.files import make_folder
from extramaze.models import IterativeSolver, load
from extramaze.models.devices import reference_arithmetic, resolve_device
from extramaze.pictures import Drawing, save_failures
from extramaze.plan import make_part
from extramaze.records import Record
from extramaze.tables import limits_table

SUITE = "smoke-v1"
SOLVERS = ("dt-net-thin", "it-net-thin", "dead-end-filling", "wavefront")
PART = make_part(64, 4, ("size-9", "size-17", "percolation-0.1", "start-any"))  # a cell of each axis
PICTURED = "dt-net-thin"
PICTURE = "failures.png"
DRAWINGS = 8


def quickstart(out: str | Path, device: str = "auto", quiet: bool = False) -> str:
    """Evaluate the shipped solvers on a part of smoke-v1, save a picture of failures in ``out``, return the report.

    Raises InputError where weights are missing or the folder cannot be written.
    """
    target = resolve_device(device)
    solvers = {name: load(name).to(target) for name in SOLVERS}
    folder = Path(out)
    make_folder(folder)
    records = {name: evaluate(solver, SUITE, device, part=PART, quiet=quiet) for name, solver in solvers.items()}
    (board,) = boards(records.values())
    order = [row.recipe for row in board.rows]
    ranked = sorted(records.values(), key=lambda record: order.index(record.summary.plan.solver.recipe))
    drawings = failures(solvers[PICTURED], records[PICTURED])
    path = folder / PICTURE
    save_failures(drawings, f"{records[PICTURED].summary.plan.solver.name}: answers that are not optimal", path)
    return "\n\n".join(
        [
            board_table(board),
            limits_table(ranked),
            f"picture of {len(drawings)} failed mazes: {path}",
        ]
    )


def failures(solver: IterativeSolver, record: Record, most: int = DRAWINGS) -> list[Drawing]:
    """Answer mazes that a record marks as wrong at the last rung once more, as the evaluation did, to be drawn.

    The cells take turns, so that every kind of difficulty is seen.
    """
    plan = record.summary.plan
    chosen = _take_turns(record, most)
    ours = copy.deepcopy(solver).to(getattr(torch, plan.dtype))
    device = next(ours.parameters()).device
    drawings = []
    for cell, planned in plan.pairs():
        indices = chosen.get(cell.name, [])
        for block in sorted({index // planned.block for index in indices}):
            with reference_arithmetic():
                images, targets, answers, _, _ = answer_block(
                    ours, plan.suite, cell, planned, block, device, way_of(plan)
                )
            for index in indices:
                if index // planned.block == block:
                    at = index % planned.block
                    title = f"{cell.name} #{index}"
                    drawings.append(Drawing(images[at], title, targets[at], answers.rungs[-1][at].cpu().numpy()))
    return drawings


def _take_turns(record: Record, most: int) -> dict[str, list[int]]:
    """Choose up to ``most`` wrong mazes, one of each cell in turn: indices by cell."""
    wrong = record.mazes.filter(~pl.col("optimal").list.last())
    by_cell = {cell.name: wrong.filter(pl.col("cell") == cell.name)["index"].to_list() for cell in record.summary.cells}
    turns = sorted((turn, cell, index) for cell, found in by_cell.items() for turn, index in enumerate(found))
    chosen: dict[str, list[int]] = {}
    for _, cell, index in turns[:most]:
        chosen.setdefault(cell, []).append(index)
    return chosen
