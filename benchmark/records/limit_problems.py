"""What can be wrong with the limits that one cell's rows state, and with the measurements beside them."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from extramaze.dynamics.limits import Limit
from extramaze.records.wrong import each, equals, numbers, stated, true
from extramaze.schema.record import STUDY_FLOAT32_BETTI

Wrong = tuple[np.ndarray, str]  # which rows, bool (N,), and what is wrong with them
ROUNDING = 1e-6  # of a cosine in float32
MEASURED = ("limit", "period", "residual", "limit_right", "latent_motion", "logit_motion", "flipping")  # of all watched
PURSUED = (Limit.QUASIPERIODIC, Limit.CHAOTIC, Limit.DRIFTING)  # told by following what the window leaves open
MEASURABLE = ("exponent", "exponent_error", "betti", "study_betti", "alignment", "depends")  # of some of them
BETTI = ("betti", "study_betti", STUDY_FLOAT32_BETTI)


def limit_problems(rows: pl.DataFrame, watched: int, pursuit: int) -> Iterator[str]:
    """Name every limit that cannot be: rows of one cell, in the order of its mazes, of which the first were watched.

    pursuit: iterations that open trajectories were followed for.
    """
    for wrong, what in _limits(rows, watched, pursuit):
        yield from each(wrong, what)


def _limits(rows: pl.DataFrame, watched: int, pursuit: int) -> Iterator[Wrong]:
    seen = np.arange(len(rows)) < watched
    for name in MEASURED:
        yield stated(rows[name]) != seen, f"{name} on a maze not watched, or missing"
    for name in dict.fromkeys((*MEASURABLE, *_counted(rows))):
        yield stated(rows[name]) & ~seen, f"{name} on a maze not watched"
    limit = rows["limit"]
    yield true(~limit.is_in([str(kind) for kind in Limit])), "a limit not known here"
    period = numbers(rows["period"], 0)
    at_rest, cycle = (equals(limit, kind) for kind in (Limit.FIXED_POINT, Limit.CYCLE))
    least, most = np.where(at_rest, 1, np.where(cycle, 2, 0)), np.where(at_rest, 1, np.where(cycle, 2**31 - 1, 0))
    yield (period < least) | (period > most), "a period that its limit does not have"
    residual = numbers(rows["residual"], 0)
    yield ~np.isnan(residual) & (residual < 0), "a residual below 0"
    diverged = equals(limit, Limit.DIVERGED)
    yield ~np.isfinite(residual) & ~diverged, "a residual that is no number, and not diverged"
    yield from _evidence_problems(rows, period, at_rest | cycle, diverged)
    yield from _exponent_problems(rows, pursuit)


def _counted(rows: pl.DataFrame) -> list[str]:
    """Return the columns of Betti numbers that there are."""
    return [name for name in BETTI if name in rows.columns]


def _evidence_problems(
    rows: pl.DataFrame, period: np.ndarray, settled: np.ndarray, diverged: np.ndarray
) -> Iterator[Wrong]:
    """Name what cannot be in the measurements beside the limit: bool (N,) each."""
    for name in _counted(rows):
        yield true(rows[name].list.len() != 2), f"{name} that are no two numbers"
        yield numbers(rows[name].list.min(), 0) < 0, f"{name} below 0"
    pieces = numbers(rows["betti"].list.first(), -1)
    loops = numbers(rows["betti"].list.last(), -1)
    yield settled & ((pieces != period) | (loops != 0)), "Betti numbers that its limit does not have"
    for name, least, most in (("latent_motion", 0, np.inf), ("logit_motion", 0, np.inf), ("flipping", 0, 1)):
        value = numbers(rows[name], 0)
        yield ~((value >= least) & (value <= most)) & ~diverged, f"{name} outside {least} to {most}"
    cosine = numbers(rows["alignment"], 0)
    yield ~(np.abs(cosine) <= 1 + ROUNDING), "an alignment beyond 1, or no number"


def _exponent_problems(rows: pl.DataFrame, pursuit: int) -> Iterator[Wrong]:
    """Hold exponents, and the limits that need them, against the pursuit: bool (N,) each."""
    limit, value, error = (rows[name] for name in ("limit", "exponent", "exponent_error"))
    told = stated(value)
    exponent, doubt = numbers(value, 0), numbers(error, 0)
    if not pursuit:
        yield told, "an exponent, and nothing was pursued"
        yield true(limit.is_in(PURSUED)), "a limit that only a pursuit tells, and there was none"
    chaotic, circling = (equals(limit, kind) for kind in (Limit.CHAOTIC, Limit.QUASIPERIODIC))
    yield chaotic & ~(told & (exponent > 0) & (exponent < np.inf)), "chaotic without an exponent above 0"
    yield circling & ~(told & np.isfinite(exponent)), "quasi-periodic without an exponent"
    endless = true(limit.is_in([Limit.DIVERGED, Limit.UNDECIDED]))
    yield np.isnan(exponent) | ((exponent == np.inf) & ~endless), "an exponent that is no number"  # -inf: a nudge died
    yield ~((doubt >= 0) & (doubt < np.inf)), "an exponent's error below 0, or no number"
    yield stated(error) != (told & (exponent < np.inf)), "an exponent without its error, or the reverse"
