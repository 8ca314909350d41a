"""What is measured at every point, settled and checked before anything is computed."""

from extramaze.core.errors import InputError
from extramaze.costs import cell_cost
from extramaze.models.contract import IterativeSolver, card_of
from extramaze.models.devices import describe_device, resolve_device
from extramaze.schema.landscape import Setting, Watch
from extramaze.schema.suite import IN_DISTRIBUTION, Suite, choose_cells
from extramaze.suites import load_suite

MAZES = 64
ITERATIONS = 100
LOSS_ITERATIONS = 30  # what the shipped recipes validate after
WATCHED, BURN_IN, WINDOW, PURSUIT = 8, 400, 64, 200


def make_setting(
    solver: IterativeSolver,
    suite: str | Suite = "smoke-v1",
    cells: tuple[str, ...] = (),
    mazes: int = MAZES,
    iterations: int = ITERATIONS,
    loss_iterations: int = LOSS_ITERATIONS,
    limits: bool = False,
    watched: int = WATCHED,
    training: str | None = None,
    device: str = "auto",
) -> Setting:
    """Settle a setting: ``mazes`` of each of a suite's cells, answered after ``iterations``.

    limits: follow the iterates of ``watched`` mazes of each cell that the suite watches. training: the cell like the
    mazes of training, which is measured whatever ``cells`` says; by default the first on the axis in-distribution.
    Raises InputError for what does not fit.
    """
    loaded = load_suite(suite)
    card = card_of(solver)
    if card.scale not in (None, loaded.scale):
        raise InputError(
            f"{card.name} was made for rasters of scale {card.scale}, the suite {loaded.name} has scale {loaded.scale}"
        )
    for name, value in (("--mazes", mazes), ("--iterations", iterations), ("--loss-at", loss_iterations)):
        if value < 1:
            raise InputError(f"{name} must be at least 1, got {value}")
    if limits and watched < 1:
        raise InputError(f"--watched must be at least 1 maze a cell, got {watched}")
    like = _training(loaded, training)
    chosen = choose_cells(loaded, (*cells, like) if cells else ())
    rungs = (
        (1,) if solver.single_pass else tuple(sorted({*(r for r in loaded.iterations if r < iterations), iterations}))
    )
    there = tuple(cell.name for cell in chosen)
    seen = tuple(name for name in loaded.limits.cells if name in there)
    watch = None
    if limits and not solver.single_pass and seen:
        watch = Watch(cells=seen, count=min(watched, mazes), burn_in=BURN_IN, window=WINDOW, pursuit=PURSUIT)
    return Setting(
        suite=loaded.model_copy(
            update={
                "cells": chosen,
                "iterations": rungs,
                "limits": loaded.limits.model_copy(update={"cells": seen}),
            }
        ),
        mazes=mazes,
        training=like,
        loss_iterations=1 if solver.single_pass else loss_iterations,
        watch=watch,
        device=describe_device(resolve_device(device)),
    )


def _training(suite: Suite, name: str | None) -> str:
    if name is not None:
        return choose_cells(suite, (name,))[0].name
    found = [cell.name for cell in suite.cells if cell.axis == IN_DISTRIBUTION]
    if not found:
        raise InputError(
            f"the suite {suite.name} has no cell on the axis {IN_DISTRIBUTION}; say which is like those of training, "
            "--training CELL"
        )
    return found[0]


def point_minutes(setting: Setting) -> float:
    """Estimate the minutes that one point takes on one core, of a width-32 DT-Net."""
    watch = setting.watch
    total = 0.0
    for cell in setting.suite.cells:
        mazes = min(cell.count, setting.mazes)
        watched = watch.count if watch is not None and cell.name in watch.cells else 0
        total += cell_cost(setting.suite, cell, mazes, min(watched, mazes)).minutes
    return total
