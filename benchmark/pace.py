"""What suites cost a network of one's own on this machine: its operations counted, its steps timed."""

import math
import time
from collections.abc import Sequence
from functools import cache

import torch

from extramaze.core.errors import InputError
from extramaze.costs import FLOPS_PER_SECOND, FLOPS_PER_SECOND_64, Pace
from extramaze.mazes import MazeSpec
from extramaze.mazes.pixels import raster_shape
from extramaze.models import load
from extramaze.models.calling import begin, calling, in_precision, next_state
from extramaze.models.contract import IterativeSolver, card_of
from extramaze.models.devices import reference_arithmetic
from extramaze.models.operations import comb, operations
from extramaze.schema.suite import Suite

TIMED = MazeSpec(9)  # at whose size steps are timed
BATCH, LEAST_SECONDS, MOST_STEPS = 16, 0.2, 50
WATCHED = FLOPS_PER_SECOND_64 / FLOPS_PER_SECOND  # how much slower watching is than answering, where both were measured


def paced(target: str, suites: Sequence[Suite]) -> tuple[list[Suite], Pace, str]:
    """Load a solver, which runs its code, and return the suites of its raster, its pace on them, and its name.

    Raises InputError for what cannot be loaded or run.
    """
    solver = load(target)
    card = card_of(solver)
    fits = [suite for suite in suites if card.scale in (None, suite.scale)]
    if not fits:
        raise InputError(f"{card.name}: no suite has images of its scale, {card.scale}")
    return fits, pace_of(solver, card.scale or 1), card.name


def pace_of(solver: IterativeSolver, scale: int = 1) -> Pace:
    """Measure what an iteration of a solver takes on this machine, on 16 mazes of size 9, and how that grows.

    It grows by its counted operations; those of an algorithm that has none, by the pixels.
    """
    shape = raster_shape(TIMED.shape, scale)

    @cache
    def counted(sides: tuple[int, int]) -> float:
        return float(operations(solver, sides))

    amount = counted if counted(shape) else lambda sides: float(math.prod(sides))
    per_second = amount(shape) / _seconds(solver, shape)
    return Pace(amount, per_second, per_second * WATCHED, 1 if solver.single_pass else None)


def _seconds(solver: IterativeSolver, shape: tuple[int, int]) -> float:
    """Time a step on one maze of several, in float32."""
    x = comb(*shape).repeat(BATCH, 1, 1, 1)
    with torch.random.fork_rng(devices=[]), calling(solver), reference_arithmetic():
        ours = in_precision(solver, torch.float32, "cpu")
        state = next_state(ours, begin(ours, x), x)
        begun, steps = time.perf_counter(), 0
        while steps < MOST_STEPS and time.perf_counter() - begun < LEAST_SECONDS:
            state, steps = next_state(ours, state, x), steps + 1
        return max((time.perf_counter() - begun) / steps / BATCH, 1e-9)
