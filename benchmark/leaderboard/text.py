"""Boards as text: a table that fits the terminal, Markdown with every column, and JSON."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict

from extramaze.core.escapes import for_markdown, for_terminal
from extramaze.leaderboard.board import Board, Contest, Row
from extramaze.leaderboard.notes import ONE_SEED
from extramaze.records.measures import FATE_NAMES
from extramaze.schema.solver import GOOD_ACCURACY
from extramaze.schema.suite import IN_DISTRIBUTION
from extramaze.tables import layout

Column = Callable[[Row], str]
# In a terminal; the last ones are left out first where it is narrow, but never those before the mark.
IN_TERMINAL = ("rank", "solver", "seeds", "score", "95 % interval", "settled", "axes", "first right", "parameters")
ALWAYS = 4
ANSWERS = ("rank", "solver", "seeds", "score", "95 % interval", "axes", "≥ 90 % up to")
BESIDE = ("solver", *FATE_NAMES, "first right", "parameters", "training mazes", "evaluations", "GFLOP", "badge", "date")
MODES = {"own": ", each solver's own inference within the same budget", "predictions": ", answers made elsewhere"}
READ = {  # by mode: when an answer is read
    "free-running": "after the last number of plain iterations",
    "own": "of each solver's own inference within the last number of evaluations",
    "predictions": "made elsewhere",
}
RANKS = (
    "best to worst that a row may have, by paired tests of all pairs at 95 % together; rows whose ranges overlap may "
    "still be told apart: the pairs are in --format markdown and json"
)
PAIRS = (
    "Pairs: the row's score less the column's, in points, with the 95 % interval of that pair alone; **bold** where "
    "the two are told apart, after Holm's adjustment over all pairs."
)
NONE = "–"
BADGES = (
    "claimed is the word of whoever made the records, and a careful forgery looks no different; reproduced: all were "
    "run again, and came out alike"
)


def board_table(board: Board, markdown: bool = False, width: int | None = None) -> str:
    """Write a board: accuracy in percent, optimal at the last rung; then how to read it and the notes of its rows.

    width: of the terminal in characters; columns that do not fit are left out, and named. Markdown has every column,
    in two tables: the answers, and what the iterates did.
    """
    columns = _columns(board)
    notes = [*_key(board), *([f"badge: {BADGES}"] if markdown else []), *_notes(board)]
    if markdown:
        tables = ["\n".join(_table(board, columns, _spread(names, board), True)) for names in (ANSWERS, BESIDE)]
        listed = "\n".join(f"- {for_markdown(note)}" for note in notes)
        return "\n\n".join([f"## {for_markdown(_title(board))}", *tables, *_triangle(board), listed])
    wanted, hidden = _fitting(board, columns, width)
    foot = [f"left out, as they do not fit: {', '.join(hidden)}; --format markdown has every column"] if hidden else []
    lines = [_title(board), "", *_table(board, columns, wanted, False), "", *foot, *notes]
    return "\n".join(map(for_terminal, lines))


def _triangle(board: Board) -> list[str]:
    """Write what the tests of all pairs found: the better row of each in the column, the other in the row."""
    if not board.pairs:
        return []
    ranked = [row for row in board.rows if row.rank is not None]
    said = {(pair.second, pair.first): _contest(pair) for pair in board.pairs}
    lines = [
        [f"{row.rank} {for_markdown(row.recipe)}", *(said.get((row.recipe, other.recipe), "") for other in ranked[:-1])]
        for row in ranked[1:]
    ]
    return [PAIRS, "\n".join(layout(["", *(str(row.rank) for row in ranked[:-1])], lines, True))]


def _contest(pair: Contest) -> str:
    """Write one pair's difference, of the lower row from the higher one."""
    number = f"{-100 * pair.difference:+.1f}".replace("-", "−")
    low, high = (f"{100 * value:.1f}".replace("-", "−") for value in (-pair.high, -pair.low))
    return f"{f'**{number}**' if pair.apart else number} ({low} to {high})"


def board_json(boards: Iterable[Board]) -> str:
    """Write boards as JSON, with every column."""
    return json.dumps([asdict(board) for board in boards], indent=1)


def board_name(board: Board) -> str:
    """Return what all records of a board are of: the suite, and what is not as usual."""
    unusual = {board.dtype: board.dtype != "float32", "TF32": board.tf32}
    return board.suite + MODES.get(board.mode, "") + "".join(f", {name}" for name, yes in unusual.items() if yes)


def _title(board: Board) -> str:
    return board_name(board) + (f". Partial ({board.partial}): not ranked" if board.partial else "")


def _key(board: Board) -> list[str]:
    """Say how to read a board, one term a line."""
    watched = any(row.fates for row in board.rows)
    followed = "followed further" if board.pursued else "not followed further"
    whose = "plain iteration's watched trajectories" if board.mode == "own" else "watched trajectories"
    settled = f"share of the {whose} that have come to rest by step {board.watched_for:,}; the others are "
    key = {
        "score": f"share of shortest-path answers {READ[board.mode]}, mean over the axes without in-dist.",
        "rank": RANKS if board.partial is None else "",
        "settled": settled + followed if watched else "",
        "first right": "iterations after which a maze is first right, median",
        "GFLOP": "billions of floating-point operations spent on a maze (convolutions, products, attention), counted",
    }
    return [f"{term}: {said}" for term, said in key.items() if said]


def _notes(board: Board) -> list[str]:
    """Write the notes of all rows, one that several share once, with their names; then those of the board."""
    by_note: dict[str, list[str]] = {}
    for row in board.rows:
        for note in row.notes:
            if note != ONE_SEED:  # said beside the interval
                by_note.setdefault(note, []).append(row.recipe)
    single = _scored(board) and any(ONE_SEED in row.notes for row in board.rows)
    alone = ["† one seed: the interval covers variation between mazes only"] if single else []
    marked = [f"{row.recipe} {row.marked}" for row in board.rows if row.marked]
    mark = (
        f"* answers less than {GOOD_ACCURACY:.0%} of fresh mazes like those of its training by a shortest path: "
        f"{', '.join(marked)}"
    )
    return [
        *alone,
        *([mark] if marked else []),
        *(f"{', '.join(recipes)}: {note}" for note, recipes in by_note.items()),
        *board.notes,
    ]


def _fitting(board: Board, columns: dict[str, Column], width: int | None) -> tuple[list[str], list[str]]:
    """Return the columns for a terminal of some width, and those that it has no room for."""
    wanted = _spread(IN_TERMINAL, board)
    hidden: list[str] = []
    least = len(_spread(IN_TERMINAL[:ALWAYS], board))
    while len(wanted) > least and width is not None and max(map(len, _table(board, columns, wanted, False))) > width:
        hidden.insert(0, wanted.pop())
    return wanted, hidden


def _spread(names: Iterable[str], board: Board) -> list[str]:
    """Put a board's axes in the place of the word."""
    return [each for name in names for each in (board.headings if name == "axes" else [name])]


def _table(board: Board, columns: dict[str, Column], names: list[str], markdown: bool) -> list[str]:
    fit = _in_markdown if markdown else str
    lines = [[fit(columns[name](row)) for name in names] for row in board.rows]
    return layout([board.headings.get(name, name) for name in names], lines, markdown)


def _in_markdown(cell: str) -> str:
    """Escape a cell, all but the asterisk that marks a name: at a cell's end it marks nothing up."""
    return for_markdown(cell.removesuffix("*")) + "*" * cell.endswith("*")


def _columns(board: Board) -> dict[str, Column]:
    """Return every column with what it says of a row."""
    axes: dict[str, Column] = {axis: lambda row, axis=axis: f"{row.axes[axis]:.1%}" for axis in board.headings}  # type: ignore[misc]
    fates: dict[str, Column] = {name: lambda row, name=name: _share(row, name) for name in FATE_NAMES}  # type: ignore[misc]
    scored = _scored(board)
    return {
        "rank": _rank,
        "solver": lambda row: row.recipe + "*" * bool(row.marked),
        "seeds": lambda row: ",".join(map(str, row.seeds)) or NONE,
        "score": lambda row: f"{row.score:.1%}" if scored else NONE,
        "95 % interval": lambda row: _interval(row) if scored else NONE,
        **axes,
        "≥ 90 % up to": lambda row: _hardest(row, board.headings),
        **fates,
        "first right": lambda row: NONE if row.median_first_right is None else f"{row.median_first_right:.0f}",
        "parameters": lambda row: f"{row.parameters:,}" if row.parameters else NONE,
        "training mazes": _training_mazes,
        "evaluations": lambda row: f"{row.function_evaluations:,.0f}",
        "GFLOP": lambda row: NONE if row.operations is None else f"{row.operations / 1e9:.2f}",
        "badge": lambda row: str(row.standing),
        "date": lambda row: row.date,
    }


def _training_mazes(row: Row) -> str:
    return NONE if row.training_mazes is None else " to ".join(f"{n:,}" for n in dict.fromkeys(row.training_mazes))


def _scored(board: Board) -> bool:
    """Whether there is a score: a part of a suite may have no hard axis."""
    return board.partial is None or board.headings.keys() != {IN_DISTRIBUTION}


def _rank(row: Row) -> str:
    if row.ranks is None:
        return NONE
    best, worst = row.ranks
    return str(best) if best == worst else f"{best}–{worst}"


def _interval(row: Row) -> str:
    return f"{row.low:.1%} to {row.high:.1%}" + " †" * (ONE_SEED in row.notes)


def _share(row: Row, fate: str) -> str:
    return f"{row.fates[fate]:.0%}" if fate in row.fates else NONE


def _hardest(row: Row, headings: dict[str, str]) -> str:
    mastered = (cell or f"{headings[axis]}: none" for axis, cell in row.hardest.items() if axis != IN_DISTRIBUTION)
    return ", ".join(mastered) or NONE
