"""From evidence to a limit. A verdict rests on several signs that agree; where they do not, it is UNDECIDED.

The cheap signs come from the window: does it move at all, does it return, does its magnitude grow? What they leave open
is followed further, over a stated number of steps, with a tangent vector: does it return after all, does it come near,
does it go one way, does it shrink, and does a nudge grow?
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.dynamics.drift import ONE_WAY, Displacement, bends, goes_on, goes_one_way, shrinks
from extramaze.dynamics.limits import Limit
from extramaze.dynamics.pursuit import STRETCHES, Pursuit
from extramaze.dynamics.recurrence import CLEAR, least_period, magnitudes, pairwise_distances
from extramaze.dynamics.rounding import AT_REST, EPSILON, FLOOR_ULPS, weigh

GROWTH = 2.0  # a magnitude that grows at least so much, without slowing, diverges
STEADY = 0.9  # of its rate is kept by growth from quarter to quarter; powers of time lose more, up to the third
TINY = float(np.finfo(np.float64).tiny)
MOST_EXACT = 2**53  # float64 holds every integer below
LASTING = 0.5  # of the rate of the pursuit's later half is kept in its last quarter by what dies out to the end
SIGMA = 3.0  # standard errors beyond which an exponent is not 0
NEAR = 0.1  # a return within this share of the spread is near
FEWEST_STRIDES = 8  # strides of a lag within the window from which straightness is told
STEADY_SPREAD = 0.9  # a spread that keeps this share from one half of the pursuit to the next neither shrinks nor grows
ALIKE = 0.1  # of its value an exponent may be from the rate at which the state grows, to be that rate


@dataclass(frozen=True, eq=False)
class Signs:
    """The cheap signs of one trajectory: its limit where they decide, and what decided.

    repeats: bit for bit. straightness, shrinkage, stride: see ``read_returns``. bent: see ``drift.bends``. distances:
    between all frames of the window. displacement: see ``drift.carries``. weights: (D,), by which numbers are held
    against the floor, None for 1; distances are of weighted frames. The last four are there where they were needed.
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
    bent: bool = False
    distances: np.ndarray | None = None
    displacement: Displacement | None = None
    weights: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Past:
    """What is known of one trajectory beside its window.

    first: the magnitude of the first state of the run. heights: (D,), the largest that each number was, see
    ``rounding.Heights``. bitwise: the period at which states repeated bit for bit, 0 for none. rounding: measures how
    far rounding moves each number, (D,); None for integer states, which have none.
    """

    first: float
    heights: Tensor
    bitwise: int
    rounding: Callable[[], Tensor] | None


def read_signs(frames: Tensor, past: Past) -> Signs:
    """Judge one trajectory from its window, (window + 1, D) float64, which is centred on its first frame in place."""
    sizes = magnitudes(frames)
    if not bool(torch.isfinite(sizes).all()):
        return Signs(Limit.DIVERGED, 0, np.nan, np.nan, np.nan)
    still = bool((frames[-1] == frames[-2]).all())
    floor = _floor(sizes, past)
    first = frames[0].clone()
    frames -= first
    residual = float((frames[-1] - frames[-2]).abs().max())
    amplitude = float(magnitudes(frames).max())
    if still:
        return Signs(Limit.FIXED_POINT, 1, residual, amplitude, floor, still)
    bitwise = _borne_out(frames, past.bitwise)
    period, weighted, weights = settles(frames, floor, bitwise), frames, None
    found = weigh(frames, first, period, floor, past.heights, past.rounding) if period and past.rounding else None
    if found:
        weights, floor = found
        weighted = frames * weights
        period = settles(weighted, floor, bitwise)
    if period:
        limit = Limit.FIXED_POINT if period == 1 else Limit.CYCLE
        return Signs(limit, period, residual, amplitude, floor, period == bitwise)
    if grows(sizes.cpu().numpy()):
        return Signs(Limit.DIVERGED, 0, residual, amplitude, floor)
    distances = pairwise_distances(weighted)
    straight, shrinkage, stride, lag = read_returns(distances)
    bent = straight >= ONE_WAY and bends(weighted, stride, floor)
    seen = straight, shrinkage, stride, bent, distances, Displacement.of(frames, lag), weights
    return Signs(Limit.UNDECIDED, 0, residual, amplitude, floor, False, *seen)


def _floor(sizes: Tensor, past: Past) -> float:
    """Return the floor by the largest magnitude, of states of sizes (N,) in the window; 0 for integers."""
    largest = max(float(sizes.max()), past.first if np.isfinite(past.first) else 0.0)
    if past.rounding is None and largest >= MOST_EXACT:
        raise InputError(f"integer states are followed up to 2^53, beyond which float64 rounds them; got {largest:.3g}")
    return 0.0 if past.rounding is None else FLOOR_ULPS * EPSILON * largest


def _borne_out(centred: Tensor, bitwise: int) -> int:
    """Return the period of the bits where the window's last frame shows it too, 0 where it does not.

    A map that is no pure function may come upon a state twice by chance.
    """
    if not 0 < bitwise < len(centred):
        return bitwise
    return bitwise if bool((centred[-1] == centred[-1 - bitwise]).all()) else 0


def settles(centred: Tensor, floor: float, bitwise: int) -> int:
    """Return the period of frames (N, D) that return to within the floor, 1 where they rest, 0 where neither is seen.

    Rounding can make the period of the bits a multiple of the motion's.
    """
    if float(magnitudes(centred).max()) <= floor or comes_to_rest(centred, floor):
        return 1
    return least_period(centred, floor) or bitwise


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


def read_returns(distances: np.ndarray) -> tuple[float, float, int, int]:
    """Read straightness, shrinkage, the stride, and the lag of the closest returns: distances (N, N).

    Each lag k gives the distances from frame t to frame t + k. The stride is the lag at which the path is straightest,
    of those that fit the window often, so that a drift that also alternates is seen; shrinkage is the later half's mean
    return distance divided by the earlier's, at the lag with the closest returns up to half the window.
    """
    last = len(distances) - 1
    means = [distances.diagonal(lag).mean() for lag in range(1, last // 2 + 1)]
    straight = [straightness(distances, lag) for lag in range(1, max(1, last // FEWEST_STRIDES) + 1)]
    stride = 1 + int(np.argmax(straight))
    lag = 1 + int(np.argmin(means))
    returns = distances.diagonal(lag)
    half = len(returns) // 2
    earlier, later = returns[:half].mean() if half else 0.0, returns[len(returns) - half :].mean() if half else 0.0
    return straight[stride - 1], float(later / earlier) if earlier > 0 else np.nan, stride, lag


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


def nearest_return(distance: np.ndarray) -> float:
    """Return the closest return after having left, as a share of the farthest distance: distance (T,); 1 for none.

    Having left means having been beyond half the farthest distance: one step of a slow motion is no return.
    """
    farthest = float(distance.max())
    left = int(np.argmax(distance >= farthest / 2))
    return float(distance[left:].min()) / farthest if farthest > 0 else 1.0


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


def dies_out(signs: Signs, pursuit: Pursuit) -> bool:
    """Whether nudges die out to the end, and returns got closer in the window: what contracts does, and noise may.

    Along a loop a nudge dies out until it has turned into its direction, ever more slowly; that is not to the end. A
    nudge that noise makes grow and shrink by turns does so in each of the STRETCHES one time in 256.
    """
    surely = pursuit.value < -SIGMA * pursuit.error and bool((pursuit.growth < 0).all())
    half, quarter = (pursuit.growth[-STRETCHES // part :].mean() for part in (2, 4))
    return signs.shrinkage < 1 and surely and bool(quarter <= LASTING * half)


def decide(signs: Signs, pursuit: Pursuit, carried: bool) -> tuple[Limit, int]:
    """Return the limit, and the period of a cycle, of a trajectory that the cheap signs left open.

    What keeps within the floor of where the window ended rests. A return to within rounding that comes again at every
    multiple of the lag makes a cycle; one whose second time lies beyond the pursuit stays open. Motion one way, in the
    window and all through the pursuit, that never comes back diverges where the state grows as a nudge does, and
    drifts where it goes straight on (``drift``). What dies out drifts too where the map ``carried`` its displacements
    along; so do integers in ever shorter strides, which have no nudges. Then the exponent, λ, decides: chaotic where
    it is beyond SIGMA errors and a nudge grew by more than the square of the number of steps, which no polynomial
    shear of first or second order does; quasi-periodic where it is 0 within SIGMA errors that are small enough to rule
    such chaos out, the spread neither shrinks nor grows, and a near return was seen. Everything else stays undecided.
    """
    if not np.isfinite(pursuit.size).all() or grows(pursuit.size):
        return Limit.DIVERGED, 0
    if pursuit.distance.max() <= signs.floor:
        return Limit.FIXED_POINT, 1
    lag = first_return(pursuit.distance, signs.floor)
    if lag and 2 * lag > len(pursuit.distance):
        return Limit.UNDECIDED, 0
    if lag and bool((pursuit.distance[lag - 1 :: lag] <= signs.floor).all()):
        return Limit.CYCLE, lag
    if goes_one_way(signs.straightness, pursuit, signs.stride):
        if grows_slowly(pursuit):
            return Limit.DIVERGED, 0
        if not signs.bent and goes_on(pursuit.strides):
            return Limit.DRIFTING, 0
    shorter = np.isnan(pursuit.value) and signs.shrinkage < 1 and shrinks(pursuit.strides)
    if shorter or (carried and dies_out(signs, pursuit)):
        return Limit.DRIFTING, 0
    doubt, least = SIGMA * pursuit.error, 2 * np.log(len(pursuit.distance)) / len(pursuit.distance)
    if pursuit.value > max(doubt, least):
        return Limit.CHAOTIC, 0
    steady = STEADY_SPREAD <= spread_ratio(pursuit.distance) <= 1 / STEADY_SPREAD
    if steady and abs(pursuit.value) <= doubt <= least and nearest_return(pursuit.distance) <= NEAR:
        return Limit.QUASIPERIODIC, 0
    return Limit.UNDECIDED, 0
