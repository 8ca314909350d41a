"""Being right with a property against without it, within strata: of cells, or of path lengths; seed by seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure, odds, odds_of_seeds, stratified
from extramaze.odds import common_odds

BAND = 1.2  # the longest path of a band over its shortest: within one, paths of larger mazes are hardly longer
TwoByTwo = list[list[int]]


@dataclass(frozen=True)
class Pooled:
    """How being right goes with a property, within strata.

    odds: of being right with it against without it, all strata and seeds together: a description of these mazes and
    seeds. difference: of the shares that are right, mean over seeds; by_seed: of the odds, their geometric mean. Both
    have intervals over seeds and mazes: by these one judges.
    """

    odds: Figure | None
    difference: Figure | None
    by_seed: Figure | None


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


def two_by_two(has: pl.Series, right: pl.Series) -> TwoByTwo:
    """Count rows with and without a property, right and wrong."""
    with_, answers = has.to_numpy().astype(bool), right.to_numpy().astype(bool)
    return [[int((part & answers).sum()), int((part & ~answers).sum())] for part in (with_, ~with_)]


def _pool(tables: list[list[TwoByTwo]], entrant: Entrant) -> Pooled:
    """Pool the tables of each seed; all of one seed have as many mazes."""
    seeds = [np.array(each, dtype=np.int64).reshape(-1, 2, 2) for each in tables]
    found = common_odds(np.concatenate(seeds)) if seeds else None
    mazes = int(seeds[0].sum()) if seeds else 0
    said = odds(found, len(entrant.seeds), mazes) if found else None
    return Pooled(said, stratified(seeds, entrant.trained), odds_of_seeds(seeds, entrant.trained))
