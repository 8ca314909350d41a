"""Finding 7: what goes with being wrong: the limit, motion, the initial state, the path's length, the size."""

from collections.abc import Callable

import numpy as np
import polars as pl

from extramaze.dynamics import Limit
from extramaze.findings.figures import Figure, ratio
from extramaze.findings.finding import NEW, NOTHING, Claim, Finding, shown, table, who
from extramaze.findings.pooled_odds import BAND, SETTLED, path_odds, settled_odds, size_odds
from extramaze.findings.pools import Entrant, Pool
from extramaze.findings.verdicts import Verdict, above, below, not_tested

HALF, RARE = 0.5, 0.05
WRONG = ~pl.col("limit_right")
MOVING = ~SETTLED & (pl.col("limit") != str(Limit.DIVERGED))
Judged = Callable[[Entrant], Verdict]


def failures(pool: Pool) -> Finding:
    """Judge what goes with being wrong."""
    size_cells = pool.ladder("size")
    networks = pool.networks
    watched = [entrant for entrant in networks if entrant.watched_cells]
    dt = pool.named("dt-net")
    strata = "Mantel–Haenszel odds of being right, strata: {} × seeds; confirmed where the interval lies below 1"
    claims = (
        _claim(
            "DT-Net's failures settle on wrong answers rather than wander",
            f"confirmed where over {HALF:.0%} of its wrong watched trajectories are fixed points",
            dt,
            lambda e: above(_given(e, WRONG, SETTLED), HALF, f"{e.recipe}'s wrong trajectories at rest"),
        ),
        _claim(
            "DT-Net is right more often where it settles",
            "Mantel–Haenszel odds of being right at a fixed point against any other limit, strata: cells × seeds; "
            "confirmed where the interval lies above 1",
            dt,
            lambda e: settled_odds(e).judge(above, f"{e.recipe}'s odds"),
        ),
        _claim(
            "DT-Net's motion reaches its answer",
            f"confirmed where the answer flips within the window in over {HALF:.0%} of those not at rest nor diverged",
            dt,
            lambda e: above(_given(e, MOVING, pl.col("flipping") > 0), HALF, f"{e.recipe}'s moving trajectories"),
        ),
        _claim(
            "DT-Net's answer does not depend on its initial state",
            f"confirmed where another initial state gives another answer on under {RARE:.0%} of the watched mazes",
            dt,
            lambda e: below(
                _given(e, pl.col("depends").is_not_null(), pl.col("depends")), RARE, f"{e.recipe}'s answers"
            ),
        ),
        _claim(
            "Within a size, DT-Net fails on longer paths",
            strata.format("sizes") + "; longer: than that size's median",
            dt,
            lambda e: path_odds(e, list(size_cells.values())).judge(below, f"{e.recipe}'s odds on longer paths"),
        ),
        _claim(
            "Among paths of one length, DT-Net fails on larger mazes",
            strata.format(f"bands of path length, at most {BAND - 1:.0%} wide")
            + "; larger: than the band's median size",
            dt,
            lambda e: size_odds(e, size_cells).judge(below, f"{e.recipe}'s odds on larger mazes"),
        ),
    )
    rows = [_dynamics_row(entrant) for entrant in watched]
    header = [
        "",
        "wrong",
        "of them at rest, %",
        "odds of right at rest",
        "moving",
        "of them flipping, %",
        "latent motion",
        "logit motion",
        "depends on start, %",
        "alignment",
    ]
    title = "Watched trajectories, all cells and seeds together; motion: median over the moving ones, root mean square"
    tables = table(title, header, rows)
    title = "Limit × correct: watched trajectories that ended right / wrong"
    tables += table(title, ["", *map(str, Limit)], [[who(entrant), *_by_limit(entrant)] for entrant in watched])
    by_path = [
        [who(e), shown(path_odds(e, list(size_cells.values())).figure), shown(size_odds(e, size_cells).figure)]
        for e in networks
    ]
    title = (
        "Odds of being right: longer against shorter paths within a size, larger against smaller mazes within a band"
    )
    tables += table(title, ["", "longer paths", "larger mazes"], by_path if size_cells else [])
    notes = (
        "Seeds share mazes, and the odds take each as a stratum: their intervals are for these mazes and seeds, and "
        "a verdict stays open where the seeds' own odds disagree.",
        "Below 1, failure goes with the property; an interval around 1 decides nothing. Trajectories are right or "
        "wrong by their own last iterate.",
    )
    return Finding("What goes with being wrong", claims, tuple(tables), notes, tuple(e.recipe for e in networks))


def _claim(text: str, rule: str, entrant: Entrant | None, judge: Judged) -> Claim:
    return Claim(text, NEW, rule, not_tested("no record of dt-net") if entrant is None else judge(entrant))


def _given(entrant: Entrant, condition: pl.Expr, answer: pl.Expr) -> Figure | None:
    """Return the share of the watched trajectories with a condition for which an answer holds; None without any."""
    seeds = _watched(entrant)
    if not seeds:
        return None
    hits = np.array([len(rows.filter(condition & answer)) for rows in seeds])
    totals = np.array([len(rows.filter(condition)) for rows in seeds])
    return ratio(hits, totals, entrant.trained)


def _watched(entrant: Entrant) -> list[pl.DataFrame]:
    """Return each seed's watched rows of all cells."""
    cells = [entrant.watched(cell) for cell in entrant.watched_cells]
    return [pl.concat(rows) for rows in zip(*cells, strict=True)]


def _by_limit(entrant: Entrant) -> list[str]:
    rows = pl.concat(_watched(entrant))
    counts = [rows.filter(pl.col("limit") == str(limit))["limit_right"] for limit in Limit]
    return [f"{right.sum()} / {(~right).sum()}" if len(right) else "" for right in counts]


def _dynamics_row(entrant: Entrant) -> list[str]:
    rows = pl.concat(_watched(entrant))
    moving = rows.filter(MOVING)
    depends, alignment = rows["depends"].drop_nulls(), rows["alignment"].drop_nulls()
    medians = (np.median(moving[name]) if len(moving) else None for name in ("latent_motion", "logit_motion"))
    return [
        who(entrant),
        f"{len(rows.filter(WRONG))} of {len(rows)}",
        shown(_given(entrant, WRONG, SETTLED)),
        shown(settled_odds(entrant).figure),
        f"{len(moving)} of {len(rows)}",
        shown(_given(entrant, MOVING, pl.col("flipping") > 0)),
        *(NOTHING if median is None else f"{median:.2g}" for median in medians),
        shown(_given(entrant, pl.col("depends").is_not_null(), pl.col("depends"))) if len(depends) else NOTHING,
        f"{alignment.to_numpy().mean():.3f}" if len(alignment) else NOTHING,
    ]
