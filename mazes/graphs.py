"""Mazes as graphs: edge lists for graph networks, and networkx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from extramaze.mazes.mazes import Mazes

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, eq=False)
class Graphs:
    """The open edges of N mazes; ``graphs[i]`` is int64 (2, edges), both directions of every edge.

    A cell's number is row · C + column. edges: int64 (2, M), all mazes one after another. offsets: int64 (N + 1,) into
    its columns. start, goal: int64 (N,), cells.
    """

    edges: np.ndarray
    offsets: np.ndarray
    start: np.ndarray
    goal: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        if not -len(self) <= index < len(self):
            raise IndexError(f"graph {index} of {len(self)}")
        index %= len(self)
        return self.edges[:, self.offsets[index] : self.offsets[index + 1]]


def to_graphs(mazes: Mazes) -> Graphs:
    """Turn mazes into edge lists, the ``edge_index`` of PyTorch Geometric: for each maze the edges down, then right."""
    columns = mazes.shape[1]
    maze, direction, row, column = np.nonzero(mazes.connections)
    near = row * columns + column
    far = near + np.where(direction == 0, columns, 1)
    edges = np.stack([np.stack([near, far], axis=1), np.stack([far, near], axis=1)]).reshape(2, -1)
    offsets = np.concatenate([[0], np.cumsum(2 * np.bincount(maze, minlength=len(mazes)))])
    start, goal = (cell[:, 0].astype(np.int64) * columns + cell[:, 1] for cell in (mazes.start, mazes.goal))
    return Graphs(edges, offsets, start, goal)


def to_networkx(mazes: Mazes, index: int = 0) -> nx.Graph:
    """Return one maze as a networkx graph whose nodes are (row, column); ``graph.graph`` names start and goal."""
    import networkx as nx

    rows, columns = mazes.shape
    connections = mazes.connections[index]
    start, goal = (tuple(cell[index].tolist()) for cell in (mazes.start, mazes.goal))
    graph = nx.Graph(start=start, goal=goal)
    graph.add_nodes_from((row, column) for row in range(rows) for column in range(columns))
    graph.add_edges_from(((row, column), (row + 1, column)) for row, column in np.argwhere(connections[0]).tolist())
    graph.add_edges_from(((row, column), (row, column + 1)) for row, column in np.argwhere(connections[1]).tolist())
    return graph
