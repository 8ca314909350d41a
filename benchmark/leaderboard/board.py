"""The board: one row a recipe with all its seeds, ranked by accuracy at the last rung.

The score of a record (``extramaze.leaderboard.score``) is read at the last rung, never the best one; a row is the mean
over its seeds. Records of different suites, mazes, contract versions, precision or mode, and partial ones, are
never ranked together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from extramaze.leaderboard.badges import Standing, Verified, standing
from extramaze.leaderboard.columns import hardest, last_finished, limit_counts, median_first_right
from extramaze.leaderboard.grouping import comparable, rows_of
from extramaze.leaderboard.notes import ONE_SEED, mark_of, notes_of, unheard
from extramaze.leaderboard.ranking import LATEST, OTHERS, Ranking, ranking
from extramaze.leaderboard.ranks import Evidence, Spread, compare_pairs, ranges
from extramaze.leaderboard.score import (
    axis_scores,
    last_rung,
    record_score,
    score_interval,
    score_weights,
)
from extramaze.models.shipped import training_mazes
from extramaze.records import Record
from extramaze.records.measures import fate_shares, function_evaluations, is_algorithm, operations
from extramaze.schema.solver import SolverInfo
from extramaze.schema.suite import axis_headings

BORROWED = "the rank takes the spread between other recipes' seeds"
UNKNOWN = {
    True: f"it is ranked apart from none, since fewer than {OTHERS} other recipes show how much seeds differ",
    False: f"no rank: one seed, and fewer than {OTHERS} other recipes show how much seeds differ; extramaze compare "
    "holds its mazes against another record's",
}  # by whether it has a rank all the same


@dataclass(frozen=True)
class Row:
    """One recipe on the board.

    rank: its place among the rows that have one; None on a board that is not ranked, and where the row's spread over
    seeds cannot be known. ranks: best and worst rank that paired tests leave open, at 95 % for all rows together.
    score, low, high: mean over seeds with its 95 % interval. axes: mean accuracy by axis,
    in-distribution among them. hardest: by axis, the hardest cell still at least 90 % right. limits: watched
    trajectories by limit, right and wrong ones together; fates: shares by those of ``measures.FATE_NAMES`` that
    the suite tells.
    median_first_right: in iterations, None where most mazes are never right. function_evaluations: mean a maze.
    training_mazes: fewest and most of its seeds, with those of the seed that a fine-tuned one began with; None where
    weights are not the shipped ones. operations: floating-point ones spent on a maze, mean over seeds, None where they
    were not counted and for algorithms, which have none that are counted.
    standing: the badge, and how much of the row was run again for it. date: of the newest record. marked: the share of
    fresh mazes like those of its training, where a seed is right on too few; "" where none is. notes: what else a
    reader should know.
    """

    rank: int | None
    ranks: tuple[int, int] | None
    recipe: str
    seeds: tuple[int, ...]
    score: float
    low: float
    high: float
    axes: dict[str, float]
    hardest: dict[str, str | None]
    limits: dict[str, int]
    fates: dict[str, float]
    median_first_right: float | None
    parameters: int
    training_mazes: tuple[int, int] | None
    function_evaluations: float
    operations: float | None
    standing: Standing
    date: str
    marked: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Contest:
    """What a paired test over seeds and mazes says of two rows that have ranks."""

    first: str
    """The recipe of the higher score."""
    second: str
    """The other recipe."""
    difference: float
    """Of their scores, at least 0."""
    low: float
    """Lower end of the difference's 95 % interval, of this pair alone."""
    high: float
    """Upper end."""
    p: float
    """Two-sided p-value, adjusted for all pairs of the board (Holm)."""
    apart: bool
    """Whether the two are told apart: p at most 0.05."""


@dataclass(frozen=True)
class Board:
    """Rows that may be compared, best first.

    tf32: as in ``Plan``. partial: why its records are not ranked, None for whole ones. headings: of the axes,
    in order. watched_for: iterations before a limit is told. pursued: whether trajectories that the window leaves open
    are followed further. contracts: versions of generator, stored path,
    raster, score, limits and ranking that all rows share. pairs: of rows that have ranks, in their order. notes: which
    records are left out, and why, and what is not believed.
    """

    suite: str
    dtype: str
    tf32: bool
    mode: str
    partial: str | None
    headings: dict[str, str]
    watched_for: int
    pursued: bool
    contracts: dict[str, int]
    rows: tuple[Row, ...]
    pairs: tuple[Contest, ...] = ()
    notes: tuple[str, ...] = ()


def boards(records: Iterable[Record], verified: Verified = MappingProxyType({}), version: int = LATEST) -> list[Board]:
    """Group records into boards of what may be compared, whole ones first.

    verified: what came out when records were run again, by their sha256; rows without are claimed. version: of ranking.
    A record that takes another's name or seed is left out, and a note of its board says so.
    """
    rule = ranking(version)
    return [_board(group, verified, rule) for group in comparable(records)]


def _board(records: list[Record], verified: Verified, rule: Ranking) -> Board:
    plan = records[0].summary.plan
    read = rows_of(records, verified)
    by_recipe = read.by_name
    rows = [_row(recipe, seeds, verified, rule) for recipe, seeds in by_recipe.items()]
    rows.sort(key=lambda row: (-row.score, row.recipe))
    pairs: tuple[Contest, ...] = ()
    if rows and plan.part is None:
        rows, pairs = _ranked(rows, [evidence(by_recipe[row.recipe]) for row in rows], rule)
    return Board(
        suite=plan.suite.name,
        dtype=plan.dtype,
        tf32=plan.tf32,
        mode=plan.mode,
        partial=None if plan.part is None else str(plan.part),
        headings=axis_headings(tuple(cell for cell, _ in plan.pairs())),
        watched_for=plan.suite.limits.burn_in + plan.suite.limits.window,
        pursued=plan.suite.limits.pursuit > 0,
        contracts={**plan.contracts, "ranking": rule.version},
        rows=tuple(rows),
        pairs=pairs,
        notes=(*read.left_out, *unheard(records)),
    )


def _ranked(rows: list[Row], proofs: list[Evidence], rule: Ranking) -> tuple[list[Row], tuple[Contest, ...]]:
    """Give the rows, best first, their ranks; and say what every pair's test found."""
    known = rule.spreads(proofs)
    ranked = [rule.ranks(spread) for spread in known]
    pairs = compare_pairs(proofs, rule)
    told = zip(rows, ranges(ranked, pairs), known, strict=True)
    places = iter(range(1, len(rows) + 1))
    found = []
    for row, span, spread in told:
        rank = next(places) if span else None
        found.append(replace(row, rank=rank, ranks=span, notes=(*row.notes, *_rank_note(row, spread, rule))))
    contests = (
        Contest(
            rows[pair.first].recipe,
            rows[pair.second].recipe,
            pair.difference.value,
            pair.difference.low,
            pair.difference.high,
            pair.adjusted_p,
            pair.apart,
        )
        for pair in pairs
        if np.isfinite(pair.difference.low)
    )
    return found, tuple(contests)


def _row(recipe: str, records: list[Record], verified: Verified, rule: Ranking) -> Row:
    solvers = [record.summary.plan.solver for record in records]
    axes = [axis_scores(record) for record in records]
    low, high = score_interval(records, rule.variance_of_mean)
    return Row(
        rank=None,
        ranks=None,
        recipe=recipe,
        seeds=tuple(solver.seed for solver in solvers if solver.seed is not None),
        score=float(np.mean([record_score(record) for record in records])),
        low=low,
        high=high,
        axes={axis: float(np.mean([a[axis] for a in axes])) for axis in axes[0]},
        hardest=hardest(records),
        limits=limit_counts(records),
        fates=fate_shares(records),
        median_first_right=median_first_right(records),
        parameters=solvers[0].parameters,
        training_mazes=_training_mazes(solvers),
        function_evaluations=float(np.mean([function_evaluations(record) for record in records])),
        operations=_operations(records),
        standing=standing(records, verified),
        date=last_finished(records),
        marked=mark_of(records),
        notes=tuple(notes_of(records)),
    )


def _training_mazes(solvers: Sequence[SolverInfo]) -> tuple[int, int] | None:
    known = training_mazes()
    found = [known.get(solver.weights_sha256 or "") for solver in solvers]
    counts = [count for count in found if count is not None]
    return (min(counts), max(counts)) if counts and len(counts) == len(found) else None


def _operations(records: Sequence[Record]) -> float | None:
    counts = [count for record in records if (count := operations(record)) is not None]
    return float(np.mean(counts)) if len(counts) == len(records) else None


def evidence(records: Sequence[Record]) -> Evidence:
    """Gather one row's right answers for the paired tests of ranks."""
    weights = score_weights(records[0])
    right = {cell: np.stack([last_rung(record, cell) for record in records]) for cell in weights}
    return Evidence(right, weights, trained=not is_algorithm(records[0]))


def _rank_note(row: Row, spread: Spread, rule: Ranking) -> list[str]:
    """Say what the rank of a row of one seed rests on."""
    if ONE_SEED not in row.notes:
        return []
    return [BORROWED if spread.known else UNKNOWN[rule.ranks_unknown]]
