"""A record's mazes, drawn anew from its suite: what it states of them is held against the real ones.

Whether that is done, no word of the record decides: cells are drawn in ever larger parts, the one that took least so
far first, until all are drawn or the budget is spent. Of a cell that is not whole by then, the mazes that were drawn
are compared one by one all the same; its digest and its counts are not.
"""

import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from extramaze.alike import RELATIVE, alike
from extramaze.core.errors import InputError
from extramaze.mazes import Mazes, MazeSpec, describe, generate, layout_hashes
from extramaze.mazes.description import COLUMNS
from extramaze.mazes.generation import MAX_CELLS_TRIED, MAX_INDEX, PILOT
from extramaze.mazes.mazes import Generation
from extramaze.records.summary_problems import outline_problems
from extramaze.schema.plan import CONTRACTS
from extramaze.schema.record import PER_MAZE, CellResult, Summary

MAX_CARVED = 1_000_000_000  # lattice cells carved for a record: a minute of one core; paper-v1 takes 7e8, laptop-v1 7e7
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
    found = _drawn(wanted, plan.suite.split, MAX_CARVED)
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


@dataclass
class _Drawing:
    """A cell's mazes being drawn: parts so far, the lattice cells carved for them, and how many are drawn at most."""

    spec: MazeSpec
    count: int
    split: str
    parts: list[Mazes] = field(default_factory=list)
    carved: int = 0
    most: int = MAX_INDEX
    problem: str = ""

    @property
    def drawn(self) -> int:
        """How many mazes there are."""
        return sum(map(len, self.parts))

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to draw."""
        return bool(self.problem) or self.drawn == self.count

    def draw_more(self) -> None:
        """Draw as many mazes as there are, one at first: what the next turn takes, the ones before it tell."""
        wanted = min(self.drawn or 1, self.count - self.drawn, self.most)
        try:
            mazes = generate(self.spec, wanted, split=self.split, first=self.drawn)
        except InputError as problem:
            self.carved += MAX_CELLS_TRIED
            self.problem = "" if wanted > PILOT else str(problem)
            self.most = PILOT  # of which none is given up on an estimate
            return
        assert mazes.generation is not None
        self.parts.append(mazes)
        self.carved += mazes.generation.drawn * math.prod(self.spec.shape)

    def result(self) -> Redrawn:
        """Measure what was drawn."""
        if not self.parts:
            return Redrawn(pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.Float64)), None, self.problem)
        names = ("connections", "start", "goal")
        connections, start, goal = (np.concatenate([getattr(part, name) for part in self.parts]) for name in names)
        mazes = Mazes(connections, start, goal)
        measures = describe(mazes).frame()
        whole = self._whole(mazes, measures) if len(mazes) == self.count else None
        return Redrawn(measures, whole, self.problem)

    def _whole(self, mazes: Mazes, measures: pl.DataFrame) -> dict[str, Any]:
        names = ("drawn", "rejected_split", "rejected_endpoints", "rejected_path")
        counts = {name: sum(getattr(part.generation, name) for part in self.parts) for name in names}
        return {
            **counts,
            "acceptance": Generation(self.spec, self.split, 0, **counts).acceptance,
            "layouts": len(set(layout_hashes(mazes.connections).tolist())),
            "mazes_sha256": mazes.digest(),
            "means": {name: float(measures[name].to_numpy().mean()) for name in COLUMNS},
        }


@lru_cache(maxsize=4)
def _drawn(wanted: tuple[tuple[str, int], ...], split: str, budget: int) -> tuple[Redrawn, ...]:
    """Draw cells, (specification, count) each, until a budget of carved lattice cells is spent.

    Kept, since records of one suite, of which there are often many, have the same mazes.
    """
    drawings = [_Drawing(MazeSpec.parse(spec), count, split) for spec, count in wanted]
    queue, carved = [(0, place) for place in range(len(drawings))], 0
    while queue and carved < budget:
        before, place = heapq.heappop(queue)
        drawings[place].draw_more()
        carved += drawings[place].carved - before
        if not drawings[place].finished:
            heapq.heappush(queue, (drawings[place].carved, place))
    return tuple(drawing.result() for drawing in drawings)
