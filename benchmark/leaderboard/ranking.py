"""Versions of the rule that ranks: how wide intervals are, and what a row without a spread of its own is told from.

Version 1 takes a normal quantile for mazes and the mean of other recipes' spreads, and ranks a row of one seed beside
no others "1 to last". Of two equal algorithms it tells apart 12 % at 8 mazes a cell. Version 2 is sure at any size:
``tests/benchmark/test_ranking_errors.py`` simulates both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, gammaincinv, polygamma

from extramaze.core.errors import InputError
from extramaze.leaderboard.ranks import Evidence, Spread, variance_of_difference
from extramaze.leaderboard.score import PADDED, variance_of_mean

OTHERS = 3  # recipes of several seeds, beside a row's own, from which a prior for its spread is drawn
MOST = 4  # degrees of freedom that the prior counts for, at most
LATEST = 2


@dataclass(frozen=True)
class Ranking:
    """One version of the rule."""

    version: int
    """As boards state it."""
    spreads: Callable[[Sequence[Evidence]], list[Spread]]
    """Every row's spread over seeds."""
    ranks_unknown: bool
    """Whether a row whose spread nobody knows has a rank."""
    variance_of_mean: Callable[[np.ndarray], float]
    """Of a cell's accuracy, from shares (N,) of right answers."""
    variance_of_difference: Callable[[np.ndarray], float]
    """Of a cell's mean difference, from differences (N,)."""
    freedom: Callable[[int], float]
    """Degrees of freedom of a cell's variance, from its count of mazes."""

    def ranks(self, spread: Spread) -> bool:
        """Whether a row with this spread over seeds has a rank."""
        return self.ranks_unknown or spread.known


def _spreads_1(rows: Sequence[Evidence]) -> list[Spread]:
    """Return every row's spread over seeds: its own, shrunk towards the mean of the other recipes'."""
    found = []
    for row, own, others in _with_others(rows):
        weight = MOST if len(others) >= OTHERS else 0
        prior = float(np.mean([other.variance for other in others])) if weight else 0.0
        known = own.freedom + weight
        pooled = (own.freedom * own.variance + weight * prior) / known if known else np.inf
        found.append(_of_mean(row, pooled, known))
    return found


def _spreads_2(rows: Sequence[Evidence]) -> list[Spread]:
    """Return every row's spread over seeds: its own, raised towards what is typical of the others, never lowered.

    A few seeds say little of their own spread: of three seeds one in ten shows less than a third of it. So the other
    recipes of several seeds, where OTHERS differ at all between seeds, make a prior (``_prior``). What a row shows
    itself is never shrunk: a wild recipe beside tame ones is wild.
    """
    found = []
    for row, own, others in _with_others(rows):
        scattered = [other for other in others if other.variance > 0]
        prior = _prior(scattered) if len(scattered) >= OTHERS else Spread(0.0, 0)
        known = own.freedom + prior.freedom
        weighed = own.freedom * own.variance + prior.freedom * prior.variance
        found.append(_of_mean(row, max(own.variance, weighed / known) if known else np.inf, known))
    return found


def _prior(others: Sequence[Spread]) -> Spread:
    """Return the spread to expect of one more recipe, and the degrees of freedom that this counts for.

    The median of the others' variances, each divided by the median of what so few seeds show of a variance of 1: one
    wild recipe does not move it. It counts for less the more the others differ beyond what so few seeds explain: the
    moments of their logarithms give the degrees of freedom (Smyth 2004, Statistical Applications in Genetics and
    Molecular Biology 3:3, section 6.2), MOST at most and no more than half of what the others have together.
    """
    variances, freedom = (np.array([getattr(other, key) for other in others]) for key in ("variance", "freedom"))
    logs = np.log(variances) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, freedom / 2).mean())
    fitted = 2 * _inverse_trigamma(excess) if excess > 0 else MOST
    typical = float(np.median(variances / (2 * gammaincinv(freedom / 2, 0.5) / freedom)))
    return Spread(typical, min(fitted, MOST, float(freedom.sum()) / 2))


def _inverse_trigamma(value: float) -> float:
    """Return where the trigamma function, which falls, has a value > 0; within what matters here."""
    low, high = 0.25, MOST
    if float(polygamma(1, high)) >= value:
        return high
    if float(polygamma(1, low)) <= value:
        return low
    return float(brentq(lambda x: float(polygamma(1, x)) - value, low, high))


def _with_others(rows: Sequence[Evidence]) -> list[tuple[Evidence, Spread, list[Spread]]]:
    """Return each row with the spread of its own seeds, and those of the other rows of several seeds."""
    freedom = [len(row.scores) - 1 for row in rows]
    own = [Spread(float(row.scores.var(ddof=1)) if f else 0.0, f) for row, f in zip(rows, freedom, strict=True)]
    return [
        (row, own[place], [other for k, other in enumerate(own) if k != place and other.freedom])
        for place, row in enumerate(rows)
    ]


def _of_mean(row: Evidence, variance: float, freedom: float) -> Spread:
    """Return the spread of a row's mean score, from the variance of one seed's."""
    return Spread(variance / len(row.scores), freedom) if row.trained else Spread(0.0, 0)


def _wide_variance_of_mean(right: np.ndarray) -> float:
    """Return the variance of a cell's accuracy with PADDED right and wrong answers added, for the share without them.

    Added answers draw the share towards a half. Where the interval stays about the share that was seen, its half-width
    is stretched by as much: (N + 2·PADDED) / N.
    """
    return variance_of_mean(right) * ((len(right) + 2 * PADDED) / len(right)) ** 2


def _wide_variance_of_difference(differences: np.ndarray) -> float:
    """Return the variance of a cell's mean difference with half a win and half a loss added, for that without them.

    The same z as Agresti and Min's, whose centre is shrunk: their test, about the difference that was seen.
    """
    return variance_of_difference(differences) * ((len(differences) + 2) / len(differences)) ** 2


RANKINGS = {
    1: Ranking(1, _spreads_1, True, variance_of_mean, variance_of_difference, lambda _: np.inf),
    2: Ranking(
        2, _spreads_2, False, _wide_variance_of_mean, _wide_variance_of_difference, lambda mazes: float(mazes + 1)
    ),
}


def ranking(version: int) -> Ranking:
    """Return a version of the rule. Raises InputError for one that there is not."""
    if version not in RANKINGS:
        raise InputError(f"there is no ranking {version}; versions: {', '.join(map(str, RANKINGS))}")
    return RANKINGS[version]
