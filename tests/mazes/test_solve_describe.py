import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extramaze.mazes import InputError, Mazes, MazeSpec, describe, generate, solve
from tests.mazes.plain import graph

whole = st.builds(
    MazeSpec,
    size=st.sampled_from([3, 5, 7, 9, 13]),
    width=st.sampled_from([0, 3, 11]),
    percolation=st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.9]),
    start=st.sampled_from(["deadend", "any"]),
).filter(lambda spec: spec.percolation < 0.9 or spec.start == "any")
in_pieces = st.builds(
    MazeSpec,
    size=st.sampled_from([5, 9, 13]),
    algorithm=st.just("percolation"),
    percolation=st.sampled_from([0.3, 0.5, 0.7]),
    start=st.just("any"),
)


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(spec=st.one_of(whole, in_pieces), first=st.integers(0, 2**31))
def test_paths_and_measures_equal_networkx(spec, first):
    """Stored paths are walkable and shortest; every measure equals networkx's."""
    mazes = generate(spec, 3, first=first)
    paths, measured = solve(mazes), describe(mazes)
    for i in range(3):
        made = graph(mazes.connections[i])
        start, goal = tuple(mazes.start[i].tolist()), tuple(mazes.goal[i].tolist())
        path = [tuple(cell) for cell in paths[i].tolist()]
        assert (path[0], path[-1]) == (start, goal)
        assert all(made.has_edge(a, b) for a, b in itertools.pairwise(path))
        shortest = list(nx.all_shortest_paths(made, start, goal)) if spec.percolation < 0.9 or spec.size < 9 else None
        length = nx.shortest_path_length(made, start, goal)
        assert len(path) - 1 == measured.path_length[i] == paths.lengths[i] == length
        if shortest is not None:
            assert measured.n_shortest[i] == len(shortest)
        assert measured.cycles[i] == made.number_of_edges() - len(made) + nx.number_connected_components(made)
        assert measured.dead_ends[i] == sum(degree == 1 for _, degree in made.degree)
        assert measured.start_degree[i] == made.degree[start]
        assert measured.goal_degree[i] == made.degree[goal]
        onward = [made.degree[cell] - (cell != start) for cell in path[:-1]]
        assert measured.path_junctions[i] == sum(ways > 1 for ways in onward)
        apart = abs(start[0] - goal[0]) + abs(start[1] - goal[1])
        assert measured.tortuosity[i] == length / apart >= 1


def test_the_tie_break_is_up_down_left_right():
    """On an open 3×3 lattice the stored path from a corner goes along the first direction that leads nearer."""
    connections = np.ones((1, 2, 3, 3), bool)
    connections[0, 0, -1] = connections[0, 1, :, -1] = False
    mazes = Mazes.from_arrays(connections, np.array([[2, 2]]), np.array([[0, 0]]))
    assert solve(mazes)[0].tolist() == [[2, 2], [1, 2], [0, 2], [0, 1], [0, 0]]
    assert describe(mazes).n_shortest.tolist() == [6]


def test_shortest_paths_are_counted_on_an_open_lattice():
    """From corner to corner of an open L×L lattice there are C(2L − 2, L − 1) of them, saturating at 2**62 - 1."""
    for side, expected in ((4, 20), (10, 48620), (40, 2**62 - 1)):
        connections = np.ones((1, 2, side, side), bool)
        connections[0, 0, -1] = connections[0, 1, :, -1] = False
        mazes = Mazes.from_arrays(connections, np.array([[0, 0]]), np.array([[side - 1, side - 1]]))
        assert describe(mazes).n_shortest.tolist() == [expected]


def test_separate_components_count():
    """The cyclomatic number is edges − cells + components, also where the lattice is not connected."""
    connections = np.zeros((1, 2, 3, 3), bool)
    connections[0, 1, 0, 0] = True
    mazes = Mazes.from_arrays(connections, np.array([[0, 0]]), np.array([[0, 1]]))
    assert describe(mazes).cycles.tolist() == [0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"connections": np.zeros((1, 3, 3, 3), bool)}, "shape"),
        ({"connections": np.zeros((1, 2, 3, 1), bool)}, "at least 2 cells a side"),
        ({"connections": np.zeros((1, 2, 2, 2**15 + 1), bool)}, "at most 32,768 cells a side, got 2×32769"),
        ({"connections": np.full((1, 2, 3, 3), 2)}, "0 and 1"),
        ({"connections": np.ones((1, 2, 3, 3), bool)}, "leaves the lattice"),
        ({"start": np.array([[0, 3]])}, "outside"),
        ({"goal": np.array([[0, 0]])}, "same cell"),
        ({"goal": np.array([[2, 2]])}, "cannot be reached"),
        ({"start": np.array([[0.0, 0.0]])}, "integer"),
    ],
)
def test_mazes_made_elsewhere_are_checked(change, problem):
    """One sentence names the first maze that is wrong."""
    connections = np.zeros((1, 2, 3, 3), bool)
    connections[0, 1, 0, 0] = True
    arrays = {"connections": connections, "start": np.array([[0, 0]]), "goal": np.array([[0, 1]])} | change
    with pytest.raises(InputError, match=problem):
        Mazes.from_arrays(**arrays)


def test_arrays_of_mazes_are_read_only():
    """A batch cannot be changed under its digest."""
    mazes = generate(MazeSpec(9), 2)
    with pytest.raises(ValueError, match="read-only"):
        mazes.connections[0, 0, 0, 0] = True


def test_the_constructor_is_checked_too():
    """Arrays that would send a kernel out of bounds are refused; the caller's own arrays stay writeable."""
    connections, cell = np.zeros((1, 2, 3, 3), bool), np.zeros((1, 2), np.int32)
    for wrong in ((connections, cell + 3, cell), (connections.astype(int), cell, cell), (connections[0], cell, cell)):
        with pytest.raises(InputError, match="from_arrays"):
            Mazes(*wrong)
    Mazes(connections, cell, cell + 1)
    assert connections.flags.writeable


def test_selections():
    """An index, a slice, indices or a mask select mazes; anything else is refused."""
    mazes = generate(MazeSpec(9), 6)
    assert mazes[-1].digest() == mazes[5:].digest() == mazes[[5]].digest() == mazes[np.arange(6) == 5].digest()
    for wrong in (None, np.array(3), np.zeros((2, 2), int)):
        with pytest.raises(InputError, match="select mazes"):
            mazes[wrong]
