"""Sensitivity of a map: its largest Lyapunov exponent along a trajectory, and the spectral radius at a fixed point.

Tangent vectors are carried along by the map's derivative and brought back to length 1 at every step; the mean logarithm
of the growth is the exponent (Benettin et al., Meccanica 15, 1980, part 2). The derivative is exact, in forward mode,
where every operation of the map has one, and a finite difference where one lacks it. Growth at successive steps is
correlated, so the standard error is that of the means of blocks of steps (Flyvbjerg & Petersen, J. Chem. Phys. 91,
1989).
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from extramaze.core.errors import InputError
from extramaze.dynamics.limits import MEANS

Step = Callable[[Tensor], Tensor]
make_dual: Callable[[Tensor, Tensor], Tensor] = forward_ad.make_dual
unpack_dual: Callable[[Tensor], tuple[Tensor, Tensor | None]] = forward_ad.unpack_dual

ALIGNING = 0.1  # share of steps, before the measured ones, in which the tangent finds its direction
FORWARD_ERROR = 1e-10  # rounding of one step's growth, a bound from below on the standard error
DIFFERENCE_ERROR = 1e-6  # the same for finite differences
NUDGE = 2.0**-26  # length of a finite difference, as a share of the state's: the root of float64's epsilon


@dataclass(frozen=True, eq=False)
class Exponent:
    """The largest exponent of B trajectories in nats a step, with its standard error: float64 (B,) each.

    steps: over how many it was measured. forward: exact derivatives; False for finite differences.
    """

    value: np.ndarray
    error: np.ndarray
    steps: int
    forward: bool


class Tangent:
    """Carries one tangent vector of length 1 a trajectory along a map. Costs two to three steps a step."""

    def __init__(self, step: Step, state: Tensor, seed: int = 0, forward: bool = True) -> None:
        _load_forward_mode()
        self.step, self.forward = step, forward
        generator = torch.Generator().manual_seed(seed)
        vector = torch.randn(state.shape, generator=generator, dtype=torch.float64).to(state.device)
        self.vector = vector / _norms(vector)

    def advance(self, state: Tensor) -> tuple[Tensor, np.ndarray]:
        """Return the next state (B, …) and the logarithm of the tangent's growth, float64 (B,), -inf where it died."""
        new, moved = self.carry(state)
        lengths = _norms(moved)
        alive = torch.isfinite(lengths) & (lengths > 0)
        self.vector = torch.where(alive, moved / torch.where(alive, lengths, 1.0), torch.zeros_like(moved))
        return new, torch.log(lengths.flatten()).cpu().numpy()

    @torch.no_grad()
    def carry(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next state and the derivative along the tangent, both (B, …)."""
        if self.forward:
            try:
                # leaving inference mode turns gradients on: without no_grad every step's graph would be kept
                with torch.inference_mode(False), torch.no_grad(), forward_ad.dual_level():
                    dual = make_dual(state.clone(), self.vector.clone())
                    new, moved = unpack_dual(self.step(dual))
                    return new.clone(), torch.zeros_like(new) if moved is None else moved.clone()
            except NotImplementedError:  # an operation has no forward derivative
                self.forward = False
        nudge = NUDGE * _norms(state).clamp_min(torch.finfo(torch.float64).tiny)
        new = self.step(state.clone())
        return new, (self.step(state + nudge * self.vector) - new) / nudge


def largest_exponent(step: Step, state: Tensor, steps: int = 1000, seed: int = 0, forward: bool = True) -> Exponent:
    """Estimate the largest exponent of ``step``, float64 (B, …) → (B, …), along the trajectories from ``state``.

    steps: length of the measured stretch; a tenth more is run before it. Time is about three times that of the steps.
    An exponent of -inf means that the derivative vanished. Raises InputError for a state that is not float64.
    """
    if state.dtype != torch.float64:
        raise InputError(f"an exponent needs a float64 state, got {state.dtype}")
    if steps < MEANS:
        raise InputError(f"an exponent needs at least {MEANS} steps, got {steps}")
    tangent = Tangent(step, state, seed, forward)
    growth = [logarithms for _, logarithms in follow(tangent, state, steps)]
    value, error = summarise(np.array(growth[-steps:]), tangent.forward)
    return Exponent(value, error, steps, tangent.forward)


def follow(tangent: Tangent, state: Tensor, steps: int) -> Iterator[tuple[Tensor, np.ndarray]]:
    """Yield states and logarithms of growth for the aligning stretch and then ``steps``."""
    with torch.no_grad():
        for _ in range(steps + int(ALIGNING * steps)):
            state, logarithms = tangent.advance(state)
            yield state, logarithms


def summarise(growth: np.ndarray, forward: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return exponents and standard errors, (B,) each, from logarithms of growth (T, B), once aligned."""
    least = FORWARD_ERROR if forward else DIFFERENCE_ERROR
    with np.errstate(invalid="ignore"):
        value = growth.mean(axis=0)
        means = np.array([stretch.mean(axis=0) for stretch in np.array_split(growth, MEANS)])
        error = means.std(axis=0, ddof=1) / np.sqrt(MEANS)
    return value, np.where(np.isfinite(error), np.maximum(error, least), np.where(np.isneginf(value), least, np.nan))


def spectral_radius(step: Step, point: Tensor, steps: int = 200, seed: int = 0) -> np.ndarray:
    """Return the spectral radius of the Jacobian at fixed points (B, …): float64 (B,), by power iteration.

    The growth of a tangent is averaged over the later half of the steps, so that complex leading pairs, whose growth
    swings, are measured too; the error falls as 1/steps for them, geometrically for a real leading eigenvalue. 0 where
    the derivative vanishes. Raises InputError for a state that is not float64.
    """
    if point.dtype != torch.float64:
        raise InputError(f"a spectral radius needs a float64 state, got {point.dtype}")
    tangent = Tangent(step, point, seed)
    with torch.no_grad():
        growth = np.array([tangent.advance(point)[1] for _ in range(steps)])
    return np.exp(growth[steps // 2 :].mean(axis=0))


@cache
def _load_forward_mode() -> None:
    """Let torch load its forward derivatives, which it does at first use and with warnings about its own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with forward_ad.dual_level():
            make_dual(torch.zeros(1), torch.zeros(1))


def _norms(states: Tensor) -> Tensor:
    """Return Euclidean lengths, (B, …) → (B, 1, …)."""
    lengths = torch.linalg.vector_norm(states.reshape(len(states), -1), dim=1)
    return lengths.reshape(-1, *[1] * (states.dim() - 1))
