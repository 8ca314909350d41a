"""Watching: what the raw iterates of one block of a cell did, and whether it mattered.

Limits, motion and correctness are read off the same free-running float64 trajectories. Whether a limit depends on the
initial state is measured in float32, in which iterating from other states costs little.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from extramaze.blocks.acceleration import choose_iteration, make_step
from extramaze.blocks.block import draw_block, to_input
from extramaze.dynamics import (
    RELATIVE,
    LimitReport,
    Motion,
    observe,
    path_independence,
    study_float32,
    study_rule,
    watch_motion,
)
from extramaze.dynamics.observation import MEMORY
from extramaze.mazes.scoring import score
from extramaze.models.calling import begin, first_step, in_precision, read_answer, read_logits
from extramaze.models.contract import IterativeSolver, open_pixels
from extramaze.models.devices import spare_memory
from extramaze.models.states import has_whole_numbers
from extramaze.schema.suite import Cell, LimitPlan, Suite

RULES = (RELATIVE, study_rule())  # by which Betti numbers are counted: ours, and that of arXiv 2410.03020
UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class BlockLimits:
    """What the B watched mazes of one block did, (B,) each but for Betti numbers, (B, 2).

    limit, period, residual, exponent, exponent_error, betti: as in ``dynamics.LimitReport``; study_betti: by the
    rule of the study; study_float32_betti: by its whole procedure, -1 where the suite does not ask. right: optimal at
    the last iterate. latent_motion, logit_motion, flipping: as ``dynamics.Motion`` has them, over one more window.
    alignment: mean cosine of the limit with those from other initial states; depends: 1 where one of these gives
    another answer, 0 where none does. NaN and -1 for algorithms, whose states mean something, and for states of whole
    numbers, of which others may mean nothing.
    """

    limit: np.ndarray
    period: np.ndarray
    residual: np.ndarray
    exponent: np.ndarray
    exponent_error: np.ndarray
    betti: np.ndarray
    study_betti: np.ndarray
    study_float32_betti: np.ndarray
    right: np.ndarray
    latent_motion: np.ndarray
    logit_motion: np.ndarray
    flipping: np.ndarray
    alignment: np.ndarray
    depends: np.ndarray


def watch_block(
    solver: IterativeSolver,
    suite: Suite,
    cell: Cell,
    block: int,
    size: int,
    device: torch.device,
    starts: bool = True,
) -> BlockLimits:
    """Watch one block of ``size`` mazes of a cell; starts: from other initial states too, else as of algorithms."""
    _, images, targets = draw_block(suite, cell, block, size)
    with torch.inference_mode(False), torch.no_grad():  # tangents need tensors that may carry them
        x = to_input(images, device, torch.float64)
        exact_solver = in_precision(solver, torch.float64)
        report, motion = _follow(exact_solver, x, suite.limits)
    with torch.inference_mode():
        right = score(images, targets, read_answer(exact_solver, report.final, x)).optimal
    begun = suite.limits.burn_in if starts else 0
    alignment, depends = _other_starts(solver, to_input(images, device, torch.float32), begun, block)
    return BlockLimits(
        limit=np.array([str(limit) for limit in report.limit]),
        period=report.period,
        residual=report.residual,
        exponent=report.lyapunov,
        exponent_error=report.lyapunov_error,
        betti=report.betti_by_rule[:, 0],
        study_betti=report.betti_by_rule[:, 1],
        study_float32_betti=_as_the_study(solver, to_input(images, device, torch.float32), suite.limits),
        right=right,
        latent_motion=motion.latent,
        logit_motion=motion.logits,
        flipping=motion.flipping,
        alignment=alignment,
        depends=depends,
    )


def _follow(solver: IterativeSolver, x: Tensor, plan: LimitPlan) -> tuple[LimitReport, Motion]:
    """Observe the float64 iterates on images x, and their motion over a further window."""
    step = make_step(solver, x, choose_iteration(solver, x.device), few=True)
    state = begin(solver, x)
    first_step(solver, state, x)
    memory = max(MEMORY, spare_memory(x.device) // 4)
    report = observe(
        step,
        state,
        plan.burn_in,
        plan.window,
        exponent_steps=plan.pursuit,
        betti=RULES,
        memory=memory,
    )
    motion = watch_motion(step, lambda s: read_logits(solver, s, x), report.final, plan.window, open_pixels(x))
    return report, motion


def _as_the_study(solver: IterativeSolver, x: Tensor, plan: LimitPlan) -> np.ndarray:
    """Count Betti numbers of float32 iterates on images x (B, 3, H, W): int (B, 2); -1 where no rule asks."""
    if not plan.rules:
        return np.full((len(x), 2), UNKNOWN)
    ours = in_precision(solver, torch.float32)
    with torch.inference_mode():
        step = make_step(ours, x, choose_iteration(ours, x.device), few=True)
        return study_float32(step, begin(ours, x), plan.burn_in, plan.window, MEMORY)


def _other_starts(solver: IterativeSolver, x: Tensor, iterations: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Compare limits and answers after ``iterations`` float32 steps from the solver's own and from other states."""
    if not solver.state_dict() or iterations < 1:
        return np.full(len(x), np.nan), np.full(len(x), UNKNOWN)
    ours = in_precision(solver, torch.float32)
    with torch.inference_mode():
        state = begin(ours, x)
        if not state.is_floating_point() or has_whole_numbers(ours, x):
            return np.full(len(x), np.nan), np.full(len(x), UNKNOWN)
        step = make_step(ours, x, choose_iteration(ours, x.device), few=True)
        found = path_independence(step, state, iterations, lambda s: read_answer(ours, s, x), seed=seed)
    return found.cosine.mean(axis=0), found.changed.any(axis=0).astype(int)
