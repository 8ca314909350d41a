"""Recipes that train, or go on training, on mazes with cycles: PLAIN-pNN and PLAIN-tuned-N."""

from extramaze.schema.solver import SolverInfo

TRAINED_ON = {"-p01": ".01", "-p10": ".1", "-p50": ".5"}  # percolation
TUNED = {"-tuned-100": 100, "-tuned-1k": 1_000, "-tuned-10k": 10_000}  # mazes with cycles


def is_retrained(solver: SolverInfo) -> bool:
    """Whether some mazes that a solver was trained on have cycles, from the beginning or after training on trees."""
    known = solver.trained.on if solver.trained else None
    return known is not None and not all(spec.is_tree for spec in known.maze_specs)


def begins_with(solver: SolverInfo) -> str | None:
    """Return the name of the recipe whose weights a solver's training began with; None where it began with random ones.

    A shipped solver is named ``RECIPE@SEED``.
    """
    begun = solver.trained.begun_with if solver.trained else None
    return None if begun is None else begun.name.partition("@")[0]
