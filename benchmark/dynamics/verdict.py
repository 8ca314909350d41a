"""From evidence to a limit. A verdict rests on several signs that agree; where they do not, it is UNDECIDED.

The cheap signs come from the window: does it move at all, does it return, does its magnitude grow? What they leave open
is followed further, over a stated number of steps, with a tangent vector: does it return after all, does it come near,
does it go one way, does it shrink, and does a nudge grow?
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.dynamics.limits import Limit
from extramaze.dynamics.pursuit import Pursuit
from extramaze.dynamics.recurrence import CLEAR, least_period, magnitudes, pairwise_distances

FLOOR_ULPS = 4096  # the rounding floor in units of machine epsilon times the largest magnitude: 9e-13 of it
GROWTH = 2.0  # a magnitude that grows at least so much, without slowing, diverges
STEADY = 0.9  # of its rate is kept by growth from quarter to quarter; powers of time lose more, up to the third
AT_REST = 4.0  # times as far in the earlier half of the window as in the later: it comes to rest
TINY = float(np.finfo(np.float64).tiny)
MOST_EXACT = 2**53  # float64 holds every integer below
SIGMA = 3.0  # standard errors beyond which an exponent is not 0
NEAR = 0.1  # a return within this share of the spread is near
ROUNDING = 1e-9  # of a mean distance
ONE_WAY = 0.9  # net displacement over length of path
GONE = 0.5  # of the net displacement: what goes one way is at the end nowhere nearer to where it was
LATE = 4  # the end is the last one of so many parts of the pursuit
FEWEST_STRIDES = 8  # strides of a lag within the window from which straightness is told
STEADY_SPREAD = 0.9  # a spread that keeps this share from one half of the pursuit to the next neither shrinks nor grows
STRETCHES = 8  # parts of the pursuit whose mean return distances are held against one another
ALIKE = 0.1  # of its value an exponent may be from the rate at which the state grows, to be that rate
FEWEST_STRETCHES = 5  # that must all fall to be called shrinking: a chance of 1 in 120 where nothing shrinks


@dataclass(frozen=True, eq=False)
class Signs:
    """The cheap signs of one trajectory: its limit where they decide, and what decided.

    repeats: bit for bit. straightness, shrinkage, stride: see ``read_returns``. distances: between all frames of the
    window, where it was needed.
    """

    limit: Limit
    period: int
    residual: float
    amplitude: float
    floor: float
    repeats: bool = False
    straightness: float = np.nan
    shrinkage: float = np.nan
    stride: int = 1
    distances: np.ndarray | None = None


def read_signs(frames: Tensor, first: float, exact: bool, bitwise: int) -> Signs:
    """Judge one trajectory from its window, (window + 1, D) float64, which is centred on its first frame in place.

    first: the magnitude of the first state of the run. exact: integer states have no rounding. bitwise: the period at
    which states repeated bit for bit, 0 for none.
    """
    sizes = magnitudes(frames)
    if not bool(torch.isfinite(sizes).all()):
        return Signs(Limit.DIVERGED, 0, np.nan, np.nan, np.nan)
    still = bool((frames[-1] == frames[-2]).all())
    largest = max(float(sizes.max()), first if np.isfinite(first) else 0.0)
    if exact and largest >= MOST_EXACT:
        raise InputError(f"integer states are followed up to 2^53, beyond which float64 rounds them; got {largest:.3g}")
    floor = 0.0 if exact else FLOOR_ULPS * torch.finfo(torch.float64).eps * largest
    frames -= frames[0].clone()
    residual = float((frames[-1] - frames[-2]).abs().max())
    amplitude = float(magnitudes(frames).max())
    if still or amplitude <= floor or comes_to_rest(frames, floor):
        return Signs(Limit.FIXED_POINT, 1, residual, amplitude, floor, still)
    period = least_period(frames, floor) or bitwise  # rounding can make the bits' period a multiple of the motion's
    if period:
        return Signs(Limit.CYCLE, period, residual, amplitude, floor, period == bitwise)
    if grows(sizes.cpu().numpy()):
        return Signs(Limit.DIVERGED, 0, residual, amplitude, floor)
    distances = pairwise_distances(frames)
    return Signs(Limit.UNDECIDED, 0, residual, amplitude, floor, False, *read_returns(distances), distances)


def comes_to_rest(frames: Tensor, floor: float) -> bool:
    """Whether frames (N, D) keep within the floor in the later half of the window and went AT_REST times as far before.

    What contracts so fast has less than a third of the floor left to go. A slow drift goes as far in either half.
    """
    half = len(frames) // 2
    earlier, later = (float((part - part[-1]).abs().max()) for part in (frames[: half + 1], frames[half:]))
    return later <= floor and later * AT_REST <= earlier


def grows(sizes: np.ndarray) -> bool:
    """Whether magnitudes (N,) grow geometrically: by GROWTH, each quarter wholly above the one before, none slower.

    Chaos, which is bounded, has quarters that overlap; a drift gets slower, measured by its logarithm.
    """
    if len(sizes) < 4:
        return False
    quarters = np.array_split(np.log(np.maximum(sizes, TINY)), 4)
    apart = all(later.min() > earlier.max() for earlier, later in pairwise(quarters))
    rates = np.diff([np.median(quarter) for quarter in quarters])
    enough = quarters[-1][-1] - quarters[0][0] >= np.log(GROWTH)
    return bool(apart and enough and (rates[1:] >= STEADY * rates[:-1]).all())


def read_returns(distances: np.ndarray) -> tuple[float, float, int]:
    """Read straightness, shrinkage and the stride: distances (N, N).

    Each lag k gives the distances from frame t to frame t + k. The stride is the lag at which the path is straightest,
    of those that fit the window often, so that a drift that also alternates is seen; shrinkage is the later half's mean
    return distance divided by the earlier's, at the lag with the closest returns up to half the window.
    """
    last = len(distances) - 1
    means = [distances.diagonal(lag).mean() for lag in range(1, last // 2 + 1)]
    straight = [straightness(distances, lag) for lag in range(1, max(1, last // FEWEST_STRIDES) + 1)]
    stride = 1 + int(np.argmax(straight))
    returns = distances.diagonal(1 + int(np.argmin(means)))
    half = len(returns) // 2
    earlier, later = returns[:half].mean() if half else 0.0, returns[len(returns) - half :].mean() if half else 0.0
    return straight[stride - 1], float(later / earlier) if earlier > 0 else np.nan, stride


def straightness(distances: np.ndarray, stride: int) -> float:
    """Return net displacement over the length of the path in strides: distances (N, N); 0 for a path of no length."""
    stops = np.arange(0, len(distances), stride)
    path = distances[stops[:-1], stops[1:]].sum()
    return float(distances[0, stops[-1]] / path) if path > 0 else 0.0


def grows_slowly(pursuit: Pursuit) -> bool:
    """Whether the state grows at the rate at which a nudge does: geometrically, if too slowly to double by then.

    That rate stays the same from quarter to quarter; along a shear, nudge and state grow alike, and ever slower.
    """
    quarters = [np.median(np.log(quarter)) for quarter in np.array_split(np.maximum(pursuit.size, TINY), 4)]
    rates = 4 * np.diff(quarters) / len(pursuit.size)
    steady = rates.min() >= STEADY * rates.max() > 0
    surely = pursuit.value > SIGMA * pursuit.error
    return bool(steady and surely and abs(rates.mean() - pursuit.value) <= ALIKE * pursuit.value)


def shrinks(strides: np.ndarray) -> bool:
    """Whether strides (K,) get shorter from each stretch of the pursuit to the next, beyond rounding."""
    if len(strides) < FEWEST_STRETCHES:
        return False
    means = np.array([stretch.mean() for stretch in np.array_split(strides, min(STRETCHES, len(strides)))])
    return bool((means[1:] < means[:-1] * (1 - ROUNDING)).all())


def nearest_return(distance: np.ndarray) -> float:
    """Return the closest return after having left, as a share of the farthest distance: distance (T,); 1 for none.

    Having left means having been beyond half the farthest distance: one step of a slow motion is no return.
    """
    farthest = float(distance.max())
    left = int(np.argmax(distance >= farthest / 2))
    return float(distance[left:].min()) / farthest if farthest > 0 else 1.0


def goes_one_way(straight: float, pursuit: Pursuit, stride: int) -> bool:
    """Whether a motion, ``straight`` within the window in strides, stays so in the pursuit and does not come back.

    A closed loop that is looked at every so many steps goes one way too, slowly; between these looks it comes back.
    """
    if straight < ONE_WAY or not len(pursuit.strides):
        return False
    net = float(pursuit.distance[len(pursuit.strides) * stride - 1])
    end = pursuit.distance[-max(1, len(pursuit.distance) // LATE) :]
    return net >= ONE_WAY * pursuit.strides.sum() > 0 and float(end.min()) >= GONE * net


def spread_ratio(distance: np.ndarray) -> float:
    """Return how far it went in the later half of the pursuit, over how far in the earlier: distance (T,)."""
    half = len(distance) // 2
    earlier = float(distance[:half].max(initial=0.0))
    return float(distance[half:].max()) / earlier if earlier > 0 else np.inf


def first_return(distance: np.ndarray, floor: float) -> int:
    """Return the lag of the first return to within the floor after having clearly left: distance (T,); 0 for none."""
    away = np.flatnonzero(distance > CLEAR * floor)
    back = np.flatnonzero(distance[away[0] :] <= floor) if len(away) else away
    return int(away[0] + back[0]) + 1 if len(back) else 0


def decide(signs: Signs, pursuit: Pursuit) -> tuple[Limit, int]:
    """Return the limit, and the period of a cycle, of a trajectory that the cheap signs left open.

    What keeps within the floor of where the window ended rests. A return to within rounding that comes again at twice
    the lag makes a cycle; one whose second time lies beyond the pursuit stays open. Motion one way, in the window and
    all through the pursuit, that never comes back diverges where the state grows as a nudge does, and drifts otherwise;
    motion that shrinks drifts too, with an exponent below 0 or in ever shorter strides. Then the exponent, λ, decides:
    chaotic where it is beyond SIGMA errors and a nudge grew by more than the square of the number of steps, which no
    polynomial shear of first or second order does; quasi-periodic where it is 0 within SIGMA errors that are small
    enough to rule such chaos out, the spread neither shrinks nor grows, and a near return was seen. Everything else
    stays undecided.
    """
    if not np.isfinite(pursuit.size).all() or grows(pursuit.size):
        return Limit.DIVERGED, 0
    if pursuit.distance.max() <= signs.floor:
        return Limit.FIXED_POINT, 1
    lag = first_return(pursuit.distance, signs.floor)
    if lag and 2 * lag > len(pursuit.distance):
        return Limit.UNDECIDED, 0
    if lag and pursuit.distance[2 * lag - 1] <= signs.floor:
        return Limit.CYCLE, lag
    if goes_one_way(signs.straightness, pursuit, signs.stride):
        return Limit.DIVERGED if grows_slowly(pursuit) else Limit.DRIFTING, 0
    contracts = pursuit.value < -SIGMA * pursuit.error
    if signs.shrinkage < 1 and (contracts or shrinks(pursuit.strides)):
        return Limit.DRIFTING, 0
    doubt, least = SIGMA * pursuit.error, 2 * np.log(len(pursuit.distance)) / len(pursuit.distance)
    if pursuit.value > max(doubt, least):
        return Limit.CHAOTIC, 0
    steady = STEADY_SPREAD <= spread_ratio(pursuit.distance) <= 1 / STEADY_SPREAD
    if steady and abs(pursuit.value) <= doubt <= least and nearest_return(pursuit.distance) <= NEAR:
        return Limit.QUASIPERIODIC, 0
    return Limit.UNDECIDED, 0
