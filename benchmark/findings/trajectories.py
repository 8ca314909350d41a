"""Shares of the watched trajectories, with those whose limit is still open counted as no and as yes."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from extramaze.dynamics.limits import Limit
from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure, bracket, mean_share, ratio

SETTLED = pl.col("limit") == str(Limit.FIXED_POINT)
OPEN = pl.col("limit").is_in([str(Limit.UNDECIDED), str(Limit.DRIFTING)])  # may yet become anything
FINAL = pl.col("limit").is_in([str(Limit.CYCLE), str(Limit.DIVERGED)])  # returned, or left for good: never to rest
RIGHT = pl.col("limit_right")
NOTHING_OPEN = pl.lit(False)
ASKED = pl.col("depends").is_not_null()  # whether other initial states were tried
UNWATCHED = "no iterates were watched"
WRONG = ~RIGHT
REAL_MOTION = 1e-6  # root mean square over the numbers of a state, below which motion is a transient that dies away
FLOOR = np.format_float_scientific(REAL_MOTION, exp_digits=1, trim="-")  # as text
MOVING = (pl.col("latent_motion") > REAL_MOTION) & (pl.col("limit") != str(Limit.DIVERGED))
BOTH_WAYS = "even with undecided and drifting ones counted as no; refuted where not, even with these counted as yes"


def mean_of_cells(entrant: Entrant, cells: Sequence[str], answer: pl.Expr, still_open: pl.Expr = OPEN) -> Figure | None:
    """Return the share for which an expression holds, mean over the watched ones of these cells; None without any."""
    kept = [cell for cell in cells if cell in entrant.watched_cells]
    if not kept:
        return None
    low, high = (
        mean_share([np.stack([_floats(rows, expression) for rows in entrant.watched(cell)]) for cell in kept])
        for expression in (answer, answer | still_open)
    )
    return bracket(low, high)


def share_given(
    entrant: Entrant, condition: pl.Expr, answer: pl.Expr, still_open: pl.Expr = NOTHING_OPEN
) -> Figure | None:
    """Return the share, of the trajectories of all cells with a condition, for which an answer holds; None without."""
    seeds = entrant.all_watched()
    if not seeds:
        return None
    totals = np.array([len(rows.filter(condition)) for rows in seeds])
    low, high = (
        ratio(np.array([len(rows.filter(condition & yes)) for rows in seeds]), totals, entrant.trained)
        for yes in (answer, answer | still_open)
    )
    return bracket(low, high)


def counted(entrant: Entrant, condition: pl.Expr) -> int:
    """Count the watched trajectories, of all seeds and cells, with a condition."""
    return sum(len(rows.filter(condition)) for rows in entrant.all_watched())


def _floats(rows: pl.DataFrame, answer: pl.Expr) -> np.ndarray:
    return rows.select(answer.fill_null(False).cast(float)).to_series().to_numpy()
