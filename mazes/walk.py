"""Breadth-first search on one maze: distances, and the stored shortest path.

Neighbours are always visited up, down, left, right. That order is the tie-break of the stored path and is part of its
version: from the start, each step goes to the first neighbour, in that order, that is one nearer to the goal.
"""

import numpy as np

from extramaze.core.compiled import compiled

ROW_STEPS = (-1, 1, 0, 0)
COLUMN_STEPS = (0, 0, -1, 1)


@compiled(inline="always")
def is_open(connections, row, column, direction):
    """Whether one can step from a cell in a direction (up, down, left, right) in one maze, bool (2, R, C)."""
    if direction == 0:
        return row > 0 and connections[0, row - 1, column]
    if direction == 1:
        return connections[0, row, column]
    if direction == 2:
        return column > 0 and connections[1, row, column - 1]
    return connections[1, row, column]


@compiled
def fill_degrees(connections, degrees):
    """Fill ``degrees``, int8 (R, C), with the number of open neighbours of each cell; return the open edges."""
    rows, columns = connections.shape[1:]
    ends = np.int64(0)
    for row in range(rows):
        for column in range(columns):
            count = np.int8(connections[0, row, column]) + np.int8(connections[1, row, column])
            if row > 0:
                count += np.int8(connections[0, row - 1, column])
            if column > 0:
                count += np.int8(connections[1, row, column - 1])
            degrees[row, column] = count
            ends += count
    return ends // 2


@compiled(inline="always")
def packed(row, column):
    """Return a cell as one number: row · 2¹⁶ + column."""
    return row << 16 | column


@compiled
def distances_from(connections, row, column, distance, queue, last=-1):
    """Fill ``distance``, int32 (R, C), with the lattice edges to a cell (−1: out of reach); return the cells reached.

    queue: int32 (R·C,), on return the reached cells in order of distance, as ``packed``. last: a cell, as ``packed``,
    at which the search may stop: all nearer cells are known then.
    """
    distance[:] = -1
    distance[row, column] = 0
    queue[0] = packed(row, column)
    head, tail = 0, 1
    while head < tail:
        row, column = queue[head] >> 16, queue[head] & 0xFFFF
        far = distance[row, column] + 1
        head += 1
        for direction in range(4):
            if is_open(connections, row, column, direction):
                row_2, column_2 = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
                if distance[row_2, column_2] < 0:
                    distance[row_2, column_2] = far
                    queue[tail] = packed(row_2, column_2)
                    tail += 1
                    if queue[tail - 1] == last:
                        return tail
    return tail


@compiled
def next_on_path(connections, distance, row, column):
    """Return the direction of the stored path's next step, given the distances from the goal."""
    for direction in range(4):
        if is_open(connections, row, column, direction):
            row_2, column_2 = row + ROW_STEPS[direction], column + COLUMN_STEPS[direction]
            if distance[row_2, column_2] == distance[row, column] - 1:
                return direction
    return -1


@compiled
def scratch(rows, columns):
    """Allocate a distance map and a queue for a lattice."""
    return np.empty((rows, columns), np.int32), np.empty(rows * columns, np.int32)
