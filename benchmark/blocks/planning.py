"""Settle an evaluation before anything runs: its plan, from a solver, a suite and a device."""

import platform
from importlib.metadata import version
from typing import Any

import torch

from extramaze.blocks.acceleration import choose_iteration
from extramaze.blocks.block import ladder
from extramaze.blocks.identity import solver_info
from extramaze.core.errors import InputError
from extramaze.mazes.pixels import raster_shape
from extramaze.models.contract import IterativeSolver, card_of
from extramaze.models.devices import describe_device, describe_instructions, resolve_device
from extramaze.models.operations import operations
from extramaze.schema.block_rule import LIMIT_BLOCK, block_size
from extramaze.schema.plan import CONTRACTS, CellPlan, Mode, Part, Plan, Precision, how_many
from extramaze.schema.suite import Suite, choose_cells

PACKAGES = ("extramaze", "torch", "numpy", "numba", "polars")


def make_plan(
    solver: IterativeSolver,
    suite: Suite,
    part: Part | None,
    dtype: Precision,
    device: torch.device,
    mode: Mode = "free-running",
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
                operations=count_operations(solver, (height, width)),
            )
        )
    return Plan(
        suite=suite,
        suite_sha256=suite.digest(),
        part=part,
        solver=solver_info(solver),
        mode=mode,
        iteration=choose_iteration(solver, device) if mode == "free-running" else "plain",
        dtype=dtype,
        tf32=tf32 and device.type == "cuda",
        device=describe_device(device),
        instructions=describe_instructions(device),
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


def count_operations(solver: IterativeSolver, shape: tuple[int, int]) -> int | None:
    """Count the floating-point operations of an iteration on one image (H, W); None for code from outside.

    That is run by an evaluation alone, so that what it does, fails and stops belongs to one. Counted are operations
    that make up networks: algorithms have 0.
    """
    ours = type(solver).__module__.partition(".")[0] == "extramaze" and solver.origin is None
    return operations(solver, shape) if ours else None


def device_here(plan: Plan, asked: str | None) -> torch.device:
    """Resolve a device's name; by default the kind that the plan was made on, where there is one."""
    return resolve_device(asked or ("cpu" if plan.device.startswith("cpu") else "auto"))


def device_of_its_kind(plan: Plan, asked: str | None) -> torch.device:
    """Resolve a device's name as ``device_here`` does. Raises InputError for another kind than the plan's."""
    place = device_here(plan, asked)
    if (place.type == "cpu") != plan.device.startswith("cpu"):
        raise InputError(f"the record was made on {plan.device}, and goes on saying so: not to be told anew on {place}")
    return place
