"""A plain scorer: sets and networkx, one maze at a time."""

import networkx as nx
import numpy as np


def tiles(plane, scale):
    """Take a plane apart into lattice-image tiles; None where tiles are not whole or the outer ring is not empty."""
    if scale == 1:
        return plane.astype(bool)
    ring = plane.copy()
    ring[1:-1, 1:-1] = 0
    inner = plane[1:-1, 1:-1]
    coarse = inner[::2, ::2]
    if ring.any() or not np.array_equal(np.kron(coarse, np.ones((2, 2), inner.dtype)), inner):
        return None
    return coarse.astype(bool)


def pixel_graph(mask):
    """Connect neighbouring true pixels."""
    grid = nx.grid_2d_graph(*mask.shape)
    return grid.subgraph([tuple(cell) for cell in np.argwhere(mask).tolist()])


def score_one(image, target, prediction):
    """Return (exact, valid, optimal) of one prediction."""
    scale = 1 if image.shape[-1] % 2 else 2
    red, green, blue = (tiles(channel, scale) for channel in image)
    open_tiles = red | green | blue
    start = tuple(np.argwhere(green & ~red)[0].tolist())
    goal = tuple(np.argwhere(red & ~green)[0].tolist())
    exact = bool((prediction == target).all())
    mask = tiles(prediction, scale)
    if mask is None or not mask.any() or (mask & ~open_tiles).any() or not (mask[start] and mask[goal]):
        return exact, False, False
    path = pixel_graph(mask)
    degrees = dict(path.degree)
    ends = sorted(node for node, degree in degrees.items() if degree == 1)
    inner_ok = all(degree == 2 for node, degree in degrees.items() if node not in (start, goal))
    valid = ends == sorted([start, goal]) and inner_ok and nx.is_connected(path)
    shortest = nx.shortest_path_length(pixel_graph(open_tiles), start, goal)
    return exact, valid, valid and len(path) == shortest + 1


def failure_one(image, target, prediction):
    """Name the first failure kind that applies to one prediction."""
    scale = 1 if image.shape[-1] % 2 else 2
    red, green = (tiles(channel, scale) for channel in image[:2])
    start = tuple(np.argwhere(green & ~red)[0].tolist())
    goal = tuple(np.argwhere(red & ~green)[0].tolist())
    _, valid, optimal = score_one(image, target, prediction)
    if optimal:
        return "none"
    if not prediction.any():
        return "empty"
    if (prediction.astype(bool) & ~image.any(axis=0)).any():
        return "wall pixels"
    mask = tiles(prediction, scale)
    if mask is None:
        return "partial tiles"
    if not (mask[start] and mask[goal]):
        return "endpoint missing"
    predicted = pixel_graph(mask)
    if not nx.has_path(predicted, start, goal):
        return "broken path"
    if valid:
        return "longer way"
    return "loop kept" if nx.cycle_basis(nx.Graph(predicted)) else "extra branch"
