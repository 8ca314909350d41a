"""Paths and planes of weights: where every point of a landscape is, as a sum of networks with coefficients."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from extramaze.models.blending.weights import Weights, combined, difference, flat


@dataclass(frozen=True, eq=False)
class Path:
    """A line or a curve between two networks, its place t from 0 to 1, or beyond on a line."""

    first: Weights
    second: Weights
    bend: Weights | None = None
    """The third point of a curve; None of a line."""
    form: str = "line"
    """``line``, ``bezier`` (quadratic), or ``polygon`` (two lines that meet in the bend)."""

    def coefficients(self, t: float) -> tuple[float, float, float]:
        """Return the multiples of the first network, the second and the bend."""
        if self.form == "bezier":
            return (1 - t) ** 2, t**2, 2 * t * (1 - t)
        if self.form == "polygon":
            return (1 - 2 * t, 0.0, 2 * t) if t < 0.5 else (0.0, 2 * t - 1, 2 - 2 * t)
        return 1 - t, t, 0.0

    def at(self, t: float) -> dict[str, np.ndarray]:
        """Return the weights at a place; the networks themselves at 0 and 1."""
        first, second, bend = self.coefficients(t)
        if self.bend is None:
            return combined((first, second), (self.first, self.second))
        return combined((first, second, bend), (self.first, self.second, self.bend))


@dataclass(frozen=True, eq=False)
class Plane:
    """θ + x u + y v: two directions from a network."""

    origin: Weights
    first: Weights
    second: Weights
    marks: tuple[tuple[float, float], ...] = field(default=((0.0, 0.0),))
    """Where the networks are."""

    def at(self, x: float, y: float) -> dict[str, np.ndarray]:
        """Return the weights at a place."""
        return combined((1.0, x, y), (self.origin, self.first, self.second))


def plane_through(networks: Sequence[Weights]) -> Plane:
    """Lay a plane through three networks: the first at (0, 0), the second at (1, 0), the third where it is.

    The axes are at right angles and of one length, so that shapes in the plane are those in the space of weights
    (Garipov et al., arXiv 1802.10026, appendix). Networks on one line lie on the first axis.
    """
    origin, second, third = networks
    u, w = difference(second, origin), difference(third, origin)
    length = float(flat(u) @ flat(u))
    share = float(flat(w) @ flat(u)) / length
    upright = difference(w, combined((share,), (u,)))
    high = float(np.linalg.norm(flat(upright)) / np.sqrt(length))
    v = combined((1 / high if high > 1e-12 else 0.0,), (upright,))
    return Plane(origin, u, v, ((0.0, 0.0), (1.0, 0.0), (share, high)))


def filter_normalised(direction: Weights, like: Weights) -> dict[str, np.ndarray]:
    """Give every filter of a direction the length that the network's has (Li et al., arXiv 1712.09913).

    A filter is what makes one output channel; a bias, and any tensor without rows of its own, is one filter as a whole,
    once.
    """
    return {name: _as_long(value, like[name]) for name, value in direction.items()}


def _as_long(value: np.ndarray, like: np.ndarray) -> np.ndarray:
    axes = tuple(range(1, value.ndim)) if value.ndim > 1 else None
    ours = np.sqrt((value**2).sum(axis=axes, keepdims=True))
    theirs = np.sqrt((like**2).sum(axis=axes, keepdims=True))
    return value * np.divide(theirs, ours, out=np.zeros_like(theirs), where=ours > 0)


def random_direction(like: Weights, key: Sequence[int]) -> dict[str, np.ndarray]:
    """Draw a Gaussian direction with the network's filter lengths; it depends on the key alone."""
    random = np.random.default_rng(list(key))
    drawn = {name: random.normal(size=like[name].shape) for name in sorted(like)}
    return filter_normalised(drawn, like)


def shuffled(vector: Weights, key: Sequence[int]) -> dict[str, np.ndarray]:
    """Shuffle the numbers of a difference within each tensor; it depends on the key alone."""
    random = np.random.default_rng(list(key))
    return {name: random.permutation(vector[name].ravel()).reshape(vector[name].shape) for name in sorted(vector)}
