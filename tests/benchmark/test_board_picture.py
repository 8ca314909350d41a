"""The board's picture shows the board's numbers, and every board has a picture of its own."""

import numpy as np
import pytest

from extramaze.cli import run
from extramaze.leaderboard.board import boards
from extramaze.leaderboard.picture import draw_board, save_boards
from extramaze.leaderboard.ranking import ranking
from extramaze.leaderboard.score import half_width, last_rung
from extramaze.records import Record
from extramaze.schema.plan import make_part


def test_every_shade_is_its_rows_accuracy(tiny_records):
    """Rows in order of rank, axes from the cells like the training mazes on, a column a cell."""
    records = list(tiny_records.values())
    (board,) = boards(records)
    panels = draw_board(board, records).axes
    assert [panel.get_title() for panel in panels] == ["in-dist.", "percolation", "size"]
    assert [text.get_text() for text in panels[0].get_yticklabels()] == [row.recipe for row in board.rows]
    for panel, (axis, cell) in zip(
        panels, (("in-distribution", "easy"), ("cycles", "cycles"), ("size", "large")), strict=True
    ):
        assert [text.get_text() for text in panel.get_xticklabels()] == [cell]
        drawn = panel.images[0].get_array().data[:, 0]
        assert list(drawn) == pytest.approx([row.axes[axis] for row in board.rows])


def test_an_interval_is_written_where_it_tells(tiny_records):
    """Of an algorithm over mazes; of two seeds, which say next to nothing of others, the share alone."""
    records = list(tiny_records.values())
    (board,) = boards(records)
    (_, panel, _) = draw_board(board, records).axes
    written = {row.recipe: text.get_text() for row, text in zip(board.rows, panel.texts, strict=True)}
    (right,) = (record for record in records if record.summary.plan.solver.name == "dead-end-filling")
    shares = last_rung(right, "cycles")
    middle, half = shares.mean(), half_width(np.array([shares.mean()]), ranking(2).variance_of_mean(shares))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    assert written["dead-end-filling"] == f"{100 * middle:.0f}\n{100 * low:.0f}–{100 * high:.0f}"
    assert (
        written["dt-net-thin"] == f"{100 * next(r for r in board.rows if r.recipe == 'dt-net-thin').axes['cycles']:.0f}"
    )


def test_axes_that_do_not_stand_side_by_side_make_lines(monkeypatch, tiny_records):
    """Each line names its rows again."""
    monkeypatch.setattr("extramaze.leaderboard.picture.WIDEST", 2)
    records = list(tiny_records.values())
    (board,) = boards(records)
    panels = draw_board(board, records).axes
    assert [bool(panel.get_yticklabels()) for panel in panels] == [True, False, True]


def test_every_board_has_a_file(tiny_records, tmp_path):
    """A mode, a part and a precision of their own do not overwrite the board of the same suite."""
    base = tiny_records["dt-net-thin@0"]
    plan = base.summary.plan
    changes = [{}, {"dtype": "float64"}, {"part": make_part(1000, 1000)}, {"part": make_part(999, 999)}]
    records = [
        Record.seal(plan.model_copy(update=change), list(base.summary.cells), [], base.mazes, base.summary.run)
        for change in changes
    ]
    paths = save_boards(records, tmp_path / "new" / "folder")
    names = ["tiny-v1", "tiny-v1-2", "tiny-v1-partial", "tiny-v1-partial-2"]
    assert [path.name for path in paths] == [f"{name}.png" for name in names]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_the_command_prints_the_board_and_draws_it(tiny_records, tmp_path, capsys):
    """What a pipe reads stays the board; where the picture lies is said beside it."""
    tiny_records["dead-end-filling"].write(tmp_path / "r")
    assert run(["leaderboard", str(tmp_path / "r"), "--format", "json", "--pictures", str(tmp_path / "p")]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("[")
    assert said.err.strip() == str(tmp_path / "p" / "tiny-v1.png")
    assert (tmp_path / "p" / "tiny-v1.png").exists()
