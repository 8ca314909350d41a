"""What each maze is like, in integers."""

from dataclasses import dataclass

import numba
import numpy as np

from extramaze.mazes.mazes import Mazes
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.walk import COLUMN_STEPS, ROW_STEPS, distances_from, fill_degrees, is_open, scratch

MANY_PATHS = np.int64(2**62 - 1)  # the count of shortest paths saturates here
COLUMNS = ("path_length", "cycles", "n_shortest", "dead_ends", "start_degree", "goal_degree")


@dataclass(frozen=True, eq=False)
class Description:
    """Measures of N mazes, int64 (N,) each.

    path_length: lattice edges of a shortest path. cycles: cyclomatic number, edges − cells + components.
    n_shortest: number of shortest paths, saturating at 2⁶² − 1. dead_ends: cells with exactly one open neighbour.
    start_degree, goal_degree: open neighbours of the start and of the goal.
    """

    path_length: np.ndarray
    cycles: np.ndarray
    n_shortest: np.ndarray
    dead_ends: np.ndarray
    start_degree: np.ndarray
    goal_degree: np.ndarray


def describe(mazes: Mazes, workers: int | None = None) -> Description:
    """Measure each maze. O(L²) time a maze."""
    values = np.empty((len(COLUMNS), len(mazes)), np.int64)
    over_blocks(_describe_block, len(mazes), workers, mazes.connections, mazes.start, mazes.goal, values)
    return Description(**dict(zip(COLUMNS, values, strict=True)))


@numba.njit(cache=True, nogil=True)
def _describe_block(begin, end, connections, start, goal, values):
    side = connections.shape[2]
    distance, queue = scratch(side)
    degrees = np.empty((side, side), np.int8)
    ways = np.empty((side, side), np.int64)
    for i in range(begin, end):
        maze = connections[i]
        edges = fill_degrees(maze, degrees)
        dead_ends = 0
        for row in range(side):
            for column in range(side):
                dead_ends += degrees[row, column] == 1
        reached = distances_from(maze, goal[i, 0], goal[i, 1], distance, queue)
        values[0, i] = distance[start[i, 0], start[i, 1]]
        values[2, i] = count_shortest(maze, distance, queue[:reached], ways, start[i])
        components = 1 if reached == side * side else count_components(maze, distance, queue)
        values[1, i] = edges - side * side + components
        values[3, i] = dead_ends
        values[4, i] = degrees[start[i, 0], start[i, 1]]
        values[5, i] = degrees[goal[i, 0], goal[i, 1]]


@numba.njit(cache=True, nogil=True)
def count_shortest(connections, distance, order, ways, start):
    """Count the shortest paths from the goal, ``order[0]``, to the start; ``ways`` is int64 (L, L) scratch."""
    ways[:] = 0
    ways[order[0] >> 16, order[0] & 0xFFFF] = 1
    for packed in order:
        row, column = packed >> 16, packed & 0xFFFF
        for direction in range(4):
            if is_open(connections, row, column, direction):
                row_2, column_2 = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
                if distance[row_2, column_2] == distance[row, column] + 1:
                    ways[row_2, column_2] = min(ways[row_2, column_2] + ways[row, column], MANY_PATHS)
    return ways[start[0], start[1]]


@numba.njit(cache=True, nogil=True)
def count_components(connections, distance, queue):
    """Count the connected components of one maze; ``distance`` and ``queue`` are scratch as in ``distances_from``."""
    side = connections.shape[1]
    seen = np.zeros((side, side), np.bool_)
    components = 0
    for row in range(side):
        for column in range(side):
            if not seen[row, column]:
                components += 1
                for packed in queue[: distances_from(connections, row, column, distance, queue)]:
                    seen[packed >> 16, packed & 0xFFFF] = True
    return components
