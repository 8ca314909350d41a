"""Run with ``pytest tests/speed/test_dynamics.py``; each group holds both sides."""

import copy
from collections import Counter

import numpy as np
import pytest
import torch

from extramaze.blocks.acceleration import choose_iteration, make_step
from extramaze.dynamics import RELATIVE, observe
from extramaze.dynamics.lyapunov import Tangent
from extramaze.dynamics.topology import count, persistence
from extramaze.dynamics.verdict import Past, read_signs
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import load

FRAMES, SHAPE = 400, (128, 44, 44)


@pytest.fixture(scope="module")
def frames():
    """400 frames on a circle, on a mean of 50, of a width-128 state at n = 19 of the easy-to-hard raster."""
    random = torch.Generator().manual_seed(0)
    turn = 2 * np.pi * torch.arange(FRAMES, dtype=torch.float64) * (np.sqrt(5) - 1) / 2
    plane = torch.randn(2, int(np.prod(SHAPE)), generator=random, dtype=torch.float64)
    return 50 + torch.stack([turn.cos(), turn.sin()], dim=1) @ plane


def report(frames):
    sign = read_signs(frames, Past(50.0, frames[0].abs(), 0, lambda: torch.zeros_like(frames[0])))
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


@pytest.mark.parametrize("size", [9, 21])
def test_watched_steps(versus, size):
    """A step of a thin DT-Net in float64 as watching makes it, 4 mazes at once, against the solver's own."""
    solver = load("dt-net-thin@0").double()
    x = torch.from_numpy(raster(generate(MazeSpec(size), 4), 1)[0]).double()
    with torch.inference_mode():
        state = solver.initial_state(x)
        step = make_step(solver, x, choose_iteration(solver, x.device), few=True)
        assert torch.allclose(step(state), solver.step(state, x), rtol=1e-11, atol=1e-11)
        assert versus(lambda: step(state), lambda: solver.step(state, x), rounds=20) >= 2


@pytest.mark.parametrize("size", [9, 13])
def test_pursued_steps(versus, size):
    """A float64 step that carries a tangent, 4 mazes at once, against the solver's own in forward mode."""
    solver = load("dt-net-thin@0").double()
    x = torch.from_numpy(raster(generate(MazeSpec(size), 4), 1)[0]).double()
    state = solver.initial_state(x).detach()
    steps = make_step(solver, x, choose_iteration(solver, x.device), few=True), make_step(solver, x, "plain")
    fast, plain = (Tangent(step, state) for step in steps)
    assert versus(lambda: fast.carry(state), lambda: plain.carry(state), rounds=20) >= 2


BURN_IN, WINDOW, CONFIRMING = 1000, 200, (200, 400)


@pytest.mark.parametrize("confirming", CONFIRMING)
def test_float32_first(versus, confirming):
    """Float32 first and float64 for the last iterations, against float64 for all 1,000 + 200: a thin DT-Net, 32 mazes.

    What float32 left at its rounding must still contract to that of float64, so a short confirmation leaves settled
    trajectories undecided: with 200 steps a third faster and one trajectory in ten undecided for it, with 400 a quarter
    faster and one in thirty. That is why suites watch float64 from the first step on.
    """
    solver = load("dt-net-thin@0")
    exact = copy.deepcopy(solver).double()
    x = torch.from_numpy(raster(generate(MazeSpec(9), 32), 1)[0]).float()
    x64 = x.double()
    step, step64 = (
        make_step(s, images, choose_iteration(s, x.device), few=True) for s, images in ((solver, x), (exact, x64))
    )
    found = {}

    def watch(name, state, burn_in):
        report = observe(step64, state.double(), burn_in, WINDOW, exponent_steps=0)
        found[name] = [str(limit) for limit in report.limit]

    def float32_first():
        state = solver.initial_state(x)
        for _ in range(BURN_IN - confirming):
            state = step(state)
        watch("float32 first", state, confirming)

    with torch.inference_mode():
        versus(float32_first, lambda: watch("float64", exact.initial_state(x64), BURN_IN), rounds=1)
    pairs = Counter(zip(found["float64"], found["float32 first"], strict=True))
    elsewhere = {f"{ours} → {theirs}": n for (ours, theirs), n in pairs.items() if ours != theirs}
    versus.say(f"    of 32 limits, {sum(elsewhere.values())} told otherwise: {elsewhere}")
    assert sum(elsewhere.values()) <= 8
