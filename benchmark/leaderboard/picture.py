"""The board as a picture: what every recipe solves, from easy to hard along each axis."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from extramaze.leaderboard.board import Board, boards, comparable, seeds_by_recipe
from extramaze.leaderboard.score import half_width, last_rung, variance_of_mean
from extramaze.leaderboard.text import board_name
from extramaze.mazes.files import make_folder
from extramaze.models.figures import save_png
from extramaze.pictures.accuracy import COLOURS, MARKERS, axes_of, name_cells, panel_an_axis, short_name
from extramaze.records import Record
from extramaze.records.schema import CellResult
from extramaze.suites import IN_DISTRIBUTION

LINES = ("-", "--", ":")
SPREAD = 0.3  # of the way from one cell to the next, over which rows are set side by side


def save_boards(records: Sequence[Record], out: Path) -> list[Path]:
    """Draw every board of some records into a folder, and return the PNGs, named after the suites."""
    make_folder(out)
    stems: list[str] = []
    drawn: list[Path] = []
    for board, group in zip(boards(records), comparable(records), strict=True):
        marks = {board.mode: board.mode != "free-running", "partial": board.partial is not None}
        stem = "-".join([board.suite, *(mark for mark, yes in marks.items() if yes)])
        stems.append(stem)
        again = f"-{stems.count(stem)}" if stems.count(stem) > 1 else ""
        drawn.append(save_png(draw_board(board, group), out / f"{stem}{again}.png"))
    return drawn


def draw_board(board: Board, records: Sequence[Record]) -> Figure:
    """Draw a board's rows, from its records: optimal accuracy at the last rung, a panel an axis, a line a recipe.

    A point is the mean over seeds, with the 95 % interval over seeds and mazes. Every panel begins with the cells that
    are like the training mazes, where an axis has its zero.
    """
    by_recipe = seeds_by_recipe(records)
    axes = [axis for axis in axes_of(records[0]) if axis != IN_DISTRIBUTION] or [IN_DISTRIBUTION]
    heading = f"{board_name(board)}: optimal answers at the last rung, with 95 % intervals"
    figure, panels = panel_an_axis(axes, heading, (3.6, 3.0))
    for axis, panel in panels.items():
        cells = [cell for cell in records[0].summary.cells if cell.axis in (IN_DISTRIBUTION, axis)]
        cells.sort(key=lambda cell: cell.axis == axis)
        styles = zip(cycle(COLOURS), cycle(MARKERS), strict=False)
        for place, (row, (colour, marker)) in enumerate(zip(board.rows, styles, strict=False)):
            line = LINES[place // len(COLOURS) % len(LINES)]
            aside = SPREAD * (place - (len(board.rows) - 1) / 2) / len(board.rows)
            style = {"color": colour, "marker": marker, "linestyle": line, "label": row.recipe}
            _draw_row(panel, by_recipe[row.recipe], cells, aside, style)
        name_cells(panel, [short_name(cell) for cell in cells])
    handles, labels = next(iter(panels.values())).get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7, frameon=False)
    return figure


def _draw_row(panel: Axes, seeds: Sequence[Record], cells: Sequence[CellResult], aside: float, style: dict) -> None:
    """Draw one recipe's line, so far aside of the cells' places."""
    right = [np.stack([last_rung(record, cell.name) for record in seeds]) for cell in cells]
    shares = np.array([cell.mean() for cell in right])
    around = np.array([half_width(cell.mean(axis=1), variance_of_mean(cell.mean(axis=0))) for cell in right])
    ends = np.stack([np.minimum(around, shares), np.minimum(around, 1 - shares)])
    panel.errorbar(np.arange(len(cells)) + aside, shares, yerr=ends, ms=3.5, lw=1, elinewidth=0.6, **style)
