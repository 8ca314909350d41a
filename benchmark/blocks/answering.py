"""Answers of one block at every rung: by plain iteration, or by a solver's own inference."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from extramaze.blocks.acceleration import make_step
from extramaze.blocks.block import Answers, BlockScores, draw_block, to_input
from extramaze.core.errors import InputError
from extramaze.filling import as_filling
from extramaze.mazes.scoring import score
from extramaze.models.calling import begin, first_step, read_answer
from extramaze.models.contract import IterativeSolver
from extramaze.models.counting import counting
from extramaze.records.answers import pack
from extramaze.schema.plan import CellPlan, Iteration, Plan, Way
from extramaze.schema.suite import Cell

NO_ROOM = ("unable to find an engine", "ALLOC_FAILED")  # how cuDNN says that a workspace does not fit
SETTLED_EVERY = 16  # steps between checks whether the whole block has come to rest


@dataclass(frozen=True, eq=False)
class AnsweredBlock:
    """The B mazes of a block and their answers: images (B, 3, H, W), targets (B, H, W).

    batch: how many were computed together.
    """

    images: np.ndarray
    targets: np.ndarray
    answers: Answers
    batch: int


def iterate(solver: IterativeSolver, x: Tensor, rungs: tuple[int, ...], iteration: Iteration = "plain") -> list[Tensor]:
    """Run the plain iteration and return the answers, bool (B, H, W), at each rung.

    Where one step returns the very same bits for the whole block, every later step would too, and none is run.
    """
    state = first_step(solver, begin(solver, x), x)
    step = make_step(solver, x, iteration)
    answers, settled, done = [], False, 1
    for rung in rungs:
        while done < rung and not settled:
            new = step(state)
            done += 1
            settled = done % SETTLED_EVERY == 0 and torch.equal(new, state)
            state = new
        answers.append(read_answer(solver, state, x))
    return answers


def make_answers(solver: IterativeSolver, x: Tensor, rungs: tuple[int, ...], way: Way) -> Answers:
    """Answer B mazes."""
    if way.mode == "own":
        return _own_answers(solver, x, rungs)
    return Answers(iterate(solver, x, rungs, way.iteration), np.full(len(x), rungs[-1]))


def _own_answers(solver: IterativeSolver, x: Tensor, rungs: tuple[int, ...]) -> Answers:
    """Answer by the solver's own inference, run anew with each rung as its budget of evaluations of the step."""
    answers, used = [], np.zeros(len(x), int)
    for rung in rungs:
        watched, steps = counting(solver)
        inference = watched.own_inference(x, rung)
        if inference is None:
            raise InputError(f"{type(solver).__name__} declares no inference of its own; leave out --mode own")
        used = np.broadcast_to(torch.as_tensor(inference.evaluations).cpu().numpy(), (len(x),)).astype(int)
        if (used > rung).any():
            raise InputError(f"{type(solver).__name__}.own_inference used {used.max()} evaluations of {rung} allowed")
        if steps.rows > rung * len(x):
            raise InputError(
                f"{type(solver).__name__}.own_inference made {steps.rows / len(x):.1f} steps a maze of {rung} allowed, "
                f"whatever it states ({used.mean():.1f})"
            )
        answers.append(read_answer(watched, inference.state, x))
    return Answers(answers, used)


def answer_block(
    solver: IterativeSolver, plan: Plan, cell: Cell, planned: CellPlan, block: int, device: torch.device
) -> AnsweredBlock:
    """Answer the mazes of one block of a plan's cell.

    Where a GPU's memory does not suffice the block is cut in half, and again.
    """
    _, images, targets = draw_block(plan.suite, cell, block, planned.block)
    x = to_input(images, device, getattr(torch, plan.dtype))
    batch = planned.block
    while True:
        try:
            parts = [
                make_answers(solver, x[i : i + batch], planned.rungs, plan.way) for i in range(0, planned.block, batch)
            ]
            break
        except RuntimeError as problem:  # OutOfMemoryError is one
            out_of_memory = isinstance(problem, torch.OutOfMemoryError) or any(s in str(problem) for s in NO_ROOM)
            if batch == 1 or not out_of_memory:
                raise
            batch //= 2
        torch.cuda.empty_cache()
    return AnsweredBlock(images, targets, _join(parts), batch)


def _join(parts: list[Answers]) -> Answers:
    if len(parts) == 1:
        return parts[0]
    return Answers(
        [torch.cat(rung) for rung in zip(*(part.rungs for part in parts), strict=True)],
        np.concatenate([part.evaluations for part in parts]),
    )


def score_answers(block: AnsweredBlock) -> BlockScores:
    """Score the answers of one block."""
    answers = block.answers
    outcomes = [score(block.images, block.targets, prediction) for prediction in answers.rungs]
    exact, valid, optimal = (np.stack([getattr(o, kind) for o in outcomes]) for kind in ("exact", "valid", "optimal"))
    return BlockScores(
        exact=exact,
        valid=valid,
        optimal=optimal,
        failure=outcomes[-1].failure,
        filling=as_filling(block.images, answers.rungs[-1]),
        evaluations=answers.evaluations,
        batch=np.array([block.batch]),
        answer=pack(answers.rungs[-1].cpu().numpy()),
    )
