"""What an evaluation costs, before it is run: for choosing counts, and for saying how long it takes."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from extramaze.core.errors import InputError
from extramaze.mazes.pixels import raster_shape
from extramaze.schema.suite import Cell, Suite

FLOPS_PER_PIXEL = 94_000  # one iteration of a width-32 DT-Net: 2 · 9 · (35 · 32 + 4 · 32 · 32) = 93,888
FLOPS_PER_SECOND = 300e9  # of direct sums in float32 on two CPU cores with AVX-512; with AVX2 alone about half
FLOPS_PER_SECOND_64 = 10e9  # of all that watching takes, in float64: tangents and distances too
TERA = 1e12


@dataclass(frozen=True)
class Pace:
    """What an iteration is, and how fast.

    operations: of one on a maze whose image has a shape. per_second, per_second_64: how many in float32, and as
    watching takes them. iterations: at the last rung of a suite, None for the suite's own.
    """

    operations: Callable[[tuple[int, int]], float]
    per_second: float
    per_second_64: float
    iterations: int | None = None


DT_NET = Pace(lambda shape: math.prod(shape) * FLOPS_PER_PIXEL, FLOPS_PER_SECOND, FLOPS_PER_SECOND_64)


@dataclass(frozen=True)
class Cost:
    """A solver's work, of a width-32 DT-Net by default: tera floating-point operations in float32 and in float64."""

    ladder: float
    watched: float
    pace: Pace = DT_NET

    @property
    def tflop(self) -> float:
        """All of it, in TFLOP."""
        return self.ladder + self.watched

    @property
    def minutes(self) -> float:
        """Minutes: of a DT-Net on two CPU cores, of another solver at its pace."""
        return (self.ladder * TERA / self.pace.per_second + self.watched * TERA / self.pace.per_second_64) / 60

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.ladder + other.ladder, self.watched + other.watched, other.pace)


def cell_cost(
    suite: Suite, cell: Cell, mazes: int | None = None, watched: int | None = None, pace: Pace = DT_NET
) -> Cost:
    """Estimate one cell: operations × iterations × mazes; at most ``mazes`` and ``watched`` of them."""
    count = cell.count if mazes is None else min(cell.count, mazes)
    most = count if watched is None else min(count, watched)
    seen = min(suite.limits.count, most) if cell.name in suite.limits.cells else 0
    an_iteration = pace.operations(raster_shape(cell.maze_spec.shape, suite.scale)) / TERA
    steps = suite.limits.burn_in + suite.limits.window
    iterations = pace.iterations or suite.iterations[-1]
    return Cost(an_iteration * iterations * count, an_iteration * steps * seen, pace)


def suite_cost(
    suite: Suite, cells: tuple[Cell, ...] | None = None, mazes: int | None = None, pace: Pace = DT_NET
) -> Cost:
    """Estimate a suite, or some of its cells with at most so many mazes each."""
    return sum((cell_cost(suite, cell, mazes, mazes, pace) for cell in cells or suite.cells), Cost(0.0, 0.0, pace))


def within_budget(suite: Suite, cells: tuple[Cell, ...], budget: str) -> int:
    """Return the most mazes a cell for which the cells stay within a budget: ``20TFLOP`` or ``5min``.

    Raises InputError for another unit, or a budget that one maze a cell exceeds.
    """
    amount, unit = _read_budget(budget)

    def spent(mazes: int) -> float:
        cost = suite_cost(suite, cells, mazes)
        return cost.minutes if unit == "min" else cost.tflop

    most = max(cell.count for cell in cells)
    if spent(1) > amount:
        raise InputError(f"budget {budget}: one maze a cell costs {spent(1):.2g} {unit}; give more, or choose --cells")
    fits, beyond = 1, most + 1
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        fits, beyond = (middle, beyond) if spent(middle) <= amount else (fits, middle)
    return fits


def _read_budget(text: str) -> tuple[float, str]:
    for unit in ("TFLOP", "min"):
        number = text.strip().removesuffix(unit).strip()
        if number != text.strip():
            try:
                amount = float(number)
            except ValueError:
                break
            if 0 < amount < float("inf"):
                return amount, unit
    raise InputError(f"budget must be a positive number of TFLOP or min, such as 20TFLOP or 5min, got {text!r}")
