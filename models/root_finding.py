"""Find fixed points z = f(z) of a batch: plain iteration, Anderson acceleration and Broyden's method.

Anderson (1965), as type II in Walker & Ni, "Anderson acceleration for fixed-point iterations" (SIAM J. Numer. Anal.
2011); Broyden (1965), "good", the inverse Jacobian as low-rank updates of −1 as in Bai et al. (2019, arXiv 1909.01377).
A step costs one evaluation and O(memory · D) for states of D numbers, over 2 · memory stored states a row.

**Rows do not meet.** Each row of the batch has its own history, its own end, its own count of evaluations, and is left
out of further evaluations once it has ended. A row ends when its residual ‖f(z) − z‖ / max(1, ‖f(z)‖), Euclidean norms,
is at most the tolerance, or its budget is spent; the state of its smallest residual is returned.

**Falling back.** Where an accelerated step leads to a residual over ten times the best one, or to none that is a
number, the row goes on by a plain step from its best state, its history forgotten, and that is counted.

**Why not torchdeq.** Its one release (0.1.0, 2023) installs and runs beside torch 2.13, but serves this worse than the
lines below: the whole batch stops at once, by its worst row, so a maze's evaluations and answer depend on its
batch-mates and evaluations are not counted for each; its Anderson regularises by an absolute constant, which stalls
where residuals are smaller than it (tried on linear contractions in float64: more evaluations than the plain iteration,
and the tolerance missed); Broyden without line search has no fallback to report; and its tracker has open reports of
ignored tolerances and lost gradients (locuslab/torchdeq issues 12 and 8) with no release since.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from extramaze.core.errors import InputError

Method = Literal["plain", "anderson", "broyden"]
Map = Callable[[Tensor, Tensor], Tensor]  # (states (b, …), the rows of the batch they belong to (b,)) → states

GROWTH = 10.0  # a residual so many times the best one so far makes a row fall back
RIDGE = 1e-12  # of the Gram matrix's mean diagonal: keeps repeated differences solvable, far below what is resolved


@dataclass(frozen=True, eq=False)
class Root:
    """What root finding found for each of B rows.

    state: (B, …), each row's best. evaluations: of f, int64 (B,). residual: of the state, (B,). converged: residual
    within the tolerance, bool (B,). fallbacks: plain steps taken because an accelerated one failed, int64 (B,).
    """

    state: Tensor
    evaluations: Tensor
    residual: Tensor
    converged: Tensor
    fallbacks: Tensor


def find_root(
    function: Map, start: Tensor, method: Method, tolerance: float, budget: int | Tensor, memory: int = 5
) -> Root:
    """Find a fixed point for every row of ``start`` (B, …), without gradients.

    function: called with the states of the rows still at work, and their indices. budget: evaluations a row may use,
    one number or int64 (B,). memory: past steps that Anderson combines, updates that Broyden keeps before it starts
    anew. Raises InputError for an unknown method, or a budget or memory below 1.
    """
    if method not in ACCELERATIONS:
        raise InputError(f"root finder: expected one of {', '.join(ACCELERATIONS)}, got {method!r}")
    budgets = torch.as_tensor(budget, device=start.device).expand(start.shape[0]).to(torch.int64)
    if memory < 1 or bool((budgets < 1).any()):
        raise InputError("root finder: budget and memory must be at least 1")
    with torch.no_grad():
        return _Search(function, start, ACCELERATIONS[method], tolerance, budgets, memory).run()


class _Search:
    """The rows of one call: what is known of each, and which are still at work."""

    def __init__(
        self, function: Map, start: Tensor, kind: "type[_Acceleration]", tolerance: float, budgets: Tensor, memory: int
    ) -> None:
        self.function, self.shape, self.tolerance, self.budgets = function, start.shape, tolerance, budgets
        flat = start.reshape(start.shape[0], -1)
        self.best, self.best_image = flat.clone(), flat.clone()
        self.residual = torch.full((flat.shape[0],), torch.inf, dtype=flat.dtype, device=flat.device)
        self.evaluations = torch.zeros_like(budgets)
        self.fallbacks = torch.zeros_like(budgets)
        self.active = torch.arange(flat.shape[0], device=flat.device)
        self.states = flat
        self.acceleration = kind(flat, memory)

    def run(self) -> Root:
        """Evaluate and step until every row has ended."""
        while len(self.active):
            images = self._evaluate()
            failed = self._judge(images)
            ended = (self.residual[self.active] <= self.tolerance) | (
                self.evaluations[self.active] >= self.budgets[self.active]
            )
            self._continue(images, failed, ~ended)
        state = self.best.reshape(self.shape)
        return Root(state, self.evaluations, self.residual, self.residual <= self.tolerance, self.fallbacks)

    def _evaluate(self) -> Tensor:
        states = self.states.reshape(-1, *self.shape[1:])
        self.evaluations[self.active] += 1
        return self.function(states, self.active).reshape(len(self.active), -1).to(self.best.dtype)

    def _judge(self, images: Tensor) -> Tensor:
        """Take note of the best states; tell which rows came out much worse than theirs, bool (b,)."""
        norms = images.norm(dim=1).clamp(min=1)
        residual = ((images - self.states).norm(dim=1) / norms).nan_to_num(nan=torch.inf)
        before = self.residual[self.active]
        better = residual < before
        rows = self.active[better]
        self.residual[rows] = residual[better]
        self.best[rows], self.best_image[rows] = self.states[better], images[better]
        return ~better & ~(residual <= GROWTH * before)

    def _continue(self, images: Tensor, failed: Tensor, going: Tensor) -> None:
        """Choose the next states of the rows that go on: accelerated, or plain from the best where that failed."""
        proposal = self.acceleration.propose(self.states, images - self.states)
        failed = failed | ~proposal.isfinite().all(dim=1)
        self.fallbacks[self.active[failed & going]] += 1
        plain = self.best_image[self.active]
        self.states = torch.where(failed[:, None], plain, proposal)[going]
        self.active = self.active[going]
        self.acceleration.forget(failed)
        self.acceleration.keep(going)


class _Acceleration(ABC):
    """How the next state follows from a state z, its residual g = f(z) − z and the history; all (b, D)."""

    def __init__(self, start: Tensor, memory: int) -> None:
        rows, size = start.shape
        self.memory = memory
        self.count = 0
        self.first = start.new_zeros(rows, memory, size)  # differences or updates, a zero one stands for none
        self.second = start.new_zeros(rows, memory, size)
        self.before: tuple[Tensor, Tensor] | None = None
        self.fresh = torch.ones(rows, 1, dtype=torch.bool, device=start.device)  # rows with nothing to differ from

    @abstractmethod
    def propose(self, state: Tensor, residual: Tensor) -> Tensor:
        """Return the next states (b, D)."""

    def differences(self, state: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Return the changes of state and residual since the call before, zero for rows with no such call."""
        if self.before is None:
            self.before = state, residual
        changes = tuple(
            torch.where(self.fresh, 0, new - old) for new, old in zip((state, residual), self.before, strict=True)
        )
        self.before = state, residual
        self.fresh = torch.zeros_like(self.fresh)
        return changes[0], changes[1]

    def forget(self, rows: Tensor) -> None:
        """Forget the history of some rows, bool (b,)."""
        self.fresh = self.fresh | rows[:, None]
        self.first[rows] = 0
        self.second[rows] = 0

    def keep(self, rows: Tensor) -> None:
        """Go on with some rows alone, bool (b,)."""
        if bool(rows.all()):
            return
        self.first, self.second, self.fresh = self.first[rows], self.second[rows], self.fresh[rows]
        if self.before is not None:
            self.before = self.before[0][rows], self.before[1][rows]


class _Plain(_Acceleration):
    """No acceleration: z + g = f(z). ``first`` and ``second`` stay zero."""

    def propose(self, state: Tensor, residual: Tensor) -> Tensor:
        return state + residual


class _Anderson(_Acceleration):
    """Type II: step from the combination of past steps whose residual is smallest (Walker & Ni, equation 2.2)."""

    def propose(self, state: Tensor, residual: Tensor) -> Tensor:
        change, turn = self.differences(state, residual)
        slot = self.count % self.memory
        self.first[:, slot], self.second[:, slot] = change, turn
        self.count += 1
        turns = self.second.double()
        gram = turns @ turns.mT
        ridge = RIDGE * gram.diagonal(dim1=1, dim2=2).mean(dim=1)
        ridge = torch.where(ridge > 0, ridge, 1.0)
        system = gram + ridge[:, None, None] * torch.eye(self.memory, dtype=gram.dtype, device=gram.device)
        weights, _ = torch.linalg.solve_ex(system, turns @ residual.double().unsqueeze(2))
        correction = (self.first + self.second).mT @ weights.to(state.dtype)
        return state + residual - correction.squeeze(2)


class _Broyden(_Acceleration):
    """Newton's method on g with an inverse Jacobian H = −1 + Σ uᵢ vᵢᵀ learnt from the steps: "good" Broyden."""

    def propose(self, state: Tensor, residual: Tensor) -> Tensor:
        change, turn = self.differences(state, residual)
        slot = self.count % self.memory
        if slot == 0:
            self.first.zero_()
            self.second.zero_()
        transposed = self._apply(self.second, self.first, change)  # Hᵀ Δz
        scale = (transposed * turn).sum(dim=1, keepdim=True)
        update = (change - self._apply(self.first, self.second, turn)) / scale
        self.first[:, slot] = torch.where(scale.abs() > torch.finfo(scale.dtype).tiny, update, 0)
        self.second[:, slot] = transposed
        self.count += 1
        return state - self._apply(self.first, self.second, residual)

    @staticmethod
    def _apply(left: Tensor, right: Tensor, vector: Tensor) -> Tensor:
        """Return −v + Σ leftᵢ (rightᵢ · v)."""
        return (left.mT @ (right @ vector.unsqueeze(2))).squeeze(2) - vector


ACCELERATIONS: dict[str, type[_Acceleration]] = {"plain": _Plain, "anderson": _Anderson, "broyden": _Broyden}
