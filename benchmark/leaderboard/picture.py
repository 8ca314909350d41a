"""The board as a picture: what every recipe solves, cell by cell, as figures on shades."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from extramaze.core.files import hold, make_folder
from extramaze.core.progress import progress_bar
from extramaze.leaderboard.board import Board, boards
from extramaze.leaderboard.grouping import comparable, rows_of
from extramaze.leaderboard.ranking import LATEST, Ranking, ranking
from extramaze.leaderboard.score import half_width, last_rung
from extramaze.leaderboard.text import board_name
from extramaze.models.figures import new_figure, save_png
from extramaze.pictures.accuracy import draw_shades, short_name
from extramaze.records import Record
from extramaze.records.measures import is_algorithm
from extramaze.schema.record import CellResult
from extramaze.schema.suite import IN_DISTRIBUTION

WIDEST = 22  # cells side by side
CELL, ROW, NAMES, HEAD = 0.48, 0.27, 1.9, 0.8  # inches: a cell's width, a row's height, names, what is above a line
CHARACTERS = 13  # of a heading, an inch
READ = (
    "optimal answers at the last rung, %, and their 95\u00a0% interval;",
    "† one seed: over mazes only; two seeds: none",
)
TELLING = 3  # seeds: the interval of two says next to nothing, and is not written


def save_boards(records: Sequence[Record], out: Path, version: int = LATEST, quiet: bool = True) -> list[Path]:
    """Draw every board of some records into a folder, and return the PNGs. quiet: show no progress."""
    make_folder(out)
    found = boards(records, version=version)
    named = [one for one in zip(found, comparable(records), picture_names(found), strict=True) if one[0].rows]
    bar = progress_bar(named, desc="drawing boards", unit="board", quiet=quiet, brief=True)
    with hold(out):
        return [save_png(draw_board(board, group), out / name) for board, group, name in bar]


def picture_names(found: Sequence[Board]) -> list[str]:
    """Name the pictures of boards after their suites, no two alike."""
    seen: Counter[str] = Counter()
    names = []
    for board in found:
        marks = {board.mode: board.mode != "free-running", "partial": board.partial is not None}
        stem = "-".join([board.suite, *(mark for mark, yes in marks.items() if yes)])
        seen[stem] += 1
        names.append(f"{stem}-{seen[stem]}.png" if seen[stem] > 1 else f"{stem}.png")
    return names


def draw_board(board: Board, records: Sequence[Record]) -> Figure:
    """Draw a board's rows, from its records: optimal accuracy at the last rung in percent, a panel an axis.

    A figure is the mean over seeds, above its 95 % interval over seeds and mazes, of one seed over mazes alone.
    """
    by_recipe = rows_of(records).by_name
    rows = [by_recipe[row.recipe] for row in board.rows]
    lines = list(_lines(records[0].summary.cells))
    most = max(sum(map(len, line.values())) for line in lines)
    wide = NAMES + CELL * most
    title = [fill(line, int(CHARACTERS * wide)) for line in (f"{board_name(board)}:", *READ)]
    figure = new_figure(wide, 0.5 + len(lines) * (HEAD + ROW * len(rows)))
    figure.suptitle("\n".join(title), fontsize=9)
    outer = figure.add_gridspec(len(lines), 1)
    for place, line in enumerate(lines):
        widths = list(map(len, line.values()))
        spare = [most - sum(widths)] if most > sum(widths) else []
        grid = outer[place].subgridspec(1, len(widths) + len(spare), width_ratios=[*widths, *spare])
        for column, (axis, cells) in enumerate(line.items()):
            panel = figure.add_subplot(grid[column])
            panel.set_title(board.headings[axis], fontsize=8)
            _draw_axis(panel, rows, cells, ranking(board.contracts["ranking"]))
            places = [short_name(cell).removeprefix(f"{board.headings[axis]}-") for cell in cells]
            panel.set_xticks(range(len(cells)), places, rotation=45, ha="right", fontsize=7)
            names = [row.recipe for row in board.rows] if column == 0 else []
            panel.set_yticks(range(len(names)), names, fontsize=7)
    return figure


def _lines(cells: Sequence[CellResult]) -> Iterator[dict[str, list[CellResult]]]:
    """Yield the cells by axis, as many axes at once as stand side by side; the axis of training-like mazes first."""
    by_axis: dict[str, list[CellResult]] = {}
    for cell in sorted(cells, key=lambda cell: cell.axis != IN_DISTRIBUTION):
        by_axis.setdefault(cell.axis, []).append(cell)
    line: dict[str, list[CellResult]] = {}
    for axis, found in by_axis.items():
        if line and sum(map(len, line.values())) + len(found) > WIDEST:
            yield line
            line = {}
        line[axis] = found
    yield line


def _draw_axis(panel: Axes, rows: Sequence[Sequence[Record]], cells: Sequence[CellResult], rule: Ranking) -> None:
    """Draw the cells of one axis, a column each, with the accuracy of every recipe."""
    right = [[np.stack([last_rung(record, cell.name) for record in seeds]) for cell in cells] for seeds in rows]
    shares = np.array([[cell.mean() for cell in row] for row in right])
    alone = [len(seeds) == 1 and not is_algorithm(seeds[0]) for seeds in rows]
    texts = [[_figure(cell, mark, rule) for cell in row] for row, mark in zip(right, alone, strict=True)]
    draw_shades(panel, shares, texts)


def _figure(right: np.ndarray, alone: bool, rule: Ranking) -> str:
    """Write the accuracy of right answers (S, N) in percent, marked where one seed is alone, its interval below."""
    middle = right.mean()
    text = f"{100 * middle:.0f}"
    if 1 < len(right) < TELLING:
        return text
    half = half_width(right.mean(axis=1), rule.variance_of_mean(right.mean(axis=0)))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return f"{text}{'†' * alone}\n{100 * low:.0f}–{100 * high:.0f}"
