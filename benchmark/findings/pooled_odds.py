"""Odds of being right with a property against without it: strata of cells or path lengths, and of seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import polars as pl

from extramaze.association import common_odds
from extramaze.dynamics import Limit
from extramaze.findings.figures import Figure, odds
from extramaze.findings.pools import Entrant
from extramaze.findings.verdicts import UNDECIDED, Verdict, Word, not_tested

BAND = 1.2  # the longest path of a band over its shortest: within one, paths of larger mazes are hardly longer
SETTLED = pl.col("limit") == str(Limit.FIXED_POINT)
Table = list[list[int]]


@dataclass(frozen=True)
class Pooled:
    """Odds of being right, all strata and seeds together, and each seed's own (those without any value left out)."""

    figure: Figure | None
    each: tuple[float, ...]

    def judge(self, rule: Callable[[Figure | None, float, str], Verdict], what: str) -> Verdict:
        """Judge the odds against 1 by ``above`` or ``below``; open where the seeds' own lie on both sides of 1."""
        verdict = rule(self.figure, 1.0, what)
        if verdict.word == Word.NOT_TESTED or not min(self.each) < 1 < max(self.each):
            return verdict
        own = f"the seeds' own odds lie on both sides of 1, from {min(self.each):.2g} to {max(self.each):.2g}"
        return not_tested(f"{UNDECIDED}, {own}; {verdict.why}")


def settled_odds(entrant: Entrant) -> Pooled:
    """Return the odds of being right at a fixed point against any other limit, over cells and seeds."""
    cells = [entrant.watched(cell) for cell in entrant.watched_cells]
    tables = [
        [two_by_two(rows.select(SETTLED).to_series(), rows["limit_right"]) for rows in seed]
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
    own = tuple(seed.ratio for seed in each if not np.isnan(seed.ratio))
    return Pooled(odds(found, len(entrant.seeds), mazes), own)
