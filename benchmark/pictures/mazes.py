"""Pictures of mazes, answers and failures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from extramaze.mazes import Mazes, MazeSpec, raster
from extramaze.models.figures import BLACK, GREEN, SKY, VERMILION, new_figure, save_png

WALL, OPEN = "#333333", "#ffffff"
BOTH, MISSED, EXTRA = GREEN, SKY, VERMILION
INCHES = 2.3  # a maze
COLUMNS = 4
CHARACTERS = 13  # of a heading, an inch


@dataclass(frozen=True, eq=False)
class Drawing:
    """One maze to draw: image (3, H, W), the true path and a prediction, (H, W) each; and its title."""

    image: np.ndarray
    title: str
    target: np.ndarray | None = None
    prediction: np.ndarray | None = None


def save_failures(drawings: Sequence[Drawing], heading: str, path: Path) -> Path:
    """Save wrong answers with the true path, COLUMNS a row, as PNG."""
    return save_rows([drawings[i : i + COLUMNS] for i in range(0, len(drawings), COLUMNS)], heading, path)


def save_rows(rows: Sequence[Sequence[Drawing]], heading: str, path: Path) -> Path:
    """Save answers with the true path, row by row, as PNG."""
    legend = [
        Patch(color=BOTH, label="true path, found"),
        Patch(color=MISSED, label="true path, missed"),
        Patch(color=EXTRA, label="predicted, not on the path"),
        Line2D([], [], marker="^", color=BLACK, linestyle="", label="start"),
        Line2D([], [], marker="*", color=BLACK, linestyle="", label="goal"),
    ]
    return _save(rows, heading, path, legend)


def save_samples(samples: Mapping[MazeSpec, Mazes], path: Path) -> None:
    """Save mazes with their shortest paths, one specification a row, as PNG."""
    rows = []
    for spec, mazes in samples.items():
        images, targets = raster(mazes)
        rows.append([Drawing(image, str(spec), target) for image, target in zip(images, targets, strict=True)])
    legend = [
        Patch(color=MISSED, label="shortest path"),
        Line2D([], [], marker="^", color=BLACK, linestyle="", label="start"),
        Line2D([], [], marker="*", color=BLACK, linestyle="", label="goal"),
    ]
    _save(rows, "", path, legend)


def _save(rows: Sequence[Sequence[Drawing]], heading: str, path: Path, legend: list) -> Path:
    columns = max(len(row) for row in rows)
    head = 0.6 if heading else 0.1
    height = len(rows) * (INCHES + 0.25) + head + 0.4
    figure = new_figure(columns * INCHES + 0.2, height)
    if heading:
        figure.suptitle(fill(heading, max(20, int(CHARACTERS * columns * INCHES))), fontsize=10)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes_row, row in zip(grid, rows, strict=True):
        for axes, drawing in zip(axes_row, row, strict=False):
            draw(axes, drawing)
    figure.legend(handles=legend, loc="outside lower center", ncols=min(len(legend), 2 * columns - 1), fontsize=8)
    return save_png(figure, path)


def draw(axes: Axes, drawing: Drawing) -> None:
    """Draw one maze, its true path and a prediction into axes."""
    image = drawing.image
    open_pixels = image.max(axis=0) > 0
    target = np.zeros_like(open_pixels) if drawing.target is None else drawing.target > 0
    prediction = np.zeros_like(target) if drawing.prediction is None else drawing.prediction > 0
    colours = np.where(open_pixels[..., None], to_rgb(OPEN), to_rgb(WALL))
    for mask, colour in ((target & prediction, BOTH), (target & ~prediction, MISSED), (prediction & ~target, EXTRA)):
        colours[mask] = to_rgb(colour)
    axes.imshow(colours, interpolation="nearest")
    size = max(160 / image.shape[-1], 7.5)
    for channel, other, marker in ((1, 0, "^"), (0, 1, "*")):
        rows, columns = np.nonzero((image[channel] > 0) & (image[other] == 0))
        axes.scatter(columns.mean(), rows.mean(), marker=marker, s=size**2 / 3, color=BLACK, zorder=3)
    axes.set_title(drawing.title, fontsize=7, pad=2)
