"""Groups of mazes in the order of a property: a suite's own cells, or rows of some cells by what each maze is like."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure, fall, mean_share
from extramaze.findings.finding import Table, shown, table, who
from extramaze.findings.pools import Pool
from extramaze.findings.verdicts import Verdict, Word, above, below, every, undecided

FEWEST = 20  # mazes in a group, below which a share says nothing
TRACE = 0.01  # a fall of less than one point is not what a paper calls a decline
STEP = 0.02  # a rise of less than two points is no rise
MONOTONE = (  # a rule, to follow "confirmed where"
    f"the fall from the first to the last is over {100 * TRACE:.0f} point and no step can be a rise of "
    f"{100 * STEP:.0f} points (its interval ends below); refuted where the fall is surely at most {100 * TRACE:.0f} "
    f"point or a step surely rises by {100 * STEP:.0f}"
)
Selection = tuple[str, np.ndarray]  # a cell, and which of its mazes, bool (N,)


@dataclass(frozen=True, eq=False)
class Ladder:
    """Groups of mazes by the value of a property, rising. what: the property, and which mazes these are."""

    what: str
    groups: dict[Any, tuple[Selection, ...]]

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def cells(self) -> list[str]:
        """The cells that the mazes are of."""
        return list(dict.fromkeys(cell for parts in self.groups.values() for cell, _ in parts))

    def right(self, entrant: Entrant, value: Any, kind: str = "optimal") -> np.ndarray:
        """Return which mazes of a group are right at the last rung, float (S, N)."""
        return np.concatenate([entrant.right(cell, kind)[:, chosen] for cell, chosen in self.groups[value]], axis=1)

    def header(self) -> list[str]:
        """Name the groups, with their numbers of mazes."""
        counts = (sum(int(chosen.sum()) for _, chosen in parts) for parts in self.groups.values())
        return [f"{value} ({count:,})" for value, count in zip(self.groups, counts, strict=True)]


def by_cell(pool: Pool, cells: dict[Any, str], what: str) -> Ladder:
    """Take whole cells."""
    sizes = {cell: pool.count(cell) for cell in cells.values()}
    return Ladder(what, {value: ((cell, np.ones(sizes[cell], bool)),) for value, cell in cells.items()})


def by_column(pool: Pool, cells: Sequence[str], column: str, what: str) -> Ladder:
    """Take the rows of some cells by an integer column, alike for all records; groups of less than FEWEST left out."""
    values = {cell: pool.entrants[0].column(cell, column)[0] for cell in cells}
    found = sorted({int(value) for column_values in values.values() for value in column_values})
    groups = {value: tuple((cell, values[cell] == value) for cell in cells) for value in found}
    kept = {value: parts for value, parts in groups.items() if sum(chosen.sum() for _, chosen in parts) >= FEWEST}
    return Ladder(what, kept if len(kept) > 1 else {})


def falls(entrant: Entrant, ladder: Ladder, what: str) -> Verdict:
    """Judge "accuracy falls monotonically along this ladder", by the rule MONOTONE."""
    values = list(ladder.groups)
    right = [ladder.right(entrant, value) for value in values]
    whole = fall(right[0], right[-1], entrant.trained, entrant.noise(ladder.cells))
    rises = [
        (f"from {a} to {b}", fall(right[i + 1], right[i], entrant.trained)) for i, (a, b) in enumerate(pairwise(values))
    ]
    return monotone(whole, rises, f"{entrant.name}'s fall from {what} {values[0]} to {values[-1]}")


def monotone(whole: Figure, rises: Sequence[tuple[str, Figure]], what: str) -> Verdict:
    """Judge a fall as a whole together with how far accuracy rises at each step, by the rule MONOTONE."""
    verdict = above(whole, TRACE, what)
    verdict = replace(verdict, asked=f"{verdict.asked}, and no step up")
    steps = {label: below(rise, STEP, f"the rise {label}") for label, rise in rises}
    joined = every(verdict, *steps.values())
    if verdict.word == Word.CONFIRMED and joined.word == Word.UNDECIDED:
        (label, *_) = (label for label, step in steps.items() if step.word == Word.UNDECIDED)
        said = replace(verdict, why=f"{verdict.why}; the rise {label} is {dict(rises)[label]}")
        return undecided(f"a step may go up ({label})", said)
    if joined.word != Word.CONFIRMED:
        return replace(joined, figure=verdict.figure, asked=verdict.asked)
    label, worst = max(rises, key=lambda step: step[1].high)
    highest = f"no step can rise by more than {100 * max(0.0, worst.high):.1f} points ({label})"
    return replace(verdict, why=f"{verdict.why}; {highest}", p=joined.p)


def ladder_table(ladder: Ladder, entrants: Iterable[Entrant], title: str, reading: str) -> list[Table]:
    """Write accuracy by group, a row an entrant."""
    rows = [
        [who(e), *(shown(mean_share([ladder.right(e, value)], e.trained)) for value in ladder.groups)] for e in entrants
    ]
    return table(title, reading, [f"{ladder.what} (mazes)", *ladder.header()], rows if len(ladder) else [])
