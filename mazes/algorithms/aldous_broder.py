"""The Aldous–Broder algorithm: one random walk.

Walk at random until every cell was visited; the edges by which cells were first entered are the tree. Every spanning
tree is equally likely, at the price of the cover time, of order L² log² L steps. Sources: Broder, "Generating random
spanning trees" (FOCS 1989); Aldous, "The random walk construction of uniform spanning trees and uniform labelled trees"
(SIAM J. Discrete Math. 1990).
"""

from extramaze.core.compiled import compiled
from extramaze.mazes.algorithms.lattice import neighbour, open_edge
from extramaze.mazes.randomness import below


@compiled
def carve_aldous_broder(at, connections, flags):
    """Write a uniform spanning tree into ``connections``, bool (2, R, C), all False; ``at`` addresses its words.

    flags: bool (≥ R·C,), the cells visited.
    """
    rows, columns = connections.shape[1:]
    flags[: rows * columns] = False
    cell, position = below(at, 0, rows * columns)
    flags[cell] = True
    missing = rows * columns - 1
    while missing:
        direction, position = below(at, position, 4)
        other = neighbour(rows, columns, cell, direction)
        if other < 0:
            continue
        if not flags[other]:
            flags[other] = True
            missing -= 1
            open_edge(connections, cell, other)
        cell = other
