"""Charts of records: accuracy against difficulty, against iterations, and over size × percolation."""

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from extramaze.mazes import MazeSpec
from extramaze.mazes.files import write_atomically
from extramaze.records import CellResult, Record

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe and Ito
MARKERS = "osD^vPX"
DPI = 150
PANEL = (3.4, 2.5)  # inches
PALE = 0.6  # shares above it have a ground so pale that black is legible on it
SCALE_RANGE = (0.1, 0.9)  # of the sequential colour map: its ends are too pale or too dark to print


def plot_axes(records: Sequence[Record], path: Path) -> None:
    """Plot optimal accuracy at the last rung against the difficulty of each axis, with Wilson's 95 % intervals."""
    axes = list(dict.fromkeys(cell.axis for record in records for cell in record.summary.cells))

    def draw(panel: Axes, axis: str) -> None:
        for number, record in enumerate(records):
            cells = [cell for cell in record.summary.cells if cell.axis == axis]
            tallies = [cell.rungs[-1].optimal for cell in cells]
            middle = np.array([tally.share for tally in tallies])
            errors = [middle - [tally.low for tally in tallies], [tally.high for tally in tallies] - middle]
            panel.errorbar(
                np.arange(len(cells)) + 0.12 * (number - (len(records) - 1) / 2),
                middle,
                yerr=np.clip(errors, 0, None),
                color=COLOURS[number % len(COLOURS)],
                marker=MARKERS[number % len(MARKERS)],
                markersize=4,
                linewidth=1,
                capsize=2,
                label=record.summary.plan.solver.name,
            )
        _label_cells(panel, axis, [cell for cell in records[0].summary.cells if cell.axis == axis])

    title = f"{_suite(records)}: optimal answers at the last rung, 95 % intervals over mazes"
    _save_panels(axes, draw, title, path)


def plot_iterations(record: Record, path: Path) -> None:
    """Plot optimal accuracy against iterations, a panel an axis, a line a cell, darker where it comes later."""
    axes = list(dict.fromkeys(cell.axis for cell in record.summary.cells))
    colours = matplotlib.colormaps["viridis_r"]

    def draw(panel: Axes, axis: str) -> None:
        cells = [cell for cell in record.summary.cells if cell.axis == axis]
        for shade, cell in zip(np.linspace(*SCALE_RANGE, len(cells)), cells, strict=True):
            rungs = [rung.iterations for rung in cell.rungs]
            shares = [rung.optimal.share for rung in cell.rungs]
            panel.plot(rungs, shares, color=colours(shade), marker="o", markersize=3, label=_short(cell, axis))
        rungs = sorted({rung.iterations for cell in cells for rung in cell.rungs})
        panel.set_xscale("log")
        panel.set_xticks(rungs, [f"{rung:,}" for rung in rungs])
        panel.set_xticks([], minor=True)
        panel.set_xlabel("iterations", fontsize=8)
        panel.set_title(axis, fontsize=9)
        panel.legend(fontsize=6, ncols=1 + (len(cells) > 4))

    title = f"{record.summary.plan.solver.name} on {record.summary.plan.suite.name}: optimal answers"
    _save_panels(axes, draw, title, path, legend=False)


def plane_of(record: Record) -> dict[tuple[int, float], CellResult]:
    """Return the cells that differ in size and percolation alone (whatever their start), by size and percolation."""
    found: dict[tuple[int, float], CellResult] = {}
    for cell in record.summary.cells:
        spec = MazeSpec.parse(cell.spec)
        if MazeSpec(spec.size, percolation=spec.percolation, start=spec.start) == spec and spec.start == "any":
            found[spec.size, spec.percolation] = cell
    return found


def plot_plane(record: Record, path: Path) -> bool:
    """Plot optimal accuracy over size × percolation; return False where a suite has no such plane."""
    cells = plane_of(record)
    sizes, shares = sorted({size for size, _ in cells}), sorted({p for _, p in cells})
    if len(sizes) < 2 or len(shares) < 2:
        return False
    grid = np.full((len(sizes), len(shares)), np.nan)
    for (size, p), cell in cells.items():
        grid[sizes.index(size), shares.index(p)] = cell.rungs[-1].optimal.share
    figure = Figure(figsize=(1.6 + 0.75 * len(shares), 1.5 + 0.55 * len(sizes)), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    image = panel.imshow(grid, cmap="cividis", vmin=0, vmax=1, aspect="auto", origin="lower")
    for (row, column), share in np.ndenumerate(grid):
        if not math.isnan(share):
            colour = "w" if share < PALE else "k"
            panel.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour, fontsize=8)
    panel.set_xticks(range(len(shares)), [f"{p:g}" for p in shares])
    panel.set_yticks(range(len(sizes)), [str(size) for size in sizes])
    panel.set_xlabel("percolation")
    panel.set_ylabel("size")
    name = record.summary.plan.solver.name
    panel.set_title(f"{name}: optimal answers at the last rung", fontsize=9)
    figure.colorbar(image, format=PercentFormatter(1))
    _save(figure, path)
    return True


def _label_cells(panel: Axes, axis: str, cells: Sequence[CellResult]) -> None:
    counts = sorted({cell.n for cell in cells})
    mazes = f"{counts[0]} mazes" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} mazes"
    panel.set_title(f"{axis} ({mazes})", fontsize=9)
    names = [_short(cell, axis) for cell in cells]
    slanted = max(map(len, names)) > 6 or len(names) > 7
    panel.set_xticks(range(len(cells)), names, rotation=35 if slanted else 0, ha="right" if slanted else "center")
    panel.set_xlim(-0.5, len(cells) - 0.5)


def _short(cell: CellResult, axis: str) -> str:
    """Return a cell's name without its first word, where all that is left is a number; whole otherwise."""
    head, dash, rest = cell.name.partition("-")
    return rest if dash and (rest[0].isdigit() or head == axis) else cell.name


def _suite(records: Sequence[Record]) -> str:
    return ", ".join(dict.fromkeys(record.summary.plan.suite.name for record in records))


def _save_panels(
    names: Sequence[str], draw: Callable[[Axes, str], None], title: str, path: Path, legend: bool = True
) -> None:
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(columns * PANEL[0], rows * PANEL[1] + 0.7), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(rows, columns, squeeze=False)
    for panel, name in zip(grid.flat, names, strict=False):
        panel.set_ylim(-0.03, 1.03)
        panel.yaxis.set_major_formatter(PercentFormatter(1))
        panel.grid(alpha=0.3, linewidth=0.5)
        panel.tick_params(labelsize=7)
        draw(panel, name)
    for panel in grid.flat[len(names) :]:
        panel.axis("off")
    if legend:
        handles, labels = grid.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), fontsize=8)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())
