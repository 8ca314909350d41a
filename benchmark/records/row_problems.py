"""What can be wrong with a record's per-maze rows: by themselves, and beside the summary that is drawn from them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from extramaze.alike import alike
from extramaze.blocks.plan import CellPlan, Plan
from extramaze.dynamics import Limit
from extramaze.records.answer_problems import answer_problems
from extramaze.records.schema import PER_MAZE, CellResult, Summary
from extramaze.records.tallies import tally_answers, tally_limits, tally_odds, tally_rungs

Wrong = tuple[np.ndarray, str]  # which rows, bool (N,), and what is wrong with them
ROUNDING = 1e-6  # of a cosine in float32
MEASURED = ("limit", "period", "residual", "limit_right", "latent_motion", "logit_motion", "flipping")  # of all watched
PURSUED = (Limit.QUASIPERIODIC, Limit.CHAOTIC, Limit.DRIFTING)  # told by following what the window leaves open
MEASURABLE = ("exponent", "exponent_error", "betti", "study_betti", "alignment", "depends")  # of some of them


def row_problems(summary: Summary, rows: pl.DataFrame) -> Iterator[str]:
    """Name everything in a record's rows that cannot be, and every number of the summary that they do not give."""
    missing = [f"{name} {kind}" for name, kind in PER_MAZE.items() if rows.schema.get(name) != kind]
    if missing:
        found = ", ".join(f"{name} {kind}" for name, kind in rows.schema.items())
        yield f"it lacks {', '.join(missing)}; it has {found}"
        return
    planned = {cell.name: cell for cell in summary.plan.cells}
    known = rows.filter(pl.col("cell").is_in(list(planned)))
    if len(known) < len(rows):
        yield f"{len(rows) - len(known)} rows are of no cell of the plan"
    by_cell = {str(name): part for (name,), part in known.partition_by("cell", as_dict=True).items()}
    sound = True
    for cell, result in zip(summary.plan.cells, summary.cells, strict=False):
        part = by_cell.get(cell.name, rows.clear())
        for wrong in _cell_problems(part, cell, result, summary.plan):
            sound = False
            yield f"{cell.name}: {wrong}"
    for mask, what in _limit_problems(known, planned, summary.plan.suite.limits.pursuit):
        if mask.any():
            sound = False
            yield from _each_cell(known, mask, what)
    watched = [cell.name for cell in summary.plan.cells if cell.watched]
    if sound and not alike([tally_limits(rows, name, summary.plan.suite) for name in watched], summary.limits):
        yield "limits: the summary's are not those of the rows"
    elif sound and not alike(tally_odds(summary.limits), summary.odds):  # of numbers no larger than the table
        yield "odds: the summary's are not those of its limits"
    yield from (f"noise: {wrong}" for wrong in _noise_problems(summary))


def _noise_problems(summary: Summary) -> Iterator[str]:
    mazes = {cell.name: cell.mazes for cell in summary.plan.cells}
    if summary.noise and [cell.cell for cell in summary.noise] != list(mazes):
        yield "its cells are not those of the plan"
    for cell in summary.noise:
        if cell.mazes > mazes.get(cell.cell, 0):
            yield f"{cell.cell}: of {cell.mazes} mazes, where {mazes.get(cell.cell, 0)} were run"
        if not max(cell.block, cell.dtype) <= cell.either <= min(cell.mazes, cell.block + cell.dtype):
            yield f"{cell.cell}: {cell.block} and {cell.dtype} of {cell.mazes} do not make {cell.either} together"


def _cell_problems(rows: pl.DataFrame, planned: CellPlan, result: CellResult, plan: Plan) -> Iterator[str]:
    if rows["index"].to_list() != list(range(planned.mazes)):
        yield f"its rows are not mazes 0 to {planned.mazes - 1} in order"
        return
    yield from answer_problems(rows, planned, plan)
    yield from _summary_problems(rows, planned, result, plan.retire)


def _limit_problems(rows: pl.DataFrame, planned: Mapping[str, CellPlan], pursuit: int) -> Iterator[Wrong]:
    watched = rows["cell"].replace_strict({name: cell.watched for name, cell in planned.items()}, return_dtype=pl.Int64)
    seen = (rows["index"] < watched).fill_null(False).to_numpy()
    for name in MEASURED:
        yield rows[name].is_not_null().to_numpy() != seen, f"{name} on a maze not watched, or missing"
    for name in MEASURABLE:
        yield rows[name].is_not_null().to_numpy() & ~seen, f"{name} on a maze not watched"
    limit = rows["limit"]
    yield (~limit.is_in([str(kind) for kind in Limit])).fill_null(False).to_numpy(), "a limit not known here"
    period = rows["period"].fill_null(0).to_numpy()
    at_rest, cycle = ((limit == kind).fill_null(False).to_numpy() for kind in (Limit.FIXED_POINT, Limit.CYCLE))
    least, most = np.where(at_rest, 1, np.where(cycle, 2, 0)), np.where(at_rest, 1, np.where(cycle, 2**31 - 1, 0))
    yield (period < least) | (period > most), "a period that its limit does not have"
    residual = rows["residual"].fill_null(0.0).to_numpy()
    yield ~np.isnan(residual) & (residual < 0), "a residual below 0"
    diverged = (limit == Limit.DIVERGED).fill_null(False).to_numpy()
    yield ~np.isfinite(residual) & ~diverged, "a residual that is no number, and not diverged"
    yield from _evidence_problems(rows, period, at_rest | cycle, diverged)
    yield from _exponent_problems(rows, pursuit)


def _evidence_problems(
    rows: pl.DataFrame, period: np.ndarray, settled: np.ndarray, diverged: np.ndarray
) -> Iterator[Wrong]:
    """Name what cannot be in the measurements beside the limit: bool (N,) each, of all mazes."""
    for name in ("betti", "study_betti"):
        yield (rows[name].list.len() != 2).fill_null(False).to_numpy(), f"{name} that are no two numbers"
        yield rows[name].list.min().fill_null(0).to_numpy() < 0, f"{name} below 0"
    pieces = rows["betti"].list.first().fill_null(-1).to_numpy()
    loops = rows["betti"].list.last().fill_null(-1).to_numpy()
    yield settled & ((pieces != period) | (loops != 0)), "Betti numbers that its limit does not have"
    for name, least, most in (("latent_motion", 0, np.inf), ("logit_motion", 0, np.inf), ("flipping", 0, 1)):
        value = rows[name].fill_null(0.0).to_numpy()
        yield ~((value >= least) & (value <= most)) & ~diverged, f"{name} outside {least} to {most}"
    cosine = rows["alignment"].fill_null(0.0).to_numpy()
    yield ~(np.abs(cosine) <= 1 + ROUNDING), "an alignment beyond 1, or no number"


def _exponent_problems(rows: pl.DataFrame, pursuit: int) -> Iterator[Wrong]:
    """Hold exponents, and the limits that need them, against the pursuit: bool (N,) each, of all mazes."""
    limit, value, error = (rows[name] for name in ("limit", "exponent", "exponent_error"))
    told = value.is_not_null().to_numpy()
    exponent, doubt = value.fill_null(0.0).to_numpy(), error.fill_null(0.0).to_numpy()
    if not pursuit:
        yield told, "an exponent, and nothing was pursued"
        yield limit.is_in(PURSUED).fill_null(False).to_numpy(), "a limit that only a pursuit tells, and there was none"
    chaotic, circling = ((limit == kind).fill_null(False).to_numpy() for kind in (Limit.CHAOTIC, Limit.QUASIPERIODIC))
    yield chaotic & ~(told & (exponent > 0) & (exponent < np.inf)), "chaotic without an exponent above 0"
    yield circling & ~(told & np.isfinite(exponent)), "quasi-periodic without an exponent"
    endless = limit.is_in([Limit.DIVERGED, Limit.UNDECIDED]).fill_null(False).to_numpy()
    yield np.isnan(exponent) | ((exponent == np.inf) & ~endless), "an exponent that is no number"  # -inf: a nudge died
    yield ~((doubt >= 0) & (doubt < np.inf)), "an exponent's error below 0, or no number"
    yield (
        error.is_not_null().to_numpy() != (told & (exponent < np.inf)),
        "an exponent without its error, or the reverse",
    )


def _each_cell(rows: pl.DataFrame, wrong: np.ndarray, what: str) -> Iterator[str]:
    """Say which mazes of which cells something is wrong with: bool (N,) of all rows."""
    for (name,), part in rows.filter(wrong).partition_by("cell", as_dict=True, maintain_order=True).items():
        more = f" and {len(part) - 1} more" if len(part) > 1 else ""
        yield f"{name}: maze {part['index'][0]}{more}: {what}"


def _summary_problems(rows: pl.DataFrame, planned: CellPlan, result: CellResult, retired: bool) -> Iterator[str]:
    if not alike(tally_rungs(rows, planned.rungs), result.rungs):
        yield "the summary's scores are not those of its rows"
    for name, value in tally_answers(rows, retired).items():
        found, stated = _by_key(name, value), _by_key(name, getattr(result, name))
        for key in sorted(found.keys() | stated.keys()):
            if not alike(stated.get(key), found.get(key)):
                yield f"the summary's {key} is not that of its rows"


def _by_key(name: str, value: Any) -> dict[str, Any]:
    return {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
