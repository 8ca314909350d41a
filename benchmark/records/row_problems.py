"""What can be wrong with a record's per-maze rows: by themselves, and beside the summary that is drawn from them."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from extramaze.alike import alike
from extramaze.records.answer_problems import answer_problems
from extramaze.records.limit_problems import limit_problems
from extramaze.records.tallies import tally_answers, tally_limits, tally_odds, tally_rungs
from extramaze.schema.plan import CellPlan, Plan
from extramaze.schema.record import CellResult, Summary, columns_of


def row_problems(summary: Summary, rows: pl.DataFrame) -> Iterator[str]:
    """Name everything in a record's rows that cannot be, and every number of the summary that they do not give."""
    columns = columns_of(summary.plan.suite)
    missing = [f"{name} {kind}" for name, kind in columns.items() if rows.schema.get(name) != kind]
    if missing:
        found = ", ".join(f"{name} {kind}" for name, kind in rows.schema.items())
        yield f"it lacks {', '.join(missing)}; it has {found}"
        return
    known = rows.filter(pl.col("cell").is_in([cell.name for cell in summary.plan.cells]))
    if len(known) < len(rows):
        yield f"{len(rows) - len(known)} rows are of no cell of the plan"
    by_cell = {str(name): part for (name,), part in known.partition_by("cell", as_dict=True).items()}
    sound = True
    for cell, result in zip(summary.plan.cells, summary.cells, strict=False):
        part = by_cell.get(cell.name, rows.clear())
        for wrong in _cell_problems(part, cell, result, summary.plan):
            sound = False
            yield f"{cell.name}: {wrong}"
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
    yield from limit_problems(rows, planned.watched, plan.suite.limits.pursuit)
    yield from _summary_problems(rows, planned, result, plan.retire)


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
