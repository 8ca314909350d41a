"""What can be wrong with a record's per-maze rows: by themselves, and beside the summary that is drawn from them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from extramaze.alike import alike
from extramaze.records.answer_problems import answer_rules
from extramaze.records.columns import Columns, Part, filled, joined, places_of
from extramaze.records.limit_problems import limit_rules
from extramaze.records.tallies import limits_of, tally_answers, tally_limits, tally_odds, tally_rungs
from extramaze.records.wrong import Rule, by_cell
from extramaze.schema.plan import CellPlan, Plan
from extramaze.schema.record import CellResult, Summary, columns_of


def row_problems(summary: Summary, rows: pl.DataFrame) -> Iterator[str]:
    """Name everything in a record's rows that cannot be, and every number of the summary that they do not give."""
    columns = columns_of(summary.plan.suite)
    schema = rows.schema
    missing = [f"{name} {kind}" for name, kind in columns.items() if schema.get(name) != kind]
    if missing:
        found = ", ".join(f"{name} {kind}" for name, kind in schema.items())
        yield f"it lacks {', '.join(missing)}; it has {found}"
        return
    places = places_of(rows["cell"])
    known = sum(len(places.get(name, ())) for name in {cell.name for cell in summary.plan.cells})
    if known < len(rows):
        yield f"{len(rows) - known} rows are of no cell of the plan"
    parts, wrong = _examined(summary, rows, places)
    yield from wrong
    if not wrong:
        yield from _limit_problems(summary, rows, parts)
    yield from (f"noise: {wrong}" for wrong in _noise_problems(summary))


def _examined(
    summary: Summary, rows: pl.DataFrame, places: dict[str | None, np.ndarray]
) -> tuple[dict[str, Part], list[str]]:
    """Hold all cells' rows against every rule; return the rows of each, by name, and what is wrong, cell by cell."""
    plan, nowhere = summary.plan, np.zeros(0, dtype=np.int64)
    pairs = list(zip(plan.cells, summary.cells, strict=False))
    where = [places.get(cell.name, nowhere) for cell, _ in pairs]
    index = filled(rows["index"].cast(pl.Int64), -1)
    ordered = [np.array_equal(index[at], np.arange(cell.mazes)) for (cell, _), at in zip(pairs, where, strict=True)]
    cells = [cell for (cell, _), good in zip(pairs, ordered, strict=True) if good]
    columns, parts = joined(rows, [at for at, good in zip(where, ordered, strict=True) if good])
    broken = zip(parts, by_cell(_rules(columns, cells, parts, plan), cells, parts), strict=True)
    by_name: dict[str, Part] = {}
    found: list[str] = []
    for (cell, result), good in zip(pairs, ordered, strict=True):
        if not good:
            found.append(f"{cell.name}: its rows are not mazes 0 to {cell.mazes - 1} in order")
            continue
        by_name[cell.name], lines = next(broken)
        lines += _summary_problems(by_name[cell.name], cell, result)
        found += [f"{cell.name}: {wrong}" for wrong in lines]
    return by_name, found


def _rules(columns: Columns, cells: Sequence[CellPlan], parts: Sequence[Part], plan: Plan) -> Iterator[Rule]:
    """Yield every rule for rows, with the rows that break it."""
    yield from answer_rules(columns, cells, parts, plan)
    seen = [np.arange(len(part)) < cell.watched for cell, part in zip(cells, parts, strict=True)]
    yield from limit_rules(columns, np.concatenate([np.zeros(0, dtype=bool), *seen]), plan.suite.limits.pursuit)


def _limit_problems(summary: Summary, rows: pl.DataFrame, parts: dict[str, Part]) -> Iterator[str]:
    """Hold limits and odds against the rows, in which nothing else is wrong."""
    suite = summary.plan.suite
    watched = [cell.name for cell in summary.plan.cells if cell.watched]
    found = [
        limits_of(parts[name], name, suite) if name in parts else tally_limits(rows, name, suite) for name in watched
    ]
    if not alike(found, summary.limits):
        yield "limits: the summary's are not those of the rows"
    elif not alike(tally_odds(summary.limits), summary.odds):  # of numbers no larger than the table
        yield "odds: the summary's are not those of its limits"


def _noise_problems(summary: Summary) -> Iterator[str]:
    mazes = {cell.name: cell.mazes for cell in summary.plan.cells}
    if summary.noise and [cell.cell for cell in summary.noise] != list(mazes):
        yield "its cells are not those of the plan"
    for cell in summary.noise:
        if cell.mazes > mazes.get(cell.cell, 0):
            yield f"{cell.cell}: of {cell.mazes} mazes, where {mazes.get(cell.cell, 0)} were run"
        if not max(cell.block, cell.dtype) <= cell.either <= min(cell.mazes, cell.block + cell.dtype):
            yield f"{cell.cell}: {cell.block} and {cell.dtype} of {cell.mazes} do not make {cell.either} together"


def _summary_problems(rows: Part, planned: CellPlan, result: CellResult) -> Iterator[str]:
    if not alike(tally_rungs(rows, planned.rungs), result.rungs):
        yield "the summary's scores are not those of its rows"
    for name, value in tally_answers(rows).items():
        found, stated = _by_key(name, value), _by_key(name, getattr(result, name))
        for key in sorted(found.keys() | stated.keys()):
            if not alike(stated.get(key), found.get(key)):
                yield f"the summary's {key} is not that of its rows"


def _by_key(name: str, value: Any) -> dict[str, Any]:
    return {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
