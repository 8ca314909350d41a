"""Wilson's algorithm: loop-erased random walks.

From each cell in turn that is not in the tree, walk at random until the tree is met, and add the walk without its
loops. Every spanning tree is equally likely. Expected steps: the mean hitting time of the root, of order L² log L.
Source: Wilson, "Generating random spanning trees more quickly than the cover time" (STOC 1996).
"""

from extramaze.core.compiled import compiled
from extramaze.mazes.algorithms.lattice import neighbour, open_edge
from extramaze.mazes.randomness import below


@compiled
def carve_wilson(at, connections, ints, flags):
    """Write a uniform spanning tree into ``connections``, bool (2, R, C), all False; ``at`` addresses its words.

    ints: int32 (≥ R·C,), the direction in which each cell was last left; flags: bool (≥ R·C,), the cells in the tree.
    """
    rows, columns = connections.shape[1:]
    cells = rows * columns
    flags[:cells] = False
    flags[(rows // 2) * columns + columns // 2] = True
    position = 0
    for first in range(cells):
        cell = first
        while not flags[cell]:
            while True:
                direction, position = below(at, position, 4)
                other = neighbour(rows, columns, cell, direction)
                if other >= 0:
                    break
            ints[cell] = direction
            cell = other
        cell = first
        while not flags[cell]:
            flags[cell] = True
            other = neighbour(rows, columns, cell, ints[cell])
            open_edge(connections, cell, other)
            cell = other
