"""Path independence: does the limit, and does the answer, depend on where the iteration starts?

Asymptotic alignment (Anil et al., "Path Independent Equilibrium Models Can Better Exploit Test-Time Computation", arXiv
2211.09961, section 4): solve, solve again from other problems' limits, and take the cosine of the two limits. A problem
is never started from its own limit: such self-pairs inflate the mean by 1/B.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.dynamics.lyapunov import Step

Start = Literal["zero", "random", "others"]


@dataclass(frozen=True, eq=False)
class Alignment:
    """How much B limits depend on the initial state.

    starts: what the iteration was started from. cosine: float64 (starts, B), between the limit from each start and that
    from the initial state. changed: bool (starts, B), whether the answer differs.
    """

    starts: tuple[Start, ...]
    cosine: np.ndarray
    changed: np.ndarray

    @property
    def asymptotic(self) -> float:
        """The mean cosine over all problems and starts."""
        return float(self.cosine.mean())

    @property
    def dependent(self) -> float:
        """The share of problems whose answer at least one start changes."""
        return float(self.changed.any(axis=0).mean())


def asymptotic_alignment(limits: Tensor, others: Tensor) -> np.ndarray:
    """Return cosines between two sets of limits, (B, …) each: float64 (B,). Two zero states align fully."""
    one, two = (states.detach().reshape(len(states), -1).double() for states in (limits, others))
    lengths = torch.linalg.vector_norm(one, dim=1) * torch.linalg.vector_norm(two, dim=1)
    both_zero = ~(one != 0).any(dim=1) & ~(two != 0).any(dim=1)
    cosine = (one * two).sum(dim=1) / torch.where(lengths > 0, lengths, 1.0)
    return torch.where(both_zero, 1.0, cosine).cpu().numpy()


def path_independence(
    step: Step,
    state: Tensor,
    iterations: int,
    answer: Callable[[Tensor], Tensor],
    starts: tuple[Start, ...] = ("zero", "random", "others"),
    seed: int = 0,
) -> Alignment:
    """Iterate B problems from their initial state (B, …) and from other starts, and compare limits and answers.

    answer: (B, …) → (B, …) of integers or bools. zero: the zero state. random: normal numbers with the initial state's
    mean and spread. others: the limits of the problem before it in the batch, so never one's own. Costs
    (1 + starts)·iterations steps. Raises InputError for fewer than two problems with ``others``.
    """
    if "others" in starts and len(state) < 2:
        raise InputError(f"starting from other problems' limits needs at least 2 problems, got {len(state)}")
    with torch.inference_mode():
        limits = _iterate(step, state, iterations)
        expected = answer(limits)
        cosine, changed = [], []
        for start in starts:
            found = _iterate(step, _starting(start, state, limits, seed), iterations)
            cosine.append(asymptotic_alignment(limits, found))
            changed.append((answer(found) != expected).reshape(len(state), -1).any(dim=1).cpu().numpy())
    return Alignment(starts, np.array(cosine), np.array(changed))


def _iterate(step: Step, state: Tensor, iterations: int) -> Tensor:
    state = state.clone()
    for _ in range(iterations):
        state = step(state)
    return state.clone()


def _starting(start: Start, state: Tensor, limits: Tensor, seed: int) -> Tensor:
    if start == "zero":
        return torch.zeros_like(state)
    if start == "others":
        return limits.roll(1, dims=0)
    drawn = torch.randn(state.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (state.double().mean() + state.double().std() * drawn.to(state.device)).to(state.dtype)
