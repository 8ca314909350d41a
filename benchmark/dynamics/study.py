"""The procedure of Knutson et al. (arXiv 2410.03020) as their networks saw it: float32 from the first step to the last.

Iterates are float32. The window's frames are reduced by a float32 singular value decomposition, uncentred, to as many
coordinates as there are frames; persistence is that of the distances between these, by ``topology.study_rule``. The
reduction's rounding is of the size of the state, far above the 1e-10 below which points coincide there: a state at rest
gives as many pieces as frames. The paper counts as one point what spans less than 0.01, and so does this.

``topology.study_rule`` by itself, of float64 iterates and without a reduction, says what the rule makes of the motion;
this says what the study's figures hold. A change of it is a new version.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from extramaze.dynamics.lyapunov import Step
from extramaze.dynamics.topology import betti_numbers, study_rule

SPAN = 0.01  # the largest distance between two frames below which they are one point
NONE = -1


def study_float32(step: Step, state: Tensor, burn_in: int, window: int, memory: int) -> np.ndarray:
    """Count pieces and loops of float32 iterates (B, …), of ``window`` frames after the burn-in: int64 (B, 2).

    -1 where a frame is not finite. memory: bytes of frames kept at once; where not all fit, the window is run again for
    the others, one trajectory at a time at least.
    """
    with torch.inference_mode():
        state = state.detach().float()
        for _ in range(burn_in):
            state = step(state)
        counts = [count_float32(frames) for frames in _windows(step, state.clone(), window, memory)]
    return np.array(counts, dtype=np.int64).reshape(-1, 2)


def _windows(step: Step, start: Tensor, window: int, memory: int) -> Iterator[Tensor]:
    """Yield each trajectory's frames, float32 (window, D)."""
    size = max(1, memory // (4 * window * start[0].numel()))
    for begin in range(0, len(start), size):
        group = slice(begin, min(begin + size, len(start)))
        state = start.clone()
        frames = torch.empty(group.stop - begin, window, start[0].numel(), device=start.device)
        for index in range(window):
            state = step(state)
            frames[:, index] = state[group].flatten(1)
        yield from frames


def count_float32(frames: Tensor) -> np.ndarray:
    """Count pieces and loops of one window of float32 frames (N, D): int64 (2,)."""
    if not bool(torch.isfinite(frames).all()):
        return np.array([NONE, NONE])
    left, values, _ = torch.linalg.svd(frames, full_matrices=False)
    points = left * values
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").double().cpu().numpy()
    if distances.max() < SPAN:
        return np.array([1, 0])
    return betti_numbers((distances + distances.T) / 2, study_rule())
