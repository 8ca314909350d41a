import numpy as np
import pytest
import torch

from extramaze.mazes import MazeSpec, describe, generate, raster
from extramaze.models import answer, load
from tests.models.test_solvers import image


def walk(solver, x, steps):
    state = solver.initial_state(x)
    states = [state]
    for _ in range(steps):
        state = solver.step(state, x)
        states.append(state)
    return states


def plain_walk(pixels, start):
    """The right-hand rule on a picture, one pixel a step: yields (position, heading)."""
    turns = [(-1, 0), (0, 1), (1, 0), (0, -1)]  # up, right, down, left: one clockwise turn a place
    is_open = lambda at, way: pixels[at[0] + turns[way % 4][0], at[1] + turns[way % 4][1]]  # noqa: E731
    heading = next(way + 2 for way in (0, 2, 3, 1) if is_open(start, way)) % 4  # from up, down, left or right
    at = start
    while True:
        yield at, heading
        heading = next(way % 4 for way in (heading + 1, heading, heading + 3, heading + 2) if is_open(at, way))
        at = (at[0] + turns[heading][0], at[1] + turns[heading][1])


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("size", [3, 5, 9])
def test_the_wall_follower_goes_round_a_tree_for_ever(size, scale):
    """On L×L trees every maze's state returns after 4L² − 4 steps and at no step before."""
    lattice = (size + 1) // 2
    period = 4 * lattice**2 - 4
    states = walk(load("wall-follower"), image(size, 6, torch.float32, scale, start="any"), 2 * period)
    for maze in range(6):
        returns = [t for t in range(1, period + 1) if torch.equal(states[t][maze], states[0][maze])]
        assert returns == [period]
    assert torch.equal(states[2 * period], states[0])


def test_the_wall_follower_walks_by_the_rule():
    """With cycles too, position and heading are those of the rule followed on a picture with plain lists."""
    mazes = generate(MazeSpec(9, percolation=0.2, start="any"), 20)
    images, _ = raster(mazes)
    states = walk(load("wall-follower"), torch.from_numpy(images).float(), 150)
    planes = [0, 3, 1, 2]  # of up, right, down, left
    for maze in range(20):
        start = tuple((2 * mazes.start[maze] + 1).tolist())
        walker = plain_walk(images[maze].max(axis=0) > 0, start)
        for state in states:
            at, heading = next(walker)
            assert torch.nonzero(state[maze, :4]).tolist() == [[planes[heading], *at]]


def test_the_wall_follower_with_cycles_takes_twice_round():
    """Walker and heading return after the P steps round a face, the trail after 2P where there are several faces."""
    mazes = generate(MazeSpec(7, percolation=0.05, start="any"), 30)
    states = walk(load("wall-follower"), torch.from_numpy(raster(mazes)[0]).float(), 240)
    cycles = describe(mazes).cycles
    assert 5 < (cycles > 0).sum() < 25
    for maze in range(30):
        face = next(t for t in range(1, 241) if torch.equal(states[t][maze, :4], states[0][maze, :4]))
        whole = next(t for t in range(1, 241) if torch.equal(states[t][maze], states[0][maze]))
        assert whole == (2 * face if cycles[maze] else face)


def test_the_wall_follower_is_right_when_it_stands_on_the_goal():
    """On a tree the trail is the path from start to walker: the answer is right each time the walker is at the goal."""
    mazes = generate(MazeSpec(9), 10)
    images, targets = raster(mazes)
    x, solver = torch.from_numpy(images).float(), load("wall-follower")
    states = walk(solver, x, 96)
    for maze in range(10):
        row, column = (2 * mazes.goal[maze] + 1).tolist()
        at_goal = [t for t, state in enumerate(states) if state[maze, :4, row, column].any()]
        assert at_goal
        right = [
            t for t, state in enumerate(states)
            if np.array_equal(answer(solver.readout(state), x)[maze].numpy(), targets[maze])
        ]  # fmt: skip
        assert set(at_goal) <= set(right)
        assert len(right) < 30
