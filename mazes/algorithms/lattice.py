"""Cells by number (row · L + column), and the edges between them."""

import numba


@numba.njit(cache=True, nogil=True)
def neighbour(side, cell, direction):
    """Return the cell up, down, left or right (direction 0–3) of a cell, or −1 beyond the lattice."""
    if direction == 0:
        return cell - side if cell >= side else -1
    if direction == 1:
        return cell + side if cell < side * (side - 1) else -1
    if direction == 2:
        return cell - 1 if cell % side > 0 else -1
    return cell + 1 if cell % side < side - 1 else -1


@numba.njit(cache=True, nogil=True)
def open_edge(connections, cell, other):
    """Open the edge between two neighbouring cells of one maze, bool (2, L, L)."""
    side = connections.shape[1]
    upper = min(cell, other)
    connections[0 if abs(cell - other) == side else 1, upper // side, upper % side] = True


@numba.njit(cache=True, nogil=True)
def edge_ends(side, edge):
    """Return the two cells of an edge numbered 2 · cell (down) or 2 · cell + 1 (right); the second −1 beyond."""
    cell = edge // 2
    return cell, neighbour(side, cell, 1 if edge % 2 == 0 else 3)
