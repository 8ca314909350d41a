"""Randomised depth-first search ("recursive backtracker").

From a uniform first cell, step to a uniform unvisited neighbour; where there is none, back up. Biased towards long
corridors and few dead ends (17 % of the cells at size 9, 10 % at 499; a uniform spanning tree tends to 29 %). Each cell
is pushed and popped once: O(L²) time, one stack of L² cells. Source: Tarjan, "Depth-first search and linear graph
algorithms" (1972); the literature's default through maze-dataset (Ivanitskiy et al., arXiv 2309.10498).
"""

import numba
import numpy as np

from extramaze.mazes.randomness import below


@numba.njit(cache=True, nogil=True)
def carve_dfs(rng, connections, stack, visited):
    """Write a spanning tree into ``connections``, bool (2, L, L), all False on entry.

    stack: int32 (L²,) and visited: bool (L², ) are scratch.
    """
    side = connections.shape[1]
    visited[:] = False
    choices = np.empty(4, np.int64)
    cell = below(rng, side * side)
    visited[cell] = True
    stack[0] = cell
    depth = 1
    while depth > 0:
        cell = stack[depth - 1]
        row, column = cell // side, cell % side
        count = 0
        if row > 0 and not visited[cell - side]:
            choices[count] = cell - side
            count += 1
        if row < side - 1 and not visited[cell + side]:
            choices[count] = cell + side
            count += 1
        if column > 0 and not visited[cell - 1]:
            choices[count] = cell - 1
            count += 1
        if column < side - 1 and not visited[cell + 1]:
            choices[count] = cell + 1
            count += 1
        if count == 0:
            depth -= 1
            continue
        other = choices[below(rng, count)] if count > 1 else choices[0]
        upper = min(cell, other)
        vertical = 0 if abs(cell - other) == side else 1
        connections[vertical, upper // side, upper % side] = True
        visited[other] = True
        stack[depth] = other
        depth += 1
