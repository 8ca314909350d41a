"""How a training step sends gradients through an iteration of random length."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from extramaze.models.contract import IterativeSolver, open_pixels
from extramaze.models.recipe import Training

DEPTHS = 1  # names the stream of random depths among those keyed by a training seed


@dataclass(frozen=True)
class Depth:
    """Iterations run without a gradient (free), then with one (traced)."""

    free: int
    traced: int


def draw_depth(training: Training, seed: int, step: int) -> Depth:
    """Draw the depth of one training step; it depends on the seed and the step alone."""
    random = np.random.default_rng([DEPTHS, seed, step])
    if training.gradient == "jacobian-free":
        return Depth(int(random.integers(training.min_iterations, training.max_iterations + 1)), 1)
    free = int(random.integers(training.max_iterations))
    longest = min(training.gradient_steps, training.max_iterations - free)
    return Depth(free, int(random.integers(1, longest + 1)))


def run_depth(solver: IterativeSolver, x: Tensor, depth: Depth) -> Tensor:
    """Iterate to a depth and read the logits; gradients reach the traced steps alone."""
    state = solver.initial_state(x)
    if depth.free:
        with torch.no_grad():
            for _ in range(depth.free):
                state = solver.step(state, x)
        state = state.detach()
    for _ in range(depth.traced):
        state = solver.step(state, x)
    return solver.readout(state)


def masked_loss(logits: Tensor, targets: Tensor, x: Tensor) -> Tensor:
    """Average the cross-entropy over open pixels: logits (B, 2, H, W), targets int64 (B, H, W)."""
    mask = open_pixels(x)
    losses = functional.cross_entropy(logits.float(), targets, reduction="none")
    return (losses * mask).sum() / mask.sum()
