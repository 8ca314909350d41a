"""Figures written as PNG files, on machines without a display, and the colours they share.

The colours are Okabe and Ito's, which colour-blind readers can tell apart.
"""

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from extramaze.core.files import write_alone

BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
ORANGE, SKY, BLACK, GREY = "#e69f00", "#56b4e9", "#000000", "#999999"
DPI = 150


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure of so many inches, laid out so that nothing overlaps."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_png(figure: Figure, path: Path) -> Path:
    """Write a figure, atomically; the same figure gives the same bytes. Returns the path."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    write_alone(path, buffer.getvalue())
    return path
