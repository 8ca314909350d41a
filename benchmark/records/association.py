"""Does a limit go with being right? Limit × correct, over cells that differ in difficulty.

Cells are strata: a limit that is common where mazes are hard would look harmful in a table of all cells together
(Simpson's paradox). ``extramaze.odds`` says how the ratio is estimated.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from extramaze.core.errors import InputError
from extramaze.dynamics.limits import Limit
from extramaze.odds import Odds, common_odds


@dataclass(frozen=True)
class Association(Odds):
    """One limit against the rest, over cells: their common odds ratio."""

    limit: Limit


def associate(counts: Mapping[str, Mapping[Limit, tuple[int, int]]]) -> list[Association]:
    """Compare each limit that occurs with the rest: counts are cell → limit → (right, wrong).

    Raises InputError for a negative count.
    """
    if any(number < 0 for cell in counts.values() for pair in cell.values() for number in pair):
        raise InputError("counts of right and wrong answers must not be negative")
    seen = [limit for limit in Limit if any(sum(cell.get(limit, (0, 0))) for cell in counts.values())]
    return [Association(**vars(common_odds(tables_of(limit, counts))), limit=limit) for limit in seen]


def tables_of(limit: Limit, counts: Mapping[str, Mapping[Limit, tuple[int, int]]]) -> np.ndarray:
    """Return a table a cell: int64 (cells, 2, 2), with the limit and with any other, right and wrong."""
    tables = []
    for cell in counts.values():
        total = np.array(list(cell.values()), dtype=np.int64).reshape(-1, 2).sum(axis=0)
        here = np.array(cell.get(limit, (0, 0)), dtype=np.int64)
        tables.append([here, total - here])
    return np.array(tables, dtype=np.int64).reshape(-1, 2, 2)
