"""A per-maze table's columns as arrays: each is asked of the table once, for all cells, which then are views."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of a table of N rows, as arrays (N,)."""

    table: pl.DataFrame
    """Whose columns they are."""
    kept: dict[Any, Any] = field(default_factory=dict)
    """What was asked for before."""

    def __len__(self) -> int:
        return len(self.table)

    def plain(self, name: str) -> np.ndarray:
        """Return a column's numbers, NaN where it has none."""
        return self.table[name].to_numpy()

    def numbers(self, name: str) -> np.ndarray:
        """Return a column's numbers, 0 where it has none."""
        return self._once("filled", self._filled)[name].to_numpy()

    def true(self, name: str) -> np.ndarray:
        """Tell where a column of truths says so; not where it says nothing."""
        return self._once("filled", self._filled)[name].to_numpy()

    def stated(self, name: str) -> np.ndarray:
        """Tell where a column has a value at all."""
        return self._once("stated", lambda: self.table.select(pl.all().is_not_null()))[name].to_numpy()

    def equals(self, name: str, word: str) -> np.ndarray:
        """Tell where a column of words has one; not where it has none."""
        if word not in self.words(name):
            return np.zeros(len(self), dtype=bool)
        return self._once(("equals", name, word), lambda: filled(self.table[name] == word, False))

    def words(self, name: str) -> list[str]:
        """Return the different words of a column, in order."""
        return self._once(("words", name), lambda: sorted(self.table[name].drop_nulls().unique()))

    def wrong_at_last(self, name: str) -> np.ndarray:
        """Tell where the last of a list of truths is false."""
        return self._once(("wrong at last", name), lambda: filled(~self.table[name].list.last(), False))

    def answers(self, name: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Return a column of lists of truths as the ends of each, int (N + 1,) from 0, and all in a row, bool.

        None where a list is missing or empty, or has gaps.
        """
        return self._once(("answers", name), lambda: _in_a_row(self.table[name]))

    def lists(self, name: str) -> tuple[np.ndarray, list]:
        """Return which rows of a column of lists have one, rising, and these."""
        return self._once(
            ("lists", name), lambda: (np.flatnonzero(self.stated(name)), self.table[name].drop_nulls().to_list())
        )

    def _filled(self) -> pl.DataFrame:
        """Return the columns of numbers and of truths, without gaps."""
        return self.table.select(cs.numeric().fill_null(0), cs.boolean().fill_null(False))

    def _once(self, key: Any, ask: Callable[[], Any]) -> Any:
        if key not in self.kept:
            self.kept[key] = ask()
        return self.kept[key]


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of a table that follow one another, for example those of a cell: what ``Columns`` says of them alone."""

    columns: Columns
    """Of the whole table."""
    at: slice
    """Which of its rows."""

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "Part":
        """Return a whole table as a part of itself."""
        return cls(Columns(rows), slice(0, len(rows)))

    def __len__(self) -> int:
        return self.at.stop - self.at.start

    @property
    def table(self) -> pl.DataFrame:
        """The rows themselves."""
        return self.columns.table[self.at]

    def plain(self, name: str) -> np.ndarray:
        """Return a column's numbers, NaN where it has none."""
        return self.columns.plain(name)[self.at]

    def known(self, name: str) -> np.ndarray:
        """Return the numbers that there are in a column."""
        return self.numbers(name)[self.stated(name)]

    def true(self, name: str) -> np.ndarray:
        """Tell where a column of truths says so; not where it says nothing."""
        return self.columns.true(name)[self.at]

    def stated(self, name: str) -> np.ndarray:
        """Tell where a column has a value at all."""
        return self.columns.stated(name)[self.at]

    def numbers(self, name: str) -> np.ndarray:
        """Return a column's numbers, 0 where it has none."""
        return self.columns.numbers(name)[self.at]

    def equals(self, name: str, word: str) -> np.ndarray:
        """Tell where a column of words has one; not where it has none."""
        return self.columns.equals(name, word)[self.at]

    def wrong_at_last(self, name: str) -> np.ndarray:
        """Tell where the last of a list of truths is false."""
        return self.columns.wrong_at_last(name)[self.at]

    def counts(self, name: str) -> dict[str, int]:
        """Count the words of a column, in order."""
        found = {word: int(self.equals(name, word).sum()) for word in self.columns.words(name)}
        return {word: count for word, count in found.items() if count}

    def lists(self, name: str) -> list:
        """Return the lists that there are in a column."""
        rows, found = self.columns.lists(name)
        first, end = np.searchsorted(rows, (self.at.start, self.at.stop))
        return found[first:end]


def as_part(rows: pl.DataFrame | Part) -> Part:
    """Return rows as a part of a table: of their own, where they are a table."""
    return rows if isinstance(rows, Part) else Part.of(rows)


def _in_a_row(lists: pl.Series) -> tuple[np.ndarray, np.ndarray] | None:
    lengths = filled(lists.list.len(), 0)
    values = lists.explode()
    if not lengths.all() or values.null_count():
        return None
    return np.cumsum(np.concatenate([[0], lengths])), values.to_numpy()


def filled(column: pl.Series, otherwise: float | bool) -> np.ndarray:
    """Return a column's values as an array, with another where it has none."""
    return (column.fill_null(otherwise) if column.null_count() else column).to_numpy()


def places_of(words: pl.Series) -> dict[str | None, np.ndarray]:
    """Return the rows of each word of a column, rising: int (N,) each."""
    runs = words.rle().struct.unnest()
    ends = np.cumsum(runs["len"].to_numpy())
    found: dict[str | None, list[np.ndarray]] = {}
    for word, first, end in zip(runs["value"].to_list(), [0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        found.setdefault(word, []).append(np.arange(first, end))
    return {word: np.concatenate(parts) for word, parts in found.items()}


def joined(table: pl.DataFrame, places: Sequence[np.ndarray]) -> tuple[Columns, list[Part]]:
    """Put rows of a table one part after another; return the columns of all, and the parts."""
    order = np.concatenate([np.zeros(0, dtype=np.int64), *places])
    in_order = len(order) == len(table) and bool((np.diff(order, prepend=-1) == 1).all())
    columns = Columns(table if in_order else table[order])
    ends = np.cumsum([0, *map(len, places)]).tolist()
    return columns, [Part(columns, slice(first, end)) for first, end in pairwise(ends)]
