"""Run with ``pytest tests/speed/test_dynamics.py``; each group holds both sides."""

import copy

import numpy as np
import pytest
import torch

from extramaze.dynamics import RELATIVE, observe
from extramaze.dynamics.topology import count, persistence
from extramaze.dynamics.verdict import read_signs
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import load
from extramaze.models.float64 import fast_float64

FRAMES, SHAPE = 400, (128, 44, 44)


@pytest.fixture(scope="module")
def frames():
    """400 frames on a circle, on a mean of 50, of a width-128 state at n = 19 of the easy-to-hard raster."""
    random = torch.Generator().manual_seed(0)
    turn = 2 * np.pi * torch.arange(FRAMES, dtype=torch.float64) * (np.sqrt(5) - 1) / 2
    plane = torch.randn(2, int(np.prod(SHAPE)), generator=random, dtype=torch.float64)
    return 50 + torch.stack([turn.cos(), turn.sin()], dim=1) @ plane


def report(frames):
    sign = read_signs(frames, 50.0, False, 0)
    return tuple(count(persistence(sign.distances), RELATIVE, sign.floor))


def by_svd(frames):
    left, values, _ = torch.linalg.svd(frames, full_matrices=False)
    points = left * values
    distances = torch.cdist(points, points).numpy()
    return tuple(count(persistence((distances + distances.T) / 2), RELATIVE, 1e-6))


@pytest.mark.benchmark(group="report of 400 frames")
@pytest.mark.parametrize("way", [report, by_svd], ids=["gram", "svd"])
def test_report_of_a_wide_state(benchmark, frames, way):
    """Signs, return distances and Betti numbers, against SVD, pairwise distances and ripser: the same loop."""
    found = benchmark.pedantic(way, setup=lambda: ((frames.clone(),), {}), rounds=2, iterations=1)
    assert found == (1, 1)


@pytest.mark.benchmark(group="thin DT-Net in float64, 32 mazes at 9×9")
@pytest.mark.parametrize("fast", [True, False], ids=["shifted products", "conv2d"])
@pytest.mark.parametrize(("burn_in", "window"), [(50, 10), (1000, 200)])
def test_iterates_of_a_thin_network(benchmark, fast, burn_in, window):
    """Iterates with convolutions as matrix products, against conv2d."""
    solver = load("dt-net-thin@0")
    exact = fast_float64(solver) if fast else copy.deepcopy(solver).double()
    x = torch.from_numpy(raster(generate(MazeSpec(9), 32))[0]).double()
    with torch.inference_mode():
        state = exact.initial_state(x)
    run = benchmark.pedantic(
        lambda: observe(lambda z: exact.step(z, x), state, burn_in, window, exponent_steps=0), rounds=1, iterations=1
    )
    assert len(run.limit) == 32
