"""Weights as numbers: float64 arrays by tensor name, of one architecture, rounded once on their way out.

Every operation is one of NumPy's on single numbers, in a fixed order: the same weights give the same bits everywhere.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.core.words import counted
from extramaze.models.weight_files import misfits, non_numbers, some

Weights = Mapping[str, np.ndarray]


def weights_of(state: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return a solver's ``state_dict`` as float64 arrays. Raises InputError for numbers that are not finite."""
    wrong = non_numbers(state)
    if wrong:
        raise InputError(f"{some(wrong)}; such weights compute nothing, so the training that made them failed")
    return {name: value.detach().cpu().to(torch.float64, copy=True).numpy() for name, value in state.items()}


def rounded(weights: Weights, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Round weights to the types of a ``state_dict``."""
    return {name: torch.from_numpy(np.array(weights[name])).to(value.dtype) for name, value in like.items()}


def refuse_unlike(first: Mapping[str, Tensor], second: Mapping[str, Tensor], names: tuple[str, str]) -> None:
    """Raise InputError, naming the tensors, where two ``state_dict``s are not of one architecture and raster."""
    wrong = misfits(first, second)
    whole = [
        name
        for name, value in first.items()
        if not wrong and not value.is_floating_point() and not torch.equal(value, second[name])
    ]
    if wrong or whole:
        what = wrong or [f"{name}: whole numbers that differ" for name in whole]
        raise InputError(
            f"{names[0]} and {names[1]} are not of one architecture: {counted(len(what), 'tensor')} "
            f"{'differs' if len(what) == 1 else 'differ'}, first {what[0]}; only an ensemble takes different networks"
        )


def combined(coefficients: Sequence[float], parents: Sequence[Weights]) -> dict[str, np.ndarray]:
    """Return Σ cᵢ θᵢ, summed in order; a parent with coefficient 0 is left out, one with 1 keeps its bits."""
    parts = [(c, parent) for c, parent in zip(coefficients, parents, strict=True) if c != 0]
    return {name: _sum([(c, parent[name]) for c, parent in parts], value) for name, value in parents[0].items()}


def _sum(parts: Sequence[tuple[float, np.ndarray]], like: np.ndarray) -> np.ndarray:
    if not parts:
        return np.zeros_like(like)
    total = parts[0][1] if parts[0][0] == 1 else parts[0][0] * parts[0][1]
    for c, value in parts[1:]:
        total = total + c * value
    return total


def difference(end: Weights, begin: Weights) -> dict[str, np.ndarray]:
    """Return the task vector from ``begin`` to ``end``."""
    return {name: end[name] - begin[name] for name in end}


def added(base: Weights, vector: Weights) -> dict[str, np.ndarray]:
    """Return the base with a task vector added."""
    return {name: base[name] + vector[name] for name in base}


def flat(weights: Weights) -> np.ndarray:
    """Lay all numbers one behind the other, tensors in the order of their names."""
    return np.concatenate([weights[name].ravel() for name in sorted(weights)])


def unflat(numbers: np.ndarray, like: Weights) -> dict[str, np.ndarray]:
    """Undo ``flat``."""
    names = sorted(like)
    ends = np.cumsum([like[name].size for name in names])
    parts = np.split(numbers, ends[:-1])
    return {name: part.reshape(like[name].shape) for name, part in zip(names, parts, strict=True)}


def norm(weights: Weights) -> float:
    """Return the Euclidean length."""
    return float(np.linalg.norm(flat(weights)))


def cosine(one: Weights, other: Weights) -> float:
    """Return the cosine of the angle between two; 0 where one is zero."""
    a, b = flat(one), flat(other)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0
