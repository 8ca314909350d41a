"""A record's mazes, drawn anew from its suite: what it states of them is held against the real ones.

Whether that is done, no word of the record decides: cells are drawn in ever larger parts, the one that took least so
far first, until all are drawn or the budget is spent. Of a cell that is not whole by then, the mazes that were drawn
are compared one by one all the same; its digest and its counts are not. Of a part that was measured nothing is kept
but its measures, so that the memory taken does not depend on what a record states.
"""

import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from extramaze.alike import RELATIVE, alike
from extramaze.core.errors import InputError
from extramaze.mazes import Mazes, MazeSpec, describe, generate, layout_hashes
from extramaze.mazes.description import COLUMNS
from extramaze.mazes.generation import MAX_CELLS_TRIED, PILOT
from extramaze.mazes.mazes import Digest, Generation
from extramaze.records.summary_problems import outline_problems
from extramaze.schema.plan import CONTRACTS
from extramaze.schema.record import PER_MAZE, CellResult, Summary

MAX_CARVED = 1_000_000_000  # lattice cells carved for a record: a minute of one core; paper-v1 takes 7e8, laptop-v1 7e7
MAX_DRAWN = 1_000_000  # mazes of a record: their measures take 64 MB; paper-v1 has 72,432
PART_CELLS, PART_MAZES = 2**22, 2**16  # lattice cells and mazes that are drawn at once: some ten megabytes
ATTEMPTS = ("drawn", "rejected_split", "rejected_endpoints", "rejected_path")  # fields of Generation
VERSIONS = ("generator", "solution")  # of the contracts: those that decide mazes and their measures


@dataclass(frozen=True, eq=False)
class Redrawn:
    """The first N mazes of a cell. measures: COLUMNS, a row a maze.

    whole: what its result states of all its mazes, by the names of CellResult's fields; None where not all were drawn.
    problem: why one of them could not be; "" where all could.
    """

    measures: pl.DataFrame
    whole: dict[str, Any] | None
    problem: str


def redraw(summary: Summary) -> dict[str, Redrawn]:
    """Draw the mazes of a record's cells anew, by name; none of another version, or of other cells than its suite's."""
    plan = summary.plan
    if any(plan.contracts.get(name) != CONTRACTS[name] for name in VERSIONS) or any(outline_problems(summary)):
        return {}
    wanted = tuple((cell.spec, min(planned.mazes, cell.count)) for cell, planned in plan.pairs())
    found = _drawn(wanted, plan.suite.split, MAX_CARVED, MAX_DRAWN)
    return dict(zip([cell.name for cell in plan.cells], found, strict=True))


def drawn_problems(summary: Summary, redrawn: Mapping[str, Redrawn]) -> Iterator[str]:
    """Name everything that a summary states of its mazes and that the real ones do not have."""
    for result in summary.cells:
        if result.name in redrawn:
            yield from (f"{result.name}: {wrong}" for wrong in _result_problems(result, redrawn[result.name]))


def measure_problems(rows: pl.DataFrame, redrawn: Mapping[str, Redrawn]) -> Iterator[str]:
    """Name every measure of a maze, in a record's rows, that is not the real maze's."""
    if any(rows.schema.get(name) != PER_MAZE[name] for name in ("cell", "index", *COLUMNS)):
        return
    for name, drawn in redrawn.items():
        stated = rows.filter((pl.col("cell") == name) & (pl.col("index") < len(drawn.measures)))
        if stated["index"].to_list() != list(range(len(drawn.measures))):
            continue  # not its mazes in order: there are none to compare
        for column in COLUMNS:
            ours, theirs = drawn.measures[column].to_numpy(), stated[column].to_numpy()
            same = ours == theirs if PER_MAZE[column] == pl.Int64 else np.isclose(theirs, ours, rtol=RELATIVE, atol=0)
            wrong = np.flatnonzero(~same)
            if len(wrong):
                more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
                said = f"{theirs[wrong[0]]} is stated; the maze has {ours[wrong[0]]}"
                yield f"{name}: maze {wrong[0]}{more}: {column}: {said}"


def _result_problems(result: CellResult, drawn: Redrawn) -> Iterator[str]:
    if drawn.problem:
        yield f"its mazes cannot be drawn: {drawn.problem}"
    whole = drawn.whole or {}
    for name in whole:
        if name not in ("mazes_sha256", "means") and not alike(whole[name], getattr(result, name)):
            yield f"{name}: {getattr(result, name)} is stated; drawing its mazes gives {whole[name]}"
    if whole and whole["mazes_sha256"] != result.mazes_sha256:
        yield "mazes_sha256: not that of the mazes its specification gives"
    means = whole.get("means", result.means)
    for name in sorted(means.keys() | result.means.keys()):
        if not alike(means.get(name), result.means.get(name)):
            yield f"means.{name}: {result.means.get(name)} is stated; its mazes have {means.get(name)}"


class _Drawing:
    """A cell's mazes being drawn in parts, each measured and let go.

    drawn: how many there are. carved: lattice cells that they took. problem: why there are no more; "" where there are.
    """

    def __init__(self, spec: MazeSpec, count: int, split: str) -> None:
        self.drawn, self.carved, self.problem = 0, 0, ""
        self._spec, self._count, self._split = spec, count, split
        self._most = max(1, min(PART_MAZES, PART_CELLS // math.prod(spec.shape)))
        self._digest = Digest(count, spec.shape)
        self._attempts = dict.fromkeys(ATTEMPTS, 0)
        self._measures: list[pl.DataFrame] = []
        self._layouts: list[np.ndarray] = []

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to draw."""
        return bool(self.problem) or self.drawn == self._count

    def draw_more(self) -> None:
        """Draw as many mazes as there are, one at first: what the next turn takes, the ones before it tell."""
        wanted = min(self.drawn or 1, self._count - self.drawn, self._most)
        try:
            mazes = generate(self._spec, wanted, split=self._split, first=self.drawn)
        except InputError as problem:
            self.carved += MAX_CELLS_TRIED
            self.problem = "" if wanted > PILOT else str(problem)
            self._most = PILOT  # of which none is given up on an estimate
            return
        self._measure(mazes)

    def _measure(self, mazes: Mazes) -> None:
        assert mazes.generation is not None
        self.drawn += len(mazes)
        self.carved += mazes.generation.drawn * math.prod(self._spec.shape)
        self._attempts = {name: n + getattr(mazes.generation, name) for name, n in self._attempts.items()}
        self._digest.add(mazes)
        self._layouts.append(layout_hashes(mazes.connections))
        self._measures.append(describe(mazes).frame())

    def result(self) -> Redrawn:
        """Return what was measured."""
        if not self._measures:
            return Redrawn(pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.Float64)), None, self.problem)
        measures = pl.concat(self._measures, rechunk=True)
        return Redrawn(measures, self._whole(measures) if self.drawn == self._count else None, self.problem)

    def _whole(self, measures: pl.DataFrame) -> dict[str, Any]:
        return {
            **self._attempts,
            "acceptance": Generation(self._spec, self._split, 0, **self._attempts).acceptance,
            "layouts": len(np.unique(np.concatenate(self._layouts))),
            "mazes_sha256": self._digest.hexdigest(),
            "means": {name: float(measures[name].to_numpy().mean()) for name in COLUMNS},
        }


@lru_cache(maxsize=4)
def _drawn(wanted: tuple[tuple[str, int], ...], split: str, budget: int, most: int) -> tuple[Redrawn, ...]:
    """Draw cells, (specification, count) each, until a budget of carved lattice cells, or of mazes, is spent.

    Kept, since records of one suite, of which there are often many, have the same mazes.
    """
    drawings = [_Drawing(MazeSpec.parse(spec), count, split) for spec, count in wanted]
    queue, carved = [(0, place) for place in range(len(drawings))], 0
    while queue and carved < budget and sum(drawing.drawn for drawing in drawings) < most:
        before, place = heapq.heappop(queue)
        drawings[place].draw_more()
        carved += drawings[place].carved - before
        if not drawings[place].finished:
            heapq.heappush(queue, (drawings[place].carved, place))
    return tuple(drawing.result() for drawing in drawings)
