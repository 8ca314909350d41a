"""What an observation will cost, said before it starts."""

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from extramaze.dynamics.lyapunov import ALIGNING, Step
from extramaze.dynamics.observation import EXPONENT_STEPS, MEMORY, check_arguments, frame_bytes, group_size

TRIAL_STEPS = 3
TANGENT_COST = 3  # steps' time that a step with a tangent takes, about


@dataclass(frozen=True)
class Estimate:
    """What an observation will cost at most.

    steps, pursued: of the map for burn-in and windows, and with a tangent for what stays open. passes: how often the
    window is run. frame_bytes: of frames kept at once. seconds: all of it, from the time of a few trial steps.
    """

    steps: int
    pursued: int
    passes: int
    frame_bytes: int
    seconds: float


def estimate(
    step: Step,
    state: Tensor,
    burn_in: int,
    window: int,
    *,
    exponent_steps: int = EXPONENT_STEPS,
    memory: int = MEMORY,
) -> Estimate:
    """Say before starting what ``observe`` with the same arguments will cost at most. Runs a few steps on a copy."""
    check_arguments(state, burn_in, window, exponent_steps)
    size = group_size(state, window, memory)
    passes = -(-len(state) // size) if len(state) else 0
    trial = state.detach().clone()
    with torch.inference_mode():
        trial = step(trial)
        began = _now(state)
        for _ in range(TRIAL_STEPS):
            trial = step(trial)
    each = (_now(state) - began) / TRIAL_STEPS
    steps, pursued = burn_in + passes * window, int((1 + ALIGNING) * exponent_steps)
    seconds = each * (steps + TANGENT_COST * pursued)
    return Estimate(steps, pursued, passes, size * frame_bytes(state, window), seconds)


def _now(state: Tensor) -> float:
    """Read the clock once a GPU has done what it was told to."""
    if state.is_cuda:
        torch.cuda.synchronize(state.device)
    return time.perf_counter()
