"""Statistics of shares, and of paired comparisons: two solvers, the same mazes, right or wrong.

A *win* is a maze that the first is right on and the second wrong; a *loss* the other way round. Mazes on which both
agree say how precise a comparison is, never which solver is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaincinv, ndtr, ndtri

from extramaze.core.errors import InputError

CONFIDENCE = 0.95
POWER = 0.8  # chance to be seen that "the smallest drop it could have seen" refers to
_NORMAL = float(ndtri((1 + CONFIDENCE) / 2))
_QUANTILE = 1e-10  # discordant pairs less likely than this are left out of a power


@dataclass(frozen=True)
class Paired:
    """n pairs of right and wrong answers: ``wins`` (first right, second wrong) and ``losses`` (the reverse)."""

    n: int
    wins: int
    losses: int

    def __post_init__(self) -> None:
        if min(self.n - 1, self.wins, self.losses) < 0 or self.wins + self.losses > self.n:
            raise InputError(f"wins and losses are at least 0 and at most n ≥ 1 together, got {self}")

    @classmethod
    def of(cls, first: np.ndarray, second: np.ndarray) -> "Paired":
        """Count the pairs of two bool arrays (N,)."""
        return cls(len(first), int((first & ~second).sum()), int((second & ~first).sum()))

    @property
    def difference(self) -> float:
        """The first's share of right answers less the second's."""
        return (self.wins - self.losses) / self.n


def wilson(right: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval for a share of ``count`` ≥ 1 (Wilson, JASA 1927; Newcombe, Stat. Med. 17, 1998)."""
    share, z2 = right / count, _NORMAL**2
    whole = 2 * (count + z2)
    centre = (2 * count * share + z2) / whole
    half = _NORMAL / whole * sqrt(4 * count * share * (1 - share) + z2)
    return (centre - half if right else 0.0), (centre + half if right < count else 1.0)


def mcnemar(pairs: Paired) -> float:
    """Return the exact two-sided p-value of "wins and losses are equally likely".

    Given how many pairs disagree, wins are binomial with probability ½ (McNemar 1947, Psychometrika 12:153, with the
    exact binomial in place of χ²). 1 where none disagree.
    """
    from scipy.stats import binomtest  # takes as long to load as the rest together, for those who need it

    disagree = pairs.wins + pairs.losses
    return float(binomtest(pairs.wins, disagree, 0.5).pvalue) if disagree else 1.0


def score_statistic(pairs: Paired, difference: float) -> float:
    """Return Tango's score statistic of "the true difference is ``difference``", standard normal where it is.

    Tango (1998), Statistics in Medicine 17:891, equations 8 to 10: the variance is taken at the most likely table
    whose difference is the one tested. ±inf where the observed table is impossible under it.
    """
    n, wins, losses = pairs.n, pairs.wins, pairs.losses
    quadratic = 2 * n
    linear = (2 * n - wins + losses) * difference - wins - losses
    constant = -losses * difference * (1 - difference)
    loss_rate = (np.sqrt(max(0.0, linear**2 - 4 * quadratic * constant)) - linear) / (2 * quadratic)
    variance = n * (2 * loss_rate + difference * (1 - difference))
    gap = wins - losses - n * difference
    if variance <= 0:
        return 0.0 if gap == 0 else float(np.copysign(np.inf, gap))
    return float(gap / np.sqrt(variance))


def difference_interval(pairs: Paired, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return Tango's score interval of the difference: all values that his two-sided test does not reject.

    Chosen over Newcombe's square-and-add interval because it inverts the very test that ``equivalence`` makes, so an
    interval inside the margin and a passed test are one statement. Both are recommended by Fagerland, Lydersen and
    Laake (2014), Statistics in Medicine 33:2850.
    """
    z = -ndtri((1 - confidence) / 2)
    middle, nearly = pairs.difference, 1 - 1e-12

    def excess(difference: float) -> float:
        return abs(score_statistic(pairs, difference)) - z

    low = -1.0 if excess(-nearly) <= 0 else brentq(excess, -nearly, middle)
    high = 1.0 if excess(nearly) <= 0 else brentq(excess, middle, nearly)
    return float(low), float(high)


def equivalence(pairs: Paired, margin: float) -> float:
    """Return the p-value of "the difference is as large as the margin, one way or the other": two one-sided tests.

    Both tests are Tango's (1998) score tests, at −margin and at +margin; the larger p-value counts (Schuirmann 1987,
    J. Pharmacokinetics and Biopharmaceutics 15:657). At most α exactly where the 1 − 2α interval lies within ±margin.
    """
    if not 0 < margin < 1:
        raise InputError(f"a margin is a difference between 0 and 1, both left out; got {margin}")
    above, below = score_statistic(pairs, -margin), score_statistic(pairs, margin)
    return float(max(ndtr(-above), ndtr(below)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for how many there are: any at most α are then all true with probability at least 1 − α.

    Holm (1979), Scandinavian J. of Statistics 6:65: the r-th smallest of m times m − r + 1, never falling.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(steps) if len(p) else steps
    return [float(value) for value in adjusted]


def share_at_most(found: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Return the upper bound on a share of which ``found`` of ``n`` were seen: one-sided, exact.

    Clopper and Pearson (1934), Biometrika 26:404. With nothing found in n it is 1 − (1 − confidence)^(1/n), about 3/n;
    1 where nothing was looked at.
    """
    if not 0 <= found <= n:
        raise InputError(f"found is 0 to n, got {found} of {n}")
    return 1.0 if found == n else float(betaincinv(found + 1, n - found, confidence))


def power(n: int, drop: float, flips: float, alpha: float) -> float:
    """Return the chance that the exact McNemar test finds a drop, and calls it one, at level ``alpha``.

    A maze turns from right to wrong with probability flips + drop, from wrong to right with probability flips. Summed
    exactly over the number of discordant pairs (unconditional power of the conditional test; Duffy 1984, Biometrics
    40:1005).
    """
    from scipy.stats import binom

    discordant = 2 * flips + drop
    if discordant <= 0:
        return 0.0
    low, high = binom.ppf(_QUANTILE, n, discordant), binom.isf(_QUANTILE, n, discordant)
    count = np.arange(low, high + 1)
    needed = binom.isf(alpha / 2, count, 0.5) + 1  # fewest losses that are significant among so many
    found = binom.sf(needed - 1, count, (flips + drop) / discordant)
    return float(binom.pmf(count, n, discordant) @ np.where(needed > count, 0.0, found))


def smallest_drop(n: int, flips: float, alpha: float = 1 - CONFIDENCE, chance: float = POWER) -> float:
    """Return the least drop in accuracy that a comparison of n mazes finds with probability ``chance``; NaN for none.

    flips: the share of mazes that turn from wrong to right all the same (and as many back again).
    """
    most = 1 - 2 * flips
    if most <= 0 or power(n, most, flips, alpha) < chance:
        return float("nan")
    return float(brentq(lambda drop: power(n, drop, flips, alpha) - chance, 0.0, most, xtol=1e-6))
