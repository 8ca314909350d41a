import networkx as nx
import numpy as np

from extramaze.mazes import MazeSpec, generate, to_graphs, to_networkx
from tests.mazes.plain import graph


def test_edge_lists_and_networkx_graphs_equal_plain_ones():
    """Each maze's edges, both ways, and its networkx graph are those read off its connections one by one."""
    mazes = generate(MazeSpec(7, width=11, percolation=0.2, start="any"), 10)
    graphs = to_graphs(mazes)
    assert len(graphs) == 10
    for i in range(10):
        expected = graph(mazes.connections[i])
        numbers = {cell: cell[0] * 6 + cell[1] for cell in expected}
        edges = {(numbers[a], numbers[b]) for a, b in expected.to_directed().edges}
        assert set(map(tuple, graphs[i].T.tolist())) == edges
        assert graphs[i].shape[1] == len(edges)
        ours = to_networkx(mazes, i)
        assert nx.utils.graphs_equal(nx.Graph(ours.edges), nx.Graph(expected.edges))
        assert set(ours) == set(expected)
        assert (numbers[ours.graph["start"]], numbers[ours.graph["goal"]]) == (graphs.start[i], graphs.goal[i])
    assert np.array_equal(graphs[-1], graphs[9])


def test_no_mazes_no_edges():
    """An empty batch has no graphs."""
    assert len(to_graphs(generate(MazeSpec(9), 0))) == 0
