"""What can be read off a record maze by maze, to be compared with another's."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from extramaze.dynamics.limits import Limit
from extramaze.records import Record

FATES = {
    Limit.FIXED_POINT: "settled",
    Limit.CYCLE: "cycling",
    Limit.DRIFTING: "drifting",
    Limit.DIVERGED: "diverged",
    Limit.UNDECIDED: "undecided",
}
FOLLOWED = ("wandering", "drifting")  # told only of what is followed beyond the window
FATE_NAMES = ("settled", "cycling", "wandering", "drifting", "diverged", "undecided")


@dataclass(frozen=True, eq=False)
class Measure:
    """One yes-or-no question asked of mazes: their ``index`` (N,) in each cell, and the answers, bool (N,)."""

    name: str
    cells: dict[str, tuple[np.ndarray, np.ndarray]]

    @property
    def pooled(self) -> np.ndarray:
        """The answers of all cells in a row."""
        return np.concatenate([yes for _, yes in self.cells.values()])


def fate(limit: str) -> str:
    """Return which of FATE_NAMES a limit is: what is quasi-periodic or chaotic wanders; what drifts may yet settle."""
    return FATES.get(Limit(limit), "wandering")


def optimal(record: Record) -> Measure:
    """Whether each maze was answered optimally at the last rung: the measure that ranks."""
    return _measure("optimal", record, record.mazes, pl.col("optimal").list.last())


def with_fate(record: Record, name: str) -> Measure:
    """Whether each watched maze's raw iterates had this fate."""
    limits = [limit for limit in record.mazes["limit"].drop_nulls().unique() if fate(limit) == name]
    return _measure(name, record, watched(record), pl.col("limit").is_in(limits))


def non_finite(record: Record) -> Measure:
    """Whether each watched maze's iterates ended in infinities or NaN."""
    return _measure("non-finite", record, watched(record), ~pl.col("residual").is_finite().fill_null(True))


def watched(record: Record) -> pl.DataFrame:
    """Return the rows whose iterates were watched."""
    return record.mazes.filter(pl.col("limit").is_not_null())


def both_watched(first: Record, second: Record) -> bool:
    """Whether the iterates of the same mazes were watched, so that what they did may be compared."""
    return len(watched(first)) > 0 and watched(first)["cell"].equals(watched(second)["cell"])


def _measure(name: str, record: Record, rows: pl.DataFrame, answer: pl.Expr) -> Measure:
    asked = rows.select("cell", "index", answer.alias("yes"))
    by_cell = {key: part for (key,), part in asked.group_by(["cell"], maintain_order=True)}
    order = [cell.name for cell in record.summary.cells if cell.name in by_cell]
    return Measure(name, {cell: _columns(by_cell[cell]) for cell in order})


def _columns(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return rows["index"].to_numpy(), rows["yes"].to_numpy().astype(bool)


def fate_shares(records: Iterable[Record]) -> dict[str, float]:
    """Return the share of the watched trajectories with each fate that their suite tells; empty where none were."""
    records = list(records)
    limits = pl.concat([watched(record)["limit"] for record in records])
    counts = dict.fromkeys(fates_told(records[0]), 0)
    for limit in limits:
        counts[fate(limit)] += 1
    return {name: count / len(limits) for name, count in counts.items()} if len(limits) else {}


def fates_told(record: Record) -> list[str]:
    """Return which of FATE_NAMES a record's suite can tell: what is followed no further neither wanders nor drifts."""
    return [name for name in FATE_NAMES if record.summary.plan.suite.limits.pursuit or name not in FOLLOWED]


def function_evaluations(record: Record) -> float:
    """Return the mean function evaluations spent on a maze: as its cells state it, or the steps to the last rung.

    Free running, one iteration is one evaluation of the step function.
    """
    cells = record.summary.cells
    each = [cell.mean_evaluations or cell.rungs[-1].iterations for cell in cells]
    return float(np.average(each, weights=[cell.n for cell in cells]))


def operations(record: Record) -> float | None:
    """Return the mean floating-point operations spent on a maze; None where they were not counted, or there are none.

    An iteration of one network is not one of another: this is what they cost alike.
    """
    pairs = zip(record.summary.plan.cells, record.summary.cells, strict=True)
    each = [
        None if planned.operations is None else planned.operations * (cell.mean_evaluations or planned.rungs[-1])
        for planned, cell in pairs
    ]
    known = [value for value in each if value]
    if len(known) < len(each):
        return None
    return float(np.average(known, weights=[cell.n for cell in record.summary.cells]))


def is_algorithm(record: Record) -> bool:
    """Whether a record's solver has nothing that another seed could change. Of answers made elsewhere nobody knows."""
    return record.summary.plan.solver.parameters == 0 and record.summary.plan.mode != "predictions"
