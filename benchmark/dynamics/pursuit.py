"""What a trajectory does after the window: how far it goes, its strides, its size, and the growth of a nudge."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from extramaze.dynamics.lyapunov import Step, Tangent, follow, summarise
from extramaze.dynamics.recurrence import magnitudes


@dataclass(frozen=True, eq=False)
class Pursuit:
    """What one trajectory did in the T steps after the window.

    distance, size: float64 (T,), largest absolute difference from the window's last state, and magnitude. strides:
    float64 (T // stride,), largest absolute difference from one state to that a stride later, one after the other.
    value, error: the largest exponent and its standard error.
    """

    distance: np.ndarray
    size: np.ndarray
    strides: np.ndarray
    value: float
    error: float


def pursue(step: Step, state: Tensor, strides: np.ndarray, steps: int, seed: int) -> list[Pursuit]:
    """Follow trajectories from the end of the window for so many steps, with a tangent where the state is real.

    state: (B, …). strides: int (B,), the lag of each one's strides. seed: of the tangents.
    """
    anchor, lagging, sizes, distances, growth = state.clone(), state.clone(), [], [], []
    moved: list[list[float]] = [[] for _ in strides]

    def note(new: Tensor) -> None:
        sizes.append(magnitudes(new).cpu().numpy())
        distances.append(magnitudes(new.double() - anchor.double()).cpu().numpy())
        due = torch.from_numpy(np.flatnonzero(len(sizes) % strides == 0)).to(new.device)
        if len(due):
            back = magnitudes(new[due].double() - lagging[due].double())
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
    else:
        for _ in range(steps):
            state = step(state)
            note(state)
        value = error = np.full(len(anchor), np.nan)
    columns = zip(np.array(distances).T, np.array(sizes).T, moved, value, error, strict=True)
    return [Pursuit(distance, size, np.array(back), float(v), float(e)) for distance, size, back, v, e in columns]
