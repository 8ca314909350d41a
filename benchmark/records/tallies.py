"""Every count of a record's summary, drawn from its per-maze rows; a reader draws them again."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from extramaze.dynamics.limits import Limit
from extramaze.mazes.description import COLUMNS
from extramaze.mazes.scores import KINDS
from extramaze.records.association import associate
from extramaze.records.columns import Part, as_part
from extramaze.schema.record import STUDY_FLOAT32_BETTI, LimitCount, LimitOdds, LimitResult, Rung, Tally
from extramaze.schema.suite import Suite
from extramaze.statistics import wilson


def tally(right: int, count: int) -> Tally:
    """Count ``right`` of ``count``, with Wilson's 95 % interval."""
    low, high = wilson(right, count)
    return Tally(right=right, share=right / count, low=low, high=high)


def first_and_last(right: np.ndarray, rungs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the iterations at the first and at the last right rung of each maze, int (N,), 0 where none is.

    right: bool (N, R). rungs: int (R,), rising.
    """
    ever = right.any(axis=1)
    first, last = right.argmax(axis=1), right.shape[1] - 1 - right[:, ::-1].argmax(axis=1)
    return np.where(ever, rungs[first], 0), np.where(ever, rungs[last], 0)


def answers_of(rows: Part, kind: str, rungs: int) -> np.ndarray | None:
    """Return bool (N, R) of a column of lists; None where a list is missing, of another length, or has gaps."""
    found = rows.columns.answers(kind)
    if found is None:  # somewhere in the table, and here perhaps not
        return None if len(rows) == len(rows.columns) else answers_of(Part.of(rows.table), kind, rungs)
    ends, values = found
    ends = ends[rows.at.start : rows.at.stop + 1]
    return values[ends[0] : ends[-1]].reshape(len(rows), rungs) if (np.diff(ends) == rungs).all() else None


def tally_rungs(rows: pl.DataFrame | Part, rungs: tuple[int, ...]) -> tuple[Rung, ...]:
    """Count right answers of one cell's rows at every rung; none where not every row has one answer a rung."""
    part = as_part(rows)
    answers = {kind: answers_of(part, kind, len(rungs)) for kind in KINDS}
    counts = {kind: right.sum(axis=0).tolist() for kind, right in answers.items() if right is not None}
    if len(counts) < len(KINDS):
        return ()
    return tuple(
        Rung(iterations=rung, **{kind: tally(counts[kind][r], len(part)) for kind in KINDS})
        for r, rung in enumerate(rungs)
    )


def tally_answers(rows: pl.DataFrame | Part) -> dict[str, Any]:
    """Count what one cell's rows say beside the rungs, by the names of CellResult's fields."""
    part = as_part(rows)
    first, evaluations = part.known("first_right"), part.known("evaluations")
    overthought = part.stated("first_right") & part.wrong_at_last("optimal")
    return {
        "means": {name: float(part.plain(name).mean()) for name in COLUMNS},
        "failures": part.counts("failure"),
        "median_first_right": float(np.median(first)) if len(first) else None,
        "overthought": tally(int(overthought.sum()), len(part)),
        "as_dead_end_filling": tally(int(part.true("as_dead_end_filling").sum()), len(part)),
        "mean_evaluations": float(evaluations.mean()) if len(evaluations) else None,
    }


def tally_limits(mazes: pl.DataFrame, cell: str, suite: Suite) -> LimitResult:
    """Count what the raw iterates of one cell's watched mazes did."""
    return limits_of(Part.of(mazes.filter((pl.col("cell") == cell) & pl.col("limit").is_not_null())), cell, suite)


def limits_of(rows: Part, cell: str, suite: Suite) -> LimitResult:
    """Count what the raw iterates did of those of a cell's mazes that were watched: no other rows state any."""
    counts = rows.counts("limit")
    alignment = rows.known("alignment")
    periods = rows.numbers("period")[rows.equals("limit", str(Limit.CYCLE)) & rows.stated("period")]
    return LimitResult(
        cell=cell,
        n=sum(counts.values()),
        burn_in=suite.limits.burn_in,
        window=suite.limits.window,
        counts=tuple(_count(rows, name) for name in counts),
        periods=dict(sorted(Counter(periods.tolist()).items())),
        betti=_by_betti(rows.lists("betti")),
        study_betti=_by_betti(rows.lists("study_betti")),
        alignment=float(alignment.mean()) if len(alignment) else None,
        study_float32_betti=_by_betti(rows.lists(STUDY_FLOAT32_BETTI)) if suite.limits.rules else None,
    )


def _count(rows: Part, limit: str) -> LimitCount:
    here = rows.equals("limit", limit)
    right, flipping = rows.true("limit_right"), rows.numbers("flipping")
    depends = here & rows.stated("depends")
    return LimitCount(
        limit=Limit(limit),
        right=int((here & right).sum()),
        wrong=int((here & rows.stated("limit_right") & ~right).sum()),
        flips=int((here & ~(flipping <= 0)).sum()),  # also where it is no number, of what diverged
        depends=int((depends & rows.true("depends")).sum()) if depends.any() else None,
    )


def _by_betti(numbers: list[list[int]]) -> dict[str, int]:
    return dict(sorted(Counter(",".join(map(str, pair)) for pair in numbers).items()))


def tally_odds(limits: Iterable[LimitResult]) -> tuple[LimitOdds, ...]:
    """Hold each limit against the rest, over cells: whether it goes with being right (``association``)."""
    counts = {result.cell: {count.limit: (count.right, count.wrong) for count in result.counts} for result in limits}
    return tuple(
        LimitOdds(
            limit=found.limit,
            ratio=found.ratio if np.isfinite(found.ratio) else None,
            low=found.low,
            high=found.high if np.isfinite(found.high) else None,
            p=found.p,
            informative=found.informative,
            exact=found.exact,
        )
        for found in associate(counts)
    )
