"""Which changes of a network's weights leave the function that it computes as it is, as its class declares them.

The hidden units of a layer stand in no order, so they may be permuted. Where a rectifier is all that follows them they
have no scale either: a unit that is multiplied by s > 0 wherever it is made, and divided by s wherever it is read, does
what it did (Dinh et al., arXiv 1703.04933). A *group* is a list of units that can only move together: the channels of a
recurrent state are one, from the first convolution to the head, since every iteration adds them to themselves.

A solver's class declares it all in one method, ``symmetry()``, which says for every tensor which group makes its rows
and which its columns are read from. Nobody need believe it: ``check`` compares the functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from extramaze.core.errors import InputError
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models.calling import in_precision
from extramaze.models.contract import IterativeSolver
from extramaze.models.states import inner

Weights = Mapping[str, np.ndarray]
Segment = tuple[str | None, int]  # a group, or None for what cannot move, and how many units of it
Axis = tuple[Segment, ...]

TOLERANCE = 1e-9  # relative difference of float64 logits that is rounding
CHECKED_STEPS = 6  # a recurrent tie shows from the second on
SPREAD = 0.5  # standard deviation of the logarithms of random scales


@dataclass(frozen=True)
class Symmetry:
    """Groups of hidden units, by the tensors that make and read them."""

    axes: Mapping[str, tuple[Axis, ...]]
    """By tensor: what its rows are, and what its columns are; of a bias the rows alone."""
    rigid: frozenset[str] = frozenset()
    """Groups whose units can be permuted and not scaled: something else than a rectifier follows them."""
    gains: Mapping[str, str] = field(default_factory=dict)
    """Of a weight-normalised layer: by the name of its gains g (rows, 1, …) that of its directions v."""

    def sizes(self) -> dict[str, int]:
        """Return how many units each group has."""
        return {
            group: size for axes in self.axes.values() for axis in axes for group, size in axis if group is not None
        }

    def effective(self, weights: Weights) -> dict[str, np.ndarray]:
        """Return the weights that compute: of a weight-normalised layer g v / ‖v‖ under the name of v, and no g."""
        found = {name: value for name, value in weights.items() if name not in self.gains}
        for gain, direction in self.gains.items():
            found[direction] = weights[gain] * weights[direction] / row_norms(weights[direction])
        return found

    def restored(self, effective: Weights) -> dict[str, np.ndarray]:
        """Undo ``effective``: directions are the weights themselves, gains their lengths."""
        return {
            **effective,
            **{gain: row_norms(effective[direction]) for gain, direction in self.gains.items()},
        }

    def fit(self, weights: Weights, who: str) -> None:
        """Raise InputError where tensors are not of the shapes that are declared."""
        for name, axes in self.axes.items():
            declared = tuple(sum(size for _, size in axis) for axis in axes)
            found = tuple(weights[name].shape[: len(axes)]) if name in weights else None
            if declared != found:
                raise InputError(f"{who}.symmetry(): {name} is {found or 'no tensor of it'}, declared are {declared}")


@dataclass(frozen=True, eq=False)
class Move:
    """One of a symmetry's changes. By group: unit j becomes scales[j] times what unit permutations[j] was."""

    permutations: Mapping[str, np.ndarray]
    """int64 (units,) each."""
    scales: Mapping[str, np.ndarray]
    """float64 (units,) each, above 0."""

    def apply(self, symmetry: Symmetry, weights: Weights) -> dict[str, np.ndarray]:
        """Return the weights after the change; the function they compute is the same."""
        moved = symmetry.effective(weights)
        for name, axes in symmetry.axes.items():
            for number, axis in enumerate(axes):
                order, factors = self._along(axis)
                shape = [-1 if place == number else 1 for place in range(moved[name].ndim)]
                factors = (factors if number == 0 else 1 / factors).reshape(shape)
                moved[name] = np.take(moved[name], order, axis=number) * factors
        return symmetry.restored(moved)

    def _along(self, axis: Axis) -> tuple[np.ndarray, np.ndarray]:
        """Return the order of an axis' units and their scales."""
        orders, factors, start = [], [], 0
        for group, size in axis:
            known = group is not None and group in self.permutations
            orders.append(start + (self.permutations[str(group)] if known else np.arange(size)))
            factors.append(self.scales[str(group)] if known else np.ones(size))
            start += size
        return np.concatenate(orders), np.concatenate(factors)


def row_norms(weights: np.ndarray) -> np.ndarray:
    """Return the length of each row, (rows, …) → (rows, 1, …)."""
    return np.sqrt((weights**2).sum(axis=tuple(range(1, weights.ndim)), keepdims=True))


def random_move(symmetry: Symmetry, seed: int, spread: float = SPREAD) -> Move:
    """Draw a move: orders evenly, logarithms of scales normally; rigid groups keep their scales."""
    random = np.random.default_rng(seed)
    orders, scales = {}, {}
    for group, size in sorted(symmetry.sizes().items()):
        orders[group] = random.permutation(size)
        scales[group] = np.exp(random.normal(0, 0.0 if group in symmetry.rigid else spread, size))
    return Move(orders, scales)


def symmetry_of(solver: IterativeSolver, scale: int | None = None) -> Symmetry:
    """Return what a solver declares, checked. Raises InputError where it declares nothing, or what is not true.

    scale: of the mazes on which functions are compared; the card's by default.
    """
    kind = type(solver)
    declared = solver.symmetry()
    who = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
    if declared is None:
        raise InputError(f"{who} declares no symmetry: add a method symmetry() to the class, or leave --align out")
    card_scale = solver.card.scale if solver.card is not None else None
    check(solver, declared, scale or card_scale or 1, who)
    return declared


def check(solver: IterativeSolver, symmetry: Symmetry, scale: int, who: str) -> None:
    """Raise InputError where a random move of a declared symmetry changes what the solver computes, in float64."""
    exact = in_precision(solver, torch.float64)
    state = inner(exact).state_dict()
    weights = {name: value.cpu().numpy().copy() for name, value in state.items()}
    symmetry.fit(weights, who)
    x = torch.from_numpy(raster(generate(MazeSpec(5), 2, workers=1), scale, workers=1)[0]).to(torch.float64)
    with torch.inference_mode():
        before = exact(x, CHECKED_STEPS)
        moved = random_move(symmetry, 0).apply(symmetry, weights)
        inner(exact).load_state_dict({name: torch.from_numpy(np.array(moved[name])) for name in state})
        after = exact.eval()(x, CHECKED_STEPS)
    off = float((after - before).abs().max() / before.abs().max().clamp(min=1e-30))
    if not off <= TOLERANCE:
        raise InputError(
            f"{who}.symmetry() changes what the solver computes: logits differ by {off:.2g} of their size where "
            f"rounding is {TOLERANCE:g}; correct the declaration, or leave --align out"
        )
