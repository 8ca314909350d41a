"""Accuracy of a record against difficulty and iterations. Okabe and Ito's colours, which everyone can tell apart."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, PercentFormatter

from extramaze.mazes import MazeSpec
from extramaze.models.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, new_figure, save_png
from extramaze.records import Record
from extramaze.schema.record import CellResult

COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKERS = "osD^vP*"
CHARACTERS = 13  # of a heading, an inch


def save_difficulty(record: Record, path: Path) -> Path:
    """Draw optimal accuracy at the last rung, with Wilson intervals: a panel an axis, a point a cell."""
    heading = f"{title_of(record)}: optimal answers at the last rung, with 95 % intervals"
    figure, panels = panel_an_axis(axes_of(record), heading, (3.0, 2.5))
    for axis, panel in panels.items():
        _difficulty_panel(panel, [cell for cell in record.summary.cells if cell.axis == axis])
    marks = [
        Line2D([], [], marker="o", linestyle="", color=COLOURS[0], markersize=4, label="optimal"),
        Line2D(
            [], [], marker="_", linestyle="", color=COLOURS[1], ms=9, mew=2, label="same answer as dead-end filling"
        ),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=2, fontsize=8)
    return save_png(figure, path)


def _difficulty_panel(panel: Axes, cells: list[CellResult]) -> None:
    last = [cell.rungs[-1].optimal for cell in cells]
    shares = np.array([tally.share for tally in last])
    around = np.abs(np.array([[tally.low, tally.high] for tally in last]).T - shares)
    panel.errorbar(range(len(cells)), shares, yerr=around, fmt="o", color=COLOURS[0], capsize=3, markersize=4)
    panel.plot(
        range(len(cells)), [cell.as_dead_end_filling.share for cell in cells], "_", color=COLOURS[1], ms=9, mew=2
    )
    name_cells(panel, [short_name(cell) for cell in cells])


def short_name(cell: CellResult) -> str:
    """Return a cell's name without its axis: ``0.1`` for percolation-0.1 on the axis percolation."""
    return cell.name.removeprefix(f"{cell.axis}-").removeprefix("plane-")


def save_iterations(record: Record, path: Path) -> Path:
    """Draw optimal accuracy against iterations: a panel an axis, a line a cell, the interval as a band."""
    heading = f"{title_of(record)}: optimal answers after so many iterations"
    figure, panels = panel_an_axis(axes_of(record), heading, (3.2, 3.1))
    for axis, panel in panels.items():
        for number, cell in enumerate(cell for cell in record.summary.cells if cell.axis == axis):
            at = [rung.iterations for rung in cell.rungs]
            colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
            line = "-" if number < len(COLOURS) else "--"
            shares = [rung.optimal.share for rung in cell.rungs]
            panel.plot(at, shares, line, color=colour, marker=marker, ms=4, lw=1.2, label=short_name(cell))
            lows, highs = ([getattr(rung.optimal, end) for rung in cell.rungs] for end in ("low", "high"))
            panel.fill_between(at, lows, highs, color=colour, alpha=0.1, lw=0)
        panel.set_xscale("log")
        rungs = sorted({rung.iterations for cell in record.summary.cells if cell.axis == axis for rung in cell.rungs})
        panel.set_xticks(rungs, [f"{rung:,}" for rung in rungs], fontsize=7)
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_xlabel("iterations", fontsize=8)
        panel.legend(fontsize=6, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.22), frameon=False)
    return save_png(figure, path)


def plane_of(record: Record) -> tuple[list[int], list[float], dict[tuple[int, float], float]]:
    """Return the sizes, percolations and accuracies of the cells that differ in these two alone.

    The commonest way to draw the start is kept.
    """
    specs = [(cell, record_spec) for cell, record_spec in _specs(record) if _plain_but_for_plane(record_spec)]
    starts = [spec.start for _, spec in specs if spec.percolation]
    start = max(starts, key=starts.count, default="deadend")
    found = {(spec.size, spec.percolation): cell.rungs[-1].optimal.share for cell, spec in specs if spec.start == start}
    cyclic = {size for size, percolation in found if percolation}
    found = {key: share for key, share in found.items() if key[0] in cyclic}
    return sorted(cyclic), sorted({p for _, p in found}), found


def _specs(record: Record) -> list[tuple[CellResult, MazeSpec]]:
    return [(cell, MazeSpec.parse(cell.spec)) for cell in record.summary.cells]


def _plain_but_for_plane(spec: MazeSpec) -> bool:
    return str(spec) == str(MazeSpec(size=spec.size, percolation=spec.percolation, start=spec.start))


def save_plane(record: Record, path: Path) -> Path:
    """Draw the size × percolation plane: optimal accuracy at the last rung, in figures and in shades."""
    sizes, shares, found = plane_of(record)
    table = np.array([[found.get((size, share), np.nan) for share in shares] for size in sizes])
    width = 1.6 + 0.62 * len(shares)
    figure = new_figure(width, 1.4 + 0.42 * len(sizes))
    panel = figure.subplots()
    picture = draw_shades(panel, table, [[f"{value:.0%}" for value in row] for row in table])
    panel.invert_yaxis()
    panel.set_xticks(range(len(shares)), [f"{share:g}" for share in shares], fontsize=8)
    panel.set_yticks(range(len(sizes)), list(map(str, sizes)), fontsize=8)
    panel.set_xlabel("percolation", fontsize=8)
    panel.set_ylabel("size", fontsize=8)
    figure.suptitle(fill(f"{title_of(record)}: optimal at the last rung", int(CHARACTERS * width)), fontsize=9)
    figure.colorbar(picture, ax=panel, format=PercentFormatter(1.0))
    return save_png(figure, path)


def draw_shades(panel: Axes, shares: np.ndarray, texts: Sequence[Sequence[str]]) -> AxesImage:
    """Draw shares (rows, columns) as shades, the first row on top, with a text on each; NaN stays empty."""
    panel.set_facecolor("#eeeeee")
    image = panel.imshow(shares, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(shares):
        if not np.isnan(value):
            colour = "black" if value > 0.5 else "white"
            panel.text(column, row, texts[row][column], ha="center", va="center", fontsize=6.5, color=colour)
    return image


def title_of(record: Record) -> str:
    """Return whose record it is, and of which suite."""
    plan = record.summary.plan
    return f"{plan.solver.name} on {plan.suite.name}" + (" (partial)" if plan.part else "")


def panel_an_axis(axes: Sequence[str], heading: str, inches: tuple[float, float]) -> tuple[Figure, dict[str, Axes]]:
    """Make a figure with a titled panel of so many inches for each axis of difficulty, three a row, in percent."""
    columns = min(3, len(axes))
    rows = -(-len(axes) // columns)
    figure = new_figure(columns * inches[0], rows * inches[1] + 0.5)
    figure.suptitle(fill(heading, int(CHARACTERS * columns * inches[0])), fontsize=10)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for panel in grid.flat[len(axes) :]:
        panel.axis("off")
    panels = dict(zip(axes, grid.flat, strict=False))
    for axis, panel in panels.items():
        panel.set_title(axis, fontsize=9)
        panel.set_ylim(-0.03, 1.03)
        panel.yaxis.set_major_formatter(PercentFormatter(1.0))
        panel.tick_params(axis="y", labelsize=7)
        panel.grid(axis="y", color="#dddddd", lw=0.6)
        panel.set_axisbelow(True)
    return figure, panels


def axes_of(record: Record) -> list[str]:
    """Return a record's axes of difficulty, in the suite's order."""
    return list(dict.fromkeys(cell.axis for cell in record.summary.cells))


def name_cells(panel: Axes, names: Sequence[str]) -> None:
    """Write the names of cells below their places 0, 1, 2, …"""
    panel.set_xticks(range(len(names)), list(names), rotation=45, ha="right", fontsize=7)
    panel.set_xlim(-0.6, len(names) - 0.4)
