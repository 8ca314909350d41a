"""Every count of a record's summary, drawn from its per-maze rows; a reader draws them again."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from extramaze.dynamics.limits import Limit
from extramaze.mazes.description import COLUMNS
from extramaze.records.association import associate
from extramaze.schema.record import STUDY_FLOAT32_BETTI, Audit, LimitCount, LimitOdds, LimitResult, Rung, Tally
from extramaze.schema.scores import KINDS
from extramaze.schema.suite import Suite
from extramaze.statistics import share_at_most, wilson


def tally(right: int, count: int) -> Tally:
    """Count ``right`` of ``count``, with Wilson's 95 % interval."""
    low, high = wilson(right, count)
    return Tally(right=right, share=right / count, low=low, high=high)


def tally_audit(disagree: int, audited: int) -> Audit:
    """Count ``disagree`` of ``audited``; nothing is known where none was audited."""
    return Audit(audited=audited, disagree=disagree, high=share_at_most(disagree, audited))


def first_and_last(right: np.ndarray, rungs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the iterations at the first and at the last right rung of each maze, int (N,), 0 where none is.

    right: bool (N, R). rungs: int (R,), rising.
    """
    ever = right.any(axis=1)
    first, last = right.argmax(axis=1), right.shape[1] - 1 - right[:, ::-1].argmax(axis=1)
    return np.where(ever, rungs[first], 0), np.where(ever, rungs[last], 0)


def tally_rungs(rows: pl.DataFrame, rungs: tuple[int, ...]) -> tuple[Rung, ...]:
    """Count right answers of one cell's rows at every rung."""
    answers = {kind: rows[kind].explode().to_numpy() for kind in KINDS}
    if any(len(answer) != len(rows) * len(rungs) for answer in answers.values()):
        return ()
    counts = {kind: answer.reshape(len(rows), len(rungs)).sum(axis=0) for kind, answer in answers.items()}
    return tuple(
        Rung(iterations=rung, **{kind: tally(int(counts[kind][r]), len(rows)) for kind in KINDS})
        for r, rung in enumerate(rungs)
    )


def tally_answers(rows: pl.DataFrame, retire: bool) -> dict[str, Any]:
    """Count what one cell's rows say beside the rungs, by the names of CellResult's fields."""
    found, right = rows["first_right"].is_not_null(), rows["optimal"].list.last()
    audited = rows["audit_agrees"].drop_nulls()
    evaluations = rows["evaluations"].drop_nulls()
    return {
        "means": {name: float(rows[name].to_numpy().mean()) for name in COLUMNS},
        "failures": dict(sorted(Counter(rows["failure"].drop_nulls()).items())),
        "median_first_right": rows["first_right"].median(),
        "overthought": tally(int((found & ~right).sum()), len(rows)),
        "as_dead_end_filling": tally(int(rows["as_dead_end_filling"].sum()), len(rows)),
        "audit": tally_audit(int((~audited).sum()), len(audited)) if retire else None,
        "mean_evaluations": float(evaluations.to_numpy().mean()) if len(evaluations) else None,
    }


def tally_limits(mazes: pl.DataFrame, cell: str, suite: Suite) -> LimitResult:
    """Count what the raw iterates of one cell's watched mazes did."""
    seen = mazes.filter((pl.col("cell") == cell) & pl.col("limit").is_not_null())
    alignment = seen["alignment"].drop_nulls()
    return LimitResult(
        cell=cell,
        n=len(seen),
        burn_in=suite.limits.burn_in,
        window=suite.limits.window,
        counts=tuple(_count(seen.filter(pl.col("limit") == name), name) for name in sorted(set(seen["limit"]))),
        periods=dict(sorted(Counter(seen.filter(pl.col("limit") == Limit.CYCLE)["period"].drop_nulls()).items())),
        betti=_by_betti(seen["betti"]),
        study_betti=_by_betti(seen["study_betti"]),
        alignment=float(alignment.to_numpy().mean()) if len(alignment) else None,
        study_float32_betti=_by_betti(seen[STUDY_FLOAT32_BETTI]) if suite.limits.rules else None,
    )


def _count(rows: pl.DataFrame, limit: str) -> LimitCount:
    depends = rows["depends"].drop_nulls()
    return LimitCount(
        limit=Limit(limit),
        right=int(rows["limit_right"].sum()),
        wrong=int((~rows["limit_right"]).sum()),
        flips=int((rows["flipping"] > 0).sum()),
        depends=int(depends.sum()) if len(depends) else None,
    )


def _by_betti(numbers: pl.Series) -> dict[str, int]:
    return dict(sorted(Counter(",".join(map(str, pair)) for pair in numbers.drop_nulls().to_list()).items()))


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
