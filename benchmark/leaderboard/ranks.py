"""Which ranks of a board are sure: every row's range of ranks, from paired tests over seeds and mazes.

Two rows are told apart where the difference of their scores is significant after Holm's adjustment over all pairs. A
row's range starts after the rows told apart above it and ends before those told apart below it. With probability at
least 0.95 no pair is put in the wrong order, and then every range holds its row's true rank (simultaneous confidence
sets for ranks: Mogstad, Romano, Shaikh and Wilhelm 2024, Review of Economic Studies 91:476). Ranges say less than the
pairs behind them: two that overlap may belong to rows that are told apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from extramaze.statistics import CONFIDENCE, holm

if TYPE_CHECKING:
    from extramaze.leaderboard.ranking import Ranking

ALPHA = 1 - CONFIDENCE
LEAST_P = 1e-12


@dataclass(frozen=True, eq=False)
class Evidence:
    """One row's right answers, (S, N) shares by cell for S seeds, and what each cell weighs in the score.

    trained: whether another seed would have answered otherwise; an algorithm's would not.
    """

    right: Mapping[str, np.ndarray]
    weights: Mapping[str, float]
    trained: bool = True

    @property
    def scores(self) -> np.ndarray:
        """The score of each seed, (S,)."""
        return sum((self.weights[cell] * self.right[cell].mean(axis=1) for cell in self.weights), np.zeros(1))


@dataclass(frozen=True)
class Spread:
    """The variance of a row's mean score over seeds, and its degrees of freedom.

    Both 0 for an algorithm, which has no seeds; the variance infinite where nobody can know it.
    """

    variance: float
    freedom: float

    @property
    def known(self) -> bool:
        """Whether anything says how much seeds of this row differ."""
        return self.variance < np.inf


@dataclass(frozen=True)
class Difference:
    """The difference of two rows' scores: its value, its 95 % interval and its two-sided p-value.

    The interval is infinite, and p is 1, where the spread of either over seeds cannot be known.
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Pair:
    """Two rows by their places on the board: their difference, and its p-value adjusted for all pairs."""

    first: int
    second: int
    difference: Difference
    adjusted_p: float

    @property
    def apart(self) -> bool:
        """Whether the rows are told apart: wrongly so, anywhere on the board, with probability at most 0.05."""
        return self.adjusted_p <= ALPHA


def compare_pairs(rows: Sequence[Evidence], rule: "Ranking") -> list[Pair]:
    """Test all pairs of rows that may be ranked under a rule, in the order of the board."""
    known = rule.spreads(rows)
    ranked = [place for place, spread in enumerate(known) if rule.ranks(spread)]
    places = list(combinations(ranked, 2))
    found = [compare_scores(rows[i], rows[j], (known[i], known[j]), rule) for i, j in places]
    adjusted = holm([difference.p for difference in found])
    return [Pair(i, j, d, p) for (i, j), d, p in zip(places, found, adjusted, strict=True)]


def rank_ranges(rows: Sequence[Evidence], rule: "Ranking") -> list[tuple[int, int] | None]:
    """Return the best and the worst rank that each row may have; None for one that may not be ranked."""
    ranked = [rule.ranks(spread) for spread in rule.spreads(rows)]
    return ranges(ranked, compare_pairs(rows, rule))


def ranges(ranked: Sequence[bool], pairs: Sequence[Pair]) -> list[tuple[int, int] | None]:
    """Return ranges of ranks among the rows that are ranked, from the pairs of them that are told apart."""
    best, worst = [1] * len(ranked), [sum(ranked)] * len(ranked)
    for pair in pairs:
        if pair.apart:
            above, below = (pair.first, pair.second) if pair.difference.value > 0 else (pair.second, pair.first)
            best[below] += 1
            worst[above] -= 1
    found = zip(ranked, best, worst, strict=True)
    return [(low, high) if may else None for may, low, high in found]


def compare_scores(first: Evidence, second: Evidence, known: Sequence[Spread], rule: "Ranking") -> Difference:
    """Compare two rows' scores. known: their spreads over seeds.

    Mazes are paired: the variance is that of each maze's difference of means over seeds, as the rule takes it. Seeds
    are not: each row's variance over seeds, with Welch's degrees of freedom. The half-width of the interval at level α
    adds both parts in quadrature, each standard error times its quantile, as the board's intervals do; p is the α at
    which it just reaches 0.
    """
    value = float(first.scores.mean() - second.scores.mean())
    if not all(spread.known for spread in known):
        return Difference(value, -np.inf, np.inf, 1.0)
    cells = [(w, first.right[c].mean(axis=0) - second.right[c].mean(axis=0)) for c, w in first.weights.items()]
    mazes = [w**2 * rule.variance_of_difference(d) for w, d in cells], [rule.freedom(len(d)) for _, d in cells]
    seeds = [spread.variance for spread in known], [spread.freedom for spread in known]

    def half_width(alpha: float) -> float:
        return float(np.hypot(_half(alpha, *mazes), _half(alpha, *seeds)))

    half = half_width(ALPHA)
    return Difference(value, value - half, value + half, p_value(abs(value), half_width))


def _half(alpha: float, variances: Sequence[float], freedom: Sequence[float]) -> float:
    """Return the half-width at level α that a sum of variances gives; 0 where there is none."""
    total = sum(variances)
    return quantile(alpha, satterthwaite(variances, freedom)) * float(np.sqrt(total)) if total else 0.0


def p_value(difference: float, half_width: Callable[[float], float]) -> float:
    """Return the level at which an interval's half-width is the difference, LEAST_P at the least."""
    if half_width(LEAST_P) <= difference:
        return LEAST_P
    return float(brentq(lambda alpha: half_width(alpha) - difference, LEAST_P, 1.0)) if difference else 1.0


def quantile(alpha: float, freedom: float) -> float:
    """Return Student's two-sided quantile at level α; the normal one for infinitely many degrees of freedom."""
    return float(-ndtri(alpha / 2) if np.isinf(freedom) else -stdtrit(freedom, alpha / 2))


def variance_of_difference(differences: np.ndarray) -> float:
    """Return the variance of a cell's mean difference, of mazes (N,), with half a win and half a loss added.

    Agresti and Min 2005, Statistics in Medicine 24:729.
    """
    count = len(differences) + 2
    return float(((differences**2).sum() + 1) / count - (differences.sum() / count) ** 2) / count


def satterthwaite(variances: Sequence[float], freedom: Sequence[float]) -> float:
    """Return the degrees of freedom of a sum of variances, each with its own; those of no freedom are exact.

    Satterthwaite (1946), Biometrics Bulletin 2:110; Welch's where there are two. 1 where there is no variance at all.
    """
    parts = sum(v**2 / f for v, f in zip(variances, freedom, strict=True) if f > 0)
    if parts:
        return sum(variances) ** 2 / parts
    return np.inf if np.inf in freedom else 1.0


def welch(variances: Sequence[float], seeds: Sequence[int]) -> float:
    """Return the degrees of freedom of a sum or difference of means over so many seeds."""
    return satterthwaite(variances, [count - 1 for count in seeds])
