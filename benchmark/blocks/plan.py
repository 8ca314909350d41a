"""The plan of an evaluation: everything that decides its numbers, settled before anything runs."""

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

import torch
from pydantic import Field

from extramaze.blocks.acceleration import Iteration, choose_iteration
from extramaze.blocks.block import LIMIT_BLOCK, block_size, ladder
from extramaze.blocks.identity import SolverInfo, solver_info
from extramaze.core.checked import Count, Digest, OneLine, Positive, Strict, check_model
from extramaze.core.errors import InputError
from extramaze.dynamics import DYNAMICS_VERSION
from extramaze.mazes.randomness import GENERATOR_VERSION
from extramaze.mazes.raster import RASTER_VERSION, raster_shape
from extramaze.mazes.walk import SOLUTION_VERSION
from extramaze.models.contract import IterativeSolver, card_of
from extramaze.models.devices import describe_device, resolve_device
from extramaze.scoring import SCORE_VERSION
from extramaze.suites import Cell, Suite, choose_cells

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
PACKAGES = ("extramaze", "torch", "numpy", "numba", "polars")


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
    """How one cell is run: mazes, those of them that are watched, mazes computed together, and rungs of iterations."""

    name: OneLine
    mazes: Positive
    watched: Count
    block: Positive
    rungs: tuple[Positive, ...] = Field(min_length=1)


ARITHMETIC = ("dtype", "tf32", "retire", "mode")  # fields of a plan: another one of these is another measurement


@dataclass(frozen=True)
class Way:
    """How the answers of a block are made: mode, how steps are made, and whether settled mazes leave."""

    mode: str = "free-running"
    iteration: Iteration = "plain"
    retire: bool = False


class Plan(Strict):
    """Everything that decides the numbers of an evaluation on one machine.

    part: None for the whole suite, which alone is ranked. limit_block: watched mazes computed together.
    mode: the plain iteration, the solver's own inference, or answers that were handed in. iteration: how the steps to
    the answers are made (``extramaze.blocks.acceleration``, which also chooses for watched ones). retire: whether
    settled mazes leave their block.
    contracts: versions of generator, stored path, raster, scores and limits.
    """

    suite: Suite
    suite_sha256: Digest
    part: Part | None
    solver: SolverInfo
    mode: Mode
    iteration: Iteration
    retire: bool
    dtype: Precision
    tf32: bool
    device: OneLine
    limit_block: Positive
    cells: tuple[CellPlan, ...]
    contracts: dict[OneLine, Count]
    packages: dict[OneLine, OneLine]

    @property
    def way(self) -> Way:
        """How answers are made."""
        return Way(mode=self.mode, iteration=self.iteration, retire=self.retire)

    def with_other_blocks(self) -> "Plan":
        """Return the same plan with blocks of another size: half of each, or two mazes in place of one."""
        cells = tuple(cell.model_copy(update={"block": cell.block // 2 or 2}) for cell in self.cells)
        return self.model_copy(update={"cells": cells})

    def device_here(self, asked: str | None) -> torch.device:
        """Resolve a device's name; by default the kind that the plan was made on, where there is one."""
        return resolve_device(asked or ("cpu" if self.device.startswith("cpu") else "auto"))

    def device_of_its_kind(self, asked: str | None) -> torch.device:
        """Resolve a device's name as ``device_here`` does. Raises InputError for another kind than the plan's."""
        place = self.device_here(asked)
        if (place.type == "cpu") != self.device.startswith("cpu"):
            raise InputError(
                f"the record was made on {self.device}, and goes on saying so: not to be told anew on {place}"
            )
        return place

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


def make_plan(
    solver: IterativeSolver,
    suite: Suite,
    part: Part | None,
    dtype: Precision,
    device: torch.device,
    mode: Mode = "free-running",
    retire: bool = False,
    tf32: bool = False,
) -> Plan:
    """Settle an evaluation. Raises InputError for another raster's solver, an unknown cell or no such mode."""
    card = card_of(solver)
    if card.scale not in (None, suite.scale):
        raise InputError(
            f"{card.name} was made for rasters of scale {card.scale}, the suite {suite.name} has scale {suite.scale}; "
            "choose another suite or solver"
        )
    if mode == "own" and type(solver).own_inference is IterativeSolver.own_inference:
        raise InputError(f"{card.name} has no inference of its own (own_inference); leave out --mode own")
    if retire and mode != "free-running":
        raise InputError("--retire goes with the plain iteration; leave out --mode")
    cells = []
    for cell in choose_cells(suite, part.cells if part else ()):
        height, width = raster_shape(cell.maze_spec.shape, suite.scale)
        mazes, watched = how_many(suite, part, cell)
        cells.append(
            CellPlan(
                name=cell.name,
                mazes=mazes,
                watched=0 if solver.single_pass else watched,
                block=block_size(height * width, device.type, cell.count),
                rungs=ladder(suite, solver, height, width),
            )
        )
    return Plan(
        suite=suite,
        suite_sha256=suite.digest(),
        part=part,
        solver=solver_info(solver),
        mode=mode,
        iteration=choose_iteration(solver, device) if mode == "free-running" else "plain",
        retire=retire,
        dtype=dtype,
        tf32=tf32 and device.type == "cuda",
        device=describe_device(device),
        limit_block=LIMIT_BLOCK,
        cells=tuple(cells),
        contracts=CONTRACTS,
        packages=_packages(device),
    )


def _packages(device: torch.device) -> dict[str, str]:
    """Return the versions of what computes; on a GPU also those of CUDA and of its convolutions."""
    found = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    if device.type != "cuda":
        return found
    cudnn: Any = torch.backends.cudnn  # whose version is not annotated
    return {**found, "cuda": str(torch.version.cuda), "cudnn": str(cudnn.version())}
