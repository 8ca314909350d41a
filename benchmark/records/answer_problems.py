"""What can be wrong with the answers that rows state: by themselves, and for mazes as these are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from extramaze.mazes.description import COLUMNS
from extramaze.mazes.scores import KINDS, Failure
from extramaze.records.columns import Columns, Part
from extramaze.records.tallies import answers_of, first_and_last
from extramaze.records.wrong import Rule, Say, each
from extramaze.schema.plan import CellPlan, Plan


@dataclass(frozen=True, eq=False)
class _Ladders:
    """What the lists of answers say of each row, (N,); nothing is right in a cell whose lists are not all whole."""

    whole: dict[str, np.ndarray]
    """By kind: whether the row is in a cell whose lists have one answer a rung."""
    exact: np.ndarray
    """Whether it is exact at the last rung; so ``valid`` and ``optimal``."""
    valid: np.ndarray
    optimal: np.ndarray
    first: np.ndarray
    """Iterations at the first rung at which it is optimal, 0 where at none; so ``last``."""
    last: np.ndarray
    budget: np.ndarray
    """Iterations at the last rung."""
    ever: dict[tuple[str, str], np.ndarray]
    """By two kinds: whether it is of the first and not of the second at some rung."""


EVER = (("exact", "optimal"), ("optimal", "valid"), ("optimal", "exact"), ("valid", "optimal"))


def answer_rules(columns: Columns, cells: Sequence[CellPlan], parts: Sequence[Part], plan: Plan) -> Iterator[Rule]:
    """Yield every way in which answers cannot be, with the rows where they are so. parts: the rows of each cell."""
    ladders = _ladders(len(columns), cells, parts)
    for kind, whole in ladders.whole.items():
        yield ~whole, _unfinished(kind)
    whole = np.logical_and.reduce(list(ladders.whole.values()))
    for broken, what in _rules(columns, ladders, plan):
        yield broken & whole, what


def _unfinished(kind: str) -> Say:
    return lambda _, cell: f"{kind}: a row does not have one answer a rung ({len(cell.rungs)})"


def _missing(name: str) -> Say:
    return lambda wrong, _: f"{name}: missing in {wrong.sum()} rows"


def _ladders(count: int, cells: Sequence[CellPlan], parts: Sequence[Part]) -> _Ladders:
    truths = {name: np.zeros(count, dtype=bool) for name in (*KINDS, *EVER)}
    whole = {kind: np.ones(count, dtype=bool) for kind in KINDS}
    first, last, budget = (np.zeros(count, dtype=np.int64) for _ in range(3))
    for cell, part in zip(cells, parts, strict=True):
        right = {kind: answers_of(part, kind, len(cell.rungs)) for kind in KINDS}
        for kind, answers in right.items():
            whole[kind][part.at] = answers is not None
        known = {kind: answers for kind, answers in right.items() if answers is not None}
        budget[part.at] = cell.rungs[-1]
        if len(known) < len(KINDS):
            continue
        for kind in KINDS:
            truths[kind][part.at] = known[kind][:, -1]
        for one, other in EVER:
            truths[one, other][part.at] = (known[one] & ~known[other]).any(axis=1)
        first[part.at], last[part.at] = first_and_last(known["optimal"], np.array(cell.rungs))
    ever = {pair: truths[pair] for pair in EVER}
    return _Ladders(whole, truths["exact"], truths["valid"], truths["optimal"], first, last, budget, ever)


def _rules(columns: Columns, ladders: _Ladders, plan: Plan) -> Iterator[Rule]:
    yield ladders.ever["exact", "optimal"], "exact and not optimal"
    yield ladders.ever["optimal", "valid"], "optimal and not valid"
    first, last = columns.numbers("first_right"), columns.numbers("last_right")
    yield last < first, "last right before first right"
    yield ladders.first != first, "first_right is not its first right rung"
    yield ladders.last != last, "last_right is not its last right rung"
    yield from _failure_rules(columns, ladders, plan)
    yield from _maze_rules(columns, ladders)
    yield from _evaluation_rules(columns, ladders.budget, plan)


def _failure_rules(columns: Columns, ladders: _Ladders, plan: Plan) -> Iterator[Rule]:
    """Hold kinds of failure against the scores at the last rung, and against what masking leaves out."""
    tree = columns.plain("cycles") == 0
    yield columns.stated("failure") == ladders.optimal, "a failure where it is optimal, or none where it is not"
    known = [columns.equals("failure", str(kind)) for kind in Failure if kind != Failure.NONE]
    yield columns.stated("failure") & ~np.logical_or.reduce(known), "a kind of failure not known here"
    longer = columns.equals("failure", str(Failure.LONGER)) != (ladders.valid & ~ladders.optimal)
    yield longer, f"valid and not optimal is called {Failure.LONGER!s}, nothing else is"
    yield columns.equals("failure", str(Failure.LOOP)) & tree, f"{Failure.LOOP!s} in a maze without cycles"
    if plan.suite.scale == 1:
        yield columns.equals("failure", str(Failure.PIECES)), f"{Failure.PIECES!s} on a raster of one pixel a tile"
    if plan.mode != "predictions":
        wall = f"{Failure.WALL!s} in an answer, from which walls are masked"
        yield columns.equals("failure", str(Failure.WALL)), wall


def _maze_rules(columns: Columns, ladders: _Ladders) -> Iterator[Rule]:
    """Hold scores against the mazes: a tree has one path, which is what filling its dead ends leaves."""
    for name in (*COLUMNS, "as_dead_end_filling"):
        yield ~columns.stated(name), _missing(name)
    tree, unique = columns.plain("cycles") == 0, columns.plain("n_shortest") == 1
    yield unique & ladders.ever["optimal", "exact"], "optimal, of one shortest path, and not exact"
    yield tree & ladders.ever["valid", "optimal"], "valid, of a maze without cycles, and not optimal"
    filling = columns.true("as_dead_end_filling")
    yield tree & (filling != ladders.exact), "as_dead_end_filling is not exact, in a maze without cycles"


def _evaluation_rules(columns: Columns, budget: np.ndarray, plan: Plan) -> Iterator[Rule]:
    """Hold evaluations of the step against the budget: all of it where nothing may stop before the last rung."""
    evaluations = np.where(columns.stated("evaluations"), columns.numbers("evaluations"), -1)
    least = 0 if plan.mode == "own" else budget
    if plan.mode == "predictions":  # nobody saw any, or states any
        least = -1
    yield (
        (evaluations < least) | (evaluations > budget),
        lambda wrong, cell: each(wrong, f"evaluations are not {_between(cell.rungs[-1], plan)}"),
    )


def _between(last: int, plan: Plan) -> str:
    """Say how many evaluations there may be, with so many at the last rung."""
    least = 0 if plan.mode in ("own", "predictions") else last
    return str(last) if least == last else f"{least} to {last}"
