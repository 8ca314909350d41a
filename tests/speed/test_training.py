"""How fast training is: ``pytest tests/speed/test_training.py -s``.

Both sides of a ratio are measured in one run, taking turns; the least time of each counts, since everything else that
runs on a machine only adds.
"""

import statistics
import subprocess
import sys
import threading
import time

import torch

from extramaze.mazes.streams import ahead
from extramaze.models.devices import has_fast_bf16
from extramaze.models.training.data import Data, Supply
from extramaze.models.training.distributed import Processes
from extramaze.models.training.recipe import parse_recipe, recipe_text
from extramaze.models.training.run import TrainingRun
from extramaze.models.training.train import train

CPU = torch.device("cpu")
RATE = 10_000  # mazes a second that the supply must give
SEEDS = (0, 1, 2)
MINUTE_AND_A_HALF = 90.0


def make_run(tmp_path, **options):
    """A run of the thin DT-Net with other options."""
    recipe = parse_recipe(recipe_text("dt-net-thin"), "")
    training = recipe.training.model_copy(update=options)
    return TrainingRun(recipe.model_copy(update={"training": training}), 0, tmp_path, Processes(0, 1, CPU), True)


def timed(function):
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def test_a_step_against_the_plain_one(benchmark, tmp_path):
    """Channels last, and bf16 where the processor has it, against plain fp32; at least 1.5 times faster with bf16."""
    bf16 = has_fast_bf16(CPU)
    fast = make_run(tmp_path, bf16=bf16)
    plain = make_run(tmp_path, bf16=False, channels_last=False)
    batch = fast.supply(3)
    for run in (fast, plain):
        run.step(3, batch)
    pairs = [(timed(lambda: plain.step(3, batch)), timed(lambda: fast.step(3, batch))) for _ in range(8)]
    benchmark.pedantic(fast.step, (3, batch), rounds=3)
    ratio = min(p for p, _ in pairs) / min(f for _, f in pairs)
    benchmark.extra_info |= {"ratio": round(ratio, 2), "bf16": bf16}
    print(f"\na training step: {ratio:.2f} times faster than plain fp32 (bf16 {'on' if bf16 else 'not available'})")
    assert ratio >= (1.5 if bf16 else 1.0)


def test_mazes_are_supplied_at_ten_thousand_a_second(benchmark):
    """One thread draws more than 10,000 mazes of size 9 a second, images and targets included."""
    supply = Supply(Data(spec="size=9", scale=1), seed=0, batch=64)
    supply(0)
    steps = range(200)
    benchmark.pedantic(lambda: [None for _ in ahead(supply, steps)], rounds=5)
    rate = len(steps) * 64 / benchmark.stats.stats.min
    print(f"\n{rate:,.0f} mazes a second")
    assert rate >= RATE


def test_the_supply_does_not_slow_training(benchmark, tmp_path):
    """A step while 10,000 mazes a second are drawn beside it, against one on a machine at rest: within a tenth."""
    run = make_run(tmp_path, bf16=has_fast_bf16(CPU))
    batch, other = run.supply(3), Supply(Data(spec="size=9", scale=1), seed=1, batch=100)
    drawing, done, drawn = threading.Event(), threading.Event(), []

    def draw():
        while not done.is_set():
            drawing.wait()
            began = time.perf_counter()
            drawn.append(len(other(len(drawn))))
            time.sleep(max(0.0, 100 / RATE - (time.perf_counter() - began)))

    thread = threading.Thread(target=draw, daemon=True)
    thread.start()
    alone, beside = [], []
    for _ in range(20):
        drawing.clear()
        time.sleep(0.05)
        alone.append(timed(lambda: run.step(3, batch)))
        drawing.set()
        beside.append(timed(lambda: run.step(3, batch)))
    benchmark.pedantic(run.step, (3, batch), rounds=1)
    done.set()
    thread.join()
    print(f"\nwith mazes drawn beside it a step takes {min(beside) / min(alone):.3f} of its time alone")
    assert sum(drawn) / sum(beside) > RATE / 2  # it was drawing: half the rate at least, on a busy machine
    assert min(beside) / min(alone) < 1.1


PEAK = """
import resource, sys, torch
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models.dt_net import DTNet
from extramaze.models.training.gradients import Depth, masked_loss, run_depth
solver = DTNet(width=32, blocks=2)
images, targets = raster(generate(MazeSpec(33), 64))
x = torch.from_numpy(images).float()
loss = masked_loss(run_depth(solver, x, Depth(*map(int, sys.argv[1:]))), torch.from_numpy(targets).long(), x)
loss.backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(free, traced):
    """The most memory, in KiB, that a process ever held which makes one step."""
    command = [sys.executable, "-c", PEAK, str(free), str(traced)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_memory_of_a_step_does_not_grow_with_its_free_iterations(benchmark):
    """Twenty times the free iterations: the same peak within a tenth; three times the traced ones: far more."""
    few, more_traced = peak(2, 2), peak(2, 6)
    many = benchmark.pedantic(peak, (40, 2), rounds=1)
    print(f"\npeak: {few >> 10} MiB at 2 + 2 iterations, {many >> 10} at 40 + 2, {more_traced >> 10} at 2 + 6")
    assert many < 1.1 * few
    assert more_traced > 1.2 * few


def test_the_thin_dt_net_reaches_99_percent_within_90_seconds(benchmark, tmp_path):
    """The recipe dt-net-thin-fast, median of three seeds, each measured on 4,096 fresh mazes afterwards."""
    results = []

    def once():
        seed = SEEDS[len(results)]
        results.append(train("dt-net-thin-fast", seed, tmp_path / str(seed), device="cpu", quiet=True))

    benchmark.pedantic(once, rounds=len(SEEDS))
    for result in results:
        print(f"\nseed {result.seed}: {result.validation_accuracy:.2%} after {result.wall_seconds} s", end="")
    assert all(result.validation_accuracy >= 0.99 for result in results)
    assert statistics.median(result.wall_seconds for result in results) <= MINUTE_AND_A_HALF
