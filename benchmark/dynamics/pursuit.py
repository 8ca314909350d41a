"""What a trajectory does after the window: how far it goes, its strides, its size, and the growth of a nudge."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from extramaze.dynamics.lyapunov import Step, Tangent, follow, summarise
from extramaze.dynamics.recurrence import magnitudes

STRETCHES = 8  # parts of a pursuit that are held against one another


@dataclass(frozen=True, eq=False)
class Pursuit:
    """What one trajectory did in the T steps after the window.

    distance, size: float64 (T,), largest absolute difference from the window's last state, and magnitude. strides:
    float64 (T // stride,), largest absolute difference from one state to that a stride later, one after the other.
    value, error: the largest exponent and its standard error; growth: float64 (STRETCHES,), mean logarithm of a
    nudge's growth a step, one stretch after the other.
    """

    distance: np.ndarray
    size: np.ndarray
    strides: np.ndarray
    value: float
    error: float
    growth: np.ndarray


def pursue(
    step: Step, state: Tensor, strides: np.ndarray, steps: int, seed: int, weights: Tensor | None = None
) -> list[Pursuit]:
    """Follow trajectories from the end of the window for so many steps, with a tangent where the state is real.

    state: (B, …). strides: int (B,), the lag of each one's strides. seed: of the tangents. weights: (B, D), of each
    number in distances and strides; None: all 1.
    """
    anchor, lagging, sizes, distances, growth = state.clone(), state.clone(), [], [], []
    moved: list[list[float]] = [[] for _ in strides]

    def apart(one: Tensor, two: Tensor, scale: Tensor | None) -> Tensor:
        moved = one.double() - two.double()
        return magnitudes(moved if scale is None else moved.reshape(scale.shape) * scale)

    def note(new: Tensor) -> None:
        sizes.append(magnitudes(new).cpu().numpy())
        distances.append(apart(new, anchor, weights).cpu().numpy())
        due = torch.from_numpy(np.flatnonzero(len(sizes) % strides == 0)).to(new.device)
        if len(due):
            back = apart(new[due], lagging[due], None if weights is None else weights[due])
            for b, distance in zip(due.tolist(), back.tolist(), strict=True):
                moved[b].append(distance)
            lagging[due] = new[due]

    if state.is_floating_point():
        with torch.inference_mode(False):
            start = state.clone()
        tangent = Tangent(step, start, seed)
        for new, logarithms in follow(tangent, start, steps):
            note(new)
            growth.append(logarithms)
        value, error = summarise(np.array(growth[-steps:]), tangent.forward)
        stretches = np.array([part.mean(axis=0) for part in np.array_split(growth[-steps:], STRETCHES)]).T
    else:
        for _ in range(steps):
            state = step(state)
            note(state)
        value = error = np.full(len(anchor), np.nan)
        stretches = np.full((len(anchor), STRETCHES), np.nan)
    columns = zip(np.array(distances).T, np.array(sizes).T, map(np.array, moved), value, error, stretches, strict=True)
    return [Pursuit(*each) for each in columns]
