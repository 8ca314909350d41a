"""Does a motion go on, one way or ever less? What has not been seen to return may be a slow loop, or noise.

*One way.* Net displacement is as long as the path, in the window and all through the pursuit. A rotation seen for a
part of its turn does that too; but it bends, and ever more so the longer one looks: the angle between the window's
halves is then twice that between its quarters, where a straight motion that is shaken has less than that. What bends so
may close, and is no drift by itself; nor is what is shaken so much that a bend would not be seen. Nor is what goes ever
faster: it leaves an unstable point, or a narrow passage.

*Ever less.* Nudges die out to the end, later returns within the window are closer than earlier ones, and the map says
that they must be: an offset by the last displacement is carried along as the trajectory carried the displacement itself
(``carries``). Noise of any colour in a contraction has the first two by chance, one time in two. It has not the third,
for what it adds in the meantime is not what it had added before. The error rate is that of the third: of 1,000
trajectories of stationary noise of a kind, at most 1 in 100 is called drifting (``tests/benchmark/dynamics/test_drift``
measures it for white, heavy-tailed, coloured and state-dependent noise, correlated over 2 to 1,000 steps).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from extramaze.dynamics.lyapunov import Step
from extramaze.dynamics.pursuit import STRETCHES, Pursuit

ONE_WAY = 0.9  # net displacement over length of path
GONE = 0.5  # of the net displacement: what goes one way is at the end nowhere nearer to where it was
LATE = 4  # the end is the last one of so many parts of the pursuit
BENT = (
    2.0  # times the square of the angle between quarters is that between halves: 4 on a circle, 1/2 and less by noise
)
STRAIGHT = 0.02  # radians between halves: what is shaken by more may be a loop that takes 600 half windows
EVEN = 0.9  # of the longest stretch's mean stride has the shortest where a motion goes on evenly
ROUNDING = 1e-9  # of a mean distance
LONGEST_LAG = 64  # over which a displacement is taken, where the closest returns do not come later still
CARRIED_STEPS = 32  # for which it is carried along
LOOKS = 4  # at it meanwhile
FAITHFUL = 0.1  # of the displacement may be missed


def goes_one_way(straight: float, pursuit: Pursuit, stride: int) -> bool:
    """Whether a motion, ``straight`` within the window in strides, stays so in the pursuit and does not come back.

    A closed loop that is looked at every so many steps goes one way too, slowly; between these looks it comes back.
    """
    if straight < ONE_WAY or not len(pursuit.strides):
        return False
    net = float(pursuit.distance[len(pursuit.strides) * stride - 1])
    end = pursuit.distance[-max(1, len(pursuit.distance) // LATE) :]
    return net >= ONE_WAY * pursuit.strides.sum() > 0 and float(end.min()) >= GONE * net


def bends(centred: Tensor, stride: int, floor: float) -> bool:
    """Whether frames (N, D), looked at in strides, turn as a closed curve does, and aside by more than the floor."""
    last = (len(centred) - 1) // stride
    stops = centred[[stride * (last * quarter // 4) for quarter in range(5)]]
    quarters, halves = stops[1:] - stops[:-1], stops[2::2] - stops[:-2:2]
    aside = halves[1] - halves[0] * (halves[0] @ halves[1]) / (halves[0] @ halves[0])
    between = np.mean([_angle(one, two) ** 2 for one, two in pairwise(quarters)])
    turn = _angle(*halves)
    return bool(float(aside.abs().max()) > floor and (turn > STRAIGHT or turn**2 > BENT * between))


def _angle(one: Tensor, two: Tensor) -> float:
    """Return the angle between two vectors (D,), precise for small ones too (Kahan, 2006)."""
    one, two = one / _length(one), two / _length(two)
    return 2 * math.atan2(_length(one - two), _length(one + two))


def goes_on(strides: np.ndarray) -> bool:
    """Whether strides (K,) stay as long throughout, or get ever shorter."""
    means = _stretches(strides)
    rises = len(means) == STRETCHES and bool((means[1:] > means[:-1] * (1 + ROUNDING)).all())
    return shrinks(strides) or (not rises and bool(means.min() >= EVEN * means.max()))


def shrinks(strides: np.ndarray) -> bool:
    """Whether strides (K,) get shorter from each stretch of the pursuit to the next, beyond rounding.

    By chance, where nothing shrinks and stretches are independent: 1 in 40,320.
    """
    means = _stretches(strides)
    return len(means) == STRETCHES and bool((means[1:] < means[:-1] * (1 - ROUNDING)).all())


def _stretches(strides: np.ndarray) -> np.ndarray:
    return np.array([stretch.mean() for stretch in np.array_split(strides, min(STRETCHES, len(strides)))])


@dataclass(frozen=True, eq=False)
class Displacement:
    """A displacement of the window's last state over a lag, and what the trajectory made of it since.

    looks: numbers of steps, from 0 on. vectors: float64 (looks, D), after so many steps, until the end of the window.
    """

    looks: tuple[int, ...]
    vectors: Tensor

    @classmethod
    def of(cls, centred: Tensor, lag: int) -> "Displacement":
        """Take it from frames (N, D), over the largest multiple of the lag that is within LONGEST_LAG and the half."""
        last = len(centred) - 1
        whole = max(lag, min(LONGEST_LAG, last // 2) // lag * lag)
        looks = tuple(sorted({min(whole, CARRIED_STEPS) * look // LOOKS for look in range(LOOKS + 1)}))
        return cls(looks, centred[last] - centred[[last - whole + look for look in looks]])


def carries(step: Step, state: Tensor, displacements: Sequence[Displacement | None], weights: Tensor) -> list[bool]:
    """Whether the map carries displacements along as the trajectories did, and shortens them, from the states (B, …).

    displacements: None where it is not asked. weights: of the numbers, (B, D). An offset copy and a plain one are
    followed. At every look, the copy's offset is to be what has become of the displacement: it is exactly that where
    the map is linear, and it is within FAITHFUL near any limit. At some look it is to be shorter than it was, by more
    than it ever missed.
    """
    offset = torch.zeros(weights.shape, dtype=torch.float64, device=state.device)
    for b, one in enumerate(displacements):
        offset[b] = 0.0 if one is None else one.vectors[0]
    plain, copy = state.clone(), state + offset.reshape(state.shape)
    missed, falls = np.zeros((2, len(state)))
    for after in range(1, CARRIED_STEPS + 1):
        plain, copy = step(plain).clone(), step(copy).clone()
        for b, one in enumerate(displacements):
            if one is not None and after in one.looks:
                apart = (copy[b] - plain[b]).flatten() * weights[b]
                became = ((plain[b] - state[b]).flatten() + one.vectors[one.looks.index(after)]) * weights[b]
                error, length = _length(apart - became), _length(became)
                missed[b] = max(missed[b], error if error <= FAITHFUL * length else np.inf)
                falls[b] = max(falls[b], _length(offset[b] * weights[b]) - _length(apart))
    return list(falls > missed)


def _length(vector: Tensor) -> float:
    return float(torch.linalg.vector_norm(vector))
