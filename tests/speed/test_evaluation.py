"""How fast evaluation is: ``pytest tests/speed/test_evaluation.py``, both sides in one run.

The plain loop is how the accuracy ladder is usually written: contiguous float32, every maze in one batch, the readout
kept and compared at every iteration. Threads are torch's default; set OMP_NUM_THREADS for others.
"""

import subprocess
import sys

import numpy as np
import pytest
import torch

from extramaze.blocks.answering import make_answers
from extramaze.blocks.block import to_input
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import load
from extramaze.models.contract import answer
from extramaze.schema.block_rule import block_size
from extramaze.schema.plan import Way
from extramaze.scoring import score

MAZES = {9: 256, 21: 64, 33: 32}
ITERATIONS = 20  # of 1,000: every iteration costs the same, but


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def drawn(size, count):
    return raster(generate(MazeSpec(size), count, split="test"))


def plain_loop(solver, images, rungs):
    """Return the answers at the rungs and the last iteration at which each maze's answer changed."""
    x = torch.from_numpy(images).float()
    state, last, changed, answers = solver.initial_state(x), None, np.zeros(len(x), int), []
    for iteration in range(1, rungs[-1] + 1):
        state = solver.step(state, x)
        current = answer(solver.readout(state), x)
        if last is not None:
            changed[(current != last).flatten(1).any(dim=1).numpy()] = iteration
        last = current
        if iteration in rungs:
            answers.append(current)
    return answers, changed


def ours(solver, images, rungs):
    """Return the answers at the rungs, in blocks as an evaluation makes them."""
    size = block_size(images[0, 0].size, "cpu", len(images))
    way = Way(iteration="winograd")
    parts = [
        make_answers(solver, to_input(images[i : i + size], torch.device("cpu"), torch.float32), rungs, way)
        for i in range(0, len(images), size)
    ]
    return [torch.cat(rung) for rung in zip(*(part.rungs for part in parts), strict=True)]


def flips(images, targets, answers, others):
    """Count the mazes that are optimal in one set of answers and not in the other."""
    right, wrong = (score(images, targets, a).optimal for a in (answers, others))
    return int((right != wrong).sum())


def against_plain(versus, size, count, rungs, rounds=5):
    """Return how many times faster our ladder is than the plain loop, and say how many answers flip."""
    solver, (images, targets) = load("dt-net-thin@0"), drawn(size, count)
    found = {}

    def fast():
        found["ours"] = ours(solver, images, rungs)

    def plain():
        found["plain"] = plain_loop(solver, images, rungs)[0]

    ratio = versus(fast, plain, rounds=rounds)
    changed = flips(images, targets, found["ours"][-1], found["plain"][-1])
    versus.say(f"    {changed} of {count} mazes are right in one of them alone")
    return ratio


@pytest.mark.parametrize("size", MAZES)
def test_ladder(versus, size):
    """The accuracy ladder of dt-net-thin as an evaluation makes it, against the plain loop; flips are reported."""
    assert against_plain(versus, size, MAZES[size], (ITERATIONS,)) >= 2.5


@pytest.mark.benchmark(group="scorer")
def test_scorer(benchmark):
    """Predictions of 9×9 mazes scored by one call of 200,000: right ones, wrong ones and random ones."""
    images, targets = drawn(9, 200_000)
    noise = np.random.default_rng(0).random(targets.shape, np.float32) < 0.02
    predictions = np.where(np.arange(len(targets))[:, None, None] % 2, targets, targets ^ noise)
    benchmark.pedantic(lambda: score(images, targets, predictions), rounds=5, warmup_rounds=1)
    benchmark.extra_info["predictions"] = len(targets)


PEAK = """
import resource, sys
import torch
from extramaze.blocks.answering import make_answers
from extramaze.schema.plan import Way
from extramaze.blocks.block import to_input
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models.dt_net import DTNet
x = to_input(raster(generate(MazeSpec(33), 64), 1)[0], torch.device("cpu"), torch.float32)
with torch.inference_mode():
    make_answers(DTNet(width=4, blocks=1), x, (10, int(sys.argv[1])), Way(iteration="winograd"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(iterations):
    """The most memory, in KiB, that a process ever held which answers 64 mazes of size 33."""
    command = [sys.executable, "-c", PEAK, str(iterations)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_memory(benchmark):
    """Peak memory after 10,000 iterations is that after 100: nothing is kept but the answers at the rungs."""
    few = peak(100)
    many = benchmark.pedantic(peak, (10_000,), rounds=1)
    benchmark.extra_info |= {"MiB at 100": few >> 10, "MiB at 10,000": many >> 10}
    print(f"\npeak: {few >> 10} MiB at 100 iterations, {many >> 10} MiB at 10,000")
    assert many < 1.05 * few
