"""Numbers drawn from records, each with its interval over seeds and mazes, and how many there were of both.

The interval is the board's (``findings.errors``): Student's t over seeds and the normal one over mazes, added in
quadrature. Arrays are (S, N): seeds and mazes that they share, shares of right answers or other yes and no.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from extramaze.findings.errors import Errors, errors_of
from extramaze.leaderboard.ranks import variance_of_difference, welch
from extramaze.leaderboard.score import half_width, variance_of_mean
from extramaze.odds import Odds, informative, mantel_haenszel

Unit = Literal["share", "points", "odds"]
Term = tuple[float, Sequence[np.ndarray]]


@dataclass(frozen=True)
class Figure:
    """A number and its 95 % interval.

    unit: a share, a difference of shares (shown in percentage points), or a ratio of odds. seeds: the fewest of any
    recipe in it; 0 for algorithms, which have none. mazes: of one seed. noise: the share of these mazes that rounding
    alone turns, None where no record says. each: every seed's own value, as a range. upto: where some of what is
    counted is open, ``value`` counts it as no and ``upto`` as yes, and the interval reaches round both. errors: those
    of ``value``, and errors_upto of ``upto``; None where the interval is made otherwise.
    """

    value: float
    low: float
    high: float
    unit: Unit
    seeds: int
    mazes: int
    noise: float | None = None
    each: tuple[tuple[float, float], ...] = ()
    upto: float | None = None
    errors: Errors | None = None
    errors_upto: Errors | None = None

    def p(self, bound: float) -> float:
        """Return the p-value that matches the interval: below 5 % where that leaves the bound out; 1 if unknown."""
        most, errors = (self.value, self.errors) if self.upto is None else (self.upto, self.errors_upto)
        if bound < self.value:
            return self.errors.p(self.value - bound) if self.errors else 1.0
        return errors.p(bound - most) if errors and bound > most else 1.0

    @property
    def half(self) -> float:
        """The longer arm of the interval."""
        return max(self.value - self.low, self.high - self.value)

    def __str__(self) -> str:
        """Write it with its interval and counts."""
        seeds = {0: "no seeds", 1: "1 seed"}.get(self.seeds, f"{self.seeds} seeds")
        return f"{self.middle} ({self.interval}; {seeds}, {self.mazes:,} mazes)"

    @property
    def middle(self) -> str:
        """The value as text, or both where a part of it is open."""
        if self.upto is None or self.upto == self.value:
            return number(self.value, self.unit)
        return f"{number(self.value, self.unit, bare=True)} to {number(self.upto, self.unit)}"

    @property
    def interval(self) -> str:
        """The interval as text, which says so where one seed leaves it to the mazes."""
        alone = "mazes only: " if self.seeds == 1 and self.unit != "odds" else ""
        return f"{alone}{number(self.low, self.unit, bare=True)} to {number(self.high, self.unit, bare=True)}"


def number(value: float, unit: Unit, bare: bool = False) -> str:
    """Write a number of a unit; ``bare``: without the unit's name."""
    if unit == "odds":
        return "∞" if np.isinf(value) else f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
    name = "" if bare else {"share": "%", "points": " points"}[unit]
    return f"{round(100 * value, 1) + 0.0:.1f}{name}"


def stratified(seeds: Sequence[np.ndarray], trained: bool = True) -> Figure | None:
    """Return how much larger a share is with a property than without it, within strata, mean over seeds.

    seeds: int (K, 2, 2) each: of K strata, with and without the property, right and wrong. Strata weigh as Mantel and
    Haenszel's (Greenland & Robins 1985, Biometrics 41:55); a seed with no stratum that holds both is left out. Seeds
    share mazes, so these count as many as one seed has. None where there is nothing to compare.
    """
    told = [difference for tables in seeds if (difference := _stratified(tables)) is not None]
    if not told:
        return None
    each, variances = np.array(told).T
    errors, middle = errors_of(each, float(variances.mean())), float(each.mean())
    mazes, own = max(int(tables.sum()) for tables in seeds), _each(each, trained)
    ends = _within(middle, errors.half())
    return Figure(middle, *ends, "points", len(each) * trained, mazes, each=own, errors=errors)


def _stratified(tables: np.ndarray) -> tuple[float, float] | None:
    """Return one seed's difference of shares and its variance over mazes; half a maze is added to both answers."""
    counts = tables.sum(axis=2)
    tables, counts = tables[(counts > 0).all(axis=1)], counts[(counts > 0).all(axis=1)]
    if not len(tables):
        return None
    weights = counts.prod(axis=1) / counts.sum(axis=1)
    weights = weights / weights.sum()
    shares, smooth = tables[..., 0] / counts, (tables[..., 0] + 0.5) / (counts + 1)
    variance = (smooth * (1 - smooth) / counts).sum(axis=1)
    return float(weights @ (shares[:, 0] - shares[:, 1])), float(weights**2 @ variance)


def mean_share(cells: Sequence[np.ndarray], trained: bool = True) -> Figure:
    """Return the mean over cells of a share; ``trained``: whether it has seeds."""
    scores = np.mean([cell.mean(axis=1) for cell in cells], axis=0)
    variance = sum(variance_of_mean(cell.mean(axis=0)) for cell in cells) / len(cells) ** 2
    errors, middle, own = errors_of(scores, variance), float(scores.mean()), _each(scores, trained)
    ends = _share_within(middle, errors.half())
    return Figure(middle, *ends, "share", len(scores) * trained, _size(cells), each=own, errors=errors)


def fall(first: np.ndarray, second: np.ndarray, trained: bool = True, noise: float | None = None) -> Figure:
    """Return how much smaller a share is on other mazes: the same seeds, (S, N) and (S, M)."""
    differences = first.mean(axis=1) - second.mean(axis=1)
    errors = errors_of(differences, variance_of_mean(first.mean(axis=0)) + variance_of_mean(second.mean(axis=0)))
    middle, mazes = float(differences.mean()), first.shape[1] + second.shape[1]
    each, ends = _each(differences, trained), _within(middle, errors.half())
    return Figure(middle, *ends, "points", len(first) * trained, mazes, noise, each, errors=errors)


def contrast(*terms: Term, less: Sequence[Sequence[np.ndarray]] = (), noise: float | None = None) -> Figure:
    """Return a weighted sum of several recipes' mean shares over the same cells and mazes.

    terms: a weight and, cell by cell, (S, N) each. less: other cells of each recipe in turn, whose mean is taken off
    its share first. Mazes are paired; seeds are not (Welch's degrees of freedom). Each seed is one of the first recipe,
    against the mean over those of the others.
    """
    scores = [weight * _scores(each) for weight, each in terms]
    if less:
        scores = [s - weight * _scores(each) for s, (weight, _), each in zip(scores, terms, less, strict=True)]
    weights = [weight for weight, _ in terms]
    mazes = sum(
        variance_of_difference(sum((w * s.mean(axis=0) for w, s in zip(weights, shares, strict=True)), np.zeros(1)))
        / len(group[0]) ** 2
        for group in ([each for _, each in terms], less)
        if group
        for shares in zip(*group, strict=True)
    )
    counts = [len(score) for score in scores]
    variances = [float(score.var(ddof=1) / len(score)) if len(score) > 1 else 0.0 for score in scores]
    errors, middle = Errors(mazes, sum(variances), welch(variances, counts)), float(sum(s.mean() for s in scores))
    each, ends = _each(scores[0] + sum(score.mean() for score in scores[1:])), _within(middle, errors.half())
    return Figure(middle, *ends, "points", min(counts), _size(terms[0][1]), noise, each, errors=errors)


def ratio(hits: np.ndarray, totals: np.ndarray, trained: bool = True) -> Figure | None:
    """Return a share whose total differs from seed to seed, (S,) counts each; None where there is nothing to count.

    Seeds without any are left out of the spread. Seeds share mazes, so these count as many as one seed has on average.
    """
    asked = totals > 0
    if not asked.any():
        return None
    each, size = hits[asked] / totals[asked], round(float(totals[asked].mean()))
    middle = float(hits.sum() / totals.sum())
    right = round(middle * size)
    errors = errors_of(each, variance_of_mean(np.repeat([1.0, 0.0], [right, size - right])))
    ends, own, seeds = _share_within(middle, errors.half()), _each(each, trained), int(asked.sum()) * trained
    return Figure(middle, *ends, "share", seeds, int(totals.max()), each=own, errors=errors)


def bracket(no: Figure | None, yes: Figure | None) -> Figure | None:
    """Join a share that counts what is open as no with the same share that counts it as yes.

    The interval reaches from the low end of the one to the high end of the other, so that it is above a bound only
    where even the first is, and below it only where even the second is.
    """
    if no is None or yes is None or no == yes:
        return no
    each = tuple((low, high) for (low, _), (_, high) in zip(no.each, yes.each, strict=True))
    return replace(no, high=yes.high, each=each, upto=yes.value, errors_upto=yes.errors)


def odds(found: Odds, seeds: int, mazes: int) -> Figure | None:
    """Return a common odds ratio as a figure; None where no stratum says anything."""
    if not found.informative:
        return None
    return Figure(found.ratio, found.low, found.high, "odds", seeds, mazes)


def odds_of_seeds(seeds: Sequence[np.ndarray], trained: bool = True) -> Figure | None:
    """Return the odds of being right with a property against without it, geometric mean over seeds.

    seeds: as for ``stratified``; each has its common odds ratio (Mantel & Haenszel), whose logarithms are averaged.
    None where a seed's is not told, 0 or infinite.
    """
    ratios, errors = np.array([mantel_haenszel(informative(tables)) for tables in seeds]).reshape(-1, 2).T
    if not len(ratios) or not np.isfinite(errors).all():
        return None
    logs = np.log(ratios)
    half, middle = half_width(logs, float((errors**2).mean())), logs.mean()
    value, low, high = (float(np.exp(middle + side * half)) for side in (0, -1, 1))
    mazes = max(int(tables.sum()) for tables in seeds)
    return Figure(value, low, high, "odds", len(ratios) * trained, mazes, each=_each(ratios, trained))


def _scores(cells: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean over cells of each seed's share: (S, N) each → (S,)."""
    return np.mean([cell.mean(axis=1) for cell in cells], axis=0)


def _within(middle: float, half: float) -> tuple[float, float]:
    """Return the ends of an interval of a difference of shares: between -1 and 1."""
    return max(-1.0, middle - half), min(1.0, middle + half)


def _share_within(middle: float, half: float) -> tuple[float, float]:
    """Return the ends of an interval of a share."""
    return max(0.0, middle - half), min(1.0, middle + half)


def _each(values: np.ndarray, trained: bool = True) -> tuple[tuple[float, float], ...]:
    return tuple((float(value), float(value)) for value in values) if trained else ()


def _size(cells: Sequence[np.ndarray]) -> int:
    return sum(cell.shape[1] for cell in cells)
