"""Blocks: the unit of computation, of resuming, and of reproducibility.

Convolutions round differently in batches of different shape, so a solver that wanders could change its answer with the
batch. A block therefore has a fixed size, is aligned to the maze index, and is never short: the last one is filled with
the mazes that follow. A maze's batch-mates, and so its numbers, do not depend on how many mazes were asked for.
"""

import copy
import io
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from extramaze.acceleration import Iteration, audited, iterate_retiring, make_step
from extramaze.dynamics import observe
from extramaze.filling import as_filling
from extramaze.mazes import InputError, Mazes, generate, raster
from extramaze.mazes.files import write_atomically
from extramaze.models.contract import IterativeSolver, answer
from extramaze.scoring import score
from extramaze.suites import MAX_ITERATIONS, Cell, CellPlan, Suite

BLOCK_PIXELS = {"cpu": 2**13, "cuda": 2**17}  # states of a block should stay in a CPU's cache, and fill a GPU
LIMIT_BLOCK = 4  # watched mazes computed together; part of the plan
SETTLED_EVERY = 16  # steps between checks whether the whole block has come to rest


def block_size(pixels: int, device_type: str) -> int:
    """Return the block rule's size for images of so many pixels: the largest power of two with at most BLOCK_PIXELS."""
    return 1 << max(0, (BLOCK_PIXELS[device_type] // pixels).bit_length() - 1)


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
class BlockScores:
    """Scores of the B mazes of one block at R rungs: bool (R, B) each; ``failure`` at the last rung, str (B,).

    filling: whether the last answer is dead-end filling's, bool (B,). audited, disagrees: mazes that ran on though
    retirement was on, and those whose answer then changed, bool (B,). evaluations: of the step, up to the last rung,
    int (B,). batch: mazes computed together, int (1,): fewer than the block where a GPU's memory did not suffice.
    """

    exact: np.ndarray
    valid: np.ndarray
    optimal: np.ndarray
    failure: np.ndarray
    filling: np.ndarray
    audited: np.ndarray
    disagrees: np.ndarray
    evaluations: np.ndarray
    batch: np.ndarray


@dataclass(frozen=True)
class Way:
    """How the answers of a block are made: precision, mode, how steps are made, and whether settled mazes leave."""

    dtype: str = "float32"
    mode: str = "free-running"
    iteration: Iteration = "plain"
    retire: bool = False


@dataclass(frozen=True, eq=False)
class Answers:
    """Predictions bool (B, H, W) of B mazes at each rung; the rest as in BlockScores."""

    rungs: list[Tensor]
    disagrees: np.ndarray
    evaluations: np.ndarray


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


def first_step(solver: IterativeSolver, state: Tensor, x: Tensor) -> Tensor:
    """Make the first step and see that it was pure. Raises InputError where it was not.

    A step that works in place makes every comparison of states one of a state with itself.
    """
    name = type(solver).__name__
    if not isinstance(state, Tensor) or state.shape[:1] != x.shape[:1]:
        raise InputError(f"{name}.initial_state must return a tensor whose first dimension is the batch, {x.shape[0]}")
    state_before, x_before = state.clone(), x.clone()
    new = solver.step(state, x)
    if not isinstance(new, Tensor) or new.shape[:1] != x.shape[:1]:
        raise InputError(f"{name}.step must return a tensor whose first dimension is the batch, {x.shape[0]}")
    if new.untyped_storage().data_ptr() == state.untyped_storage().data_ptr():
        raise InputError(f"{name}.step returned its argument's own storage; return a new state")
    if not (torch.equal(state, state_before) and torch.equal(x, x_before)):
        raise InputError(f"{name}.step changed its arguments; return a new state and leave state and x as they were")
    return new


def iterate(solver: IterativeSolver, x: Tensor, rungs: tuple[int, ...], way: Iteration = "plain") -> list[Tensor]:
    """Run the plain iteration and return the answers, bool (B, H, W), at each rung.

    Where one step returns the very same bits for the whole block, every later step would too, and none is run.
    """
    state = first_step(solver, solver.initial_state(x), x)
    step = make_step(solver, x, way)
    answers, settled, done = [], False, 1
    for rung in rungs:
        while done < rung and not settled:
            new = step(state)
            done += 1
            settled = done % SETTLED_EVERY == 0 and torch.equal(new, state)
            state = new
        answers.append(read_answer(solver, state, x))
    return answers


def read_answer(solver: IterativeSolver, state: Tensor, x: Tensor) -> Tensor:
    """Read the answers, bool (B, H, W), off a state. Raises InputError for logits of another shape."""
    logits = solver.readout(state)
    expected = (x.shape[0], 2, *x.shape[2:])
    found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if found != expected:
        raise InputError(f"{type(solver).__name__}.readout must return a tensor {expected}, got {found}")
    return answer(logits, x)


def make_answers(
    solver: IterativeSolver, x: Tensor, rungs: tuple[int, ...], way: Way, to_the_end: np.ndarray
) -> Answers:
    """Answer B mazes. ``to_the_end``: bool (B,), those that retirement leaves in."""
    count = x.shape[0]
    all_agree, all_steps = np.zeros(count, bool), np.full(count, rungs[-1])
    if way.mode == "own":
        return _own_answers(solver, x, rungs)
    if not way.retire:
        return Answers(iterate(solver, x, rungs, way.iteration), all_agree, all_steps)
    state = first_step(solver, solver.initial_state(x), x)
    read_answer(solver, state, x)
    keep = torch.from_numpy(to_the_end).to(x.device)
    retired = iterate_retiring(solver, x, state, 1, rungs, way.iteration, keep)
    return Answers(retired.answers, retired.disagrees, all_steps)


def _own_answers(solver: IterativeSolver, x: Tensor, rungs: tuple[int, ...]) -> Answers:
    """Answer by the solver's own inference, run anew with each rung as its budget of evaluations of the step."""
    answers, used = [], np.zeros(len(x), int)
    for rung in rungs:
        inference: Any = getattr(solver, "own_inference")(x, rung)  # noqa: B009 (an optional part of the contract)
        if inference is None:
            raise InputError(f"{type(solver).__name__} declares no inference of its own; leave out --mode own")
        used = np.broadcast_to(torch.as_tensor(inference.evaluations).cpu().numpy(), (len(x),)).astype(int)
        if (used > rung).any():
            raise InputError(f"{type(solver).__name__}.own_inference used {used.max()} evaluations of {rung} allowed")
        answers.append(read_answer(solver, inference.state, x))
    return Answers(answers, np.zeros(len(x), bool), used)


def answer_block(
    solver: IterativeSolver, suite: Suite, cell: Cell, plan: CellPlan, block: int, device: torch.device, way: Way
) -> tuple[np.ndarray, np.ndarray, Answers, np.ndarray, int]:
    """Answer the mazes of one block: images (B, 3, H, W), targets (B, H, W), answers, who is audited, and the batch.

    Where a GPU's memory does not suffice the block is cut in half, and again.
    """
    _, images, targets = draw_block(suite, cell, block, plan.block)
    x = to_input(images, device, getattr(torch, way.dtype))
    chosen = audited(f"{cell.spec} {suite.split}", block * plan.block, plan.block)
    if not way.retire:
        chosen[:] = False
    batch = plan.block
    while True:
        try:
            parts = [
                make_answers(solver, x[i : i + batch], plan.rungs, way, chosen[i : i + batch])
                for i in range(0, plan.block, batch)
            ]
            break
        except torch.OutOfMemoryError:
            if batch == 1:
                raise
            batch //= 2
        torch.cuda.empty_cache()
    return images, targets, _join(parts), chosen, batch


def _join(parts: list[Answers]) -> Answers:
    if len(parts) == 1:
        return parts[0]
    return Answers(
        [torch.cat(rung) for rung in zip(*(part.rungs for part in parts), strict=True)],
        np.concatenate([part.disagrees for part in parts]),
        np.concatenate([part.evaluations for part in parts]),
    )


def score_block(
    solver: IterativeSolver, suite: Suite, cell: Cell, plan: CellPlan, block: int, device: torch.device, way: Way
) -> BlockScores:
    """Evaluate one block of a cell at every rung."""
    images, targets, answers, chosen, batch = answer_block(solver, suite, cell, plan, block, device, way)
    return score_answers(images, targets, answers, chosen, batch)


def score_answers(
    images: np.ndarray, targets: np.ndarray, answers: Answers, chosen: np.ndarray, batch: int
) -> BlockScores:
    """Score the answers of one block."""
    outcomes = [score(images, targets, prediction) for prediction in answers.rungs]
    exact, valid, optimal = (np.stack([getattr(o, kind) for o in outcomes]) for kind in ("exact", "valid", "optimal"))
    return BlockScores(
        exact=exact,
        valid=valid,
        optimal=optimal,
        failure=outcomes[-1].failure,
        filling=as_filling(images, answers.rungs[-1]),
        audited=chosen,
        disagrees=answers.disagrees,
        evaluations=answers.evaluations,
        batch=np.array([batch]),
    )


def watch_block(solver: IterativeSolver, suite: Suite, cell: Cell, block: int, device: torch.device) -> BlockLimits:
    """Watch the raw float64 iterates of one block of a cell; correctness is read off the same trajectories."""
    _, images, targets = draw_block(suite, cell, block, LIMIT_BLOCK)
    plan = suite.limits
    with torch.inference_mode(False), torch.no_grad():  # tangents need tensors that may carry them
        x = to_input(images, device, torch.float64)
        exact_solver = copy.deepcopy(solver).double()
        state = exact_solver.initial_state(x)
        first_step(exact_solver, state, x)
        report = observe(
            lambda s: exact_solver.step(s, x), state, plan.burn_in, plan.window, exponent_steps=plan.pursuit
        )
        right = score(images, targets, answer(exact_solver.readout(report.final), x)).optimal
    return BlockLimits(np.array([str(limit) for limit in report.limit]), report.period, report.residual, right)


def save_block(path: Path, block: BlockScores | BlockLimits) -> None:
    """Write a finished block, atomically."""
    buffer = io.BytesIO()
    np.savez(buffer, **{field.name: getattr(block, field.name) for field in fields(block)})
    write_atomically(path, buffer.getvalue())


Block = TypeVar("Block", BlockScores, BlockLimits)


def read_block(kind: type[Block], path: Path) -> Block:
    """Read a finished block. Raises ValueError, KeyError or OSError where the file is damaged."""
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as content:
        return kind(**{field.name: content[field.name] for field in fields(kind)})
