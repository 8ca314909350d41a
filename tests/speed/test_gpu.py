"""What a GPU gives, as shares and ratios of the same run: ``pytest -m gpu tests/speed/test_gpu.py``.

The ceiling is what the convolutions of an iteration take alone, in the layout and batch that serve them best; the rest
of an iteration, the readouts and the scores come on top.
"""

import time

import pytest
import torch
from torch.nn import functional

from extramaze.answering import Way, answer_block
from extramaze.blocks import BLOCK_PIXELS, block_size
from extramaze.evaluation import evaluate
from extramaze.models.devices import reference_arithmetic
from extramaze.models.dt_net import dt_net
from extramaze.suites import Cell, CellPlan, Suite

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
    return dt_net(width=width, blocks=2).to(DEVICE).eval()


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
    """Return a function that computes the five convolutions of ITERATIONS iterations and nothing else."""
    x = torch.randn(batch, WIDTH, PIXELS, PIXELS, device=DEVICE).to(memory_format=layout)
    wide = torch.randn(batch, WIDTH + 3, PIXELS, PIXELS, device=DEVICE).to(memory_format=layout)
    weight = torch.randn(WIDTH, WIDTH, 3, 3, device=DEVICE).to(memory_format=layout)
    recall = torch.randn(WIDTH, WIDTH + 3, 3, 3, device=DEVICE).to(memory_format=layout)

    def convolve():
        for _ in range(ITERATIONS):
            functional.conv2d(wide, recall, padding=1)
            for _ in range(4):
                functional.conv2d(x, weight, padding=1)
        torch.cuda.synchronize()

    return convolve


def test_share_of_the_convolution_ceiling(versus):
    """Blocks of the evaluator, drawn, answered and read out, at easy-to-hard n = 59, against convolutions alone."""
    model, loaded = solver(), suite()

    def block_of(size):
        plan = CellPlan(name="cell", mazes=size, watched=0, block=size, rungs=(ITERATIONS,))

        def answer():
            answer_block(model, loaded, loaded.cells[0], plan, 0, DEVICE, Way())
            torch.cuda.synchronize()

        return answer

    with reference_arithmetic():
        layouts = (torch.contiguous_format, torch.channels_last)
        alone = {(b, layout): seconds(convolutions(b, layout)) / b for b in BATCHES for layout in layouts}
        (batch, layout), least = min(alone.items(), key=lambda item: item[1])
        rule = block_size(PIXELS * PIXELS, "cuda")
        share = versus(block_of(rule), convolutions(batch, layout), per_ours=rule, per_theirs=batch)
        versus.say(
            f"    ceiling: {least * 1e3:.1f} ms a maze, in batches of {batch}, {layout}; the rule's block: {rule}"
        )
        for size in BATCHES:
            each = seconds(block_of(size)) / size
            versus.say(f"    blocks of {size}: {each * 1e3:.1f} ms a maze, {least / each:.1%} of the ceiling")
    assert share > 0.1


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
    loaded = suite(count=block_size(PIXELS * PIXELS, "cuda"), size=SIZE)
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
