"""What a path's values say: barriers, gaps, radii and crossings, with intervals over mazes.

Values are of P points in order along the path and the same N mazes at each, so every interval is paired: all points
see the same resample. The barrier is Entezari et al.'s (arXiv 2110.06296): the largest excess over the straight line
between the ends, and so 0 at least. Frankle et al.'s (arXiv 1912.05671) subtracts the mean of the ends, which finds one
in a bowl whose ends differ in height. The maximum is chosen anew in every resample and nothing is subtracted for that:
between a network and an aligned copy of itself it is 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2_000
CONNECTED = 0.02  # barrier of accuracy below which two networks count as connected (Frankle et al.)
WITHIN = 0.05  # accuracy that may be lost within the radius
SEED = 29


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval; NaN where it has none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Values:
    """A quantity along a path, lower being better. Its value at a point is Σ sums / Σ weights over mazes."""

    sums: np.ndarray
    """float64 (P, N)."""
    weights: np.ndarray
    """float64 (N,): 1 of a mean over mazes, open pixels of one over pixels."""

    @classmethod
    def mean(cls, values: np.ndarray) -> "Values":
        """Return a quantity that is averaged over mazes, from (P, N)."""
        return cls(np.asarray(values, float), np.ones(values.shape[1]))

    def along(self) -> np.ndarray:
        """Return its values (P,)."""
        return self.sums.sum(axis=1) / self.weights.sum()

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Return its values (R, P) in R resamples, from how often each maze is in each, (R, N)."""
        return (counts @ self.sums.T) / (counts @ self.weights)[:, None]


def resamples(mazes: int, count: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """Draw how often each of N mazes is in each of R resamples: float64 (R, N), the same for one N."""
    return np.random.default_rng([seed, mazes]).multinomial(mazes, np.full(mazes, 1 / mazes), size=count).astype(float)


def chord(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the straight line between the first and the last value at all places: (…, P) → (…, P)."""
    share = (places - places[0]) / (places[-1] - places[0])
    return values[..., :1] * (1 - share) + values[..., -1:] * share


def excess(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return how far values lie above the straight line between their ends; 0 at the ends: (…, P)."""
    over = values - chord(values, places)
    over[..., 0] = over[..., -1] = 0.0
    return over


def height(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the barrier of values along a path: (…, P) → (…)."""
    return excess(values, places).max(axis=-1)


def radius(values: np.ndarray, places: np.ndarray, within: float = WITHIN) -> np.ndarray:
    """Return the last place up to which no value lies more than ``within`` above the straight line: (…, P) → (…)."""
    bad = excess(values, places) > within
    first = np.where(bad.any(axis=-1), bad.argmax(axis=-1), len(places))
    return places[first - 1]


def interval(statistic: Callable[[np.ndarray], np.ndarray], values: Values) -> Interval:
    """Return a statistic of a path's values (…, P) → (…), with its percentile interval."""
    return spread(float(statistic(values.along())), statistic(values.resampled(resamples(len(values.weights)))))


def spread(value: float, drawn: np.ndarray) -> Interval:
    """Return a figure with the middle 95 % of its resamples."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def barrier(values: Values, places: np.ndarray) -> Interval:
    """Return the barrier of a quantity along a path."""
    return interval(lambda along: height(along, places), values)


def gap(cell: Values, training: Values, places: np.ndarray) -> Interval:
    """Return by how much a cell's barrier exceeds that of the training mazes, each resampled on its own."""
    draws = [
        height(values.resampled(resamples(len(values.weights), seed=SEED + number)), places)
        for number, values in enumerate((cell, training))
    ]
    value = float(height(cell.along(), places) - height(training.along(), places))
    return spread(value, draws[0] - draws[1])


def medians(values: np.ndarray) -> list[Interval]:
    """Return the median over mazes at each point of (P, N), NaN left out, with intervals; NaN where nothing is left."""
    return [spread(float(value), drawn) for value, drawn in zip(*median_draws(values), strict=True)]


def median_draws(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the medians (P,) of (P, N), and those of R resamples, the same mazes at every point, (P, R)."""
    counts = resamples(values.shape[1])
    pairs = [_median(row, counts) for row in values]
    return np.array([value for value, _ in pairs]), np.stack([drawn for _, drawn in pairs])


def _median(row: np.ndarray, counts: np.ndarray) -> tuple[float, np.ndarray]:
    there = ~np.isnan(row)
    if not there.any():
        return np.nan, np.full(len(counts), np.nan)
    order = np.argsort(row[there], kind="stable")
    ordered, weights = row[there][order], counts[:, there][:, order]
    reached = weights.cumsum(axis=1)
    half = reached[:, -1:] / 2
    drawn = ordered[np.minimum((reached < half).sum(axis=1), len(ordered) - 1)]
    return float(np.median(ordered)), drawn


def crossing(places: np.ndarray, middles: list[Interval]) -> float | None:
    """Return the first place at which a median's interval excludes the sign that it has at the beginning."""
    begin = np.sign(middles[0].value)
    for place, middle in zip(places, middles, strict=True):
        if (begin < 0 and middle.low > 0) or (begin > 0 and middle.high < 0):
            return float(place)
    return None
