"""The first command: shipped solvers and algorithms, evaluated live on a part of ``smoke-v1``."""

from pathlib import Path

import polars as pl

from extramaze.blocks.acceleration import prepare_ahead
from extramaze.core.files import make_folder
from extramaze.evaluation.evaluate import evaluate
from extramaze.leaderboard.board import boards
from extramaze.leaderboard.text import board_table
from extramaze.models import load
from extramaze.models.devices import resolve_device
from extramaze.pictures.answers import draw_answers
from extramaze.pictures.mazes import Drawing, save_failures
from extramaze.records import Place, Record
from extramaze.records.text import limits_table
from extramaze.schema.plan import make_part

SUITE = "smoke-v1"
ALGORITHMS = ("dead-end-filling", "wavefront")
NETWORKS = ("dt-net-thin", "it-net-thin")
PART = make_part(32, 4, ("size-9", "size-17", "percolation-0.1", "start-any"))  # a cell of each axis
PICTURED = "dt-net-thin"
PICTURE = "failures.png"
DRAWINGS = 8


def quickstart(out: str | Path, device: str = "auto", quiet: bool = False) -> str:
    """Evaluate the shipped solvers on a part of smoke-v1, save a picture of failures in ``out``, return the report.

    The first time, the networks' convolutions are compiled on another core while the algorithms are evaluated.
    Raises InputError where weights are missing or the folder cannot be written.
    """
    target = resolve_device(device)
    solvers = {name: load(name).to(target) for name in (*ALGORITHMS, *NETWORKS)}
    folder = Path(out)
    make_folder(folder)
    ahead = prepare_ahead(solvers[PICTURED], target)
    records = {}
    for name, solver in solvers.items():
        if ahead and name in NETWORKS:
            ahead.wait()
        records[name] = evaluate(solver, SUITE, device, part=PART, quiet=quiet)
    (board,) = boards(records.values())
    order = [row.recipe for row in board.rows]
    ranked = sorted(records.values(), key=lambda record: order.index(record.summary.plan.solver.recipe))
    drawings = failures(records[PICTURED])
    path = folder / PICTURE
    save_failures(drawings, f"{records[PICTURED].summary.plan.solver.name}: answers that are not optimal", path)
    return "\n\n".join(
        [
            board_table(board),
            limits_table(ranked),
            f"picture of {len(drawings)} failed mazes: {path}",
            "next: extramaze leaderboard (all solvers on whole suites), extramaze evaluate --help (your own)",
        ]
    )


def failures(record: Record, most: int = DRAWINGS) -> list[Drawing]:
    """Return the kept answers to mazes that a record marks as wrong at the last rung, to be drawn.

    The cells take turns, so that every kind of difficulty is seen.
    """
    titles = {(cell, index): f"{cell} #{index}" for cell, index in _take_turns(record, most)}
    return list(draw_answers(record, titles).values())


def _take_turns(record: Record, most: int) -> list[Place]:
    """Choose up to ``most`` wrong mazes, one of each cell in turn."""
    wrong = record.mazes.filter(~pl.col("optimal").list.last())
    by_cell = {cell.name: wrong.filter(pl.col("cell") == cell.name)["index"].to_list() for cell in record.summary.cells}
    turns = sorted((turn, cell, index) for cell, found in by_cell.items() for turn, index in enumerate(found))
    return [(cell, index) for _, cell, index in turns[:most]]
