"""Breadth-first search under a name of one's own."""

from extramaze.models import SolverCard
from extramaze.models.wavefront import Wavefront


class Mine(Wavefront):
    """The same steps."""


def make():
    """Return the solver."""
    solver = Mine()
    solver.card = SolverCard(name="mine", recipe="mine")
    return solver
