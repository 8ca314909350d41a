import networkx as nx
import numpy as np
import pytest
import torch

from extramaze.mazes import MazeSpec, describe, generate, raster
from extramaze.models import answer, load
from tests.mazes.plain import graph

SPECS = [
    MazeSpec(3),
    MazeSpec(9),
    MazeSpec(17, start="any"),
    MazeSpec(13, percolation=0.1),
    MazeSpec(9, percolation=0.7, start="any"),
]


def solve_with(name, mazes, scale):
    """Run an algorithm for its own budget."""
    images, targets = raster(mazes, scale)
    x = torch.from_numpy(images).float()
    solver = load(name)
    return answer(solver(x, solver.step_budget(*x.shape[2:])), x).numpy(), targets


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_wavefront_finds_the_stored_path(spec, scale):
    """Breadth-first search within its budget answers every maze, with or without cycles, to the pixel."""
    answers, targets = solve_with("wavefront", generate(spec, 100), scale)
    assert np.array_equal(answers, targets)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("spec", SPECS[:3], ids=str)
def test_dead_end_filling_solves_trees(spec, scale):
    """On a tree exactly the path remains, whether or not the start is a dead end."""
    answers, targets = solve_with("dead-end-filling", generate(spec, 100), scale)
    assert np.array_equal(answers, targets)


def test_dead_end_filling_is_the_classical_algorithm():
    """With cycles it keeps exactly the cells that closing one dead end after another in a graph keeps."""
    mazes = generate(MazeSpec(13, percolation=0.15), 50)
    answers, targets = solve_with("dead-end-filling", mazes, 1)
    for i in range(len(mazes)):
        made = nx.Graph(graph(mazes.connections[i]))
        spared = {tuple(mazes.start[i].tolist()), tuple(mazes.goal[i].tolist())}
        while ends := [node for node, degree in made.degree if degree <= 1 and node not in spared]:
            made.remove_node(ends[0])
        assert {tuple(cell) for cell in np.argwhere(answers[i][1::2, 1::2]).tolist()} == set(made)
    wrong = (answers != targets).any(axis=(1, 2))
    assert wrong[describe(mazes).cycles > 3].mean() > 0.8


@pytest.mark.parametrize("name", ["wavefront", "dead-end-filling"])
def test_the_budget_suffices_and_the_state_then_rests(name):
    """After its budget a state no longer changes, in a corridor as long as the lattice allows."""
    side = 6
    connections = np.zeros((1, 2, side, side), bool)  # a serpentine: one path through every cell
    connections[0, 1, :, :-1] = True
    for row in range(side - 1):
        connections[0, 0, row, -1 if row % 2 == 0 else 0] = True
    from extramaze.mazes import Mazes

    mazes = Mazes.from_arrays(connections, np.array([[0, 0]]), np.array([[side - 1, 0]]))
    images, targets = raster(mazes)
    x = torch.from_numpy(images).float()
    solver = load(name)
    state = solver.initial_state(x)
    for _ in range(solver.step_budget(*x.shape[2:])):
        state = solver.step(state, x)
    assert torch.equal(solver.step(state, x), state)
    assert np.array_equal(answer(solver.readout(state), x).numpy(), targets)
