"""Blocks: the unit of computation, of resuming, and of reproducibility.

Convolutions round differently in batches of different shape, so a solver that wanders could change its answer with the
batch. A block therefore has a fixed size, is aligned to the maze index, and is never short: the last one is filled with
the mazes that follow. A maze's batch-mates, and so its numbers, do not depend on how many mazes were asked for.
"""

import copy
import io
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from extramaze.dynamics import observe
from extramaze.mazes import Mazes, generate, raster
from extramaze.mazes.files import write_atomically
from extramaze.models.contract import IterativeSolver, answer
from extramaze.scoring import score
from extramaze.suites import Cell, Suite

BLOCK_PIXELS = {"cpu": 2**13, "cuda": 2**20}  # states of a block should stay in a CPU's cache, and fill a GPU
LIMIT_BLOCK = 4
SETTLED_EVERY = 16  # steps between checks whether the whole block has come to rest


def block_size(side: int, device_type: str) -> int:
    """Return the block rule's size: the largest power of two with at most BLOCK_PIXELS pixels, at least 1."""
    return 1 << max(0, (BLOCK_PIXELS[device_type] // side**2).bit_length() - 1)


def ladder(suite: Suite, solver: IterativeSolver, side: int) -> tuple[int, ...]:
    """Return the rungs of a cell: the suite's, and one more where the solver states a larger budget of its own."""
    budget = solver.step_budget(side, side)
    return suite.iterations if budget is None or budget <= suite.iterations[-1] else (*suite.iterations, budget)


@dataclass(frozen=True, eq=False)
class BlockScores:
    """Scores of the B mazes of one block at R rungs: bool (R, B) each."""

    exact: np.ndarray
    valid: np.ndarray
    optimal: np.ndarray


@dataclass(frozen=True, eq=False)
class BlockLimits:
    """Limits of the B watched mazes of one block, (B,) each; ``right``: optimal at the last iterate."""

    limit: np.ndarray
    period: np.ndarray
    residual: np.ndarray
    right: np.ndarray


def draw_block(suite: Suite, cell: Cell, block: int, size: int) -> tuple[Mazes, np.ndarray, np.ndarray]:
    """Draw the mazes of one block, with their images and targets."""
    mazes = generate(cell.maze_spec, size, split=suite.split, first=block * size)
    return mazes, *raster(mazes, suite.scale)


def to_input(images: np.ndarray, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Turn uint8 images into the solver's input, laid out as convolutions of that precision are fastest."""
    layout = torch.contiguous_format if dtype == torch.float64 else torch.channels_last
    return torch.from_numpy(images).to(device, dtype).contiguous(memory_format=layout)


def iterate(solver: IterativeSolver, x: Tensor, rungs: tuple[int, ...]) -> list[Tensor]:
    """Run the plain iteration and return the answers, bool (B, H, W), at each rung.

    Where one step returns the very same bits for the whole block, every later step would too, and none is run.
    """
    state = solver.initial_state(x)
    answers, settled, done = [], False, 0
    for rung in rungs:
        while done < rung and not settled:
            new = solver.step(state, x)
            done += 1
            settled = done % SETTLED_EVERY == 0 and torch.equal(new, state)
            state = new
        answers.append(answer(solver.readout(state), x))
    return answers


def score_block(
    solver: IterativeSolver, suite: Suite, cell: Cell, block: int, size: int, device: torch.device, dtype: torch.dtype
) -> BlockScores:
    """Evaluate one block of a cell at every rung."""
    _, images, targets = draw_block(suite, cell, block, size)
    x = to_input(images, device, dtype)
    answers = iterate(solver, x, ladder(suite, solver, images.shape[-1]))
    outcomes = [score(images, targets, prediction) for prediction in answers]
    return BlockScores(*(np.stack([getattr(o, field.name) for o in outcomes]) for field in fields(BlockScores)))


def watch_block(solver: IterativeSolver, suite: Suite, cell: Cell, block: int, device: torch.device) -> BlockLimits:
    """Watch the raw float64 iterates of one block of a cell; correctness is read off the same trajectories."""
    _, images, targets = draw_block(suite, cell, block, LIMIT_BLOCK)
    x = to_input(images, device, torch.float64)
    exact_solver = copy.deepcopy(solver).double()
    plan = suite.limits
    report = observe(lambda s: exact_solver.step(s, x), exact_solver.initial_state(x), plan.burn_in, plan.window)
    right = score(images, targets, answer(exact_solver.readout(report.final), x)).optimal
    return BlockLimits(np.array([str(limit) for limit in report.limit]), report.period, report.residual, right)


def save_block(path: Path, block: BlockScores | BlockLimits) -> None:
    """Write a finished block, atomically."""
    buffer = io.BytesIO()
    np.savez(buffer, **{field.name: getattr(block, field.name) for field in fields(block)})
    write_atomically(path, buffer.getvalue())


Block = TypeVar("Block", BlockScores, BlockLimits)


def read_block(kind: type[Block], path: Path) -> Block:
    """Read a finished block."""
    with np.load(path, allow_pickle=False) as content:
        return kind(**{field.name: content[field.name] for field in fields(kind)})
