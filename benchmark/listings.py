"""What there is, as text: trained solvers, suites with their cost, and a batch of mazes."""

from collections.abc import Sequence

from extramaze.core.escapes import for_markdown
from extramaze.core.words import counted
from extramaze.costs import DT_NET, Pace, cell_cost, suite_cost
from extramaze.mazes import Mazes, describe
from extramaze.mazes.description import COLUMNS
from extramaze.schema.suite import IN_DISTRIBUTION, Suite, axis_headings
from extramaze.schema.training import TrainingResult
from extramaze.tables import layout


def solver_table(results: Sequence[TrainingResult], markdown: bool = False) -> str:
    """Write how trained solvers came about: accuracy on fresh mazes of the training distribution, and what it took."""
    fit = for_markdown if markdown else str
    header = ["solver", "right on fresh mazes", "training mazes", "seconds", "machine", "began with", "sha256"]
    lines = [
        [
            f"{found.recipe}@{found.seed}",
            f"{found.validation_accuracy:.2%} of {found.validation_count:,}"
            + ("" if found.reached_99 else " (< 99 %)"),
            f"{found.mazes:,}",
            f"{found.wall_seconds:,.0f}",
            fit(found.machine),
            fit(found.init_from or "–"),
            f"{found.weights_sha256[:12]}…",
        ]
        for found in results
    ]
    title = (
        "trained solvers; seconds as logged, some of them beside other work; accuracy after the iterations that the "
        "recipe validates at"
    )
    return "\n".join([title, "", *layout(header, lines, markdown)])


def suites_table(suites: Sequence[Suite], pace: Pace = DT_NET, who: str = "") -> str:
    """Write suites, a line each: what they vary, how much there is of it, and what a solver costs on them.

    pace: of the solver that is called ``who``; by default of a width-32 DT-Net.
    """
    where = "here" if who else "on two CPU cores"
    header = ["suite", "axes", "cells", "mazes", "raster", "iterations", where]
    lines = [
        [
            suite.name,
            ", ".join(axis for key, axis in axis_headings(suite.cells).items() if key != IN_DISTRIBUTION),
            str(len(suite.cells)),
            f"{sum(cell.count for cell in suite.cells):,}",
            {1: "thin", 2: "easy-to-hard"}[suite.scale],
            f"{suite.iterations[-1]:,}",
            _time(suite_cost(suite, pace=pace).minutes),
        ]
        for suite in suites
    ]
    title = f"suites; iterations: the last rung; time: of {who or 'a width-32 DT-Net'}. --verbose has their cells"
    return "\n".join([title, "", *layout(header, lines, markdown=False)])


def suite_table(suite: Suite, pace: Pace = DT_NET, who: str = "") -> str:
    """Write a suite's cells with their counts, and what a solver costs on them, as ``suites_table`` does."""
    header = ["cell", "axis", "mazes", "specification", "TFLOP", "minutes"]
    lines = []
    for cell in suite.cells:
        cost = cell_cost(suite, cell, pace=pace)
        lines.append([cell.name, cell.axis, f"{cell.count:,}", cell.spec, f"{cost.tflop:,.2f}", f"{cost.minutes:,.2f}"])
    whole = suite_cost(suite, pace=pace)
    title = (
        f"{suite.name}: {counted(len(suite.cells), 'cell')}, "
        f"{counted(sum(cell.count for cell in suite.cells), 'maze')}, "
        f"scale {suite.scale}, rungs {', '.join(f'{rung:,}' for rung in suite.iterations)}; for "
        f"{who or 'a width-32 DT-Net'} {whole.tflop:,.1f} TFLOP, {_time(whole.minutes)} "
        f"{'here' if who else 'on two CPU cores'}"
    )
    return "\n".join([title, "", *layout(header, lines, markdown=False)])


def _time(minutes: float) -> str:
    """Write about how long something takes."""
    hours = minutes / 60
    units = (("min", minutes), ("hours", hours)) if hours < 48 else (("hours", hours), ("days", hours / 24))
    unit, amount = units[minutes >= 120]
    return f"about {max(1, round(amount)):,} {unit}"


def mazes_summary(mazes: Mazes) -> str:
    """Say in a few lines what a batch of mazes is, how it was drawn and what it is like."""
    drawn = mazes.generation
    how = "" if drawn is None else f"{drawn.spec}, split {drawn.split or 'none'}: "
    kept = "" if drawn is None or not len(mazes) else f", {drawn.acceptance:.1%} of the attempts in the split kept"
    measured = describe(mazes)
    means = (f"{name} {getattr(measured, name).mean():.1f}" for name in COLUMNS) if len(mazes) else ()
    what = f"{how}{counted(len(mazes), 'maze')}{kept}, sha256 {mazes.digest()[:16]}…"
    told = [what, f"  means: {', '.join(means) or 'none'}"]
    if drawn is not None and drawn.split is None:
        told.append("  of all layouts, those of the test split among them; draw mazes to train on with --split train")
    return "\n".join(told)
