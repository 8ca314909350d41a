"""Turn the finished blocks of one cell into its summary and its per-maze rows."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl

from extramaze.blocks import BlockLimits, BlockScores
from extramaze.mazes import describe, generate
from extramaze.mazes.describe import COLUMNS
from extramaze.records import PER_MAZE, CellResult, LimitCount, LimitResult, Rung, Tally
from extramaze.suites import Cell, Suite

KINDS = ("exact", "valid", "optimal")


@dataclass(frozen=True)
class CellTable:
    """One cell's result and its per-maze rows."""

    result: CellResult
    limits: LimitResult | None
    rows: pl.DataFrame


def tabulate(
    suite: Suite,
    cell: Cell,
    rungs: tuple[int, ...],
    block: int,
    scores: list[BlockScores],
    watched: list[BlockLimits],
) -> CellTable:
    """Tabulate a cell from its blocks in order, the fillers of the last one left out."""
    right = {kind: np.concatenate([getattr(s, kind) for s in scores], axis=1)[:, : cell.count].T for kind in KINDS}
    mazes = generate(cell.maze_spec, cell.count, split=suite.split)
    assert mazes.generation is not None
    description = describe(mazes)
    first, last = first_and_last(right["optimal"], np.array(rungs))
    columns = {
        "cell": [cell.name] * cell.count,
        "index": np.arange(cell.count),
        **{name: getattr(description, name) for name in COLUMNS},
        **{kind: right[kind].tolist() for kind in KINDS},
        "first_right": first,
        "last_right": last,
        **_limit_columns(watched, suite.watched(cell), cell.count),
    }
    rows = pl.DataFrame(columns, schema=PER_MAZE, strict=False)
    result = CellResult(
        name=cell.name,
        axis=cell.axis,
        spec=cell.spec,
        n=cell.count,
        mazes_sha256=mazes.digest(),
        acceptance=mazes.generation.acceptance,
        means={name: float(getattr(description, name).mean()) for name in COLUMNS},
        block=block,
        rungs=tuple(
            Rung(iterations=rung, **{kind: Tally.of(int(right[kind][:, r].sum()), cell.count) for kind in KINDS})
            for r, rung in enumerate(rungs)
        ),
        median_first_right=None
        if rows["first_right"].is_null().all()
        else float(np.median(rows["first_right"].drop_nulls())),
    )
    return CellTable(result, _limit_result(rows, suite) if watched else None, rows)


def first_and_last(right: np.ndarray, rungs: np.ndarray) -> tuple[list[int | None], list[int | None]]:
    """Return the iterations at the first and at the last right rung of each maze: right is bool (N, R)."""
    ever = right.any(axis=1)
    first = np.where(ever, rungs[right.argmax(axis=1)], 0)
    last = np.where(ever, rungs[right.shape[1] - 1 - right[:, ::-1].argmax(axis=1)], 0)
    return [int(f) or None for f in first], [int(value) or None for value in last]


def _limit_columns(watched: list[BlockLimits], count: int, rows: int) -> dict[str, list]:
    """Join watched blocks into columns, null for the mazes that were not watched."""
    names = {"limit": "limit", "period": "period", "residual": "residual", "limit_right": "right"}
    nulls = [None] * (rows - count)
    return {
        column: [value for block in watched for value in getattr(block, name).tolist()][:count] + nulls
        for column, name in names.items()
    }


def _limit_result(rows: pl.DataFrame, suite: Suite) -> LimitResult:
    seen = rows.filter(pl.col("limit").is_not_null())
    limits = sorted(set(seen["limit"]))
    right = Counter(seen.filter(pl.col("limit_right"))["limit"])
    wrong = Counter(seen.filter(~pl.col("limit_right"))["limit"])
    return LimitResult(
        cell=rows["cell"][0],
        n=len(seen),
        burn_in=suite.limits.burn_in,
        window=suite.limits.window,
        counts=tuple(LimitCount(limit=name, right=right[name], wrong=wrong[name]) for name in limits),
        periods=dict(sorted(Counter(seen.filter(pl.col("limit") == "cycle")["period"]).items())),
    )
