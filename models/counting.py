"""How often a solver's own inference really evaluates its step, whatever it says of itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor

from extramaze.models.contract import IterativeSolver


@dataclass
class Steps:
    """Evaluations of ``step`` so far. rows: of single mazes, so that a batch of B counts B."""

    rows: int = 0


@contextmanager
def counted_steps(solver: IterativeSolver) -> Iterator[Steps]:
    """Count the evaluations of a solver's ``step`` within; what reaches its layers by another way is not seen."""
    counted, step = Steps(), solver.step
    own = "step" in vars(solver)

    def counting(state: Tensor, x: Tensor) -> Tensor:
        counted.rows += len(state)
        return step(state, x)

    solver.step = counting  # type: ignore[method-assign]
    try:
        yield counted
    finally:
        if own:
            solver.step = step  # type: ignore[method-assign]
        else:
            del solver.step
