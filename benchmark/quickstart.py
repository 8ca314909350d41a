"""The first command: shipped solvers and algorithms, evaluated live on a part of ``smoke-v1``."""

from pathlib import Path

import polars as pl
import torch

from extramaze.blocks import draw_block, iterate, ladder, to_input
from extramaze.evaluation import evaluate
from extramaze.leaderboard import boards
from extramaze.mazes.files import make_folder
from extramaze.models import IterativeSolver, load
from extramaze.models.devices import reference_arithmetic, resolve_device
from extramaze.pictures import Drawing, save_failures
from extramaze.plan import Part
from extramaze.records import Record
from extramaze.tables import board_table, limits_table

SUITE = "smoke-v1"
SOLVERS = ("dt-net-thin", "it-net-thin", "dead-end-filling", "wavefront")
PART = Part(mazes=64, watched=4)
PICTURED = "dt-net-thin"
PICTURE = "failures.png"
DRAWINGS = 8


def quickstart(out: str | Path, device: str = "auto", quiet: bool = False) -> str:
    """Evaluate the shipped solvers on a part of smoke-v1, save a picture of failures in ``out``, return the report.

    Raises InputError where weights are missing or the folder cannot be written.
    """
    solvers = {name: load(name) for name in SOLVERS}
    folder = Path(out)
    make_folder(folder)
    records = {name: evaluate(solver, SUITE, device, part=PART, quiet=quiet) for name, solver in solvers.items()}
    (board,) = boards(records.values())
    drawings = failures(solvers[PICTURED], records[PICTURED], device)
    path = folder / PICTURE
    save_failures(drawings, f"{records[PICTURED].summary.plan.solver.name}: answers that are not optimal", path)
    return "\n\n".join(
        [
            board_table(board),
            limits_table(list(records.values())),
            f"picture of {len(drawings)} failed mazes: {path}",
        ]
    )


def failures(solver: IterativeSolver, record: Record, device: str, most: int = DRAWINGS) -> list[Drawing]:
    """Solve mazes that a record marks as wrong at the last rung once more, and return them to be drawn.

    The cells take turns, so that every kind of difficulty is seen. Blocks are those of the evaluation, so the answers
    are too.
    """
    target = resolve_device(device)
    suite = record.summary.plan.suite
    chosen = _take_turns(record, most)
    drawings = []
    for cell in suite.cells:
        for index in chosen.get(cell.name, []):
            size = record.summary.plan.blocks[cell.name]
            _, images, targets = draw_block(suite, cell, index // size, size)
            x = to_input(images, target, torch.float32)
            with reference_arithmetic():
                last = iterate(solver.to(target), x, ladder(suite, solver, images.shape[-1]))[-1]
            at = index % size
            title = f"{cell.name} #{index}"
            drawings.append(Drawing(images[at], title, targets[at], last[at].cpu().numpy()))
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
