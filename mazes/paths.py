"""Shortest paths, as ragged arrays."""

from dataclasses import dataclass

import numpy as np

from extramaze.core.compiled import compiled
from extramaze.mazes.mazes import Mazes
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.walk import COLUMN_STEPS, ROW_STEPS, distances_from, next_on_path, packed, scratch


@dataclass(frozen=True, eq=False)
class Paths:
    """The stored shortest path of each of N mazes; ``paths[i]`` is int32 (cells, 2) from start to goal.

    cells: int32 (M, 2), row and column, all paths one after another. offsets: int64 (N + 1,) into ``cells``.
    """

    cells: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        if not -len(self) <= index < len(self):
            raise IndexError(f"path {index} of {len(self)}")
        index %= len(self)
        return self.cells[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """Path lengths in lattice edges, int64 (N,)."""
        return np.diff(self.offsets) - 1


def solve(mazes: Mazes, workers: int | None = None) -> Paths:
    """Find a shortest path in each maze, ties broken as ``extramaze.mazes.walk`` states.

    Time O(R·C) a maze, twice: once for the lengths, so that the paths are written where they stay.
    """
    arrays = mazes.connections, mazes.start, mazes.goal
    offsets = np.zeros(len(mazes) + 1, np.int64)
    over_blocks(_length_block, len(mazes), workers, *arrays, offsets)
    np.cumsum(offsets, out=offsets)
    cells = np.empty((offsets[-1], 2), np.int32)
    over_blocks(_solve_block, len(mazes), workers, *arrays, offsets, cells)
    return Paths(cells, offsets)


@compiled
def _length_block(begin, end, connections, start, goal, offsets):
    """Write each path's number of cells to the place after its maze's."""
    rows, columns = connections.shape[2:]
    distance, queue = scratch(rows, columns)
    for i in range(begin, end):
        distances_from(connections[i], goal[i, 0], goal[i, 1], distance, queue, packed(start[i, 0], start[i, 1]))
        offsets[i + 1] = distance[start[i, 0], start[i, 1]] + 1


@compiled
def _solve_block(begin, end, connections, start, goal, offsets, cells):
    rows, columns = connections.shape[2:]
    distance, queue = scratch(rows, columns)
    for i in range(begin, end):
        distances_from(connections[i], goal[i, 0], goal[i, 1], distance, queue, packed(start[i, 0], start[i, 1]))
        row, column = start[i, 0], start[i, 1]
        for at in range(offsets[i], offsets[i + 1]):
            cells[at, 0], cells[at, 1] = row, column
            if at < offsets[i + 1] - 1:
                direction = next_on_path(connections[i], distance, row, column)
                row, column = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
