"""What rounding is to each number of a state: how far a number must move for it to be motion.

By its largest magnitude alone, a state with one number of 1e12 would have 0.9 of rounding in every number, and a cycle
of amplitude 0.1 beside it would rest. But a number that is fed by the large one does carry its rounding, and moves by
1e-4 at rest. Which numbers do cannot be read off their values; it is measured: the same few steps are made again with
every number moved by one unit in the last place, up or down at random, before each of them. How far a number ends from
where it ended without is what one rounding of every number makes of it (random rounding: Parker, Pierce & Eggert,
"Monte Carlo arithmetic", Computing in Science & Engineering 2, 2000), whichever way it comes, over as many steps as
were made. Nothing is guessed of the map. What this does not see is rounding that does not change when its inputs do:
of z₁ − z₁ in one step, with z₁ large.

It is measured only where it can matter: where a state that rests or returns by its largest magnitude holds a number
that moves far beyond rounding of that number's own. That costs 2·NUDGED_STEPS steps, once for a batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from extramaze.dynamics.recurrence import CLEAR

FLOOR_ULPS = 4096  # the rounding floor in units of machine epsilon times a magnitude: 9e-13 of it
EPSILON = float(torch.finfo(torch.float64).eps)
NUDGED_STEPS = 6
AT_REST = 4.0  # times as far in the earlier half of the window as in the later: it comes to rest


class Heights:
    """The largest absolute value that each number of B states had, float64 (B, D): what fell to nothing rests.

    Looked at in the beginning and after 1, 2, 4, … steps, which costs nothing and misses no lasting transient.
    """

    def __init__(self, state: Tensor) -> None:
        self.value = _finite_sizes(state)
        self._age, self._next = 0, 1

    def see(self, state: Tensor) -> None:
        """Look at the next state (B, …)."""
        self._age += 1
        if self._age == self._next:
            self.value = torch.maximum(self.value, _finite_sizes(state))
            self._next *= 2


def _finite_sizes(state: Tensor) -> Tensor:
    return torch.nan_to_num(state.reshape(len(state), -1).double().abs(), nan=0.0, posinf=0.0)


def own_rounding(step: Callable[[Tensor], Tensor], state: Tensor, seed: int = 0) -> Tensor:
    """Measure how far each number of states (B, …) is moved by rounding, within NUDGED_STEPS steps: float64 (B, D)."""
    generator = torch.Generator().manual_seed(seed)
    plain = nudged = state
    most = torch.zeros(len(state), state[0].numel(), dtype=torch.float64, device=state.device)
    for _ in range(NUDGED_STEPS):
        ups = torch.randint(0, 2, state.shape, generator=generator, dtype=torch.float64).to(state.device)
        nudged, plain = step(nudged * (1 + EPSILON * (2 * ups - 1))), step(plain.clone())
        most = torch.maximum(most, (nudged - plain).abs().reshape(most.shape))
    return torch.nan_to_num(most, nan=torch.inf)


def weigh(
    centred: Tensor, first: Tensor, period: int, floor: float, heights: Tensor, rounding: Callable[[], Tensor]
) -> tuple[Tensor, float] | None:
    """Weigh the numbers of a trajectory that returns after ``period`` steps by its floor, where one of them does not.

    centred: frames (N, D) less the first (D,). heights: (D,), see ``Heights``. rounding: measures that of each number,
    (D,). Returns weights (D,) and the floor of the number that clearly moves most: times these weights, every number
    has this floor. None where no number clearly moves; and what dies away, as in ``comes_to_rest``, does not. None also
    for a period beyond the window, which was seen bit for bit: there is nothing to be weighed in it.
    """
    if period > len(centred):
        return None
    missed = _missed(centred, period)
    least, most = torch.aminmax(centred, dim=0)
    heights = torch.maximum(heights, first.abs() + torch.maximum(most, -least))
    if not bool((missed > CLEAR * FLOOR_ULPS * EPSILON * heights).any()):
        return None
    own = FLOOR_ULPS * torch.maximum(rounding(), EPSILON * heights)
    floors = torch.where(own > 0, own, floor).clamp(max=floor)
    clearest = int((missed / floors).argmax())
    if missed[clearest] <= CLEAR * floors[clearest]:
        return None
    return floors[clearest] / floors, float(floors[clearest])


def _missed(centred: Tensor, period: int) -> Tensor:
    """Return how far each number is, at most, from the first of its phase, or moves in the later half: (D,)."""
    if period > 1:
        phases = centred[: len(centred) // period * period].reshape(-1, period, centred.shape[1])
        return (phases - phases[:1]).abs().amax(dim=(0, 1))
    half = len(centred) // 2
    earlier, later = (most - least for least, most in (torch.aminmax(part, dim=0) for part in _halves(centred, half)))
    return torch.where(later * AT_REST <= earlier, 0.0, later)


def _halves(centred: Tensor, half: int) -> tuple[Tensor, Tensor]:
    return centred[: half + 1], centred[half:]
