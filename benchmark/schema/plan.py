"""The plan of an evaluation: everything that decides its numbers, settled before anything runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from extramaze.core.checked import Count, Digest, OneLine, Positive, Strict, check_model
from extramaze.core.files import read_bytes
from extramaze.dynamics.limits import DYNAMICS_VERSION
from extramaze.mazes.scores import SCORE_VERSION
from extramaze.mazes.versions import GENERATOR_VERSION, RASTER_VERSION, SOLUTION_VERSION
from extramaze.schema.solver import SolverInfo
from extramaze.schema.suite import Cell, Suite

PLAN, SHARD = "plan.json", "shard.txt"  # what lies in a folder until its record is written
CONTRACTS = {
    "generator": GENERATOR_VERSION,
    "solution": SOLUTION_VERSION,
    "raster": RASTER_VERSION,
    "score": SCORE_VERSION,
    "dynamics": DYNAMICS_VERSION,
}
Precision = Literal["float32", "float64"]
Mode = Literal["free-running", "own", "predictions"]
Iteration = Literal["plain", "fused", "winograd"]  # fused: how steps were made before winograd


class Part(Strict):
    """How much of a suite to run: at most so many mazes a cell, and so many of them with their iterates watched.

    cells: the names of those that are run; none for all.
    """

    mazes: Positive
    watched: Positive
    cells: tuple[str, ...] = ()

    def __str__(self) -> str:
        only = f"; of the cells, only {', '.join(self.cells)}" if self.cells else ""
        plural = "s" * (self.mazes != 1)
        return f"at most {self.mazes} maze{plural} per cell, {min(self.watched, self.mazes)} of them watched{only}"


class CellPlan(Strict):
    """How one cell is run."""

    name: OneLine
    mazes: Positive
    watched: Count  # the first so many of them
    block: Positive  # mazes computed together
    rungs: tuple[Positive, ...] = Field(min_length=1)  # iterations after which answers are read
    operations: Count | None = None  # floating-point ones of an iteration on a maze; None: not counted


ARITHMETIC = ("dtype", "tf32", "mode")  # fields of a plan: another one of these is another measurement


@dataclass(frozen=True)
class Way:
    """How the answers of a block are made: mode, and how steps are made."""

    mode: str = "free-running"
    iteration: Iteration = "plain"


class Instructions(Strict):
    """What a CPU can do that changes how sums are rounded."""

    capability: OneLine  # as torch.backends.cpu.get_cpu_capability() says it: DEFAULT, AVX2, AVX512, …
    bf16: bool  # has products of bfloat16
    amx: bool  # has tiles of them


class Plan(Strict):
    """Everything that decides the numbers of an evaluation on one machine."""

    suite: Suite
    suite_sha256: Digest
    part: Part | None  # None: the whole suite, which alone is ranked
    solver: SolverInfo
    mode: Mode  # the plain iteration, the solver's own inference, or answers that were handed in
    iteration: Iteration  # how steps to the answers are made (``extramaze.blocks.acceleration``)
    dtype: Precision  # of the answers
    tf32: bool  # whether a GPU may round to TF32
    device: OneLine
    instructions: Instructions | None = None  # of the CPU; None: a GPU, answers made elsewhere, or not said
    limit_block: Positive  # watched mazes computed together
    cells: tuple[CellPlan, ...]
    contracts: dict[OneLine, Count]  # versions of generator, stored path, raster, scores and limits
    packages: dict[OneLine, OneLine]  # versions of what computes

    @property
    def way(self) -> Way:
        """How answers are made."""
        return Way(mode=self.mode, iteration=self.iteration)

    def with_other_blocks(self) -> "Plan":
        """Return the same plan with blocks of another size: half of each, or two mazes in place of one."""
        cells = tuple(cell.model_copy(update={"block": cell.block // 2 or 2}) for cell in self.cells)
        return self.model_copy(update={"cells": cells})

    def pairs(self) -> list[tuple[Cell, CellPlan]]:
        """Return the suite's cells that are run, each with its plan."""
        by_name = {cell.name: cell for cell in self.suite.cells}
        return [(by_name[planned.name], planned) for planned in self.cells]


def make_part(mazes: int, watched: int, cells: tuple[str, ...] = ()) -> Part:
    """Make a part of a suite. Raises InputError for less than one maze."""
    return check_model(Part, {"mazes": mazes, "watched": watched, "cells": cells}, "a part of a suite")


def how_many(suite: Suite, part: Part | None, cell: Cell) -> tuple[int, int]:
    """Return how many mazes of a cell are run, and of how many the iterates are watched where the solver has any."""
    mazes = min(cell.count, part.mazes) if part else cell.count
    watched = min(suite.limits.count, mazes) if cell.name in suite.limits.cells else 0
    return mazes, min(watched, part.watched) if part else watched


def shard_of(folder: Path) -> str | None:
    """Return which shard an evaluation's folder holds, as ``i/k`` (``1/1``: all of it); None where it does not say."""
    if not (folder / SHARD).exists():
        return None
    return read_bytes(folder / SHARD, 100).decode("utf-8", "replace").strip()
