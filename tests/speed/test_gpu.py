"""What a GPU gives, as shares and ratios of the same run: ``pytest -m gpu tests/speed/test_gpu.py``.

The ceiling is what the convolutions of an iteration take alone, in the layout and batch that serve them best; what an
iteration does besides comes on top. A random network comes to rest soon, so steps are counted, not iterations.
"""

import time

import pytest
import torch
from torch.nn import functional

from extramaze.blocks.acceleration import choose_iteration, make_step
from extramaze.blocks.block import draw_block, to_input
from extramaze.evaluation.evaluate import evaluate
from extramaze.models.devices import reference_arithmetic
from extramaze.models.dt_net import DTNet
from extramaze.schema.block_rule import BLOCK_PIXELS, block_size
from extramaze.suites import Cell, Suite

pytestmark = pytest.mark.gpu
DEVICE = torch.device("cuda")
SIZE, WIDTH, ITERATIONS = 59, 128, 30
PIXELS = 2 * SIZE + 6
BATCHES = (4, 8, 16, 32)


def suite(count=64, size=SIZE, scale=2):
    cell = Cell(name="cell", axis="size", spec=f"size={size}", count=count)
    limits = {"burn_in": 10, "window": 4, "count": 1, "cells": []}
    return Suite(name="gpu-v1", scale=scale, split="test", iterations=(ITERATIONS,), cells=(cell,), limits=limits)


def solver(width=WIDTH):
    torch.manual_seed(0)
    return DTNet(width=width, blocks=2).to(DEVICE).eval()


def seconds(function, rounds=5):
    """Return the fastest round of a function whose work on the device is waited for."""
    best = float("inf")
    for _ in range(rounds + 1):  # the first one loads and warms up
        torch.cuda.synchronize()
        began = time.perf_counter()
        function()
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return best


def convolutions(batch, layout):
    """Return a function that computes the five convolutions, WIDTH to WIDTH, of ITERATIONS steps and nothing else.

    The image's part of the recall is the same at every step, so that a ceiling need not count it.
    """
    x = torch.randn(batch, WIDTH, PIXELS, PIXELS, device=DEVICE).to(memory_format=layout)
    weight = torch.randn(WIDTH, WIDTH, 3, 3, device=DEVICE).to(memory_format=layout)

    def convolve():
        for _ in range(5 * ITERATIONS):
            functional.conv2d(x, weight, padding=1)
        torch.cuda.synchronize()

    return convolve


def steps_of(model, batch):
    """Return a function that makes ITERATIONS steps on a block of mazes, as the evaluator makes them."""
    loaded = suite()
    _, images, _ = draw_block(loaded, loaded.cells[0], 0, batch)
    x = to_input(images, DEVICE, torch.float32)
    step = make_step(model, x, choose_iteration(model, DEVICE))
    first = model.initial_state(x)

    def iterate():
        state = first
        for _ in range(ITERATIONS):
            state = step(state)
        torch.cuda.synchronize()

    return iterate


@pytest.mark.parametrize("tf32", [False, True], ids=["float32", "tf32"])
def test_share_of_the_convolution_ceiling(versus, tf32):
    """Steps of the evaluator at easy-to-hard n = 59, width 128, against their convolutions alone: 60 % is the goal."""
    model = solver()
    with reference_arithmetic(tf32):
        layouts = (torch.contiguous_format, torch.channels_last)
        alone = {(b, layout): seconds(convolutions(b, layout)) / b for b in BATCHES for layout in layouts}
        (batch, layout), least = min(alone.items(), key=lambda item: item[1])
        rule = block_size(PIXELS * PIXELS, "cuda", 64)
        share = versus(steps_of(model, rule), convolutions(batch, layout), per_ours=rule, per_theirs=batch)
        for (size, kind), each in alone.items():
            versus.say(f"    convolutions, batch {size}, {kind}: {each * 1e3:.2f} ms a maze")
        versus.say(f"    ceiling: {least * 1e3:.2f} ms a maze, batches of {batch}, {layout}; the rule's block: {rule}")
        for size in BATCHES:
            each = seconds(steps_of(model, size)) / size
            versus.say(f"    blocks of {size}: {each * 1e3:.2f} ms a maze, {least / each:.1%} of the ceiling")
    assert share >= 0.6


def test_a_captured_iteration(versus):
    """One iteration as a CUDA graph against the plain one: what launching kernels costs on thin 9×9 mazes."""
    model = solver(width=32)
    side = 11
    batch = BLOCK_PIXELS["cuda"] // (side * side)
    with reference_arithmetic():
        x = torch.rand(batch, 3, side, side, device=DEVICE).round()
        state = model.initial_state(x)
        held = state.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                model.step(held, x)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            held.copy_(model.step(held, x))

        def captured():
            held.copy_(state)
            for _ in range(ITERATIONS):
                graph.replay()
            torch.cuda.synchronize()

        def plain():
            now = state
            for _ in range(ITERATIONS):
                now = model.step(now, x)
            torch.cuda.synchronize()
            return now

        versus(captured, plain)
        captured()
        assert torch.equal(held, plain())


def test_out_of_memory_halves_the_block():
    """With too little memory for a block the evaluator halves it, says so in the record, and answers as before."""
    loaded = suite(count=block_size(PIXELS * PIXELS, "cuda", 64), size=SIZE)
    whole = evaluate(solver(), loaded, "cuda", quiet=True)
    torch.cuda.empty_cache()
    state = WIDTH * PIXELS * PIXELS * 4 * loaded.cells[0].count
    room = torch.cuda.memory_allocated() + 4 * state
    torch.cuda.set_per_process_memory_fraction(room / torch.cuda.get_device_properties(DEVICE).total_memory)
    try:
        cramped = evaluate(solver(), loaded, "cuda", quiet=True)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert cramped.summary.cells[0].batch < whole.summary.cells[0].batch
    assert cramped.summary.cells[0].rungs[-1].optimal.right == whole.summary.cells[0].rungs[-1].optimal.right
