"""Plain references: slow, obvious, written without looking at the kernels."""

import itertools

import networkx as nx
import numpy as np


def graph(connections):
    """Build the networkx graph of one maze, bool (2, R, C)."""
    rows, columns = connections.shape[1:]
    made = nx.Graph()
    made.add_nodes_from((i, j) for i in range(rows) for j in range(columns))
    made.add_edges_from(((i, j), (i + 1, j)) for i, j in np.argwhere(connections[0]).tolist())
    made.add_edges_from(((i, j), (i, j + 1)) for i, j in np.argwhere(connections[1]).tolist())
    return made


def connections_of(made, rows, columns):
    """Build connections from a networkx graph whose nodes are cells."""
    connections = np.zeros((2, rows, columns), bool)
    for a, b in made.edges:
        (i, j), (k, _) = sorted([a, b])
        connections[0 if k > i else 1, i, j] = True
    return connections


def symmetries(connections):
    """Return the 8 mazes that turning and mirroring makes of one."""
    rows, columns = connections.shape[1:]
    below, right = rows - 1, columns - 1
    lying = [lambda i, j: (i, j), lambda i, j: (below - i, j), lambda i, j: (i, right - j)]
    lying += [lambda i, j: (below - i, right - j)]
    standing = [lambda i, j: (j, i), lambda i, j: (right - j, i), lambda i, j: (j, below - i)]
    standing += [lambda i, j: (right - j, below - i)]
    made = graph(connections)
    turned = [nx.relabel_nodes(made, {n: f(*n) for n in made}) for f in lying + standing]
    sides = [(rows, columns)] * 4 + [(columns, rows)] * 4
    return [connections_of(other, *side) for other, side in zip(turned, sides, strict=True)]


def edge_bits(connections):
    """List a layout's edge bits row by row: for each cell the edge down, then the edge right, where there are any."""
    rows, columns = connections.shape[1:]
    bits = []
    for i in range(rows):
        for j in range(columns):
            bits += [int(connections[0, i, j])] * (i < rows - 1) + [int(connections[1, i, j])] * (j < columns - 1)
    return bits


def canonical_bits(connections):
    """Return the least edge bits over those of the 8 symmetries that lie down (R ≤ C)."""
    lying = [other for other in symmetries(connections) if other.shape[1] <= other.shape[2]]
    return min(edge_bits(other) for other in lying)


def layout_hash(connections):
    """Hash a layout's canonical form with Python integers."""
    full = 2**64 - 1

    def mix(word):
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & full
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & full
        return word ^ (word >> 31)

    rows, columns = sorted(connections.shape[1:])
    bits = canonical_bits(connections)
    state = mix(int.from_bytes(b"extramaz", "big") ^ ((rows << 32) | columns))
    whole = len(bits) // 64 * 64
    for begin in range(0, whole, 64):
        state = mix(state ^ int("".join(map(str, bits[begin : begin + 64])), 2))
    rest = "".join(map(str, bits[whole:]))
    return mix(state ^ int(rest or "0", 2))


def raster(connections, start, goal, path, scale):
    """Draw one maze and path pixel by pixel."""
    rows, columns = connections.shape[1:]
    image = np.zeros((3, 2 * rows + 1, 2 * columns + 1), np.uint8)
    target = np.zeros(image.shape[1:], np.uint8)
    image[:, 1::2, 1::2] = 1
    image[:, 2:-1:2, 1::2] = connections[0, :-1]
    image[:, 1::2, 2:-1:2] = connections[1, :, :-1]
    image[:, 2 * start[0] + 1, 2 * start[1] + 1] = (0, 1, 0)
    image[:, 2 * goal[0] + 1, 2 * goal[1] + 1] = (1, 0, 0)
    for a, b in itertools.pairwise(path):
        target[2 * a[0] + 1, 2 * a[1] + 1] = target[2 * b[0] + 1, 2 * b[1] + 1] = 1
        target[a[0] + b[0] + 1, a[1] + b[1] + 1] = 1
    if scale == 1:
        return image, target
    doubled = [np.pad(np.kron(plane, np.ones((2, 2), np.uint8)), 1) for plane in (*image, target)]
    return np.stack(doubled[:3]), doubled[3]
