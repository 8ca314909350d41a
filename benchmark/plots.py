"""Pictures of a record: what it says about difficulty, iterations and failures. Okabe and Ito's colours throughout."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, PercentFormatter

from extramaze.blocks import draw_block, to_input
from extramaze.drawn_answers import draw_answers, in_precision_of
from extramaze.dynamics_plots import plot_dynamics
from extramaze.mazes import InputError, MazeSpec
from extramaze.mazes.errors import unknown_name
from extramaze.mazes.files import make_folder
from extramaze.models.contract import IterativeSolver, answer
from extramaze.models.devices import reference_arithmetic
from extramaze.models.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, new_figure, save_png
from extramaze.pictures import Drawing, save_failures, save_rows
from extramaze.plan import foreign
from extramaze.record_schema import CellResult
from extramaze.records import Place, Record
from extramaze.suites import Cell, CellPlan

COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKERS = "osD^vP*"
EACH_KIND = 4  # failures drawn of each kind
FRAMES = 8  # of a maze being solved
LEGIBLE = 33  # the largest size that is drawn iteration by iteration, where there is a choice


def plot_record(record: Record, out: Path, solver: IterativeSolver | None = None) -> list[Path]:
    """Draw a record into a folder and return the PNGs; with its solver also failures, a maze being solved, iterates.

    Raises InputError where the solver is not the record's.
    """
    if solver is not None:
        _refuse_foreign(solver, record)
    make_folder(out)
    drawn = [save_difficulty(record, out / "difficulty.png"), save_iterations(record, out / "iterations.png")]
    if len(_plane(record)[0]) > 1 and len(_plane(record)[1]) > 1:
        drawn.append(save_plane(record, out / "plane.png"))
    if solver is not None:
        drawings = failures_by_kind(solver, record)
        if drawings:
            name = record.summary.plan.solver.name
            drawn.append(out / "failures.png")
            save_rows(drawings, f"{name}: up to {EACH_KIND} failures of each kind", drawn[-1])
        drawn.append(save_strip(solver, record, out / "solving.png"))
    return [*drawn, *plot_dynamics(record, out, solver)]


def save_mazes(record: Record, solver: IterativeSolver, names: Sequence[str], path: Path) -> Path:
    """Draw chosen mazes of a record, ``CELL:INDEX`` each, with the true path and the solver's answer at the last rung.

    Raises InputError for a maze that the record does not have, and where the solver is not the record's.
    """
    _refuse_foreign(solver, record)
    counts = {planned.name: planned.mazes for planned in record.summary.plan.cells}
    titles: dict[Place, str] = {}
    for name in names:
        cell, colon, index = name.rpartition(":")
        if not colon or not index.isdecimal():
            raise InputError(f"a maze is written CELL:INDEX, such as {next(iter(counts))}:0, got {name!r}")
        if cell not in counts:
            raise unknown_name("cell", cell, counts)
        if int(index) >= counts[cell]:
            raise InputError(f"{cell} has mazes 0 to {counts[cell] - 1} in this record, got {index}")
        titles[cell, int(index)] = f"{cell} #{index}"
    save_failures(list(draw_answers(solver, record, titles).values()), f"answers of {_title(record)}", path)
    return path


def _refuse_foreign(solver: IterativeSolver, record: Record) -> None:
    differs = foreign(solver, record.summary.plan.solver)
    if differs:
        raise InputError(f"not the solver of the record ({'; '.join(differs)}); give the one that made it")


def save_difficulty(record: Record, path: Path) -> Path:
    """Draw optimal accuracy at the last rung, with Wilson intervals: a panel an axis, a point a cell."""
    figure, panels = _panel_an_axis(record, "optimal answers at the last rung, with 95 % intervals", (3.0, 2.5))
    for axis, panel in panels.items():
        _difficulty_panel(panel, axis, [cell for cell in record.summary.cells if cell.axis == axis])
    marks = [
        Line2D([], [], marker="o", linestyle="", color=COLOURS[0], markersize=4, label="optimal"),
        Line2D([], [], marker="_", linestyle="", color=COLOURS[1], ms=9, mew=2, label="equal to dead-end filling's"),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=2, fontsize=8)
    return save_png(figure, path)


def _difficulty_panel(panel: Axes, axis: str, cells: list[CellResult]) -> None:
    last = [cell.rungs[-1].optimal for cell in cells]
    shares = np.array([tally.share for tally in last])
    around = np.abs(np.array([[tally.low, tally.high] for tally in last]).T - shares)
    panel.errorbar(range(len(cells)), shares, yerr=around, fmt="o", color=COLOURS[0], capsize=3, markersize=4)
    panel.plot(
        range(len(cells)), [cell.as_dead_end_filling.share for cell in cells], "_", color=COLOURS[1], ms=9, mew=2
    )
    panel.set_xticks(range(len(cells)), [short_name(cell) for cell in cells], rotation=45, ha="right", fontsize=7)
    panel.set_xlim(-0.6, len(cells) - 0.4)
    panel.set_title(axis, fontsize=9)
    _percent(panel)


def short_name(cell: CellResult) -> str:
    """Return a cell's name without its axis: ``0.1`` for percolation-0.1 on the axis percolation."""
    return cell.name.removeprefix(f"{cell.axis}-").removeprefix("plane-")


def save_iterations(record: Record, path: Path) -> Path:
    """Draw optimal accuracy against iterations: a panel an axis, a line a cell, the interval as a band."""
    figure, panels = _panel_an_axis(record, "optimal answers after so many iterations", (3.2, 3.1))
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
        panel.set_title(axis, fontsize=9)
        panel.set_xlabel("iterations", fontsize=8)
        panel.legend(fontsize=6, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.22), frameon=False)
        _percent(panel)
    return save_png(figure, path)


def _plane(record: Record) -> tuple[list[int], list[float], dict[tuple[int, float], float]]:
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
    sizes, shares, found = _plane(record)
    table = np.array([[found.get((size, share), np.nan) for share in shares] for size in sizes])
    figure = new_figure(1.6 + 0.62 * len(shares), 1.4 + 0.42 * len(sizes))
    panel = figure.subplots()
    panel.set_facecolor("#eeeeee")
    picture = panel.imshow(table, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        if not np.isnan(value):
            colour = "black" if value > 0.5 else "white"
            panel.text(column, row, f"{value:.0%}", ha="center", va="center", fontsize=7, color=colour)
    panel.set_xticks(range(len(shares)), [f"{share:g}" for share in shares], fontsize=8)
    panel.set_yticks(range(len(sizes)), list(map(str, sizes)), fontsize=8)
    panel.set_xlabel("percolation", fontsize=8)
    panel.set_ylabel("size", fontsize=8)
    panel.set_title(f"{_title(record)}: optimal at the last rung", fontsize=9)
    figure.colorbar(picture, ax=panel, format=PercentFormatter(1.0))
    return save_png(figure, path)


@dataclass(frozen=True)
class _Maze:
    cell: Cell
    planned: CellPlan
    index: int


def failures_by_kind(solver: IterativeSolver, record: Record) -> list[list[Drawing]]:
    """Answer up to EACH_KIND wrong mazes of each failure kind once more, to be drawn, a row a kind."""
    wrong = record.mazes.filter(pl.col("failure").is_not_null())
    by_kind: dict[str, list[Place]] = {}
    for kind in wrong["failure"].value_counts(sort=True)["failure"].to_list():
        found = wrong.filter(pl.col("failure") == kind).select("cell", "index")
        first = found.unique(["cell"], keep="first", maintain_order=True)
        by_kind[kind] = pl.concat([first, found]).unique(maintain_order=True).head(EACH_KIND).rows()
    titles = {(cell, index): f"{kind}: {cell} #{index}" for kind in by_kind for cell, index in by_kind[kind]}
    drawings = draw_answers(solver, record, titles)
    return [[drawings[place] for place in places] for places in by_kind.values()]


def _find(record: Record, cell: str, index: int) -> _Maze:
    return next(_Maze(c, planned, index) for c, planned in record.summary.plan.pairs() if c.name == cell)


def save_strip(solver: IterativeSolver, record: Record, path: Path) -> Path:
    """Draw one maze iteration by iteration: the hardest that was solved, of the cell with the longest paths."""
    plan = record.summary.plan
    maze = _worth_watching(record)
    ours, device = in_precision_of(solver, record)
    number, at = divmod(maze.index, maze.planned.block)
    _, images, targets = draw_block(plan.suite, maze.cell, number, maze.planned.block)
    row = record.mazes.filter((pl.col("cell") == maze.cell.name) & (pl.col("index") == maze.index)).row(0, named=True)
    end = row["first_right"] or maze.planned.rungs[-1]
    shown = sorted({round(value) for value in np.geomspace(1, end, FRAMES)} | {end})
    with reference_arithmetic():
        x = to_input(images[at : at + 1], device, getattr(torch, plan.dtype))
        state, drawings = ours.initial_state(x), []
        for iteration in range(1, end + 1):
            state = ours.step(state, x)
            if iteration in shown:
                said = answer(ours.readout(state), x)[0].cpu().numpy()
                drawings.append(Drawing(images[at], f"after {iteration}", targets[at], said))
    heading = f"{plan.solver.name} solving {maze.cell.name} #{maze.index}, iteration by iteration"
    save_failures(drawings, heading, path)
    return path


def _worth_watching(record: Record) -> _Maze:
    """Choose the longest path among mazes small enough to be seen, of those right at the last rung if there are any."""
    legible = [cell.name for cell, _ in record.summary.plan.pairs() if cell.maze_spec.size <= LEGIBLE]
    seen = record.mazes.filter(pl.col("cell").is_in(legible))
    seen = seen if len(seen) else record.mazes
    right = seen.filter(pl.col("optimal").list.last())
    rows = (right if len(right) else seen).sort("path_length", descending=True)
    return _find(record, rows["cell"][0], rows["index"][0])


def _title(record: Record) -> str:
    plan = record.summary.plan
    return f"{plan.solver.name} on {plan.suite.name}" + (" (partial)" if plan.part else "")


def _panel_an_axis(record: Record, heading: str, inches: tuple[float, float]) -> tuple[Figure, dict[str, Axes]]:
    """Make a figure with a panel of so many inches for each axis of a record, three a row."""
    axes = list(dict.fromkeys(cell.axis for cell in record.summary.cells))
    columns = min(3, len(axes))
    rows = -(-len(axes) // columns)
    figure = new_figure(columns * inches[0], rows * inches[1] + 0.5)
    figure.suptitle(f"{_title(record)}: {heading}", fontsize=10)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for panel in grid.flat[len(axes) :]:
        panel.axis("off")
    return figure, dict(zip(axes, grid.flat, strict=False))


def _percent(panel: Axes) -> None:
    panel.set_ylim(-0.03, 1.03)
    panel.yaxis.set_major_formatter(PercentFormatter(1.0))
    panel.tick_params(axis="y", labelsize=7)
    panel.grid(axis="y", color="#dddddd", lw=0.6)
    panel.set_axisbelow(True)
