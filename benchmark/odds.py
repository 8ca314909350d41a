"""The common odds ratio of 2×2 tables in strata, with its interval.

It is that of Mantel & Haenszel (J. Natl. Cancer Inst. 22, 1959) with the variance of Robins, Breslow & Greenland
(Biometrics 42, 1986); where that has no value, because some count is 0, the interval is the exact conditional one:
given the margins of every table the count in the corner follows a product of non-central hypergeometric laws (Gart,
Biometrika 57, 1970).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp, ndtri, softmax

from extramaze.statistics import CONFIDENCE

WIDEST = 50.0  # logarithms of odds ratios beyond this count as infinite


@dataclass(frozen=True)
class Odds:
    """The common odds ratio of strata. ``ratio``: odds of being right with a property, divided by those without it.

    low, high: the 95 % interval. p: of no association in any stratum, exact and two-sided. informative: strata whose
    table has both groups and both outcomes; without any, the ratio is NaN, the interval 0 to infinity and p is 1.
    exact: the interval is the exact conditional one.
    """

    ratio: float
    low: float
    high: float
    p: float
    informative: int
    exact: bool


def common_odds(tables: np.ndarray) -> Odds:
    """Return the common odds ratio of int64 tables (strata, 2, 2): with and without a property, right and wrong."""
    tables = informative(tables)
    if not len(tables):
        return Odds(np.nan, 0.0, np.inf, 1.0, 0, True)
    ratio, error = mantel_haenszel(tables)
    corner = int(tables[:, 0, 0].sum())
    lowest, weights = corner_law(tables)
    p = _two_sided(weights, corner - lowest)
    if np.isfinite(error):
        reach = ndtri(0.5 + CONFIDENCE / 2) * error
        return Odds(ratio, ratio * np.exp(-reach), ratio * np.exp(reach), p, len(tables), False)
    _, weights = corner_law(tables, _centre(tables, corner))
    return Odds(ratio, *_exact_interval(weights, corner - lowest), p, len(tables), True)


def informative(tables: np.ndarray) -> np.ndarray:
    """Return the tables that have both groups and both outcomes."""
    return tables[(tables.sum(axis=1) > 0).all(axis=1) & (tables.sum(axis=2) > 0).all(axis=1)]


def mantel_haenszel(tables: np.ndarray) -> tuple[float, float]:
    """Return the common odds ratio of tables (cells, 2, 2) and the standard error of its logarithm, NaN without one."""
    (a, b), (c, d) = tables.astype(np.float64).transpose(1, 2, 0)
    n = a + b + c + d
    with_, against = a * d / n, b * c / n
    r, s = with_.sum(), against.sum()
    if r == 0 or s == 0:
        return (0.0 if r == 0 else np.inf), np.nan
    p, q = (a + d) / n, (b + c) / n
    variance = (p * with_).sum() / (2 * r * r) + (q * against).sum() / (2 * s * s)
    variance += (p * against + q * with_).sum() / (2 * r * s)
    return float(r / s), float(np.sqrt(variance))


def corner_law(tables: np.ndarray, log_ratio: float = 0.0) -> tuple[int, np.ndarray]:
    """Return the least sum of corners given all margins, and the log-weights at ratio 1 of every sum from there on.

    What is less than e^-700 of the largest at ``log_ratio`` comes out as -inf.
    """
    lowest, weights = 0, np.zeros(1)
    for corners, logs in map(_corners, tables):
        tilted = logs + (corners - corners[0]) * log_ratio
        largest = (weights.max(), tilted.max())
        with np.errstate(divide="ignore"):
            weights = np.log(np.convolve(np.exp(weights - largest[0]), np.exp(tilted - largest[1]))) + sum(largest)
        lowest += int(corners[0])
    return lowest, weights - np.arange(len(weights)) * log_ratio


def _corners(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners that a table's margins allow, rising, and their log-weights at ratio 1."""
    row, column, total = table[0].sum(), table[:, 0].sum(), table.sum()
    corners = np.arange(max(0, row + column - total), min(row, column) + 1)
    return corners, _log_choose(column, corners) + _log_choose(total - column, row - corners)


def _centre(tables: np.ndarray, seen: int) -> float:
    """Return the logarithm of the ratio at which the sum of corners has the mean seen, or nearly, if that is an end."""
    laws = [_corners(table) for table in tables]
    least, most = (sum(int(corners[end]) for corners, _ in laws) for end in (0, -1))
    target = min(max(seen, least + 0.5), most - 0.5)

    def excess(log_ratio: float) -> float:
        return sum(float(corners @ softmax(logs + corners * log_ratio)) for corners, logs in laws) - target

    return float(brentq(excess, -WIDEST, WIDEST))


def _two_sided(weights: np.ndarray, seen: int) -> float:
    """Sum the probabilities of all sums that are at most as likely as the one seen."""
    shares = np.exp(weights - logsumexp(weights))
    return float(min(1.0, shares[shares <= shares[seen] * (1 + 1e-7)].sum()))


def _exact_interval(weights: np.ndarray, seen: int) -> tuple[float, float]:
    """Return the odds ratios at which a sum as large, and as small, as the one seen has half of 5 % probability."""
    steps = np.arange(len(weights))

    def tail(log_ratio: float, part: slice) -> float:
        tilted = weights + steps * log_ratio
        return float(np.exp(logsumexp(tilted[part]) - logsumexp(tilted))) - (1 - CONFIDENCE) / 2

    low = 0.0 if seen == 0 else np.exp(brentq(tail, -WIDEST, WIDEST, args=(slice(seen, None),)))
    last = len(weights) - 1
    high = np.inf if seen == last else np.exp(brentq(tail, -WIDEST, WIDEST, args=(slice(None, seen + 1),)))
    return float(low), float(high)


def _log_choose(n: int, k: np.ndarray) -> np.ndarray:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
