"""Arguments as callers give them: whole numbers, and arrays of numbers."""

from numbers import Integral
from typing import Any

import numpy as np

from extramaze.core.errors import InputError

NUMBERS = "biuf"  # the kinds of NumPy types that hold bools, integers and floating-point numbers


def whole(name: str, value: object, least: int) -> int:
    """Return a whole number, NumPy's own among them, as an int. Raises InputError for any other and for a bool."""
    if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least:
        return int(value)
    raise InputError(f"{name} must be an integer of at least {least}, got {value!r}")


def numbers(name: str, given: Any) -> np.ndarray:
    """Return bools, integers or floating-point numbers as an array. Raises InputError for anything else."""
    try:
        found = np.asarray(given)
    except Exception as problem:  # rows of several lengths, a tensor of a GPU or of a graph: each its own
        kind = type(given).__name__
        raise InputError(f"{name}: expected an array of numbers, got a {kind}: {problem}") from problem
    if found.dtype.kind not in NUMBERS:
        raise InputError(f"{name}: expected an array of numbers, got {_named(found, given)}")
    return found


def _named(found: np.ndarray, given: object) -> str:
    """Say what was given: an array's type, or what became an array of nothing that NumPy knows."""
    return f"one of {found.dtype}" if isinstance(given, np.ndarray) or found.ndim else f"a {type(given).__name__}"
