"""Pictures of mazes, answers and failures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from extramaze.mazes import Mazes, MazeSpec, raster
from extramaze.models.figures import BLACK, DPI, GREEN, SKY, VERMILION, new_figure, save_png

WALL, OPEN = "#333333", "#ffffff"
BOTH, MISSED, EXTRA = GREEN, SKY, VERMILION
COLUMNS = 4
SIDE = 345  # pixels of the longer side of a maze; of one with more pixels each is one
LEAST_WIDTH = 160  # pixels of a tile, for its title
GAP, LINE = 12, 18  # pixels between tiles, and of a line of their titles
ENTRY, LETTER, LEGEND = 80, 9, 26  # pixels of a legend: beside each label, of a letter, and of a line
MOST_PIXELS = 2**15  # a side of a picture; a larger one is drawn smaller


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
    """Lay tiles out in pixels of the picture, so that every pixel of a maze is a square of the same whole size."""
    drawings = [drawing for row in rows for drawing in row]
    wide = max(LEAST_WIDTH, *(size(drawing)[1] for drawing in drawings))
    columns = max(len(row) for row in rows)
    width = columns * (wide + GAP) + GAP
    titles = [[wrapped(drawing.title, wide, 7) for drawing in row] for row in rows]
    heads = [GAP + LINE * max(title.count("\n") + 1 for title in row) for row in titles]
    tall = [max(size(drawing)[0] for drawing in row) for row in rows]
    head = wrapped(heading, width, 10)
    top = GAP + (2 * LINE * (head.count("\n") + 1) if head else 0)
    beside = _beside([entry.get_label() for entry in legend], width)
    height = top + sum(heads) + sum(tall) + LEGEND * -(-len(legend) // beside) + 3 * GAP
    shrink = min(1.0, MOST_PIXELS / max(width, height))
    figure = new_figure((width * shrink + 0.1) / DPI, (height * shrink + 0.1) / DPI)
    figure.set_layout_engine("none")
    if head:
        figure.text(0.5, 1 - GAP / height, head, ha="center", va="top", fontsize=10)
    below = height - top
    for row, said, above, deep in zip(rows, titles, heads, tall, strict=True):
        below -= above
        for column, (drawing, title) in enumerate(zip(row, said, strict=True)):
            high, broad = size(drawing)
            left = GAP + column * (wide + GAP) + (wide - broad) // 2
            axes = figure.add_axes((left / width, (below - high) / height, broad / width, high / height))
            axes.axis("off")
            draw(axes, replace(drawing, title=title), broad * shrink)
        below -= deep
    figure.legend(handles=legend, loc="lower center", ncols=beside, fontsize=8)
    return save_png(figure, path)


def _beside(labels: Sequence[str], width: int) -> int:
    """Return how many entries of a legend stand side by side in so many pixels: all of them, or as columns allow."""
    widths = [ENTRY + LETTER * len(label) for label in labels]
    return len(labels) if sum(widths) <= width else max(1, width // max(widths))


def size(drawing: Drawing) -> tuple[int, int]:
    """Return the height and width at which a maze is drawn: whole pixels of the picture for each of the maze."""
    height, width = drawing.image.shape[1:]
    each = max(1, SIDE // max(height, width))
    return each * height, each * width


def wrapped(title: str, width: int, fontsize: int) -> str:
    """Break a title into lines that fit so many pixels of the picture; a specification breaks after its commas."""
    letters = max(8, int(width / (1.25 * fontsize)))
    return fill(title.replace(",", ", "), letters).replace(", ", ",") if title.count(",") > 1 else fill(title, letters)


def draw(axes: Axes, drawing: Drawing, width: float) -> None:
    """Draw one maze, its true path and a prediction into axes that are so many pixels wide."""
    image = drawing.image
    open_pixels = image.max(axis=0) > 0
    target = np.zeros_like(open_pixels) if drawing.target is None else drawing.target > 0
    prediction = np.zeros_like(target) if drawing.prediction is None else drawing.prediction > 0
    colours = np.where(open_pixels[..., None], to_rgb(OPEN), to_rgb(WALL))
    for mask, colour in ((target & prediction, BOTH), (target & ~prediction, MISSED), (prediction & ~target, EXTRA)):
        colours[mask] = to_rgb(colour)
    enough = width >= image.shape[-1]
    axes.imshow(colours, interpolation="nearest" if enough else "antialiased", aspect="auto")
    points = max(width / image.shape[-1] * 72 / DPI, 7.5)
    for channel, other, marker in ((1, 0, "^"), (0, 1, "*")):
        rows, columns = np.nonzero((image[channel] > 0) & (image[other] == 0))
        axes.scatter(columns.mean(), rows.mean(), marker=marker, s=points**2 / 3, color=BLACK, zorder=3)
    axes.set_title(drawing.title, fontsize=7, pad=2)
