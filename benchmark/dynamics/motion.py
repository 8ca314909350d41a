"""Does the motion matter? The size of a limit in the latent space, and what of it the readout lets through.

A cycle that the readout cannot see is a different thing from one that changes the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from extramaze.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Motion:
    """Motion of B trajectories over a window, about its first state: float64 (B,) each.

    latent, logits: the largest distance, as a root mean square over the numbers of a state and of its logits. flipping:
    the share of pixels whose prediction is not the same throughout.
    """

    latent: np.ndarray
    logits: np.ndarray
    flipping: np.ndarray


def watch_motion(
    step: Callable[[Tensor], Tensor],
    readout: Callable[[Tensor], Tensor],
    state: Tensor,
    window: int,
    open_pixels: Tensor | None = None,
) -> Motion:
    """Measure motion over ``window`` steps from ``state`` (B, …), as ``observe`` leaves it in ``final``.

    readout: state → logits (B, 2, H, W). open_pixels: bool (B, H, W), the pixels that count; None for all. Keeps two
    states and two logits; time is ``window`` steps and readouts. Raises InputError for a window below 1.
    """
    if not isinstance(window, int) or window < 1:
        raise InputError(f"a window is an integer of at least 1, got {window!r}")
    with torch.inference_mode():
        first, logits_first = state.clone(), readout(state).clone()
        here = _predict(logits_first)
        counted = torch.ones_like(here) if open_pixels is None else open_pixels
        latent, logits = (torch.zeros(len(state), dtype=torch.float64, device=state.device) for _ in range(2))
        flips = torch.zeros_like(here)
        state = state.clone()
        for _ in range(window):
            state = step(state)
            seen = readout(state)
            latent = torch.maximum(latent, _size(state.double() - first.double()))
            logits = torch.maximum(logits, _size(_apart(seen, logits_first)))
            flips |= _predict(seen) != here
    pixels = counted.flatten(1).sum(dim=1).clamp_min(1)
    flipping = ((flips & counted).flatten(1).sum(dim=1) / pixels).double()
    return Motion(latent.cpu().numpy(), logits.cpu().numpy(), flipping.cpu().numpy())


def _apart(one: Tensor, two: Tensor) -> Tensor:
    """Return differences: none between infinities, or what is no number, and itself; infinite to what is no number."""
    same = (one == two) | (one.isnan() & two.isnan())
    apart = torch.where(same, 0.0, one - two)
    return torch.where(apart.isnan(), torch.inf, apart)


def _predict(logits: Tensor) -> Tensor:
    return logits[:, 1] > logits[:, 0]


def _size(states: Tensor) -> Tensor:
    """Return the root mean square of each state: (B, …) → float64 (B,)."""
    return states.reshape(len(states), -1).double().square().mean(dim=1).sqrt()
