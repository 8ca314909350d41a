"""How fast blends and landscapes are: ``pytest tests/speed/test_landscape.py``, both sides in one run."""

import numpy as np
import pytest
import torch

from extramaze import evaluate
from extramaze.landscape.curvature import Objective
from extramaze.landscape.meter import Meter
from extramaze.landscape.setting import make_setting
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import load
from extramaze.models.blending.alignment import align
from extramaze.models.blending.blend import Request, make_blend
from extramaze.models.blending.methods import line
from extramaze.models.blending.sources import read_source
from extramaze.models.blending.weights import rounded
from extramaze.models.symmetry import symmetry_of
from extramaze.schema.plan import Part

PAIRS = (("dt-net-thin@0", "dt-net-thin@1"), ("it-net-thin@0", "it-net-thin@1"))


def test_a_blend(versus):
    """Reading two networks, blending and sealing them, against reading them alone: at most 0.1 s beyond import."""
    names = ("dt-net-thin@0", "dt-net-thin-tuned-10k@0")
    request = Request("line", names, "wise", at=0.75)
    versus(lambda: make_blend(request), lambda: [read_source(name) for name in names])
    assert versus.benchmark.stats.stats.min <= 0.1


@pytest.mark.parametrize("pair", PAIRS, ids=["dt-net", "it-net"])
def test_an_alignment(versus, pair):
    """Twelve searches between networks trained apart, where none ends early, against one: at most 2 s."""
    first, second = map(read_source, pair)
    symmetry = symmetry_of(first.solver)
    versus(
        lambda: align(symmetry, first.weights, second.weights, 12),
        lambda: align(symmetry, first.weights, second.weights, 1),
        rounds=2,
    )
    assert versus.benchmark.stats.stats.min <= 2


def test_a_point(versus):
    """Weights of a line put into a network that answers 64 mazes of three cells, against evaluating those cells."""
    first, second = read_source("dt-net-thin@0"), read_source("dt-net-thin@1")
    cells = ("size-9", "size-17", "percolation-0.1")
    setting = make_setting(first.solver, cells=cells, mazes=64, iterations=100, device="cpu")
    meter = Meter(first.solver, setting, torch.device("cpu"))
    solver, blended = load("dt-net-thin@0"), line(first.weights, second.weights, 0.05)
    solver.load_state_dict(rounded(blended, solver.state_dict()))
    part = Part(mazes=64, watched=1)
    suite = setting.suite.model_copy(update={"limits": setting.suite.limits.model_copy(update={"cells": ()})})
    ratio = versus(
        lambda: meter.measure(blended),
        lambda: evaluate(solver.eval(), suite, "cpu", part=part, quiet=True),
        rounds=2,
    )
    assert ratio >= 1 / 1.1


def test_a_hessian_product(versus):
    """Against a forward and backward pass through the same 30 iterations of 16 mazes: at most six of them."""
    solver = load("dt-net-thin@0")
    images, targets = raster(generate(MazeSpec(9), 16, split="val"), 1)
    x, wanted = torch.from_numpy(images).float(), torch.from_numpy(targets).long()
    objective = Objective.of(solver, x, wanted, 30)
    product, vector = objective.product(), np.random.default_rng(0).normal(size=objective.size)
    assert versus(lambda: product(vector), objective.gradient, rounds=3) >= 1 / 6
