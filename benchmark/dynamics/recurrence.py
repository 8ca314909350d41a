"""Returns of a trajectory: distances between all frames, least periods, and exact repetition over the whole run.

Frames are centred on the first: a motion of 1e-6 about a mean of 50 is lost in an uncentred Gram matrix.
"""

import numpy as np
import torch
from scipy.linalg.blas import dsyrk
from torch import Tensor


def magnitudes(states: Tensor) -> Tensor:
    """Return the largest absolute value of each state: (N, …) → float64 (N,). One pass, and no copy of the states."""
    flat = states.reshape(len(states), -1)
    least, most = torch.aminmax(flat.byte() if flat.dtype == torch.bool else flat, dim=1)
    return torch.maximum(most.double(), -least.double())


def pairwise_distances(centred: Tensor) -> np.ndarray:
    """Return Euclidean distances between frames (N, D) that are centred on the first: float64 (N, N).

    From the Gram matrix: N²·D multiplications, half of them on a CPU, where the symmetric product is used. A distance
    is wrong by at most about 1e-8 of the spread.
    """
    if centred.device.type == "cpu":
        gram = dsyrk(1.0, centred.numpy().T, trans=1, lower=0)  # a view: the BLAS reads columns
        gram = np.triu(gram) + np.triu(gram, 1).T
    else:
        gram = (centred @ centred.T).cpu().numpy()
    squares = np.diag(gram)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * gram, 0.0))
    np.fill_diagonal(distances, 0.0)
    return distances


CLEAR = 4.0  # times the floor: what moves farther surely moves; between one and this, rounding and motion look alike


def least_period(centred: Tensor, floor: float) -> int:
    """Return the least k up to half the window such that every frame is within the floor of the first of its phase.

    centred: (N, D), the first frame 0. 0 where there is none, and where a divisor of k, 1 among them, is one but for
    less than CLEAR floors: a transient that dies near rounding repeats nothing. Every phase is compared with its first
    frame, so that a drift slower than rounding in one period is no cycle.
    """
    longest = (len(centred) - 1) // 2
    returns = magnitudes(centred[1 : longest + 1])
    for period in (torch.nonzero(returns <= floor).flatten() + 1).tolist():
        if misses(centred, period) <= floor:
            divisors = [k for k in range(1, period) if period % k == 0]
            return period if all(misses(centred, k) > CLEAR * floor for k in divisors) else 0
    return 0


def misses(centred: Tensor, period: int) -> float:
    """Return how far a frame, of (N, D), ever is from the first of its phase."""
    whole = len(centred) // period * period
    phases = centred[:whole].reshape(-1, period, centred.shape[1])
    rest = centred[whole:] - centred[: len(centred) - whole]
    return max(float((phases - phases[:1]).abs().max()), float(rest.abs().max()) if len(rest) else 0.0)


class BitwisePeriods:
    """Least periods of states that repeat bit for bit, over a whole run, with one kept state.

    Brent, "An improved Monte Carlo factorization algorithm" (BIT 20, 1980), section 2: each state is compared with a
    kept one, which moves up to the present after 1, 2, 4, … steps. A period λ after a transient μ is found within
    about 3·max(λ, μ) steps, however long the cycle. Feed every state in order; ``period`` is int64 (B,), 0: not found.
    """

    def __init__(self, state: Tensor) -> None:
        self._kept = state.clone()
        self._age, self._reach = 0, 1
        self.period = np.zeros(len(state), dtype=np.int64)

    def see(self, state: Tensor) -> None:
        """Compare the next state (B, …) with the kept one."""
        self._age += 1
        same = (state == self._kept).reshape(len(state), -1).all(dim=1).cpu().numpy()
        self.period[same & (self.period == 0)] = self._age
        if self._age == self._reach:
            self._kept = state.clone()
            self._age, self._reach = 0, 2 * self._reach
