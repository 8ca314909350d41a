"""Cells by number (row · C + column), and the edges between them."""

from extramaze.core.compiled import compiled


@compiled
def neighbour(rows, columns, cell, direction):
    """Return the cell up, down, left or right (direction 0–3) of a cell, or −1 beyond the lattice."""
    if direction == 0:
        return cell - columns if cell >= columns else -1
    if direction == 1:
        return cell + columns if cell < columns * (rows - 1) else -1
    if direction == 2:
        return cell - 1 if cell % columns > 0 else -1
    return cell + 1 if cell % columns < columns - 1 else -1


@compiled
def open_edge(connections, cell, other):
    """Open the edge between two neighbouring cells of one maze, bool (2, R, C), C > 1."""
    columns = connections.shape[2]
    upper = min(cell, other)
    connections[0 if abs(cell - other) == columns else 1, upper // columns, upper % columns] = True


@compiled
def edge_ends(rows, columns, edge):
    """Return the two cells of an edge numbered 2 · cell (down) or 2 · cell + 1 (right); the second −1 beyond."""
    cell = edge // 2
    return cell, neighbour(rows, columns, cell, 1 if edge % 2 == 0 else 3)
