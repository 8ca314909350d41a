"""Finding 6: what the iterates end in, and how much of it is the rule's by which Betti numbers are counted."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
import polars as pl

from extramaze.dynamics.limits import Limit
from extramaze.findings.entrants import Entrant
from extramaze.findings.errors import Errors, worst
from extramaze.findings.finding import STUDY, Claim, Finding
from extramaze.findings.judging import judge
from extramaze.findings.limit_tables import TWO_CYCLE, limit_tables, rule_notes
from extramaze.findings.pools import Pool
from extramaze.findings.trajectories import (
    ASKED,
    FINAL,
    NOTHING_OPEN,
    OPEN,
    SETTLED,
    UNWATCHED,
    mean_of_cells,
    share_given,
)
from extramaze.findings.verdicts import Verdict, Word, above, below, every, every_part, undecided
from extramaze.leaderboard.score import variance_of_mean

HALF = 0.5
OPEN_EITHER_WAY = "however undecided and drifting ones are counted"
ALL = 0.9
RARE = 0.05
PUBLISHED_BURN_IN = 3000
PUBLISHED_AT_REST = 0.15  # at size 9, and the most of any
EVERY = (  # of a rule, to follow "confirmed where"
    "at every watched size, each judged alone (trees whose start is a dead end), {}; refuted where at one of them {}"
)
PAIR = pl.lit(list(TWO_CYCLE), dtype=pl.List(pl.Int32))
RETURNS = (pl.col("limit") == str(Limit.CYCLE)) & (pl.col("period") == TWO_CYCLE[0])
COUNTS = (
    (
        "DT-Net ends in a two-point cycle: Betti numbers [2,0] in 79, 88, 95, 100, 98, 98 % at sizes 9, 19, 29, 39, "
        "49, 59, counted by the study's rule on float64 iterates",
        pl.col("study_betti") == PAIR,
        NOTHING_OPEN,
    ),
    ("The same, counted by our rule", (pl.col("betti") == PAIR) & ~OPEN, OPEN),
    ("The same, counted by returns: the state comes back after two steps, and not after one", RETURNS, OPEN),
)
COUNTING = (
    "Two-point cycles are counted in three ways. By the study's rule, as its code has it, a piece of the window counts "
    "where it lives longer than half of the largest death, of frames rounded to float32 and with distances below 1e-10 "
    "taken for 0, here on float64 iterates. By ours, nothing smaller than rounding counts; fixed points are one point "
    "and cycles count as their period, whatever the threshold. By returns, the state must come back to within rounding."
)


def enough(margin: float) -> int:
    """Return from how many mazes on, all alike, a share's interval is within a margin: fewer decide nothing so sure."""
    return next(n for n in count(1) if Errors(variance_of_mean(np.ones(n))).half() < margin)


def limit_sets(pool: Pool) -> Finding:
    """Judge fixed points and cycles."""
    claims = (*_two_point_cycles(pool), _rarely_at_rest(pool), *_fixed_points(pool), _one_fixed_point(pool))
    networks = [entrant for entrant in pool.networks if entrant.watched_cells]
    shown = pool.in_tables(networks)
    by_study, by_us = (claim.verdict for claim in claims[:2])
    apart = "What is said of DT-Net's two-point cycles hangs on the rule by which they are counted."
    notes = (
        how_watched(pool),
        COUNTING,
        *rule_notes(shown),
        *([apart] if by_study.word != by_us.word else []),
    )
    return Finding("What the iterates end in", claims, tuple(limit_tables(shown)), notes, tuple(networks), late=True)


def how_watched(pool: Pool) -> str:
    """Say how a suite watches iterates, and what becomes of trajectories that it leaves open."""
    plan = pool.suite.limits
    after = (
        f"what the window leaves open is followed {plan.pursuit:,} steps further with a tangent"
        if plan.pursuit
        else "what the window leaves open is followed no further, so that slow trajectories stay undecided"
    )
    return (
        f"Watched in {pool.suite.name}: raw free-running float64 iterates, {plan.burn_in:,} steps of burn-in and a "
        f"window of {plan.window}; {after}. These are the first {plan.count} mazes of each watched cell, the same for "
        "every seed."
    )


def by_cell(pool: Pool, entrant: Entrant, cells: Sequence[str], rule: Callable[[str], Verdict]) -> Verdict:
    """Judge each watched cell alone, and all of them together; no share is ever a mean over cells."""
    sizes = {cell: f"size {size}" for size, cell in pool.ladder("size").items()}
    return every_part({sizes.get(cell, cell): rule(cell) for cell in cells if cell in entrant.watched_cells})


def _judge_on_trees(pool: Pool, family: str, rule: Callable[[Entrant, str], Verdict]) -> Verdict:
    """Judge a family on the watched trees whose start is a dead end, size by size."""
    entrant, trees = pool.named(family), _on_trees(pool)
    seen = [cell for cell in trees if entrant is not None and cell in entrant.watched_cells]
    missing = f"{UNWATCHED} on such mazes"
    return judge({family: entrant}, seen, missing, lambda e: by_cell(pool, e, seen, partial(rule, e)))


def _two_point_cycles(pool: Pool) -> list[Claim]:
    late = (
        f"a refutation needs {PUBLISHED_BURN_IN:,} steps before the window, as the study has, or holds even if all "
        "that have not come to rest were to end so: slow cycles take time"
    )
    rule = f"confirmed where {EVERY.format('over half of the watched trajectories do so', 'surely fewer do')}"
    return [
        Claim(
            text,
            STUDY,
            f"{rule}{'' if still_open is NOTHING_OPEN else f', {OPEN_EITHER_WAY}'}; {late}",
            _judge_on_trees(pool, "dt-net", partial(_two_points, pool=pool, yes=yes, still_open=still_open)),
            headline=True,
        )
        for text, yes, still_open in COUNTS
    ]


def _two_points(entrant: Entrant, cell: str, pool: Pool, yes: pl.Expr, still_open: pl.Expr) -> Verdict:
    """Judge a way to count, and hold back a refutation that might not stand if watched as late as the study did."""
    verdict = above(mean_of_cells(entrant, [cell], yes, still_open), HALF, f"{entrant.recipe}, {cell}")
    steps = pool.suite.limits.burn_in
    if verdict.word != Word.REFUTED or steps >= PUBLISHED_BURN_IN:
        return verdict
    most = above(
        mean_of_cells(entrant, [cell], yes | ~SETTLED, still_open), HALF, "with all that have not come to rest"
    )
    if most.word == Word.REFUTED:
        return replace(verdict, why=f"{verdict.why}; {most.why}", p=worst([verdict.p, most.p]))
    return undecided(f"watched after {steps:,} steps, the study after {PUBLISHED_BURN_IN:,}", verdict)


def _rarely_at_rest(pool: Pool) -> Claim:
    ways = f"under {PUBLISHED_AT_REST:.0%} of the watched trajectories are fixed points", "surely more are"
    return Claim(
        f"DT-Net hardly ever comes to rest: [1,0] in {PUBLISHED_AT_REST:.0%} at size 9 and in none above",
        STUDY,
        f"confirmed where {EVERY.format(*ways)} already; confirmed only where that holds even if every one that "
        "neither cycles nor diverges were to come to rest later",
        _judge_on_trees(pool, "dt-net", _at_rest_under),
        headline=True,
    )


def _at_rest_under(entrant: Entrant, cell: str) -> Verdict:
    figure = mean_of_cells(entrant, [cell], SETTLED, ~FINAL)
    return below(figure, PUBLISHED_AT_REST, f"{entrant.recipe}'s fixed points, {cell}")


def _one_fixed_point(pool: Pool) -> Claim:
    dtl = pool.named("dt-l-kernel")
    seen = dtl.watched_cells if dtl else []
    return Claim(
        "DT-L has a single fixed point, which it reaches from everywhere",
        "Bear et al., arXiv 2410.23451: spectral norms that bound the step's Lipschitz constant below 1. The recipe "
        "run here bounds the kernels as matrices, which does not prove it",
        "confirmed where in every watched cell, each judged alone, another initial state gives another answer on "
        f"under {RARE:.0%} of the mazes, and over {ALL:.0%} of their trajectories are fixed points; refuted where "
        f"in one of them surely not, {OPEN_EITHER_WAY}; fewer than {enough(RARE)} mazes a cell confirm nothing",
        judge({"dt-l-kernel": dtl}, seen, UNWATCHED, lambda e: by_cell(pool, e, seen, partial(_single, e))),
    )


def _single(entrant: Entrant, cell: str) -> Verdict:
    rest = above(mean_of_cells(entrant, [cell], SETTLED), ALL, f"{entrant.recipe}'s fixed points, {cell}")
    depends = share_given(entrant, ASKED & (pl.col("cell") == cell), pl.col("depends"))
    return every(rest, below(depends, RARE, f"{entrant.recipe}'s dependent answers, {cell}"))


def _fixed_points(pool: Pool) -> list[Claim]:
    claims = {
        "it-net": (
            "IT-Net settles on a fixed point: [1,0] in 100 %",
            f"{STUDY}; its iterates are one tensor, frozen once steps are small (inferred from its code); ours are raw",
        ),
        "pi-net": (
            "PI-Net settles on a fixed point",
            f"{STUDY}; its root finder returns the best iterate so far, so that a constant trajectory is built in "
            "(inferred from its code); ours are plain iterates, and no published figure is held against them",
        ),
    }
    ways = f"over {ALL:.0%} of the watched trajectories are fixed points", "surely fewer are"
    rule = (
        f"confirmed where {EVERY.format(*ways)}, even if every trajectory that neither cycles nor diverges were to "
        f"come to rest later; fewer than {enough(1 - ALL)} mazes a size confirm nothing"
    )
    return [
        Claim(text, source, rule, _judge_on_trees(pool, family, _settles), headline=True)
        for family, (text, source) in claims.items()
    ]


def _settles(entrant: Entrant, cell: str) -> Verdict:
    return above(mean_of_cells(entrant, [cell], SETTLED, ~FINAL), ALL, f"{entrant.recipe}'s fixed points, {cell}")


def _on_trees(pool: Pool) -> list[str]:
    """Return the cells of trees whose start is a dead end."""
    return list(pool.ladder("size").values()) or [c.name for c in pool.cells if str(c.maze_spec) == "size=9"]
