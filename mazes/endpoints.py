"""Start and goal: drawn among the cells that fit, and kept where the path between them fits too."""

import numpy as np

from extramaze.core.compiled import compiled
from extramaze.mazes.describing import count_shortest
from extramaze.mazes.randomness import below
from extramaze.mazes.walk import distances_from, scratch


def degree_wanted(endpoint: str | int) -> int:
    """Return the degree that a specification's start or goal must have; 0 for any."""
    return {"any": 0, "deadend": 1}[endpoint] if isinstance(endpoint, str) else endpoint


@compiled
def draw_endpoints(at, connections, degrees, connected, start_degree, goal_degree, start, goal):
    """Draw a start and a goal of one maze, each uniform among the cells that fit; False where there are none.

    A cell fits whose degree is the one wanted (0: any); the goal is another cell, joined to the start. degrees: int8
    (R, C). connected: whether the maze is known to be, which saves looking.
    """
    rows, columns = degrees.shape
    cells = rows * columns
    cell, position = _draw_of_degree(at, 0, degrees, start_degree, -1)
    if cell < 0:
        return False
    if connected and goal_degree == 0:
        other, position = below(at, position, cells - 1)
        other += other >= cell
    else:
        fitting = degrees
        if not connected:
            distance, queue = scratch(rows, columns)
            distances_from(connections, cell // columns, cell % columns, distance, queue)
            fitting = degrees.copy()
            for i in range(cells):
                if distance[i // columns, i % columns] < 0:
                    fitting[i // columns, i % columns] = -1
        other, position = _draw_of_degree(at, position, fitting, goal_degree, cell)
        if other < 0:
            return False
    start[0], start[1] = cell // columns, cell % columns
    goal[0], goal[1] = other // columns, other % columns
    return True


@compiled
def _draw_of_degree(at, position, degrees, wanted, spared):
    """Draw a cell of a degree (0: any but −1) other than ``spared``; return it, or −1, and the position after it."""
    rows, columns = degrees.shape
    count = 0
    for i in range(rows):
        for j in range(columns):
            count += degrees[i, j] == wanted or (wanted == 0 and degrees[i, j] >= 0)
    if spared >= 0:
        degree = degrees[spared // columns, spared % columns]
        count -= degree == wanted or (wanted == 0 and degree >= 0)
    if count == 0:
        return -1, position
    rank, position = below(at, position, count)
    cell = -1
    while rank >= 0:
        cell += 1
        degree = degrees[cell // columns, cell % columns]
        rank -= cell != spared and (degree == wanted or (wanted == 0 and degree >= 0))
    return cell, position


@compiled
def path_fits(connections, start, goal, rules):
    """Whether the shortest path's length and the number of shortest paths lie within the rules' bounds."""
    rows, columns = connections.shape[1:]
    longest = rows * columns - 1
    bounded = rules.min_path > 1 or rules.max_path < longest
    counted = rules.min_shortest > 1 or rules.max_shortest < 2**62
    if not (bounded or counted):
        return True
    distance, queue = scratch(rows, columns)
    reached = distances_from(connections, goal[0], goal[1], distance, queue)
    if not rules.min_path <= distance[start[0], start[1]] <= rules.max_path:
        return False
    if not counted:
        return True
    ways = np.empty((rows, columns), np.int64)
    return (
        rules.min_shortest <= count_shortest(connections, distance, queue[:reached], ways, start) <= rules.max_shortest
    )
