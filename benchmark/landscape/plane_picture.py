"""A plane of weights drawn: loss as shades, accuracy as lines, what does not come to rest hatched, networks as dots."""

from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from extramaze.dynamics.limits import Limit
from extramaze.landscape.record import Survey
from extramaze.models.figures import BLACK, ORANGE, SKY, VERMILION, new_figure, save_png

LEAST_LOSS = 1e-8  # below which a loss is drawn as this


def save_plane(survey: Survey, path: Path) -> Path:
    """Draw the loss of the training cell as shades, accuracy of each cell as lines at 50 and 90 %, networks as dots."""
    summary, table = survey.summary, survey.table
    marks = len(summary.marks)
    grid = table.filter(pl.col("point") >= marks)
    training = summary.setting.training
    xs, ys = (np.unique(grid[axis].to_numpy()) for axis in ("x", "y"))
    figure = new_figure(6, 5)
    panel = figure.subplots()
    of_cell = {cell: _on_grid(rows, len(ys), len(xs)) for (cell,), rows in grid.group_by("cell", maintain_order=True)}
    loss = np.log10(np.maximum(of_cell[training][0], LEAST_LOSS))
    shades = panel.contourf(xs, ys, loss, levels=12, cmap="cividis")
    figure.colorbar(shades, ax=panel, label=f"log₁₀ cross-entropy of {training}")
    for number, (cell, (_, accuracy)) in enumerate(of_cell.items()):
        colour = ("white", VERMILION, SKY, ORANGE)[number % 4]
        if accuracy.min() < 0.9 and accuracy.max() > 0.5:
            lines = panel.contour(
                xs, ys, accuracy, levels=[0.5, 0.9], colors=[colour], linestyles=[":", "-"], linewidths=1.4
            )
            panel.clabel(lines, fmt=lambda level, cell=cell: f"{cell} {level:.0%}", fontsize=6)
    _hatch(panel, grid, xs, ys)
    for number, mark in enumerate(summary.marks):
        panel.plot(mark.x, mark.y or 0.0, "o", color="white", markeredgecolor=BLACK, ms=7)
        panel.annotate(
            mark.path, (mark.x, mark.y or 0.0), fontsize=7, ha="center",
            xytext=(0, -16 if number % 2 else 8), textcoords="offset points",
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "alpha": 0.8, "lw": 0},
        )  # fmt: skip
    if 0.4 < (ys[-1] - ys[0]) / (xs[-1] - xs[0]) < 2.5:  # else a strip that shows nothing
        panel.set_aspect("equal")
    panel.tick_params(labelsize=8)
    panel.set_xlabel("distance between the first two networks" if marks == 3 else "first direction", fontsize=8)
    return save_png(figure, path)


def _on_grid(rows: pl.DataFrame, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    points = rows.group_by("y", "x").agg(
        (pl.col("loss").sum() / pl.col("pixels").sum()).alias("loss"), pl.col("optimal").cast(pl.Float64).mean()
    )
    ordered = points.sort("y", "x")
    return ordered["loss"].to_numpy().reshape(height, width), ordered["optimal"].to_numpy().reshape(height, width)


def _hatch(panel: Axes, grid: pl.DataFrame, xs: np.ndarray, ys: np.ndarray) -> None:
    """Hatch where most watched mazes do not come to rest."""
    seen = grid.filter(pl.col("limit").is_not_null())
    if not len(seen):
        return
    share = seen.group_by("y", "x").agg((pl.col("limit") == str(Limit.FIXED_POINT)).mean()).sort("y", "x")
    rest = share["limit"].to_numpy().reshape(len(ys), len(xs))
    if rest.min() < 0.5:
        panel.contourf(xs, ys, rest, levels=[-0.01, 0.5], colors="none", hatches=["//"])
