"""Run a map freely and report the limit of each trajectory.

The map runs for a burn-in that keeps one state; then every state of a window is kept, in storage of its own, for as
many trajectories at once as the memory allows. Where not all fit, the window is run again for the others: time is paid,
memory is not. Trajectories that the window leaves open are pursued further with a tangent vector.
"""

from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.dynamics.drift import carries
from extramaze.dynamics.limits import MEANS, Limit
from extramaze.dynamics.lyapunov import Step
from extramaze.dynamics.pursuit import Pursuit, pursue
from extramaze.dynamics.recurrence import BitwisePeriods, magnitudes, pairwise_distances
from extramaze.dynamics.report import LimitReport
from extramaze.dynamics.rounding import Heights, own_rounding
from extramaze.dynamics.topology import BettiRule, Diagrams, count, persistence
from extramaze.dynamics.verdict import Past, Signs, decide, dies_out, nearest_return, read_signs

EXPONENT_STEPS = 500
MEMORY = 2 * 2**30  # bytes of frames kept at once


def observe(
    step: Step,
    state: Tensor,
    burn_in: int,
    window: int,
    *,
    exponent_steps: int = EXPONENT_STEPS,
    lyapunov: bool = False,
    betti: BettiRule | tuple[BettiRule, ...] | None = None,
    diagrams: bool = False,
    memory: int = MEMORY,
    seed: int = 0,
) -> LimitReport:
    """Run ``step``, a pure function (B, …) → (B, …), freely and report the limit of each trajectory.

    A fixed point: the window's last two states are the same bit for bit, or no state of it is farther from its first
    than the floor, or none of its later half is and the earlier half went four times as far. A cycle: states repeat bit
    for bit at any time of the run, or the least k up to half the window such that every state is within the floor of
    the first of its phase, and clearly beyond it for every divisor of k. What neither rests, returns nor grows is
    pursued for ``exponent_steps`` more (``verdict.decide``); with 0 it stays UNDECIDED, and no exponent is estimated.
    The floor follows the largest magnitude of the state at the start and in the window, so that what fell to nothing
    rests; integer states have none. Where a number moves beyond its own rounding below that floor, floors are by
    number (``rounding``).

    lyapunov: estimate every trajectory's exponent, not only those left open. betti: a rule, or several, by which to
    count Betti numbers. diagrams: keep the persistence diagrams too, where the first rule needs them. memory: bytes of
    frames kept at once. seed: of the tangents.
    A burn-in may also be run in float32 and handed over with 200 steps or more left to run: faster, but what has not
    contracted to float64's rounding by then stays UNDECIDED (``tests/speed/test_dynamics.py`` measures both).
    Time is burn_in + window steps, the window again for each group that memory separates, and about three steps for
    each of exponent_steps where a trajectory is open. Raises InputError for a window or burn-in that is too short, a
    memory that holds not one trajectory, a state that is empty, neither float64 nor integer, or of integers from 2^53
    on, or a step that changes shape or type.
    """
    check_arguments(state, burn_in, window, exponent_steps)
    state = state.detach()
    rules = betti if isinstance(betti, tuple) else () if betti is None else (betti,)
    run = _Run(step, state.is_floating_point(), window, rules, diagrams)
    with torch.inference_mode():
        begun = _Begun(magnitudes(state).cpu().numpy(), Heights(state), BitwisePeriods(state))
        for _ in range(burn_in):
            state = run.advance(state)
            begun.see(state)
        signs, shapes, final = run.windows(state, begun, group_size(state, window, memory))
    open_ones = [sign.limit == Limit.UNDECIDED for sign in signs]
    wanted = exponent_steps > 0 and (any(open_ones) or (lyapunov and len(signs) > 0))
    strides = np.array([sign.stride for sign in signs])
    weights = _weights(signs, final)
    pursuits = pursue(run.advance, final, strides, exponent_steps, seed, weights) if wanted else []
    carried = _carried(run, final, signs, pursuits, weights)
    return _report(signs, shapes, rules, pursuits, carried, final, lyapunov)


def _weights(signs: list[Signs], final: Tensor) -> Tensor | None:
    """Join the weights of all trajectories, (B, D); None where none has any."""
    if all(sign.weights is None for sign in signs):
        return None
    ones = torch.ones(final[0].numel(), dtype=torch.float64, device=final.device)
    return torch.stack([ones if sign.weights is None else sign.weights for sign in signs])


def _carried(
    run: "_Run", final: Tensor, signs: list[Signs], pursuits: list[Pursuit], weights: Tensor | None
) -> list[bool]:
    """Say of each trajectory whether its displacement was carried along; only of those that die out it is asked."""
    asked = [
        sign.displacement if sign.limit == Limit.UNDECIDED and dies_out(sign, pursuit) else None
        for sign, pursuit in zip(signs, pursuits, strict=False)
    ]
    if all(displacement is None for displacement in asked):
        return [False] * len(signs)
    with torch.inference_mode():
        flat = final.reshape(len(final), -1)
        return carries(run.advance, final, asked, torch.ones_like(flat) if weights is None else weights)


@dataclass(frozen=True, eq=False)
class _Begun:
    """What is noted of a run from its beginning: first magnitudes (B,), heights of numbers, repetitions of states."""

    first: np.ndarray
    heights: Heights
    bits: BitwisePeriods

    def see(self, state: Tensor) -> None:
        """Look at the next state (B, …)."""
        self.heights.see(state)
        self.bits.see(state)


@dataclass(frozen=True)
class _Run:
    """A map and what to look for in its window."""

    step: Step
    floating: bool
    window: int
    rules: tuple[BettiRule, ...]
    diagrams: bool

    def advance(self, state: Tensor) -> Tensor:
        """Make one step. Raises InputError where it changes the shape or the type."""
        shape, kind = tuple(state.shape), state.dtype
        new = self.step(state)
        if tuple(new.shape) != shape or new.dtype != kind:
            raise InputError(
                f"step must keep the state's shape and type, {shape} {kind}; got {tuple(new.shape)} {new.dtype}"
            )
        return new

    def windows(
        self, start: Tensor, begun: _Begun, size: int
    ) -> tuple[list[Signs], list[tuple[np.ndarray, Diagrams | None]], Tensor]:
        """Run the window for one group of trajectories after another and read each one's signs and shape."""
        signs: list[Signs] = []
        shapes = []
        start, final = start.clone(), start.clone()
        for begin in range(0, len(start), size):
            group = slice(begin, min(begin + size, len(start)))
            shape = (group.stop - begin, self.window + 1, start[0].numel())
            frames = torch.empty(shape, dtype=torch.float64, device=start.device)
            state = start.clone()
            frames[:, 0] = state[group].flatten(1) if state.dim() > 1 else state[group, None]
            for index in range(1, self.window + 1):
                state = self.advance(state)
                if begin == 0:
                    begun.see(state)
                frames[:, index] = state[group].flatten(1) if state.dim() > 1 else state[group, None]
            final[group] = state[group]
            measured = cache(partial(own_rounding, self.advance, state))
            for b, trajectory in enumerate(frames, begin):
                rounded = self.rounded(trajectory)
                rounding = (lambda b=b, measured=measured: measured()[b]) if self.floating else None
                past = Past(float(begun.first[b]), begun.heights.value[b], int(begun.bits.period[b]), rounding)
                sign = read_signs(trajectory, past)
                signs.append(sign)
                shapes.append(self.shape(sign, trajectory, rounded))
            del frames
        return signs, shapes, final

    def rounded(self, frames: Tensor) -> np.ndarray | None:
        """Return distances between frames rounded to float32, (window + 1, window + 1); None where no rule asks."""
        if all(rule.precision == "float64" for rule in self.rules):
            return None
        coarse = frames.float().double()
        return pairwise_distances(coarse - coarse[:1])

    def shape(self, sign: Signs, frames: Tensor, rounded: np.ndarray | None) -> tuple[np.ndarray, Diagrams | None]:
        """Return Betti numbers by every rule, (rules, 2), -1 where there are none, and diagrams where asked for.

        frames: centred; rounded: the distances between those of float32. A rule with a floor has no need of diagrams
        where the window rests or repeats; one without looks at rounding. The floor, of single numbers, is √D times as
        long as a distance.
        """
        counts = np.full((len(self.rules), 2), -1)
        kept: Diagrams | None = None
        for place, rule in enumerate(self.rules):
            if sign.limit in (Limit.FIXED_POINT, Limit.CYCLE) and rule.floor:
                counts[place] = sign.period, 0
            elif sign.limit != Limit.DIVERGED:
                distances = rounded if rule.precision == "float32" else sign.distances
                if distances is None:
                    distances = pairwise_distances(frames)
                found = persistence(np.where(distances < rule.coincident, 0.0, distances))
                counts[place] = count(found, rule, np.sqrt(frames.shape[1]) * sign.floor)
                kept = found if self.diagrams and place == 0 else kept
        return counts, kept


def _report(
    signs: list[Signs],
    shapes: list[tuple[np.ndarray, Diagrams | None]],
    rules: tuple[BettiRule, ...],
    pursuits: list[Pursuit],
    carried: list[bool],
    final: Tensor,
    lyapunov: bool,
) -> LimitReport:
    """Join the signs of the window with what the pursuit showed, where there was one."""
    value, error, nearest = np.full((3, len(signs)), np.nan)
    decided, betti = list(signs), np.array([shape[0] for shape in shapes], dtype=np.int64)
    betti = betti.reshape(len(signs), len(rules), 2)
    with_floor = np.array([rule.floor for rule in rules], dtype=bool)
    for b, (sign, pursuit) in enumerate(zip(signs, pursuits, strict=False)):
        open_still = sign.limit == Limit.UNDECIDED
        if lyapunov or open_still:
            value[b], error[b] = pursuit.value, pursuit.error
        if open_still:
            nearest[b] = nearest_return(pursuit.distance) if np.isfinite(pursuit.distance).all() else np.nan
            limit, period = decide(sign, pursuit, carried[b])
            decided[b] = replace(sign, limit=limit, period=period)
            if limit in (Limit.FIXED_POINT, Limit.CYCLE):
                betti[b, with_floor] = period, 0
            elif limit == Limit.DRIFTING:  # the shape of a transient is not that of its limit
                betti[b, with_floor] = -1

    def column(name: str, kind: type = np.float64) -> np.ndarray:
        return np.array([getattr(sign, name) for sign in decided], dtype=kind)

    return LimitReport(
        limit=[sign.limit for sign in decided],
        period=column("period", np.int64),
        residual=column("residual"),
        amplitude=column("amplitude"),
        floor=column("floor"),
        final=final,
        repeats=column("repeats", np.bool_),
        lyapunov=value,
        lyapunov_error=error,
        nearest_return=nearest,
        straightness=column("straightness"),
        shrinkage=column("shrinkage"),
        betti_by_rule=betti,
        diagrams=[shape[1] for shape in shapes],
    )


def check_arguments(state: Tensor, burn_in: int, window: int, exponent_steps: int) -> None:
    """Raise InputError for arguments that ``observe`` does not take."""
    if not (isinstance(burn_in, int) and isinstance(window, int) and burn_in >= 0 and window >= 2):
        raise InputError(f"burn_in must be an integer of at least 0, window of at least 2; got {burn_in!r}, {window!r}")
    if not (isinstance(exponent_steps, int) and (exponent_steps == 0 or exponent_steps >= MEANS)):
        raise InputError(f"exponent_steps must be 0 or an integer of at least {MEANS}, got {exponent_steps!r}")
    if not state.numel():
        raise InputError(f"a state must hold numbers of at least one trajectory, got the shape {tuple(state.shape)}")
    if (state.is_floating_point() and state.dtype != torch.float64) or state.is_complex():
        raise InputError(f"limits are told in float64: the state is {state.dtype}; let initial_state follow x's type")


def frame_bytes(state: Tensor, window: int) -> int:
    """Bytes of one trajectory's window."""
    return 8 * (window + 1) * state[0].numel()


def group_size(state: Tensor, window: int, memory: int) -> int:
    """Return how many trajectories' windows fit into ``memory`` bytes. Raises InputError where not one does."""
    each = frame_bytes(state, window)
    if each > memory:
        raise InputError(f"one window takes {each:,} bytes, memory is {memory:,}; raise it or shorten the window")
    return max(1, min(len(state), memory // each))
