"""The hot paths against plain forms of themselves, in seconds: what continuous integration guards.

Each bound is far below what is measured on an idle machine, so that a busy one passes and a hot path that has lost its
speed does not.
"""

import numpy as np
import pytest
import torch

from extramaze.blocks.answering import make_answers
from extramaze.blocks.block import to_input
from extramaze.dynamics.recurrence import pairwise_distances
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import load
from extramaze.models.contract import answer
from extramaze.schema.block_rule import block_size
from extramaze.schema.plan import Way
from extramaze.scoring import score


def plain_maze(side, random):
    """Carve one depth-first tree, draw it at scale 1 and mark its only path, in plain Python."""
    image, trail = np.zeros((2 * side + 1, 2 * side + 1), bool), [(0, 0)]
    image[1, 1] = True
    longest = list(trail)
    while trail:
        row, column = trail[-1]
        around = [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
        ahead = [(r, c) for r, c in around if 0 <= r < side and 0 <= c < side and not image[2 * r + 1, 2 * c + 1]]
        if not ahead:
            longest = max(longest, list(trail), key=len)
            trail.pop()
            continue
        r, c = ahead[random.integers(len(ahead))]
        image[2 * r + 1, 2 * c + 1] = image[row + r + 1, column + c + 1] = True
        trail.append((r, c))
    target = np.zeros_like(image)
    for row, column in longest:
        target[2 * row + 1, 2 * column + 1] = True
    return image, target


def test_mazes(versus):
    """Generation, solution and raster of size 21; on an idle core a hundred times faster than plain Python."""
    random = np.random.default_rng(0)
    ratio = versus(
        lambda: raster(generate(MazeSpec(21), 2000), 1), lambda: [plain_maze(11, random) for _ in range(10)], 2000, 10
    )
    assert ratio >= 15


def plain_score(image, target, prediction):
    """Walk one prediction from start to goal in plain Python: valid where every pixel is met once, and is open."""
    start = tuple(int(i) for i in np.argwhere((image[1] == 1) & (image[0] == 0))[0])
    left = {(int(r), int(c)) for r, c in np.argwhere(prediction)}
    place, met = start, 0
    while place is not None:
        left.discard(place)
        met += 1
        row, column = place
        ahead = [p for p in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)) if p in left]
        place = ahead[0] if len(ahead) == 1 else None
    return not left and met == int(target.sum())


def test_scores(versus):
    """Scores of 20,000 predictions of size 9 by one call, against a walk in plain Python."""
    images, targets = raster(generate(MazeSpec(9), 20_000), 1)
    few = list(zip(images[:200], targets[:200], targets[:200], strict=True))
    assert score(images, targets, targets).optimal.all()
    assert all(plain_score(*maze) for maze in few)
    ratio = versus(lambda: score(images, targets, targets), lambda: [plain_score(*maze) for maze in few], 20_000, 200)
    assert ratio >= 10


@pytest.mark.parametrize(("size", "least"), [(9, 1.0), (21, 1.2)])
def test_ladder(versus, size, least):
    """Ten iterations of dt-net-thin as an evaluation makes them, against readout and comparison at every one."""
    solver, (images, _) = load("dt-net-thin@0"), raster(generate(MazeSpec(size), 64), 1)
    block = block_size(images[0, 0].size, "cpu", 64)
    inputs = [to_input(images[i : i + block], torch.device("cpu"), torch.float32) for i in range(0, 64, block)]

    def ours():
        return [make_answers(solver, x, (10,), Way(iteration="winograd")) for x in inputs]

    def plain():
        x = torch.from_numpy(images).float()
        state, answers = solver.initial_state(x), []
        for _ in range(10):
            state = solver.step(state, x)
            answers.append(answer(solver.readout(state), x))
        return answers

    with torch.inference_mode():
        assert versus(ours, plain, rounds=3) >= least


def test_distances(versus):
    """Distances between 200 frames of a width-32 state by one product, against differences in pairs."""
    frames = torch.randn(200, 32 * 11 * 11, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    frames -= frames[0].clone()

    def plain():
        return np.array([torch.linalg.vector_norm(frames - frame, dim=1).numpy() for frame in frames])

    assert np.allclose(pairwise_distances(frames), plain())
    assert versus(lambda: pairwise_distances(frames), plain, rounds=3) >= 3
