"""The number that ranks: accuracy at the last rung, mean over the axes of difficulty, and how sure it is.

Within an axis its cells count alike, and the axes count alike. Cells like the training mazes do not enter, unless a
suite has no others.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from scipy.special import ndtri, stdtrit

from extramaze.records import Record
from extramaze.schema.suite import IN_DISTRIBUTION
from extramaze.statistics import CONFIDENCE

PADDED = (
    2  # right and wrong answers added to each cell for its variance: a cell all right is not known to the last maze
)


def axis_scores(record: Record) -> dict[str, float]:
    """Return the mean optimal accuracy at the last rung of each axis's cells."""
    by_axis: dict[str, list[float]] = defaultdict(list)
    for cell in record.summary.cells:
        by_axis[cell.axis].append(cell.rungs[-1].optimal.share)
    return {axis: float(np.mean(shares)) for axis, shares in by_axis.items()}


def score_weights(record: Record) -> dict[str, float]:
    """Return what each cell that counts weighs in the score."""
    axes: dict[str, list[str]] = defaultdict(list)
    for cell in record.summary.cells:
        axes[cell.axis].append(cell.name)
    counted = {axis: cells for axis, cells in axes.items() if axis != IN_DISTRIBUTION} or axes
    return {cell: 1 / len(cells) / len(counted) for cells in counted.values() for cell in cells}


def record_score(record: Record) -> float:
    """Return the number that ranks a record."""
    shares = {cell.name: cell.rungs[-1].optimal.share for cell in record.summary.cells}
    return sum(weight * shares[cell] for cell, weight in score_weights(record).items())


def score_interval(
    records: Sequence[Record], variance_of: Callable[[np.ndarray], float] | None = None
) -> tuple[float, float]:
    """Return the 95 % interval of the mean score of a recipe's seeds, over seeds and mazes.

    Two independent parts are added in quadrature: the seeds' standard error times Student's t (S − 1 degrees of
    freedom), and the mazes' standard error, of each maze's mean over the seeds that share it, times the normal
    quantile. Resampling two to five seeds instead would give intervals that are too narrow. variance_of: of a cell's
    accuracy, ``variance_of_mean`` where it is left out.
    """
    variance_of = variance_of or variance_of_mean
    scores = np.array([record_score(record) for record in records])
    variance = sum(
        weight**2 * variance_of(np.mean([last_rung(record, cell) for record in records], axis=0))
        for cell, weight in score_weights(records[0]).items()
    )
    half, middle = half_width(scores, variance), scores.mean()
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def half_width(scores: np.ndarray, variance: float) -> float:
    """Return the half-width of the 95 % interval of a mean over seeds, (S,), with a variance of its mazes beside."""
    tail = 1 - (1 - CONFIDENCE) / 2
    half = ndtri(tail) * np.sqrt(variance)
    if len(scores) == 1:
        return float(half)
    return float(np.hypot(half, stdtrit(len(scores) - 1, tail) * scores.std(ddof=1) / np.sqrt(len(scores))))


def variance_of_mean(right: np.ndarray) -> float:
    """Return the variance of a cell's accuracy, (N,) shares in [0, 1], with PADDED right and wrong answers added."""
    padded = np.concatenate([right, np.ones(PADDED), np.zeros(PADDED)])
    return float(padded.var() / len(padded))


def last_rung(record: Record, cell: str) -> np.ndarray:
    """Return which mazes of a cell were answered optimally at the last rung: float64 (N,) of 0 and 1."""
    rows = record.mazes.filter(pl.col("cell") == cell)
    return rows["optimal"].list.last().to_numpy().astype(float)
