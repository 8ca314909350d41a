"""A rehearsal: a solver is evaluated on a few mazes, so that what would end an evaluation late is known at once."""

from extramaze.core.display import sentence
from extramaze.core.errors import InputError
from extramaze.evaluation.evaluate import make_evaluation
from extramaze.models.contract import IterativeSolver, card_of
from extramaze.schema.suite import Cell, LimitPlan, Suite

# The first cell is as the suites have it, so that what fails at all fails here with the very same sentence. Short of
# settling, the iterates are pursued with a tangent; the sizes of a second cell are others.
CELLS = (
    Cell(name="usual", axis="in-distribution", spec="size=9", count=2),
    Cell(name="large", axis="size", spec="size=13,percolation=0.1", count=2),
)
RUNGS = (1, 20)  # beyond the first check whether a block has come to rest
LIMITS = LimitPlan(burn_in=3, window=4, count=2, cells=("usual", "large"), pursuit=20)


def refusal(solver: IterativeSolver) -> str | None:
    """Say why a solver cannot be evaluated, in the words of ``evaluate``; None where it can. Runs its code, on the CPU.

    A solver that has an inference of its own is run by that too.
    """
    try:
        suite = Suite(
            name="rehearsal-v1",
            scale=2 if card_of(solver).scale == 2 else 1,
            split="test",
            iterations=RUNGS,
            cells=CELLS,
            limits=LIMITS,
        )
        make_evaluation(solver, suite, "cpu").run(quiet=True)
        if type(solver).own_inference is not IterativeSolver.own_inference:
            make_evaluation(solver, suite, "cpu", mode="own").run(quiet=True)
    except InputError as problem:
        return sentence(problem)
    return None
