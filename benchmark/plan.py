"""The plan of an evaluation: everything that decides its numbers, settled before anything runs."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

import torch

from extramaze.blocks import block_size
from extramaze.dynamics import DYNAMICS_VERSION
from extramaze.mazes import InputError
from extramaze.mazes.randomness import GENERATOR_VERSION
from extramaze.mazes.raster import RASTER_VERSION, raster_side
from extramaze.mazes.walk import SOLUTION_VERSION
from extramaze.models.contract import IterativeSolver, card_of, count_parameters
from extramaze.models.devices import describe_device
from extramaze.records import Plan, SolverInfo
from extramaze.scoring import SCORE_VERSION
from extramaze.suites import Suite

CONTRACTS = {
    "generator": GENERATOR_VERSION,
    "solution": SOLUTION_VERSION,
    "raster": RASTER_VERSION,
    "score": SCORE_VERSION,
    "dynamics": DYNAMICS_VERSION,
}
PACKAGES = ("extramaze", "torch", "numpy")


@dataclass(frozen=True)
class Part:
    """How much of a suite to run: at most so many mazes a cell, and so many of them with their iterates watched."""

    mazes: int
    watched: int

    def __post_init__(self) -> None:
        if self.mazes < 1 or self.watched < 1:
            raise InputError(f"a part must be at least 1 maze a cell, got {self.mazes} and {self.watched} watched")

    def __str__(self) -> str:
        return f"at most {self.mazes} mazes a cell, {min(self.watched, self.mazes)} watched"


def make_plan(
    solver: IterativeSolver, suite: Suite, part: Part | None, dtype: Literal["float32", "float64"], device: torch.device
) -> Plan:
    """Settle an evaluation; a part makes it partial. Raises InputError where it cannot be."""
    card = card_of(solver)
    if card.scale not in (None, suite.scale):
        raise InputError(
            f"{card.name} was made for rasters of scale {card.scale}, the suite {suite.name} has scale {suite.scale}; "
            "choose another suite or solver"
        )
    return Plan(
        suite=suite if part is None else suite.limited(part.mazes, part.watched),
        suite_sha256=suite.digest(),
        partial=None if part is None else str(part),
        solver=SolverInfo(
            name=card.name,
            recipe=card.recipe,
            seed=card.seed,
            weights_sha256=card.weights_sha256 or _state_sha256(solver),
            parameters=count_parameters(solver),
            mode="free-running",
            notes=card.notes,
        ),
        dtype=dtype,
        tf32=False,
        device=describe_device(device),
        blocks={
            cell.name: block_size(raster_side(cell.maze_spec.size, suite.scale), device.type) for cell in suite.cells
        },
        contracts=CONTRACTS,
        packages={name: version(name) for name in PACKAGES},
    )


def _state_sha256(solver: IterativeSolver) -> str | None:
    state = solver.state_dict()
    if not state:
        return None
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
