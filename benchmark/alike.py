"""Equality of what was computed twice: counts to the last one, numbers up to what rounding elsewhere can change."""

import math

from pydantic import BaseModel

RELATIVE = 1e-9
ABSOLUTE = 1e-12


def alike(one: object, other: object) -> bool:
    """Whether two models, or plain data, hold the same: floats to within rounding, all else exactly.

    Logarithms and sums differ in their last bits between processors, so no reader may hold them to every bit.
    """
    if one == other:  # so it mostly is, and told at once
        return True
    if isinstance(one, BaseModel) and isinstance(other, BaseModel):
        return type(one) is type(other) and alike(one.model_dump(), other.model_dump())
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE) or (math.isnan(one) and math.isnan(other))
    return False
