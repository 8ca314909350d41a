"""Measure mazes: what each is like, in numbers."""

import numpy as np

from extramaze.core.compiled import compiled
from extramaze.mazes.description import COUNTS, Description
from extramaze.mazes.mazes import Mazes
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.walk import (
    COLUMN_STEPS,
    ROW_STEPS,
    distances_from,
    fill_degrees,
    is_open,
    next_on_path,
    packed,
    scratch,
)

MANY_PATHS = np.int64(2**62 - 1)  # the count of shortest paths saturates here


def describe(mazes: Mazes, workers: int | None = None) -> Description:
    """Measure each maze. Time O(R·C) a maze."""
    values = np.empty((len(COUNTS), len(mazes)), np.int64)
    over_blocks(_describe_block, len(mazes), workers, mazes.connections, mazes.start, mazes.goal, values)
    apart = np.abs(mazes.start - mazes.goal).sum(axis=1)
    return Description(**dict(zip(COUNTS, values, strict=True)), tortuosity=values[0] / apart)


@compiled
def _describe_block(begin, end, connections, start, goal, values):
    rows, columns = connections.shape[2:]
    distance, queue = scratch(rows, columns)
    degrees = np.empty((rows, columns), np.int8)
    ways = np.empty((rows, columns), np.int64)
    for i in range(begin, end):
        maze = connections[i]
        edges = fill_degrees(maze, degrees)
        dead_ends = 0
        for row in range(rows):
            for column in range(columns):
                dead_ends += degrees[row, column] == 1
        reached = distances_from(maze, goal[i, 0], goal[i, 1], distance, queue)
        values[0, i] = distance[start[i, 0], start[i, 1]]
        values[2, i] = count_shortest(maze, distance, queue[:reached], ways, start[i])
        components = 1 if reached == rows * columns else count_components(maze, distance, queue)
        values[1, i] = edges - rows * columns + components
        values[3, i] = dead_ends
        values[4, i] = degrees[start[i, 0], start[i, 1]]
        values[5, i] = degrees[goal[i, 0], goal[i, 1]]
        values[6, i] = _path_junctions(maze, degrees, distance, start[i, 0], start[i, 1])


@compiled
def _path_junctions(connections, degrees, distance, row, column):
    """Count the cells of the stored path, without the goal, from which more than one way leads on."""
    junctions, ways_back = 0, 0
    while distance[row, column] > 0:
        junctions += degrees[row, column] - ways_back > 1
        direction = next_on_path(connections, distance, row, column)
        row, column = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
        ways_back = 1
    return junctions


@compiled
def count_shortest(connections, distance, order, ways, start):
    """Count the shortest paths from the goal, ``order[0]``, to the start; ``ways`` is int64 (R, C) scratch."""
    ways[:] = 0
    ways[order[0] >> 16, order[0] & 0xFFFF] = 1
    for cell in order:
        row, column = cell >> 16, cell & 0xFFFF
        for direction in range(4):
            if is_open(connections, row, column, direction):
                row_2, column_2 = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
                if distance[row_2, column_2] == distance[row, column] + 1:
                    ways[row_2, column_2] = min(ways[row_2, column_2] + ways[row, column], MANY_PATHS)
    return ways[start[0], start[1]]


@compiled
def count_components(connections, distance, queue):
    """Count the connected components of one maze: the one that ``distance`` reaches, and all others.

    queue: int32 (R·C,) scratch.
    """
    rows, columns = connections.shape[1:]
    seen = distance >= 0
    components = 1
    for first in range(rows * columns):
        if seen[first // columns, first % columns]:
            continue
        components += 1
        seen[first // columns, first % columns] = True
        queue[0] = packed(first // columns, first % columns)
        head, tail = 0, 1
        while head < tail:
            row, column = queue[head] >> 16, queue[head] & 0xFFFF
            head += 1
            for direction in range(4):
                if is_open(connections, row, column, direction):
                    row_2, column_2 = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
                    if not seen[row_2, column_2]:
                        seen[row_2, column_2] = True
                        queue[tail] = packed(row_2, column_2)
                        tail += 1
    return components
