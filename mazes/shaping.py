"""What happens to a tree afterwards: percolation, an exact number of cycles, braiding."""

from extramaze.core.compiled import compiled
from extramaze.mazes.algorithms.lattice import edge_ends, neighbour, open_edge
from extramaze.mazes.randomness import below, word


@compiled
def percolate(at, connections, threshold):
    """Open every lattice edge of one maze with probability threshold / 2³², besides those already open."""
    rows, columns = connections.shape[1:]
    position = 0
    for row in range(rows):
        for column in range(columns):
            if row < rows - 1:
                connections[0, row, column] |= word(at, position) < threshold
                position += 1
            if column < columns - 1:
                connections[1, row, column] |= word(at, position) < threshold
                position += 1


@compiled
def add_cycles(at, connections, cycles, ints):
    """Open ``cycles`` of the closed edges, every choice of them equally likely. ints: int32 (≥ 2 R·C,) is scratch."""
    rows, columns = connections.shape[1:]
    closed = 0
    for edge in range(2 * rows * columns):
        cell, other = edge_ends(rows, columns, edge)
        if other >= 0 and not connections[edge % 2, cell // columns, cell % columns]:
            ints[closed] = edge
            closed += 1
    position = 0
    for _ in range(cycles):
        rank, position = below(at, position, closed)
        cell, other = edge_ends(rows, columns, ints[rank])
        open_edge(connections, cell, other)
        closed -= 1
        ints[rank] = ints[closed]


@compiled
def braid(at, connections, threshold, degrees, ints):
    """Open the share threshold / 2³² of the dead ends, rounded: each by a uniformly random closed edge of its own.

    The dead ends are taken in random order; one that was opened from the other side meanwhile counts and is left as it
    is. degrees: int8 (R, C), up to date on entry and on return; ints: int32 (≥ R·C,) is scratch. Braiding is Pullen's
    term (Think Labyrinth).
    """
    rows, columns = connections.shape[1:]
    ends = 0
    for cell in range(rows * columns):
        if degrees[cell // columns, cell % columns] == 1:
            ints[ends] = cell
            ends += 1
    position = 0
    for _ in range((ends * threshold + (1 << 31)) >> 32):
        rank, position = below(at, position, ends)
        cell = ints[rank]
        ends -= 1
        ints[rank] = ints[ends]
        if degrees[cell // columns, cell % columns] > 1:
            continue
        closed = 0
        for direction in range(4):
            other = neighbour(rows, columns, cell, direction)
            closed += other >= 0 and not _joined(connections, cell, other)
        rank, position = below(at, position, closed)
        for direction in range(4):
            other = neighbour(rows, columns, cell, direction)
            if other >= 0 and not _joined(connections, cell, other):
                if rank == 0:
                    open_edge(connections, cell, other)
                    degrees[cell // columns, cell % columns] += 1
                    degrees[other // columns, other % columns] += 1
                    break
                rank -= 1


@compiled
def _joined(connections, cell, other):
    columns = connections.shape[2]
    upper = min(cell, other)
    return connections[0 if abs(cell - other) == columns else 1, upper // columns, upper % columns]
