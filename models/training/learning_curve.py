"""The learning curve of a training run, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

PICTURE = "learning-curve.png"


def save_learning_curve(validations: Sequence[dict[str, Any]], title: str, path: Path) -> None:
    """Draw validation accuracy and mean training loss against training mazes, as PNG.

    validations: entries with mazes, mean_loss and validation_accuracy, as the log holds them.
    """
    from extramaze.models.figures import BLUE, VERMILION, new_figure, save_png

    mazes = [entry["mazes"] for entry in validations]
    figure = new_figure(6.4, 3.6)
    axes = figure.subplots()
    axes.plot(mazes, [100 * entry["validation_accuracy"] for entry in validations], color=BLUE, marker=".")
    axes.set(xlabel="training mazes", ylim=(-2, 102), title=title)
    axes.set_ylabel("fresh mazes answered exactly, %", color=BLUE)
    losses = axes.twinx()
    losses.plot(mazes, [entry["mean_loss"] for entry in validations], color=VERMILION, marker=".", linestyle="--")
    losses.set_ylabel("mean training loss", color=VERMILION)
    if any(entry["mean_loss"] > 0 for entry in validations):
        losses.set_yscale("log")
    save_png(figure, path)
