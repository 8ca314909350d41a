"""Which ranks of a board are sure: every row's range of ranks, from paired tests over seeds and mazes.

Two rows are told apart where the difference of their scores is significant after Holm's adjustment over all pairs. A
row's range starts after the rows told apart above it and ends before those told apart below it. With probability at
least 0.95 no pair is put in the wrong order, and then every range holds its row's true rank (simultaneous confidence
sets for ranks: Mogstad, Romano, Shaikh and Wilhelm 2024, Review of Economic Studies 91:476).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from extramaze.statistics import CONFIDENCE, holm

ALPHA = 1 - CONFIDENCE
LEAST_P = 1e-12
PRIOR = 4  # degrees of freedom that the other recipes' spread counts for
OTHERS = 3  # recipes of several seeds, beside a row's own, from which that is drawn


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
    freedom: int


def spreads(rows: Sequence[Evidence]) -> list[Spread]:
    """Return every row's spread over seeds: its own, shrunk towards the mean of the other recipes'.

    A few seeds say little of their own spread: of three seeds one in ten shows less than a third of it. So the other
    recipes of several seeds, where there are OTHERS, count as PRIOR degrees of freedom (Smyth 2004, Statistical
    Applications in Genetics and Molecular Biology 3:3, with the prior's weight fixed). Without them a row of one seed
    is apart from none: nothing says what another seed would have done.
    """
    own = [float(row.scores.var() * len(row.scores)) for row in rows]  # sums of squares
    freedom = [len(row.scores) - 1 for row in rows]
    found = []
    for place, row in enumerate(rows):
        others = [own[k] / freedom[k] for k in range(len(rows)) if k != place and freedom[k]]
        prior, weight = (float(np.mean(others)), PRIOR) if len(others) >= OTHERS else (0.0, 0)
        known = freedom[place] + weight
        if not row.trained:
            found.append(Spread(0.0, 0))
        elif not known:
            found.append(Spread(np.inf, 0))
        else:
            found.append(Spread((own[place] + weight * prior) / known / len(row.scores), known))
    return found


def rank_ranges(rows: Sequence[Evidence]) -> list[tuple[int, int]]:
    """Return the best and the worst rank that each row may have; a single number twice where it is sure."""
    known = spreads(rows)
    return ranges(len(rows), lambda i, j: difference_test(rows[i], rows[j], [known[i], known[j]]))


def ranges(count: int, test: Callable[[int, int], tuple[float, float]]) -> list[tuple[int, int]]:
    """Return ranges of ranks from ``test(i, j)``: the difference of rows i and j, and its p-value."""
    pairs = list(combinations(range(count), 2))
    tests = [test(i, j) for i, j in pairs]
    best, worst = [1] * count, [count] * count
    for (i, j), (difference, _), p_value in zip(pairs, tests, holm([p for _, p in tests]), strict=True):
        if p_value <= ALPHA:
            above, below = (i, j) if difference > 0 else (j, i)
            best[below] += 1
            worst[above] -= 1
    return list(zip(best, worst, strict=True))


def difference_test(first: Evidence, second: Evidence, known: Sequence[Spread] = ()) -> tuple[float, float]:
    """Return the difference of two rows' scores and its two-sided p-value. known: their spreads over seeds.

    Mazes are paired: the variance is that of each maze's difference of means over seeds, with half a win and half a
    loss added to each cell (Agresti and Min 2005, Statistics in Medicine 24:729). Seeds are not: each row's variance
    over seeds, with Welch's degrees of freedom. The half-width of the interval at level α adds both parts in
    quadrature, normal quantile for mazes and Student's for seeds, as the board's intervals do; p is the α at which it
    just reaches 0.
    """
    difference = float(first.scores.mean() - second.scores.mean())
    mazes = np.sqrt(
        sum(
            w**2 * variance_of_difference(first.right[c].mean(axis=0) - second.right[c].mean(axis=0))
            for c, w in first.weights.items()
        )
    )
    pair = known or spreads([first, second])
    variances = [spread.variance for spread in pair]
    if np.inf in variances:
        return difference, 1.0
    seeds, freedom = np.sqrt(sum(variances)), welch(variances, [spread.freedom + 1 for spread in pair])

    def excess(alpha: float) -> float:
        student = stdtrit(freedom, alpha / 2) * seeds if seeds else 0.0
        return float(np.hypot(ndtri(alpha / 2) * mazes, student)) - abs(difference)

    if excess(LEAST_P) <= 0:
        return difference, LEAST_P
    return difference, float(brentq(excess, LEAST_P, 1.0)) if difference else 1.0


def variance_of_difference(differences: np.ndarray) -> float:
    """Return the variance of a cell's mean difference, of mazes (N,), with half a win and half a loss added."""
    count = len(differences) + 2
    return float(((differences**2).sum() + 1) / count - (differences.sum() / count) ** 2) / count


def welch(variances: list[float], seeds: list[int]) -> float:
    """Return Welch's degrees of freedom of a sum or difference of means; 1 where there is no variance at all."""
    parts = sum(v**2 / (s - 1) for v, s in zip(variances, seeds, strict=True) if s > 1)
    return sum(variances) ** 2 / parts if parts else 1.0
