"""What can be wrong with the answers that one cell's rows state: by themselves, and for mazes as these are."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from extramaze.mazes.description import COLUMNS
from extramaze.records.tallies import first_and_last
from extramaze.records.wrong import each, equals, numbers, stated, true
from extramaze.schema.plan import CellPlan, Plan
from extramaze.schema.scores import KINDS, Failure


def answer_problems(rows: pl.DataFrame, planned: CellPlan, plan: Plan) -> Iterator[str]:
    """Name every answer that cannot be: rows of one cell, in the order of its mazes."""
    right = {kind: _answers(rows, kind, len(planned.rungs)) for kind in KINDS}
    for kind, answers in right.items():
        if answers is None:
            yield f"{kind}: a row does not have one answer a rung ({len(planned.rungs)})"
    exact, valid, optimal = (right[kind] for kind in ("exact", "valid", "optimal"))
    if exact is None or valid is None or optimal is None:
        return
    yield from each(exact & ~optimal, "exact and not optimal")
    yield from each(optimal & ~valid, "optimal and not valid")
    yield from _rung_problems(rows, optimal, np.array(planned.rungs))
    yield from _failure_problems(rows, valid[:, -1], optimal[:, -1], plan)
    yield from _maze_problems(rows, exact, valid, optimal)
    yield from _evaluation_problems(rows, planned.rungs[-1], plan)


def _answers(rows: pl.DataFrame, kind: str, rungs: int) -> np.ndarray | None:
    """Return bool (N, R) of a column of lists; None where a list is missing, of another length, or has gaps."""
    lists = rows[kind]
    lengths = lists.list.len()
    if lists.null_count() or not (lengths == rungs).all() or lists.explode().null_count():
        return None
    return lists.explode().to_numpy().astype(bool).reshape(len(rows), rungs)


def _rung_problems(rows: pl.DataFrame, optimal: np.ndarray, rungs: np.ndarray) -> Iterator[str]:
    first, last = (numbers(rows[name], 0) for name in ("first_right", "last_right"))
    expected_first, expected_last = first_and_last(optimal, rungs)
    yield from each(last < first, "last right before first right")
    yield from each(expected_first != first, "first_right is not its first right rung")
    yield from each(expected_last != last, "last_right is not its last right rung")


def _failure_problems(rows: pl.DataFrame, valid: np.ndarray, optimal: np.ndarray, plan: Plan) -> Iterator[str]:
    """Hold kinds of failure against the scores at the last rung, bool (N,), and against what masking leaves out."""
    failure, tree = rows["failure"], equals(rows["cycles"], 0)
    known = [str(kind) for kind in Failure if kind != Failure.NONE]
    yield from each(stated(failure) == optimal, "a failure where it is optimal, or none where it is not")
    yield from each(true(~failure.is_in(known)), "a kind of failure not known here")
    longer = equals(failure, Failure.LONGER)
    yield from each(
        longer != (valid & ~optimal), f"valid and not optimal is called {Failure.LONGER!s}, nothing else is"
    )
    yield from each(equals(failure, Failure.LOOP) & tree, f"{Failure.LOOP!s} in a maze without cycles")
    if plan.suite.scale == 1:
        yield from each(equals(failure, Failure.PIECES), f"{Failure.PIECES!s} on a raster of one pixel a tile")
    if plan.mode != "predictions":
        yield from each(equals(failure, Failure.WALL), f"{Failure.WALL!s} in an answer, from which walls are masked")


def _maze_problems(rows: pl.DataFrame, exact: np.ndarray, valid: np.ndarray, optimal: np.ndarray) -> Iterator[str]:
    """Hold scores, bool (N, R), against the mazes: a tree has one path, which is what filling its dead ends leaves."""
    for name in (*COLUMNS, "as_dead_end_filling"):
        if rows[name].null_count():
            yield f"{name}: missing in {rows[name].null_count()} rows"
    tree, unique = equals(rows["cycles"], 0), equals(rows["n_shortest"], 1)
    yield from each(unique[:, None] & optimal & ~exact, "optimal, of one shortest path, and not exact")
    yield from each(tree[:, None] & valid & ~optimal, "valid, of a maze without cycles, and not optimal")
    filling = true(rows["as_dead_end_filling"])
    yield from each(tree & (filling != exact[:, -1]), "as_dead_end_filling is not exact, in a maze without cycles")


def _evaluation_problems(rows: pl.DataFrame, last: int, plan: Plan) -> Iterator[str]:
    """Hold evaluations of the step against the budget: all of it where nothing may stop before the last rung."""
    evaluations = numbers(rows["evaluations"], -1)
    audited = stated(rows["audit_agrees"])
    least = 0 if plan.mode == "own" else 1 if plan.retire else last
    if plan.mode == "predictions":  # nobody saw any, or states any
        least = -1
    yield from each((evaluations < least) | (evaluations > last), f"evaluations are not {_between(least, last)}")
    if plan.retire:
        yield from each(audited & (evaluations != last), f"audited, and evaluations are not {last}")
    else:
        yield from each(audited, "audit_agrees where no maze was retired")


def _between(least: int, most: int) -> str:
    return str(most) if least == most else f"{max(least, 0)} to {most}"
