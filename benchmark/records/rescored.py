"""A record's kept answers, scored again: the mazes are drawn anew, and every score must come out as it is stated.

Whoever changed a score has to change an answer with it, and a forged answer is a solved maze.
"""

import math
from collections.abc import Iterator

import numpy as np
import polars as pl

from extramaze.core.errors import InputError
from extramaze.filling import as_filling
from extramaze.mazes import generate, raster
from extramaze.mazes.pixels import raster_shape
from extramaze.mazes.scores import KINDS, Failure
from extramaze.mazes.scoring import score
from extramaze.records.answers import Packed, unpack
from extramaze.schema.plan import CONTRACTS, CellPlan
from extramaze.schema.record import Summary
from extramaze.schema.suite import Cell

RULES = ("generator", "solution", "raster", "score")  # of the contracts: by others there is nothing to score again
PART_CELLS = 2**20  # lattice cells of the mazes that are scored at once
MAX_CELLS = 250_000_000  # lattice cells of the mazes that are scored in all: paper-v1 has 3e7


def answer_problems(summary: Summary, rows: pl.DataFrame, packed: Packed) -> Iterator[str]:
    """Name every score, at the last rung, that is not that of the kept answer; the cells with the smallest first.

    rows: the record's per-maze table, in its order. Of a record by other rules, or of mazes that cannot be drawn,
    nothing is named.
    """
    plan = summary.plan
    if any(plan.contracts.get(name) != CONTRACTS[name] for name in RULES):
        return
    left = MAX_CELLS
    pairs = sorted(plan.pairs(), key=lambda pair: pair[1].mazes * math.prod(pair[0].maze_spec.shape))
    for cell, planned in pairs:
        left -= planned.mazes * math.prod(cell.maze_spec.shape)
        if left < 0:
            return
        stated = rows.filter(pl.col("cell") == cell.name)
        found = scored_again(cell, planned, plan.suite.split, plan.suite.scale, packed[cell.name])
        if found is not None and len(stated) == planned.mazes:
            yield from (f"{cell.name}: {wrong}" for wrong in _differences(stated, found))


def scored_again(cell: Cell, planned: CellPlan, split: str, scale: int, packed: np.ndarray) -> pl.DataFrame | None:
    """Score packed answers to a cell's mazes; None where these cannot be drawn. Columns as in a record's table."""
    shape = raster_shape(cell.maze_spec.shape, scale)
    part = max(1, PART_CELLS // math.prod(cell.maze_spec.shape))
    parts = []
    for first in range(0, planned.mazes, part):
        count = min(part, planned.mazes - first)
        try:
            mazes = generate(cell.maze_spec, count, split=split, first=first)
        except InputError:
            return None
        images, targets = raster(mazes, scale)
        answers = unpack(packed[first : first + count], shape)
        outcome = score(images, targets, answers)
        columns = {kind: getattr(outcome, kind) for kind in KINDS}
        failure = [None if kind == Failure.NONE else str(kind) for kind in outcome.failure.tolist()]
        filling = as_filling(images, answers)
        parts.append(pl.DataFrame({**columns, "failure": pl.Series(failure, dtype=pl.String), FILLING: filling}))
    return pl.concat(parts)


FILLING = "as_dead_end_filling"


def _differences(stated: pl.DataFrame, found: pl.DataFrame) -> Iterator[str]:
    last = [pl.col(kind).list.last() for kind in KINDS]
    ours = stated.select(*last, "failure", FILLING)
    for name in found.columns:
        wrong = np.flatnonzero(~ours[name].eq_missing(found[name]).to_numpy())
        if len(wrong):
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            at = int(wrong[0])
            yield (
                f"maze {stated['index'][at]}{more}: {name} {_said(ours[name][at])} is stated; "
                f"the answer kept of it gives {_said(found[name][at])}"
            )


def _said(value: object) -> str:
    return {True: "right", False: "wrong", None: "none"}.get(value, str(value))  # type: ignore[call-overload]
