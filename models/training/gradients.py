"""How a training step sends gradients through an iteration of random length: every kind a recipe can name."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from extramaze.models.contract import IterativeSolver, open_pixels, read
from extramaze.models.dt_net import DTNet
from extramaze.models.training.contraction import contract
from extramaze.models.training.implicit import equilibrium, implicit_step, phantom_steps, settle
from extramaze.models.training.recipe import Training
from extramaze.models.training.streams import DEPTHS, STATES


@dataclass(frozen=True)
class Depth:
    """Iterations run without a gradient (free, at most so many where convergence is tested), then with one (traced)."""

    free: int
    traced: int


def draw_depth(training: Training, seed: int, step: int) -> Depth:
    """Draw the depth of one training step; it depends on the seed and the step alone."""
    random = np.random.default_rng([DEPTHS, seed, step])
    if step < training.backprop_steps:
        return Depth(0, int(random.integers(1, training.backprop_iterations + 1)))
    if training.gradient == "backprop":
        return Depth(0, int(random.integers(max(1, training.min_iterations), training.max_iterations + 1)))
    if training.gradient == "deep-supervision":
        free = int(random.integers(training.min_iterations, training.max_iterations - training.gradient_steps + 1))
        return Depth(free, training.gradient_steps)
    if training.gradient != "progressive":
        free = int(random.integers(training.min_iterations, training.max_iterations + 1))
        return Depth(free, training.gradient_steps if training.gradient == "phantom" else 1)
    free = int(random.integers(training.max_iterations))
    longest = min(training.gradient_steps, training.max_iterations - free)
    return Depth(free, int(random.integers(1, longest + 1)))


@dataclass(frozen=True)
class Share:
    """Which part of a step's mazes a process has: the ``index``-th of ``count`` alike."""

    index: int = 0
    count: int = 1

    def cut(self, drawn: np.ndarray) -> np.ndarray:
        """Return this part of what was drawn for all mazes of the step."""
        size = len(drawn) // self.count
        return drawn[self.index * size : (self.index + 1) * size]


WHOLE = Share()


def draw_state(
    solver: IterativeSolver, x: Tensor, training: Training, seed: int, step: int, share: Share = WHOLE
) -> Tensor:
    """Return initial states: of each maze one of the recipe's kinds, drawn evenly, the same however mazes are shared.

    projection: the solver's own. zeros. random: uniform on [−1, 1] (Anil et al., arXiv 2211.09961, section 4).
    """
    own = solver.initial_state(x)
    kinds = training.initial_states
    if kinds == ("projection",):
        return own
    random = np.random.default_rng([STATES, seed, step])
    total = len(x) * share.count
    drawn = torch.from_numpy(share.cut(random.integers(len(kinds), size=total)))
    chosen = drawn.to(x.device).view(-1, *[1] * (own.dim() - 1))
    noise = torch.from_numpy(share.cut(random.uniform(-1, 1, (total, *own.shape[1:])).astype(np.float32))).to(own)
    states = {"projection": own, "zeros": torch.zeros_like(own), "random": noise}
    for index, kind in enumerate(kinds):
        own = torch.where(chosen == index, states[kind], own)
    return own


def run_free(solver: IterativeSolver, x: Tensor, free: int, state: Tensor) -> Tensor:
    """Iterate without gradients; after no iteration the state keeps its own."""
    if not free:
        return state
    with torch.no_grad():
        for _ in range(free):
            state = solver.step(state, x)
    return state.detach()


def run_depth(solver: IterativeSolver, x: Tensor, depth: Depth, state: Tensor | None = None) -> Tensor:
    """Iterate to a depth, from a state or the solver's own, and read the logits; gradients reach the traced steps."""
    state = run_free(solver, x, depth.free, solver.initial_state(x) if state is None else state)
    for _ in range(depth.traced):
        state = solver.step(state, x)
    return read(solver, state, x)


def masked_loss(logits: Tensor, targets: Tensor, x: Tensor) -> Tensor:
    """Average the cross-entropy over open pixels: logits (B, 2, H, W), targets int64 (B, H, W)."""
    mask = open_pixels(x)
    losses = functional.cross_entropy(logits.float(), targets, reduction="none")
    return (losses * mask).sum() / mask.sum()


def window_loss(solver: IterativeSolver, x: Tensor, targets: Tensor, depth: Depth, state: Tensor) -> Tensor:
    """Average the masked losses after each traced step; gradients reach that step alone (deep supervision).

    The first state keeps its gradients where no free iteration was made. Memory: all traced steps'.
    """
    state = run_free(solver, x, depth.free, state)
    losses = []
    for _ in range(depth.traced):
        state = solver.step(state, x)
        losses.append(masked_loss(read(solver, state, x), targets, x))
        state = state.detach()
    return torch.stack(losses).mean()


def draw_logits(
    solver: IterativeSolver, x: Tensor, training: Training, seed: int, step: int, share: Share = WHOLE
) -> Tensor:
    """Run the iteration of one training step as its recipe says, and read the logits (B, 2, H, W).

    Their backward pass is the gradient that the recipe names. Everything drawn depends on seed and step alone.
    """
    depth = draw_depth(training, seed, step)
    state = draw_state(solver, x, training, seed, step, share)
    if step < training.backprop_steps or training.gradient in ("progressive", "backprop"):
        return run_depth(solver, x, depth, state)
    if training.gradient == "jacobian-free":
        reached = settle(solver, state, x, depth.free, training.tolerance)
        return read(solver, solver.step(reached, x), x)
    budget = max(1, depth.free)
    root = equilibrium(solver, state, x, training.root_finder, training.tolerance, budget)
    if training.gradient == "phantom":
        return read(solver, phantom_steps(solver, root.state, x, depth.traced, training.damping), x)
    return read(solver, implicit_step(solver, root.state, x, training.tolerance, training.backward_iterations), x)


def training_loss(
    solver: IterativeSolver,
    x: Tensor,
    targets: Tensor,
    training: Training,
    seed: int,
    step: int,
    share: Share = WHOLE,
) -> Tensor:
    """Return the loss of one training step, ready for ``backward``.

    The masked loss of ``draw_logits``; with α < 1 that times α, and 1 − α times the loss after max_iterations, all of
    them with gradients (Bansal et al., arXiv 2202.05826, algorithm 1). Where the recipe limits the contraction factor,
    the recurrent weights are brought back to it first. Autocasts to bfloat16 where the recipe says so.
    """
    with torch.autocast(x.device.type, torch.bfloat16, enabled=training.bf16):
        if training.contraction is not None and isinstance(solver, DTNet):
            state = solver.initial_state(x).detach()
            random = np.random.default_rng([STATES, seed, step, 1])
            noise = torch.from_numpy(random.standard_normal(state.shape).astype(np.float32)).to(state)
            contract(solver, state, x, noise, training.contraction)
        if training.gradient == "deep-supervision" and step >= training.backprop_steps:
            state = draw_state(solver, x, training, seed, step, share)
            return window_loss(solver, x, targets, draw_depth(training, seed, step), state)
        logits = draw_logits(solver, x, training, seed, step, share)
        if training.alpha == 1:
            return masked_loss(logits, targets, x)
        unrolled = run_depth(solver, x, Depth(0, training.max_iterations))
    return (1 - training.alpha) * masked_loss(unrolled, targets, x) + training.alpha * masked_loss(logits, targets, x)
