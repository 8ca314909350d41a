"""Randomised Prim: grow the tree by a uniformly random edge of its boundary.

From a uniform first cell, again and again open an edge chosen uniformly among those between the tree and the rest.
Grown like an Eden cluster: many short dead ends, short paths. (With random edge weights instead Prim would give
Kruskal's trees.) O(L²) time. Source: Prim, "Shortest connection networks and some generalizations" (1957); the
randomised form is folklore of maze generation.
"""

from extramaze.core.compiled import compiled
from extramaze.mazes.algorithms.lattice import edge_ends, neighbour, open_edge
from extramaze.mazes.randomness import below


@compiled
def carve_prim(at, connections, ints, flags):
    """Write a spanning tree into ``connections``, bool (2, R, C), all False; ``at`` addresses its words.

    ints: int32 (≥ 4 R·C,), edges once on the boundary, by number; flags: bool (≥ R·C,), the cells in the tree.
    """
    rows, columns = connections.shape[1:]
    flags[: rows * columns] = False
    cell, position = below(at, 0, rows * columns)
    count, missing = 0, rows * columns - 1
    while True:
        flags[cell] = True
        for direction in range(4):
            other = neighbour(rows, columns, cell, direction)
            if other >= 0 and not flags[other]:
                ints[count] = 2 * min(cell, other) + (0 if direction < 2 else 1)
                count += 1
        if missing == 0:
            return
        while True:  # an edge whose far cell has joined since is passed over: the rest stay equally likely
            rank, position = below(at, position, count)
            first, second = edge_ends(rows, columns, ints[rank])
            count -= 1
            ints[rank] = ints[count]
            if not (flags[first] and flags[second]):
                break
        open_edge(connections, first, second)
        cell = second if flags[first] else first
        missing -= 1
