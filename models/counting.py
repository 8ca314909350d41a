"""How often a solver's own inference really evaluates its step, whatever it says of itself."""

import copy
from dataclasses import dataclass

from torch import Tensor

from extramaze.models.contract import IterativeSolver, State
from extramaze.models.states import OneTensor, one_tensor


@dataclass
class Steps:
    """Evaluations of ``step`` so far. rows: of single mazes, so that a batch of B counts B."""

    rows: int = 0


def counting(solver: IterativeSolver) -> tuple[IterativeSolver, Steps]:
    """Return the same solver, whose steps are counted, and the count; what reaches its layers otherwise is not seen."""
    if isinstance(solver, OneTensor):
        counted, steps = counting(solver.solver)
        return one_tensor(counted), steps
    kind, steps = type(solver), Steps()

    def step(self: IterativeSolver, state: State, x: Tensor) -> State:
        steps.rows += len(x)
        return kind.step(self, state, x)

    other = copy.copy(solver)
    other.__class__ = type(kind.__name__, (kind,), {"step": step, "__module__": kind.__module__})
    return other, steps
