"""Which mazes of a cell something is wrong with."""

from collections.abc import Iterator

import numpy as np
import polars as pl


def each(wrong: np.ndarray, what: str) -> Iterator[str]:
    """Say which mazes, bool (N,) or (N, R), something is wrong with; nothing where it is none."""
    mazes = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
    if len(mazes):
        more = f" and {len(mazes) - 1} more" if len(mazes) > 1 else ""
        yield f"maze {mazes[0]}{more}: {what}"


def equals(column: pl.Series, value: object) -> np.ndarray:
    """Tell where a column has a value, bool (N,); not where it has none."""
    return true(column == value)


def stated(column: pl.Series) -> np.ndarray:
    """Tell where a column has a value at all, bool (N,)."""
    return column.is_not_null().to_numpy()


def true(column: pl.Series) -> np.ndarray:
    """Tell where a column of truths says so, bool (N,); not where it says nothing."""
    return column.fill_null(False).to_numpy()


def numbers(column: pl.Series, otherwise: float) -> np.ndarray:
    """Return a column's numbers, (N,), with another where it has none."""
    return column.fill_null(otherwise).to_numpy()
