"""Shortest paths, as ragged arrays."""

from dataclasses import dataclass

import numba
import numpy as np

from extramaze.mazes.mazes import Mazes
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.walk import COLUMN_STEPS, ROW_STEPS, distances_from, next_on_path, scratch


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
    """Find a shortest path in each maze, ties broken as ``extramaze.mazes.walk`` states. O(L²) time a maze."""
    blocks = over_blocks(_solve_block, len(mazes), workers, mazes.connections, mazes.start, mazes.goal)
    cells = [cells for cells, _ in blocks] or [np.empty((0, 2), np.int32)]
    counts = [np.zeros(1, np.int64), *(counts for _, counts in blocks)]
    return Paths(np.concatenate(cells), np.cumsum(np.concatenate(counts)))


@numba.njit(cache=True, nogil=True)
def _solve_block(begin, end, connections, start, goal):
    side = connections.shape[2]
    distance, queue = scratch(side)
    counts = np.empty(end - begin, np.int64)
    cells = np.empty(((end - begin) * side, 2), np.int32)
    used = 0
    for i in range(begin, end):
        distances_from(connections[i], goal[i, 0], goal[i, 1], distance, queue)
        row, column = start[i, 0], start[i, 1]
        length = distance[row, column] + 1
        counts[i - begin] = length
        if used + length > len(cells):
            grown = np.empty((2 * (used + length), 2), np.int32)
            grown[:used] = cells[:used]
            cells = grown
        for step in range(length):
            cells[used, 0], cells[used, 1] = row, column
            used += 1
            if step < length - 1:
                direction = next_on_path(connections[i], distance, row, column)
                row, column = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
    return cells[:used].copy(), counts
