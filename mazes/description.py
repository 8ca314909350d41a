"""What each maze is like, in numbers: the names of its measures, and the frame that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

COUNTS = ("path_length", "cycles", "n_shortest", "dead_ends", "start_degree", "goal_degree", "path_junctions")
COLUMNS = (*COUNTS, "tortuosity")


@dataclass(frozen=True, eq=False)
class Description:
    """Measures of N mazes, (N,) each: int64, but tortuosity float64.

    path_length: lattice edges of a shortest path. cycles: cyclomatic number, edges − cells + components.
    n_shortest: number of shortest paths, saturating at 2⁶² − 1. dead_ends: cells with exactly one open neighbour.
    start_degree, goal_degree: open neighbours of the start and of the goal. path_junctions: cells of the stored path,
    without the goal, from which more than one way leads on (a start of degree 2 or more, another cell of 3 or 4).
    tortuosity: path length over the taxicab distance from start to goal, at least 1.
    """

    path_length: np.ndarray
    cycles: np.ndarray
    n_shortest: np.ndarray
    dead_ends: np.ndarray
    start_degree: np.ndarray
    goal_degree: np.ndarray
    path_junctions: np.ndarray
    tortuosity: np.ndarray

    def frame(self) -> pl.DataFrame:
        """Return the measures as a polars frame, a row a maze."""
        import polars

        return polars.DataFrame({name: getattr(self, name) for name in COLUMNS})
