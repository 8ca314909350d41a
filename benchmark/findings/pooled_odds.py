"""Odds of being right with a property against without it: strata of cells or path lengths, and of seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import polars as pl

from extramaze.association import Odds, common_odds
from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure, number, odds
from extramaze.findings.verdicts import Verdict, Word, undecided

BAND = 1.2  # the longest path of a band over its shortest: within one, paths of larger mazes are hardly longer
Table = list[list[int]]


@dataclass(frozen=True)
class Pooled:
    """Odds of being right, all strata and seeds together, and each seed's own (those without any value left out)."""

    figure: Figure | None
    each: tuple[Odds, ...]

    def judge(self, rule: Callable[[Figure | None, float, str], Verdict], what: str) -> Verdict:
        """Judge the odds against 1 by ``above`` or ``below``; open where a seed surely says the contrary.

        A seed does where its own interval lies wholly on the other side of 1: one wrong maze is no contradiction.
        """
        verdict = rule(self.figure, 1.0, what)
        if verdict.word == Word.NOT_TESTED or self.figure is None:
            return verdict
        over = self.figure.low > 1
        against = [own for own in self.each if (own.high < 1 if over else own.low > 1)]
        if not against:
            return verdict
        said = ", ".join(
            f"{number(own.ratio, 'odds')} ({number(own.low, 'odds')} to {number(own.high, 'odds')})" for own in against
        )
        return undecided(f"a seed's own odds lie surely on the other side of 1: {said}", verdict)


def limit_odds(entrant: Entrant, has: pl.Expr) -> Pooled:
    """Return the odds of being right with a limit of the kind ``has`` against any other, over cells and seeds."""
    cells = [entrant.watched(cell) for cell in entrant.watched_cells]
    tables = [
        [two_by_two(rows.select(has).to_series(), rows["limit_right"]) for rows in seed]
        for seed in zip(*cells, strict=True)
    ]
    return _pool(tables, entrant)


def path_odds(entrant: Entrant, cells: Sequence[str]) -> Pooled:
    """Return the odds of being right on paths longer than their cell's median against the others."""
    tables = []
    for seed in entrant.tables:
        each = [(seed[cell]["path_length"], seed[cell]["optimal"].list.last()) for cell in cells]
        tables.append([two_by_two(length > length.median(), right) for length, right in each])
    return _pool(tables, entrant)


def size_odds(entrant: Entrant, cells: dict[int, str]) -> Pooled:
    """Return the odds of being right on larger mazes than the median of those whose paths are in the same band."""
    tables = []
    band = (pl.col("path_length").log() / np.log(BAND)).floor().alias("band")
    for seed in entrant.tables:
        each = [seed[cell].select(band, pl.col("optimal").list.last(), size=size) for size, cell in cells.items()]
        bands = pl.concat(each).partition_by("band") if each else []
        tables.append([two_by_two(rows["size"] > rows["size"].median(), rows["optimal"]) for rows in bands])
    return _pool(tables, entrant)


def two_by_two(has: pl.Series, right: pl.Series) -> Table:
    """Count rows with and without a property, right and wrong."""
    with_, answers = has.to_numpy().astype(bool), right.to_numpy().astype(bool)
    return [[int((part & answers).sum()), int((part & ~answers).sum())] for part in (with_, ~with_)]


def _pool(tables: list[list[Table]], entrant: Entrant) -> Pooled:
    """Pool the tables of each seed; all of one seed have as many mazes."""
    parts = [list(chain.from_iterable(tables)), *tables]
    found, *each = (common_odds(np.array(part, dtype=np.int64).reshape(-1, 2, 2)) for part in parts)
    mazes = int(np.sum(tables[0])) if tables else 0
    own = tuple(seed for seed in each if seed.informative)
    return Pooled(odds(found, len(entrant.seeds), mazes, [seed.ratio for seed in own]), own)
