"""Bring one network to another's order and scale of hidden units, which changes nothing that it computes.

First both are *balanced*: of all scales those at which the squared weights sum to the least, where what goes into each
unit and what comes out of it are of one size. That is a convex problem in the logarithms of the scales, so the balanced
weights are unique, and two copies that differ by scales become the same. Then orders are matched as Ainsworth et al. do
(arXiv 2209.04836): group by group a linear assignment, which never lowers the inner product of the two networks, from
several orders to begin with. Last, the scales of the first network are put back into both.

A group that a tensor has on both sides (the state's units, in the recall) makes its assignment quadratic; its linear
part may lead downhill, and such a step is not taken.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from extramaze.models.symmetry import Axis, Move, Symmetry, Weights

RESTARTS = 12
NEWTON_STEPS = 60
FARTHEST = 3.0  # a step of a logarithm of a scale
BALANCED = 1e-13  # gradient relative to the sum of squares
SWEEPS = 100
RISES = 1e-10  # relative gain that counts
PERFECT = 1 - 1e-9  # cosine of two copies of one network


@dataclass(frozen=True, eq=False)
class Alignment:
    """What brings a second network to a first. cosine: between the two balanced networks, after it."""

    move: Move
    cosine: float
    restarts: int


def balance(symmetry: Symmetry, weights: Weights) -> dict[str, np.ndarray]:
    """Return the logarithms of the scales that balance a network, by group: float64 (units,) each; 0 of rigid ones.

    Newton's method on f(x) = Σ eᵢⱼ exp(2 (xⱼ − xᵢ)), where eᵢⱼ are the squared weights that lead from unit i to unit
    j, and what cannot be scaled is one unit with x = 0. Units into which, or out of which, nothing leads stay as they
    are.
    """
    places, count = _places(symmetry)
    energy = _energy(symmetry, weights, places, count)
    x = np.zeros(count)
    free = np.flatnonzero((energy.sum(axis=0) > 0) & (energy.sum(axis=1) > 0) & (np.arange(count) > 0))
    for _ in range(NEWTON_STEPS):
        flow = energy * np.exp(2 * (x[None, :] - x[:, None]))
        slope = 2 * (flow.sum(axis=0) - flow.sum(axis=1))[free]
        if not len(free) or np.abs(slope).max() <= BALANCED * flow.sum():
            break
        both = flow + flow.T
        curvature = 4 * (np.diag(both.sum(axis=0)) - both)[np.ix_(free, free)]
        step = np.linalg.lstsq(curvature, -slope, rcond=None)[0]
        x[free] += step * min(1.0, FARTHEST / max(np.abs(step).max(), 1e-300))
    return {group: x[at] if group not in symmetry.rigid else np.zeros(len(at)) for group, at in places.items()}


def _places(symmetry: Symmetry) -> tuple[dict[str, np.ndarray], int]:
    """Number the units of all groups from 1 on; rigid ones are part of unit 0, which stands for all that is fixed."""
    places, count = {}, 1
    for group, size in sorted(symmetry.sizes().items()):
        rigid = group in symmetry.rigid
        places[group] = np.zeros(size, int) if rigid else np.arange(count, count + size)
        count += 0 if rigid else size
    return places, count


def _energy(symmetry: Symmetry, weights: Weights, places: dict[str, np.ndarray], count: int) -> np.ndarray:
    """Sum the squared weights that lead from each unit to each other one: (count, count)."""
    energy = np.zeros((count, count))
    computing = symmetry.effective(weights)
    for name, axes in symmetry.axes.items():
        squares = computing[name] ** 2
        squares = squares.reshape(*squares.shape[: len(axes)], -1).sum(axis=-1)
        rows = _units(axes[0], places)
        columns = _units(axes[1], places) if len(axes) > 1 else np.zeros(1, int)
        np.add.at(energy, (columns[None, :], rows[:, None]), squares.reshape(len(rows), len(columns)))
    np.fill_diagonal(energy, 0)
    return energy


def _units(axis: Axis, places: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(size, int) if group is None else places[group] for group, size in axis])


def scaling(symmetry: Symmetry, logarithms: dict[str, np.ndarray]) -> Move:
    """Return the move that multiplies units by the exponentials of logarithms, and permutes none."""
    orders = {group: np.arange(size) for group, size in symmetry.sizes().items()}
    return Move(orders, {group: np.exp(logarithms[group]) for group in orders})


def balanced(symmetry: Symmetry, weights: Weights) -> dict[str, np.ndarray]:
    """Return a network's balanced weights, which are the same for all copies that differ by scales."""
    return scaling(symmetry, balance(symmetry, weights)).apply(symmetry, weights)


def align(symmetry: Symmetry, first: Weights, second: Weights, restarts: int = RESTARTS, seed: int = 0) -> Alignment:
    """Find the move that brings ``second`` closest to ``first``, the best of several searches.

    The first search begins with what is pinned to tensors' fixed sides (the image, the answer), the second with the
    order as it is, the others with random ones. What is found is the best that was met, not the best there is.
    """
    ours, theirs = balance(symmetry, first), balance(symmetry, second)
    match = _Match(symmetry, *(scaling(symmetry, x).apply(symmetry, w) for x, w in ((ours, first), (theirs, second))))
    random = np.random.default_rng(seed)
    sizes = symmetry.sizes()
    begins = [match.pinned(), {group: np.arange(size) for group, size in sizes.items()}]
    begins += [{group: random.permutation(size) for group, size in sizes.items()} for _ in range(restarts - 2)]
    value, order = match.best(begins[:restarts])
    scales = {group: np.exp(theirs[group][order[group]] - ours[group]) for group in order}
    return Alignment(Move(order, scales), match.cosine(value), restarts)


def aligned_cosine(symmetry: Symmetry, first: Weights, second: Weights, move: Move) -> float:
    """Return the cosine between two balanced networks after a move's permutations of the second."""
    match = _Match(symmetry, balanced(symmetry, first), balanced(symmetry, second))
    return match.cosine(match.value(dict(move.permutations)))


class _Match:
    """The search for the order of one balanced network's units in which it is closest to another's."""

    def __init__(self, symmetry: Symmetry, ours: Weights, theirs: Weights) -> None:
        self.symmetry = symmetry
        self.ours, self.theirs = symmetry.effective(ours), symmetry.effective(theirs)
        self.uses: dict[str, list[tuple[str, int, int]]] = {group: [] for group in sorted(symmetry.sizes())}
        for name, axes in symmetry.axes.items():
            for number, axis in enumerate(axes):
                start = 0
                for group, size in axis:
                    if group is not None:
                        self.uses[group].append((name, number, start))
                    start += size
        self.tied = {g for g, uses in self.uses.items() if len({name for name, *_ in uses}) < len(uses)}

    def best(self, begins: list[dict[str, np.ndarray]]) -> tuple[float, dict[str, np.ndarray]]:
        """Climb from each order and return the best that was met; a perfect match ends the search."""
        met = (-np.inf, begins[0])
        for begin in begins:
            met = max(met, self.climb(begin), key=lambda found: found[0])
            if self.cosine(met[0]) >= PERFECT:
                break
        return met

    def climb(self, order: dict[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        """Improve an order until no group's assignment does; return the inner product reached, and the order."""
        order, value = dict(order), self.value(order)
        for _ in range(SWEEPS):
            before = value
            for group in self.uses:
                tried = {**order, group: _assigned(self.gains(group, order))}
                reached = self.value(tried)
                if reached > value:
                    order, value = tried, reached
            if value - before <= RISES * abs(value):
                break
        return value, order

    def pinned(self) -> dict[str, np.ndarray]:
        """Match the groups one after the other, each by the sides of tensors that are fixed or matched already."""
        order: dict[str, np.ndarray] = {}
        sizes = self.symmetry.sizes()
        while len(order) < len(sizes):
            gains = {group: self.gains(group, order) for group in sizes if group not in order}
            group = max(gains, key=lambda name: (bool(np.any(gains[name])), len(self.uses[name])))
            order[group] = _assigned(gains[group])
        return order

    def gains(self, group: str, order: dict[str, np.ndarray]) -> np.ndarray:
        """Return what it gives to put unit k in place of unit j, (units, units), as the other groups stand.

        Sides of a group that ``order`` does not have yet give nothing.
        """
        size = self.symmetry.sizes()[group]
        total = np.zeros((size, size))
        for name, number, start in self.uses[group]:
            ours, theirs = self.ours[name], self.theirs[name]
            axes = self.symmetry.axes[name]
            for other, axis in enumerate(axes):
                if other != number:
                    at, taken = _known(axis, order)
                    ours, theirs = np.take(ours, at, axis=other), np.take(theirs, taken, axis=other)
            total += _rows(ours, number, start, size) @ _rows(theirs, number, start, size).T
        return total

    def value(self, order: dict[str, np.ndarray]) -> float:
        """Return the inner product of the two networks, the second one's units in this order."""
        total = 0.0
        for name, axes in self.symmetry.axes.items():
            theirs = self.theirs[name]
            for number, axis in enumerate(axes):
                theirs = np.take(theirs, _known(axis, order)[1], axis=number)
            total += float(np.vdot(self.ours[name], theirs))
        return total

    def cosine(self, value: float) -> float:
        """Turn an inner product into the cosine of the angle between the networks."""
        lengths = [
            np.sqrt(sum(float((net[name] ** 2).sum()) for name in self.symmetry.axes))
            for net in (self.ours, self.theirs)
        ]
        return value / float(lengths[0] * lengths[1]) if min(lengths) > 0 else 0.0


def _known(axis: Axis, order: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of an axis that are fixed or in order, and what stands there in the other network."""
    at, taken, start = [], [], 0
    for group, size in axis:
        if group is None or group in order:
            at.append(np.arange(start, start + size))
            taken.append(start + (np.arange(size) if group is None else order[group]))
        start += size
    if not at:
        return np.zeros(0, int), np.zeros(0, int)
    return np.concatenate(at), np.concatenate(taken)


def _rows(weights: np.ndarray, number: int, start: int, size: int) -> np.ndarray:
    """Return the part of an axis that a group has, a row a unit."""
    return np.moveaxis(weights, number, 0)[start : start + size].reshape(size, -1)


def _assigned(gains: np.ndarray) -> np.ndarray:
    """Return the permutation that gains most in all."""
    return linear_sum_assignment(gains, maximize=True)[1]
