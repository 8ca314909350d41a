"""Randomised Kruskal: edges in random order, each opened unless it would close a cycle.

The minimum spanning tree of independent random weights: not uniform, with three times the dead ends of depth-first
search and short corridors. O(L² α) time for the shuffle and the union-find. Source: Kruskal, "On the shortest spanning
subtree of a graph and the traveling salesman problem" (1956).
"""

from extramaze.core.compiled import compiled
from extramaze.mazes.algorithms.lattice import edge_ends, open_edge
from extramaze.mazes.randomness import below


@compiled
def _root(parent, cell):
    """Find a cell's root, halving the way to it."""
    while parent[cell] != cell:
        parent[cell] = parent[parent[cell]]
        cell = parent[cell]
    return cell


@compiled
def carve_kruskal(at, connections, ints):
    """Write a spanning tree into ``connections``, bool (2, R, C), all False; ``at`` addresses its words.

    ints: int32 (≥ 3 R·C,): the edges not tried yet, by number, and each cell's parent in the union-find forest.
    """
    rows, columns = connections.shape[1:]
    cells = rows * columns
    parent, edges = ints[:cells], ints[cells:]
    count = 0
    for cell in range(cells):
        parent[cell] = cell
    for edge in range(2 * cells):
        if edge_ends(rows, columns, edge)[1] >= 0:
            edges[count] = edge
            count += 1
    position, missing = 0, cells - 1
    while missing:
        rank, position = below(at, position, count)
        first, second = edge_ends(rows, columns, edges[rank])
        count -= 1
        edges[rank] = edges[count]
        root_1, root_2 = _root(parent, first), _root(parent, second)
        if root_1 != root_2:
            parent[root_1] = root_2
            open_edge(connections, first, second)
            missing -= 1
