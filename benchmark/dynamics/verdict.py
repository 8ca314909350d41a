"""From evidence to a limit. A verdict rests on several signs that agree; where they do not, it is UNDECIDED.

The cheap signs come from the window: does it move at all, does it return, does its magnitude grow? What they leave open
is followed further, over a stated number of steps, with a tangent vector: does it return after all, does it come near,
does it go one way, does it shrink, and does a nudge grow?
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from extramaze.dynamics.limits import Limit
from extramaze.dynamics.recurrence import least_period, magnitudes, pairwise_distances

FLOOR_ULPS = 4096  # the rounding floor in units of machine epsilon times the largest magnitude: 9e-13 of it
GROWTH = 2.0  # a magnitude that grows at least so much, without slowing, diverges
STEADY_GROWTH = 0.5  # how much of its earlier rate the later half must keep to be called geometric within the window
STEADY_PURSUIT = 0.9  # the same over the pursuit, which is long enough to tell steady growth from a power of time
SIGMA = 3.0  # standard errors beyond which an exponent is not 0
NEAR = 0.15  # a return within this share of the spread is near
ONE_WAY = 0.9  # net displacement over length of path
FEWEST_STRIDES = 8  # strides of a lag within the window from which straightness is told
STILL = 0.99  # return distances that fall below this share from one half of the window to the next shrink
FALLING = 0.95  # share of falling return distances that makes shrinking sure without an exponent


@dataclass(frozen=True, eq=False)
class Signs:
    """The cheap signs of one trajectory: its limit where they decide, and what decided.

    repeats: bit for bit. straightness, shrinkage, falling, stride: see ``read_returns``. distances: between all frames
    of the window, where it was needed.
    """

    limit: Limit
    period: int
    residual: float
    amplitude: float
    floor: float
    repeats: bool = False
    straightness: float = np.nan
    shrinkage: float = np.nan
    falling: float = np.nan
    stride: int = 1
    distances: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Pursuit:
    """What one trajectory did in the T steps after the window.

    distance, size: float64 (T,), largest absolute difference from the window's last state, and magnitude. value, error:
    the largest exponent and its standard error.
    """

    distance: np.ndarray
    size: np.ndarray
    value: float
    error: float


def read_signs(frames: Tensor, first: float, exact: bool, bitwise: int) -> Signs:
    """Judge one trajectory from its window, (window + 1, D) float64, which is centred on its first frame in place.

    first: the magnitude of the first state of the run. exact: integer states have no rounding. bitwise: the period at
    which states repeated bit for bit, 0 for none.
    """
    sizes = magnitudes(frames)
    if not bool(torch.isfinite(sizes).all()):
        return Signs(Limit.DIVERGED, 0, np.nan, np.nan, np.nan)
    floor = 0.0 if exact else FLOOR_ULPS * torch.finfo(torch.float64).eps * max(first, float(sizes.max()))
    frames -= frames[0].clone()
    residual = float((frames[-1] - frames[-2]).abs().max())
    amplitude = float(magnitudes(frames).max())
    if amplitude <= floor:
        return Signs(Limit.FIXED_POINT, 1, residual, amplitude, floor, bitwise == 1)
    period = least_period(frames, floor) or bitwise  # rounding can make the bits' period a multiple of the motion's
    if period:
        return Signs(Limit.CYCLE, period, residual, amplitude, floor, period == bitwise)
    if grows(sizes.cpu().numpy()):
        return Signs(Limit.DIVERGED, 0, residual, amplitude, floor)
    distances = pairwise_distances(frames)
    return Signs(Limit.UNDECIDED, 0, residual, amplitude, floor, False, *read_returns(distances), distances)


def grows(sizes: np.ndarray, steady: float = STEADY_GROWTH) -> bool:
    """Whether magnitudes grow by GROWTH, and in the second half at least at ``steady`` of the rate before."""
    begin, middle, end = (max(float(sizes[i]), np.finfo(np.float64).tiny) for i in (0, len(sizes) // 2, -1))
    early, late = np.log(middle / begin), np.log(end / middle)
    return bool(early + late >= np.log(GROWTH) and late >= steady * early and early > 0)


def read_returns(distances: np.ndarray) -> tuple[float, float, float, int]:
    """Read straightness, shrinkage, the share of falling return distances, and the stride: distances (N, N).

    Each lag k gives the distances from frame t to frame t + k. Straightness is told at the stride, the lag with the
    closest returns among those that fit the window often, so that a drift that also alternates is seen; shrinkage at
    the closest lag up to half the window.
    """
    last = len(distances) - 1
    means = [distances.diagonal(lag).mean() for lag in range(1, last // 2 + 1)]
    stride = 1 + int(np.argmin(means[: max(1, last // FEWEST_STRIDES)]))
    stops = np.arange(0, last + 1, stride)
    path = distances[stops[:-1], stops[1:]].sum()
    straightness = float(distances[0, stops[-1]] / path) if path > 0 else 0.0
    returns = distances.diagonal(1 + int(np.argmin(means)))
    half = len(returns) // 2
    earlier, later = returns[:half].mean() if half else 0.0, returns[len(returns) - half :].mean() if half else 0.0
    falling = float((np.diff(returns) < 0).mean()) if len(returns) > 1 else 0.0
    return straightness, float(later / earlier) if earlier > 0 else np.nan, falling, stride


def nearest_return(distance: np.ndarray) -> float:
    """Return the closest return after having left, as a share of the farthest distance: distance (T,); 1 for none.

    Having left means having been beyond half the farthest distance: one step of a slow motion is no return.
    """
    farthest = float(distance.max())
    left = int(np.argmax(distance >= farthest / 2))
    return float(distance[left:].min()) / farthest if farthest > 0 else 1.0


def later_period(distance: np.ndarray, floor: float) -> int:
    """Return the lag of a return to within the floor, after having left, that comes again at twice the lag; or 0."""
    away = np.flatnonzero(distance > 4 * floor)
    if not len(away):
        return 0
    back = away[0] + np.flatnonzero(distance[away[0] :] <= floor)
    if not len(back):
        return 0
    lag = int(back[0]) + 1
    return lag if 2 * lag <= len(distance) and distance[2 * lag - 1] <= floor else 0


def decide(signs: Signs, pursuit: Pursuit) -> tuple[Limit, int]:
    """Return the limit, and the period of a cycle, of a trajectory that the cheap signs left open.

    A return to within rounding after more than half the window makes a cycle. Motion one way, that ends as far off as
    it ever was, drifts; so does motion that shrinks, with an exponent below 0 or falling at nearly every step. Then the
    exponent, λ, decides: chaotic where it is beyond SIGMA errors and a nudge grew by more than the square of the number
    of steps, which no polynomial shear of first or second order does; quasi-periodic where it is 0 within SIGMA errors
    that are small enough to rule chaos out, and a near return was seen. Everything else stays undecided.
    """
    if not np.isfinite(pursuit.size).all() or grows(pursuit.size, STEADY_PURSUIT):
        return Limit.DIVERGED, 0
    period = later_period(pursuit.distance, signs.floor)
    if period:
        return Limit.CYCLE, period
    strides = pursuit.distance[signs.stride - 1 :: signs.stride]
    if signs.straightness >= ONE_WAY and strides[-1] >= ONE_WAY * strides.max():
        return Limit.DRIFTING, 0
    contracts = pursuit.value < -SIGMA * pursuit.error
    if (contracts and signs.shrinkage < 1) or (signs.shrinkage < STILL and signs.falling >= FALLING):
        return Limit.DRIFTING, 0
    doubt, least = SIGMA * pursuit.error, 2 * np.log(len(pursuit.distance)) / len(pursuit.distance)
    if pursuit.value > max(doubt, least):
        return Limit.CHAOTIC, 0
    if abs(pursuit.value) <= doubt <= least and nearest_return(pursuit.distance) <= NEAR:
        return Limit.QUASIPERIODIC, 0
    return Limit.UNDECIDED, 0
