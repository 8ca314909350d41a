"""Which mazes of which cells something is wrong with: a rule is asked of all rows at once, and told cell by cell."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from extramaze.records.columns import Part
from extramaze.schema.plan import CellPlan

Say = Callable[[np.ndarray, CellPlan], str]
Rule = tuple[
    np.ndarray, str | Say
]  # which rows it is broken in, bool (N,), and what is wrong with them, or who says so


def each(wrong: np.ndarray, what: str) -> str:
    """Say which mazes, bool (N,), something is wrong with."""
    mazes = np.flatnonzero(wrong)
    more = f" and {len(mazes) - 1} more" if len(mazes) > 1 else ""
    return f"maze {mazes[0]}{more}: {what}"


def by_cell(rules: Iterable[Rule], cells: Sequence[CellPlan], parts: Sequence[Part]) -> list[list[str]]:
    """Return what is wrong with the rows of each cell, a line a rule that they break, in the order of the rules."""
    found: list[list[str]] = [[] for _ in cells]
    for broken, what in rules:
        if not broken.any():
            continue
        for lines, cell, part in zip(found, cells, parts, strict=True):
            wrong = broken[part.at]
            if wrong.any():
                lines.append(each(wrong, what) if isinstance(what, str) else what(wrong, cell))
    return found
