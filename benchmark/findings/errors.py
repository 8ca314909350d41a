"""The error of a figure in its two parts, the interval that they give, and the p-value that matches it.

The interval is the board's: the normal quantile times the mazes' standard error and Student's times that of the seeds,
added in quadrature. p is the level at which its half-width just reaches a bound, so that p is below 5 % exactly where
the 95 % interval leaves the bound out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from extramaze.leaderboard.ranks import p_value, quantile
from extramaze.statistics import CONFIDENCE


@dataclass(frozen=True)
class Errors:
    """Variances of a mean, over mazes and over seeds, and the seeds' degrees of freedom."""

    mazes: float
    seeds: float = 0.0
    freedom: float = np.inf

    def half(self, alpha: float = 1 - CONFIDENCE) -> float:
        """Return the half-width of the interval at level α."""
        seeds = quantile(alpha, self.freedom) * np.sqrt(self.seeds) if self.seeds else 0.0
        return float(np.hypot(quantile(alpha, np.inf) * np.sqrt(self.mazes), seeds))

    def p(self, distance: float) -> float:
        """Return the two-sided p-value of a bound at a distance from the mean."""
        return p_value(abs(distance), self.half)


def errors_of(scores: np.ndarray, mazes: float) -> Errors:
    """Return the errors of a mean over seeds, (S,), with a variance of its mazes; one seed has no spread."""
    if len(scores) == 1:
        return Errors(mazes)
    return Errors(mazes, float(scores.var(ddof=1) / len(scores)), len(scores) - 1)


def worst(p_values: Sequence[float]) -> float:
    """Return the p-value of several statements that must all be true: the largest (intersection-union test)."""
    return max(p_values)


def best(p_values: Sequence[float]) -> float:
    """Return the p-value where any of several statements may decide: the smallest times their number (Bonferroni)."""
    return min(1.0, len(p_values) * min(p_values))
