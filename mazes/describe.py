"""What each maze is like, in integers."""

from dataclasses import dataclass

import numba
import numpy as np

from extramaze.mazes.mazes import Mazes
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.walk import COLUMN_STEPS, ROW_STEPS, degree, distances_from, is_open, scratch

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
    ways = np.empty((side, side), np.int64)
    for i in range(begin, end):
        maze = connections[i]
        edges, dead_ends = np.int64(0), np.int64(0)
        for row in range(side):
            for column in range(side):
                edges += np.int64(maze[0, row, column]) + np.int64(maze[1, row, column])
                dead_ends += degree(maze, row, column) == 1
        values[1, i] = edges - side * side + count_components(maze, distance, queue)
        values[3, i] = dead_ends
        reached = distances_from(maze, goal[i, 0], goal[i, 1], distance, queue)
        values[0, i] = distance[start[i, 0], start[i, 1]]
        values[2, i] = count_shortest(maze, distance, queue[:reached], ways, start[i])
        values[4, i] = degree(maze, start[i, 0], start[i, 1])
        values[5, i] = degree(maze, goal[i, 0], goal[i, 1])


@numba.njit(cache=True, nogil=True)
def count_shortest(connections, distance, order, ways, start):
    """Count the shortest paths from the goal, ``order[0]``, to the start; ``ways`` is int64 (L, L) scratch."""
    side = connections.shape[1]
    ways[:] = 0
    ways[order[0] // side, order[0] % side] = 1
    for cell in order:
        row, column = cell // side, cell % side
        for direction in range(4):
            if is_open(connections, row, column, direction):
                row_2, column_2 = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
                if distance[row_2, column_2] == distance[row, column] + 1:
                    ways[row_2, column_2] = min(ways[row_2, column_2] + ways[row, column], MANY_PATHS)
    return ways[start[0], start[1]]


@numba.njit(cache=True, nogil=True)
def count_components(connections, label, queue):
    """Count the connected components of one maze; ``label``, int32 (L, L), and ``queue``, int32 (L²,), are scratch."""
    side = connections.shape[1]
    label[:] = 0
    components = 0
    for source in range(side * side):
        if label[source // side, source % side]:
            continue
        components += 1
        label[source // side, source % side] = 1
        queue[0] = source
        depth = 1
        while depth > 0:
            depth -= 1
            row, column = queue[depth] // side, queue[depth] % side
            for direction in range(4):
                if is_open(connections, row, column, direction):
                    row_2, column_2 = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
                    if not label[row_2, column_2]:
                        label[row_2, column_2] = 1
                        queue[depth] = row_2 * side + column_2
                        depth += 1
    return components
