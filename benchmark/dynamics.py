"""What the iterates of a map did: settled, cycled, or neither with the evidence at hand.

The map runs freely for a burn-in that keeps nothing; then every state of a window is kept, in storage of its own.
Distances are taken about the window's first state, because a small motion on a large mean is still motion. Motion is
told from rounding by an absolute floor that follows the state's magnitude and the type's precision, so run it in
float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from torch import Tensor

from extramaze.mazes import InputError

DYNAMICS_VERSION = 1
FLOOR_ULPS = 4096  # rounding floor in units of machine epsilon times the state's norm: 9e-13 of it in float64


class Limit(StrEnum):
    """How the iterates ended up within the window."""

    FIXED_POINT = "fixed point"
    CYCLE = "cycle"
    DIVERGED = "diverged"
    UNDECIDED = "undecided"

    @property
    def sentence(self) -> str:
        """Say what the verdict means."""
        return _SENTENCES[self]


_SENTENCES = {
    Limit.FIXED_POINT: "The state did not move within the window, to within rounding.",
    Limit.CYCLE: "The state moved, and returned to within rounding after every period.",
    Limit.DIVERGED: "The state was no longer finite.",
    Limit.UNDECIDED: "The state moved and did not return within half the window.",
}


@dataclass(frozen=True, eq=False)
class LimitReport:
    """Limits of B trajectories.

    limit: a Limit each. period: int64 (B,), the least period of a cycle, 1 for a fixed point, 0 where there is none.
    residual: float64 (B,), the last step's length. amplitude: float64 (B,), the largest distance from the window's
    first state. floor: float64 (B,), below which motion counts as rounding. final: the last state, (B, …).
    """

    limit: list[Limit]
    period: np.ndarray
    residual: np.ndarray
    amplitude: np.ndarray
    floor: np.ndarray
    final: Tensor


def observe(step: Callable[[Tensor], Tensor], state: Tensor, burn_in: int, window: int) -> LimitReport:
    """Run ``step``, (B, …) → (B, …), freely and report the limit of each trajectory.

    A fixed point: no state of the window is farther from its first than the floor. A cycle: the least k up to half the
    window after which every state returns to within the floor. Keeps window + 1 states; time is burn_in + window steps.
    Raises InputError for a window or burn-in that is too short.
    """
    if burn_in < 0 or window < 2:
        raise InputError(f"burn_in must be at least 0 and window at least 2, got {burn_in} and {window}")
    with torch.inference_mode():
        for _ in range(burn_in):
            state = step(state)
        frames = torch.empty((window + 1, *state.shape), dtype=state.dtype, device=state.device)
        frames[0] = state
        for index in range(1, window + 1):
            state = step(state)
            frames[index] = state
    reports = [_judge(frames[:, b].flatten(1)) for b in range(state.shape[0])]
    limits, periods, residuals, amplitudes, floors = zip(*reports, strict=True) if reports else ([],) * 5
    return LimitReport(
        limit=list(limits),
        period=np.array(periods, dtype=np.int64),
        residual=np.array(residuals, dtype=np.float64),
        amplitude=np.array(amplitudes, dtype=np.float64),
        floor=np.array(floors, dtype=np.float64),
        final=frames[-1].clone(),
    )


def _judge(frames: Tensor) -> tuple[Limit, int, float, float, float]:
    """Judge one trajectory's frames, (window + 1, D): limit, period, residual, amplitude, floor."""
    if not bool(torch.isfinite(frames).all()):
        return Limit.DIVERGED, 0, np.nan, np.nan, np.nan
    floor = FLOOR_ULPS * torch.finfo(frames.dtype).eps * float(frames[-1].norm())
    residual = float((frames[-1] - frames[-2]).norm())
    amplitude = float((frames - frames[0]).norm(dim=1).max())
    if amplitude <= floor:
        return Limit.FIXED_POINT, 1, residual, amplitude, floor
    longest = (len(frames) - 1) // 2
    returns = (frames[-1] - frames[-1 - longest : -1]).norm(dim=1).flip(0)  # after 1, 2, … longest steps
    for index in torch.nonzero(returns <= floor).flatten().tolist():
        period = index + 1
        if float((frames[period:] - frames[:-period]).norm(dim=1).max()) <= floor:
            return Limit.CYCLE, period, residual, amplitude, floor
    return Limit.UNDECIDED, 0, residual, amplitude, floor
