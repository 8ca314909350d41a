"""Blocks: the unit of computation, of resuming, and of reproducibility.

Convolutions round differently in batches of different shape, so a solver that wanders could change its answer with the
batch. A block therefore has a fixed size, is aligned to the maze index, and is never short: the last one is filled with
the mazes that follow. A maze's batch-mates, and so its numbers, do not depend on how many mazes were asked for.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.mazes import Mazes, generate, raster
from extramaze.models.contract import IterativeSolver
from extramaze.schema.suite import MAX_ITERATIONS, Cell, Suite


def ladder(suite: Suite, solver: IterativeSolver, height: int, width: int) -> tuple[int, ...]:
    """Return the rungs of a cell: the suite's, and one more for an algorithm that needs a larger budget to finish.

    A solver with weights or buffers has the suite's budget, whatever it states: the last rung ranks. One that passes
    once has one rung.
    """
    if solver.single_pass:
        return (1,)
    budget = None if solver.state_dict() else solver.step_budget(height, width)
    if budget is not None and not (isinstance(budget, int) and 1 <= budget <= MAX_ITERATIONS):
        name = type(solver).__name__
        raise InputError(f"{name}.step_budget must be None or 1 to {MAX_ITERATIONS:,}, got {budget!r}")
    return suite.iterations if budget is None or budget <= suite.iterations[-1] else (*suite.iterations, budget)


@dataclass(frozen=True, eq=False)
class Answers:
    """Predictions bool (B, H, W) of B mazes at each rung.

    evaluations: int (B,), of the step on each maze, up to the last rung.
    """

    rungs: list[Tensor]
    evaluations: np.ndarray


@dataclass(frozen=True, eq=False)
class BlockScores:
    """Scores of the B mazes of one block at R rungs: bool (R, B) each; ``failure`` at the last rung, str (B,).

    filling: whether the last answer is dead-end filling's, bool (B,). evaluations: of the step, up to the
    last rung, int (B,). batch: mazes computed together, int (1,): fewer than the block where a GPU's memory did not
    suffice. answer: the answer at the last rung, packed as records keep it, uint8 (B, bytes).
    """

    exact: np.ndarray
    valid: np.ndarray
    optimal: np.ndarray
    failure: np.ndarray
    filling: np.ndarray
    evaluations: np.ndarray
    batch: np.ndarray
    answer: np.ndarray


def draw_block(suite: Suite, cell: Cell, block: int, size: int) -> tuple[Mazes, np.ndarray, np.ndarray]:
    """Draw the mazes of one block, with their images and targets."""
    mazes = generate(cell.maze_spec, size, split=suite.split, first=block * size)
    return mazes, *raster(mazes, suite.scale)


def to_input(images: np.ndarray, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Turn uint8 images into the solver's input, laid out as convolutions of that precision are fastest."""
    layout = torch.contiguous_format if dtype == torch.float64 else torch.channels_last
    return torch.from_numpy(images).to(device, dtype).contiguous(memory_format=layout)
