"""Finding 7: what goes with being wrong: the limit, motion, the initial state, the path's length, the size."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import polars as pl

from extramaze.findings.entrants import Entrant
from extramaze.findings.failure_tables import failure_tables, where_wrong
from extramaze.findings.finding import NEW, Claim, Finding
from extramaze.findings.judging import judge, judge_answers
from extramaze.findings.pooled_odds import BAND, Pooled, limit_odds, path_odds, size_odds
from extramaze.findings.pools import FAMILIES, Pool
from extramaze.findings.trajectories import (
    ASKED,
    BOTH_WAYS,
    FLOOR,
    MOVING,
    OPEN,
    RIGHT,
    SETTLED,
    UNWATCHED,
    WRONG,
    share_given,
)
from extramaze.findings.verdicts import Verdict, above, agree, below

HALF, RARE = 0.5, 0.05
FAILING = ("dt-net", "it-net")  # whose failures are asked for their path and size


def failures(pool: Pool) -> Finding:
    """Judge what goes with being wrong."""
    sizes, networks = pool.ladder("size"), [entrant for entrant in pool.networks if entrant.watched_cells]
    notes = (
        "Differences are judged, of the shares that are right with and without a property, within strata: their "
        "intervals are over seeds and mazes. Beside limits, odds ratios describe these very mazes and seeds: their "
        "intervals take a seed as a stratum.",
        "Below 0, or an odds ratio below 1, failure goes with the property. Sizes and bands in which all answers are "
        "right count as no difference. Watched trajectories are right or wrong by their own last iterate.",
        *where_wrong(networks),
    )
    claims = (*_trajectory_claims(pool), *(c for f in FAILING for c in _path_claims(pool, f, sizes)))
    tables = failure_tables(pool, sizes)
    return Finding("What goes with being wrong", claims, tuple(tables), notes, tuple(pool.networks))


def _trajectory_claims(pool: Pool) -> list[Claim]:
    rules: list[tuple[str, str, Callable[[Entrant], Verdict]]] = [
        (
            "DT-Net's failures settle on wrong answers rather than wander",
            f"confirmed where over {HALF:.0%} of its wrong watched trajectories are fixed points, {BOTH_WAYS}",
            lambda e: above(share_given(e, WRONG, SETTLED, OPEN), HALF, f"{e.recipe}'s wrong trajectories at rest"),
        ),
        (
            "DT-Net is right more often where it settles",
            "confirmed where the share that is right is surely larger at a fixed point than at any other limit "
            "(difference within cells, weighted as Mantel and Haenszel's), and refuted where it surely is not, whether "
            "undecided and drifting trajectories count as moving or as settled",
            _right_where_settled,
        ),
        (
            "DT-Net's motion reaches its answer",
            f"confirmed where the answer flips within the window in over {HALF:.0%} of the trajectories that really "
            f"move: latent motion above {FLOOR} (root mean square; less is a transient), and not diverged",
            lambda e: above(
                share_given(e, MOVING, pl.col("flipping") > 0), HALF, f"{e.recipe}'s moving trajectories that flip"
            ),
        ),
        *(
            (
                f"DT-Net's {word} answer at a fixed point does not depend on its initial state",
                f"confirmed where another initial state gives another answer on under {RARE:.0%} of the watched mazes "
                f"whose trajectory is at a fixed point with a {word} answer: any of three others (zero, random, "
                "another maze's limit), each run in float32 for as many steps as the burn-in; they may still move "
                "then, so that the share is an upper bound; moving trajectories stand beside it in the table, as what "
                "is to be expected without a fixed point",
                partial(_independent, kind=kind, word=word),
            )
            for word, kind in (("right", RIGHT), ("wrong", WRONG))
        ),
    ]
    dt = pool.named("dt-net")
    watched = dt.watched_cells if dt else []
    return [Claim(text, NEW, rule, judge({"dt-net": dt}, watched, UNWATCHED, found)) for text, rule, found in rules]


def _independent(entrant: Entrant, kind: pl.Expr, word: str) -> Verdict:
    found = share_given(entrant, ASKED & SETTLED & kind, pl.col("depends"))
    return below(found, RARE, f"{entrant.recipe}'s dependent answers at rest, of the {word} ones")


def _right_where_settled(entrant: Entrant) -> Verdict:
    moving, settled = (
        above(limit_odds(entrant, has).difference, 0.0, f"{entrant.recipe}'s difference, open ones counted as {word}")
        for has, word in ((SETTLED, "moving"), (SETTLED | OPEN, "settled"))
    )
    return agree(moving, settled, "it hangs on how open trajectories are counted")


def less_right(pooled: Pooled, what: str) -> Verdict:
    """Judge "fewer are right with the property", by shares and by odds: both must say so."""
    points = below(pooled.difference, 0.0, what)
    if pooled.by_seed is None:
        return points
    odds = below(pooled.by_seed, 1.0, f"{what}, by odds ratios")
    found = agree(points, odds, "it hangs on whether shares or odds ratios are compared")
    return replace(found, why=f"{found.why}; by odds ratios {pooled.by_seed}")


def _path_claims(pool: Pool, family: str, sizes: dict[int, str]) -> list[Claim]:
    missing = "no ladder of sizes was run"
    strata = (
        "confirmed where the share that is right is surely smaller on {} (difference within {}, weighted as Mantel and "
        "Haenszel's), refuted where surely not, both by shares and by odds ratios (each seed's common odds ratio)"
    )
    return [
        Claim(
            f"Within a size, {FAMILIES[family]} fails on longer paths",
            NEW,
            strata.format("paths longer than their size's median against shorter ones", "sizes"),
            judge_answers(
                pool,
                family,
                sizes,
                missing,
                lambda e: less_right(path_odds(e, list(sizes.values())), f"{e.name} on longer paths"),
            ),
        ),
        Claim(
            f"Among paths of one length, {FAMILIES[family]} fails on larger mazes",
            NEW,
            strata.format(
                "mazes larger than the median of those with such paths against smaller ones",
                f"bands of path length, at most {BAND - 1:.0%} wide",
            ),
            judge_answers(
                pool,
                family,
                sizes,
                missing,
                lambda e: less_right(size_odds(e, sizes), f"{e.name} on larger mazes"),
            ),
        ),
    ]
