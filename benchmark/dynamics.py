"""What the iterates of a map did: settled, cycled, or neither with the evidence at hand.

The map runs freely for a burn-in that keeps nothing; then every state of a window is kept, in storage of its own.
Distances are largest absolute differences about the window's first state, because a small motion on a large mean is
still motion. Motion is told from rounding by an absolute floor that follows the trajectory's magnitude, in float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from torch import Tensor

from extramaze.mazes import InputError

DYNAMICS_VERSION = 1
FLOOR_ULPS = 4096  # the rounding floor in units of machine epsilon times the largest magnitude: 9e-13 of it
GROWTH = 2.0  # a state whose magnitude grows at least so much within the window, without slowing, diverges


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
    Limit.DIVERGED: "The state was no longer finite, or its magnitude grew geometrically to the end.",
    Limit.UNDECIDED: "The state moved and did not return within half the window.",
}


@dataclass(frozen=True, eq=False)
class LimitReport:
    """Limits of B trajectories.

    limit: a Limit each. period: int64 (B,), the least period of a cycle, 1 for a fixed point, 0 where there is none.
    residual: float64 (B,), the length of the last step. amplitude: float64 (B,), the largest distance from the window's
    first state. floor: float64 (B,), below which motion counts as rounding; all three as largest absolute differences,
    NaN where the state was not finite. final: the last state, (B, …).
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
    window such that every state is within the floor of the first state of its phase, so that a slow drift is none. The
    floor follows the largest magnitude in the first state and the window; integer states have none. Keeps window + 1
    states; time is burn_in + window steps. Raises InputError for a window or burn-in that is too short, a state that is
    neither float64 nor integer, or a step that changes shape or type.
    """
    if not (isinstance(burn_in, int) and isinstance(window, int) and burn_in >= 0 and window >= 2):
        raise InputError(f"burn_in must be an integer of at least 0, window of at least 2; got {burn_in!r}, {window!r}")
    if (state.is_floating_point() and state.dtype != torch.float64) or state.is_complex():
        raise InputError(f"limits are told in float64: the state is {state.dtype}; let initial_state follow x's type")
    floor_of_first = _magnitude(state)
    with torch.inference_mode():
        for _ in range(burn_in):
            state = step(state)
        frames = torch.empty((window + 1, *state.shape), dtype=state.dtype, device=state.device)
        frames[0] = state
        for index in range(1, window + 1):
            state = step(state)
            if state.shape != frames.shape[1:] or state.dtype != frames.dtype:
                expected = f"{tuple(frames.shape[1:])} {frames.dtype}"
                found = f"{tuple(state.shape)} {state.dtype}"
                raise InputError(f"step must keep the state's shape and type, {expected}; got {found}")
            frames[index] = state
    reports = [_judge(frames[:, b], float(floor_of_first[b])) for b in range(frames.shape[1])]
    limits, periods, residuals, amplitudes, floors = zip(*reports, strict=True) if reports else ([],) * 5
    return LimitReport(
        limit=list(limits),
        period=np.array(periods, dtype=np.int64),
        residual=np.array(residuals, dtype=np.float64),
        amplitude=np.array(amplitudes, dtype=np.float64),
        floor=np.array(floors, dtype=np.float64),
        final=frames[-1].clone(),
    )


def _magnitude(states: Tensor) -> Tensor:
    """Return the largest absolute value of each state: (N, …) → float64 (N,)."""
    return states.reshape(len(states), -1).double().abs().amax(dim=1)


def _judge(frames: Tensor, first: float) -> tuple[Limit, int, float, float, float]:
    """Judge one trajectory's frames, (window + 1, …): limit, period, residual, amplitude, floor."""
    ulp = torch.finfo(torch.float64).eps if frames.is_floating_point() else 0.0
    frames = frames.reshape(len(frames), -1).double()
    if not bool(torch.isfinite(frames).all()):
        return Limit.DIVERGED, 0, np.nan, np.nan, np.nan
    sizes = _magnitude(frames)
    floor = FLOOR_ULPS * ulp * max(first, float(sizes.max()))
    residual = float((frames[-1] - frames[-2]).abs().max())
    amplitude = float(_magnitude(frames - frames[0]).max())
    if amplitude <= floor:
        return Limit.FIXED_POINT, 1, residual, amplitude, floor
    longest = (len(frames) - 1) // 2
    returns = _magnitude(frames[1 : longest + 1] - frames[0])
    for period in (torch.nonzero(returns <= floor).flatten() + 1).tolist():
        phases = torch.arange(len(frames), device=frames.device) % period
        if float(_magnitude(frames - frames[phases]).max()) <= floor:
            return Limit.CYCLE, period, residual, amplitude, floor
    if _grows(sizes):
        return Limit.DIVERGED, 0, residual, amplitude, floor
    return Limit.UNDECIDED, 0, residual, amplitude, floor


def _grows(sizes: Tensor) -> bool:
    """Whether magnitudes grow by GROWTH within the window, and in its second half at least half as fast as before."""
    begin, middle, end = (max(float(sizes[i]), torch.finfo(torch.float64).tiny) for i in (0, len(sizes) // 2, -1))
    early, late = np.log(middle / begin), np.log(end / middle)
    return bool(early + late >= np.log(GROWTH) and late >= 0.5 * early and early > 0)
