"""The learning curve of a training run, as a picture."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from extramaze.mazes.files import write_atomically

PICTURE = "learning-curve.png"
ACCURACY, LOSS = "#0072b2", "#d55e00"  # Okabe and Ito's blue and vermilion
DPI = 130


def save_learning_curve(validations: Sequence[dict[str, Any]], title: str, path: Path) -> None:
    """Draw validation accuracy and mean training loss against training mazes, as PNG.

    validations: entries with mazes, mean_loss and validation_accuracy, as the log holds them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mazes = [entry["mazes"] for entry in validations]
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(mazes, [100 * entry["validation_accuracy"] for entry in validations], color=ACCURACY, marker=".")
    axes.set(xlabel="training mazes", ylim=(-2, 102), title=title)
    axes.set_ylabel("fresh mazes answered exactly, %", color=ACCURACY)
    losses = axes.twinx()
    losses.plot(mazes, [entry["mean_loss"] for entry in validations], color=LOSS, marker=".", linestyle="--")
    losses.set_ylabel("mean training loss", color=LOSS)
    if any(entry["mean_loss"] > 0 for entry in validations):
        losses.set_yscale("log")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())
