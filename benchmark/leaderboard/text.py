"""Boards as text: a table that fits the terminal, Markdown with every column, and JSON."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict

from extramaze.leaderboard.board import Board, Row
from extramaze.records.measures import FATE_NAMES
from extramaze.suites import IN_DISTRIBUTION
from extramaze.tables import layout

HEADINGS = {"in-distribution": "in-dist."}

Column = Callable[[Row], str]
# In a terminal; the last ones are left out first where it is narrow, but never those before the mark.
IN_TERMINAL = ("rank", "solver", "score", "95 % interval", "axes", "seeds", "settled", "first right", "parameters")
ALWAYS = 3
MODES = {"own": ", each solver's own inference within the same budget", "predictions": ", answers made elsewhere"}


def board_table(board: Board, markdown: bool = False, width: int | None = None) -> str:
    """Write a board: accuracy in percent, optimal at the last rung; then the notes of its rows.

    width: of the terminal in characters; columns that do not fit are left out, and named. Markdown has every column.
    """
    columns = _columns(board)
    hidden: list[str] = []
    if not markdown:
        groups = [[name] if name != "axes" else list(board.rows[0].axes) for name in IN_TERMINAL]
        wanted = [name for group in groups for name in group]
        least = sum(map(len, groups[:ALWAYS]))
        while len(wanted) > least and width is not None and _width(board, columns, wanted) > width:
            hidden.insert(0, wanted.pop())
        columns = {name: column for name, column in columns.items() if name in wanted}
    lines = [[column(row) for column in columns.values()] for row in board.rows]
    header = [HEADINGS.get(name, name) for name in columns]
    foot = [f"left out for want of width: {', '.join(hidden)}; --format markdown has every column"] if hidden else []
    foot += _notes(board)
    return "\n".join([_title(board), "", *layout(header, lines, markdown), *([""] if foot else []), *foot])


def _notes(board: Board) -> list[str]:
    """Write the notes of all rows: one that several share once, with their names."""
    by_note: dict[str, list[str]] = {}
    for row in board.rows:
        for note in row.notes:
            by_note.setdefault(note, []).append(row.recipe)
    return [f"{', '.join(recipes)}: {note}" for note, recipes in by_note.items()]


def board_json(boards: Iterable[Board]) -> str:
    """Write boards as JSON, with every column."""
    return json.dumps([asdict(board) for board in boards], indent=1)


def board_name(board: Board) -> str:
    """Return what all records of a board are of: the suite, and what is not as usual."""
    unusual = {board.dtype: board.dtype != "float32", "TF32": board.tf32, "settled mazes retired": board.retire}
    return board.suite + MODES.get(board.mode, "") + "".join(f", {name}" for name, yes in unusual.items() if yes)


def _title(board: Board) -> str:
    title = (
        f"{board_name(board)}: optimal answers at the last rung; score = mean of the hard axes; rank: as far as paired "
        "tests tell; settled: share of the watched trajectories; first right: iterations, median"
    )
    if not board.pursued:
        title += ". Trajectories that the window leaves open are followed no further: none wanders or drifts for sure"
    return title + (f". Partial ({board.partial}): not ranked" if board.partial else "")


def _width(board: Board, columns: dict[str, Column], names: list[str]) -> int:
    """Return the characters that a table of some of the columns takes."""
    each = [max(len(HEADINGS.get(n, n)), *(len(columns[n](row)) for row in board.rows)) for n in names]
    return sum(each) + 2 * (len(each) - 1)


def _columns(board: Board) -> dict[str, Column]:
    """Return every column in order, with what it says of a row."""
    axes: dict[str, Column] = {axis: lambda row, axis=axis: f"{row.axes[axis]:.1%}" for axis in board.rows[0].axes}  # type: ignore[misc]
    fates: dict[str, Column] = {name: lambda row, name=name: _share(row, name) for name in FATE_NAMES}  # type: ignore[misc]
    return {
        "rank": _rank,
        "solver": lambda row: row.recipe,
        "seeds": lambda row: ",".join(map(str, row.seeds)) or "–",
        "score": lambda row: f"{row.score:.1%}",
        "95 % interval": lambda row: f"{row.low:.1%} to {row.high:.1%}",
        **axes,
        "≥ 90 % up to": _hardest,
        **fates,
        "first right": lambda row: "–" if row.median_first_right is None else f"{row.median_first_right:.0f}",
        "parameters": lambda row: f"{row.parameters:,}" if row.parameters else "–",
        "evaluations": lambda row: f"{row.function_evaluations:,.0f}",
        "mode": lambda row: row.mode,
        "badge": lambda row: str(row.standing),
        "date": lambda row: row.date,
    }


def _rank(row: Row) -> str:
    if row.ranks is None:
        return "–"
    best, worst = row.ranks
    return str(best) if best == worst else f"{best}–{worst}"


def _share(row: Row, fate: str) -> str:
    return f"{row.fates[fate]:.0%}" if row.fates else "–"


def _hardest(row: Row) -> str:
    mastered = (cell or f"no {axis}" for axis, cell in row.hardest.items() if axis != IN_DISTRIBUTION)
    return ", ".join(mastered) or "–"
