"""The board: one row a recipe with all its seeds, ranked by accuracy at the last rung.

The score of a record is the mean, over the axes of difficulty, of the mean over the axis's cells of *optimal* accuracy
at the last rung, never the best one. Cells like the training mazes do not enter it. A row is the mean over its seeds;
its interval resamples seeds, then mazes. Suites of different content, and partial records, are never ranked together.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import polars as pl

from extramaze.mazes import InputError
from extramaze.records import SUMMARY, Record, read_record
from extramaze.suites import IN_DISTRIBUTION

RANKING_VERSION = 1
RESAMPLES = 1_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Row:
    """One recipe on the board.

    score, low, high: mean over seeds with its interval. axes: mean accuracy by axis, in-distribution among them.
    limits: watched trajectories by limit, ``right`` and ``wrong`` ones together. notes: what a reader should know.
    """

    rank: int
    recipe: str
    seeds: tuple[int, ...]
    score: float
    low: float
    high: float
    axes: dict[str, float]
    limits: dict[str, int]
    parameters: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """Rows of one suite, best first. ``partial``: the reason its records are not ranked, None for whole ones."""

    suite: str
    partial: str | None
    rows: tuple[Row, ...]


def axis_scores(record: Record) -> dict[str, float]:
    """Return the mean optimal accuracy at the last rung of each axis's cells."""
    by_axis: dict[str, list[float]] = defaultdict(list)
    for cell in record.summary.cells:
        by_axis[cell.axis].append(cell.rungs[-1].optimal.share)
    return {axis: float(np.mean(shares)) for axis, shares in by_axis.items()}


def record_score(record: Record) -> float:
    """Return the number that ranks a record."""
    return _over_axes(axis_scores(record))


def _over_axes(axes: dict[str, float]) -> float:
    hard = [share for axis, share in axes.items() if axis != IN_DISTRIBUTION]
    return float(np.mean(hard or list(axes.values())))


def boards(records: Iterable[Record]) -> list[Board]:
    """Group records into boards: one for each suite content and reason of partiality, whole ones first.

    Raises InputError where two records are of one recipe and one seed.
    """
    groups: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    for record in records:
        plan = record.summary.plan
        groups[plan.suite.name, plan.suite_sha256, plan.partial or ""].append(record)
    keys = sorted(groups, key=lambda key: (key[2] != "", key))
    return [Board(name, partial or None, _rows(groups[name, digest, partial])) for name, digest, partial in keys]


def _rows(records: list[Record]) -> tuple[Row, ...]:
    by_recipe: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_recipe[record.summary.plan.solver.recipe].append(record)
    rows = [_row(recipe, seeds) for recipe, seeds in by_recipe.items()]
    rows.sort(key=lambda row: (-row.score, row.recipe))
    return tuple(Row(**{**vars(row), "rank": rank}) for rank, row in enumerate(rows, start=1))


def _row(recipe: str, records: list[Record]) -> Row:
    records = sorted(records, key=lambda record: record.summary.plan.solver.seed or 0)
    solvers = [record.summary.plan.solver for record in records]
    names = Counter(solver.name for solver in solvers)
    if len(names) < len(solvers):
        twice = next(name for name, count in names.items() if count > 1)
        raise InputError(f"two records of {twice} on {records[0].summary.plan.suite.name}; keep one of them")
    axes = [axis_scores(record) for record in records]
    low, high = resampled_interval(records)
    limits: Counter[str] = Counter()
    for record in records:
        for result in record.summary.limits:
            limits.update({count.limit: count.right + count.wrong for count in result.counts})
    seeds = tuple(solver.seed for solver in solvers if solver.seed is not None)
    notes = [f"{solver.name}: {note}" for solver in solvers for note in solver.notes]
    if len(seeds) == 1:
        notes.append("one seed: the interval is over mazes only")
    return Row(
        rank=0,
        recipe=recipe,
        seeds=seeds,
        score=float(np.mean([_over_axes(a) for a in axes])),
        low=low,
        high=high,
        axes={axis: float(np.mean([a[axis] for a in axes])) for axis in axes[0]},
        limits=dict(limits),
        parameters=solvers[0].parameters,
        notes=tuple(notes),
    )


def resampled_interval(records: list[Record]) -> tuple[float, float]:
    """Return the 95 % percentile interval of a row's score: seeds are resampled, then the mazes of each cell.

    Seeds share their mazes, so one draw of mazes serves all seeds. The random numbers depend on the recipe and the
    suite alone: a board made twice is the same board.
    """
    plan = records[0].summary.plan
    key = hashlib.sha256(f"{RANKING_VERSION} {plan.solver.recipe} {plan.suite_sha256}".encode()).digest()
    random = np.random.default_rng(list(key[:16]))
    seeds = random.multinomial(len(records), np.full(len(records), 1 / len(records)), RESAMPLES) / len(records)
    by_axis: dict[str, list[np.ndarray]] = defaultdict(list)
    for cell in records[0].summary.cells:
        right = np.stack([_last_rung(record, cell.name) for record in records])  # (seeds, mazes)
        count = right.shape[1]
        draws = random.multinomial(count, np.full(count, 1 / count), RESAMPLES) / count
        by_axis[cell.axis].append(np.einsum("rs,sm,rm->r", seeds, right, draws, optimize=True))
    hard = [np.mean(cells, axis=0) for axis, cells in by_axis.items() if axis != IN_DISTRIBUTION]
    scores = np.mean(hard or [np.mean(cells, axis=0) for cells in by_axis.values()], axis=0)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(scores, [tail, 1 - tail])
    return float(low), float(high)


def _last_rung(record: Record, cell: str) -> np.ndarray:
    rows = record.mazes.filter(pl.col("cell") == cell)
    return rows["optimal"].list.last().to_numpy().astype(float)


def find_records(folders: Iterable[Path]) -> list[Record]:
    """Read every record in or below the folders. Raises InputError for a folder without any."""
    records = []
    for folder in folders:
        paths = sorted(folder.rglob(SUMMARY))
        if not paths:
            raise InputError(f"no record ({SUMMARY}) in or below {folder}; make one with extramaze evaluate")
        records += [read_record(path.parent) for path in paths]
    return records


def shipped_records() -> list[Record]:
    """Read the records that come with the package."""
    with as_file(files("extramaze.results")) as folder:
        return [read_record(path.parent) for path in sorted(Path(folder).rglob(SUMMARY))]
