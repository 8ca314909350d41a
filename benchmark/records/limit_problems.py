"""What can be wrong with the limits that rows state, and with the measurements beside them."""

from collections.abc import Iterator

import numpy as np

from extramaze.dynamics.limits import Limit
from extramaze.records.columns import Columns, filled
from extramaze.records.wrong import Rule
from extramaze.schema.record import STUDY_FLOAT32_BETTI

ROUNDING = 1e-6  # of a cosine in float32
MEASURED = ("limit", "period", "residual", "limit_right", "latent_motion", "logit_motion", "flipping")  # of all watched
PURSUED = (Limit.QUASIPERIODIC, Limit.CHAOTIC, Limit.DRIFTING)  # told by following what the window leaves open
MEASURABLE = ("exponent", "exponent_error", "betti", "study_betti", "alignment", "depends")  # of some of them
BETTI = ("betti", "study_betti", STUDY_FLOAT32_BETTI)


def limit_rules(columns: Columns, seen: np.ndarray, pursuit: int) -> Iterator[Rule]:
    """Yield every way in which limits cannot be, with the rows where they are so.

    seen: which rows were watched, bool (N,). pursuit: iterations that open trajectories were followed for.
    """
    for name in MEASURED:
        yield columns.stated(name) != seen, f"{name} on a maze not watched, or missing"
    for name in dict.fromkeys((*MEASURABLE, *_counted(columns))):
        yield columns.stated(name) & ~seen, f"{name} on a maze not watched"
    yield columns.stated("limit") & ~_any_of(columns, Limit), "a limit not known here"
    period = columns.numbers("period")
    at_rest, cycle = (columns.equals("limit", str(kind)) for kind in (Limit.FIXED_POINT, Limit.CYCLE))
    least, most = np.where(at_rest, 1, np.where(cycle, 2, 0)), np.where(at_rest, 1, np.where(cycle, 2**31 - 1, 0))
    yield (period < least) | (period > most), "a period that its limit does not have"
    residual = columns.numbers("residual")
    yield ~np.isnan(residual) & (residual < 0), "a residual below 0"
    diverged = columns.equals("limit", str(Limit.DIVERGED))
    yield ~np.isfinite(residual) & ~diverged, "a residual that is no number, and not diverged"
    yield from _evidence_rules(columns, period, at_rest | cycle, diverged)
    yield from _exponent_rules(columns, pursuit)


def _any_of(columns: Columns, limits: Iterator[Limit] | tuple[Limit, ...] | type[Limit]) -> np.ndarray:
    """Tell where the limit is one of some, bool (N,)."""
    return np.logical_or.reduce([columns.equals("limit", str(limit)) for limit in limits])


def _counted(columns: Columns) -> list[str]:
    """Return the columns of Betti numbers that there are."""
    return [name for name in BETTI if name in columns.table.columns]


def _evidence_rules(columns: Columns, period: np.ndarray, settled: np.ndarray, diverged: np.ndarray) -> Iterator[Rule]:
    """Name what cannot be in the measurements beside the limit: bool (N,) each."""
    for name in _counted(columns):
        numbers = columns.table[name]
        yield filled(numbers.list.len() != 2, False), f"{name} that are no two numbers"
        yield filled(numbers.list.min(), 0) < 0, f"{name} below 0"
    betti = columns.table["betti"]
    pieces, loops = filled(betti.list.first(), -1), filled(betti.list.last(), -1)
    yield settled & ((pieces != period) | (loops != 0)), "Betti numbers that its limit does not have"
    for name, least, most in (("latent_motion", 0, np.inf), ("logit_motion", 0, np.inf), ("flipping", 0, 1)):
        value = columns.numbers(name)
        yield ~((value >= least) & (value <= most)) & ~diverged, f"{name} outside {least} to {most}"
    cosine = columns.numbers("alignment")
    yield ~(np.abs(cosine) <= 1 + ROUNDING), "an alignment beyond 1, or no number"


def _exponent_rules(columns: Columns, pursuit: int) -> Iterator[Rule]:
    """Hold exponents, and the limits that need them, against the pursuit: bool (N,) each."""
    told = columns.stated("exponent")
    exponent, doubt = columns.numbers("exponent"), columns.numbers("exponent_error")
    if not pursuit:
        yield told, "an exponent, and nothing was pursued"
        yield _any_of(columns, PURSUED), "a limit that only a pursuit tells, and there was none"
    chaotic, circling = (columns.equals("limit", str(kind)) for kind in (Limit.CHAOTIC, Limit.QUASIPERIODIC))
    yield chaotic & ~(told & (exponent > 0) & (exponent < np.inf)), "chaotic without an exponent above 0"
    yield circling & ~(told & np.isfinite(exponent)), "quasi-periodic without an exponent"
    endless = _any_of(columns, (Limit.DIVERGED, Limit.UNDECIDED))
    yield np.isnan(exponent) | ((exponent == np.inf) & ~endless), "an exponent that is no number"  # -inf: a nudge died
    yield ~((doubt >= 0) & (doubt < np.inf)), "an exponent's error below 0, or no number"
    expected = told & (exponent < np.inf)
    yield columns.stated("exponent_error") != expected, "an exponent without its error, or the reverse"
