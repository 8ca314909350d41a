"""The board's picture shows the board's numbers, and every board has a picture of its own."""

import pytest

from extramaze.blocks.plan import make_part
from extramaze.cli import run
from extramaze.leaderboard.board import boards
from extramaze.leaderboard.picture import draw_board, save_boards
from extramaze.records import Record


def test_every_line_ends_at_its_rows_accuracy(tiny_records):
    """Rows in order of rank, from the cell like the training mazes to the one cell of each axis."""
    records = list(tiny_records.values())
    (board,) = boards(records)
    panels = [panel for panel in draw_board(board, records).axes if panel.get_title()]
    assert [panel.get_title() for panel in panels] == ["cycles", "size"]
    for panel in panels:
        assert [text.get_text() for text in panel.get_xticklabels()] == [
            "easy",
            {"size": "large"}.get(panel.get_title(), "cycles"),
        ]
        drawn = [container.lines[0].get_ydata() for container in panel.containers]
        names = [container.get_label() for container in panel.containers]
        assert names == [row.recipe for row in board.rows]
        for row, heights in zip(board.rows, drawn, strict=True):
            assert list(heights) == pytest.approx([row.axes["in-distribution"], row.axes[panel.get_title()]])


def test_one_row_stands_over_its_cells(tiny_records):
    """Rows are set side by side around each cell's place; one by itself stands on it."""
    for records in ([tiny_records["dead-end-filling"]], list(tiny_records.values())):
        (board,) = boards(records)
        for panel in (panel for panel in draw_board(board, records).axes if panel.get_title()):
            places = [container.lines[0].get_xdata() for container in panel.containers]
            assert sum(places) / len(places) == pytest.approx([0, 1])
            assert all(abs(place - [0, 1]).max() < 0.2 for place in places)


def test_no_interval_leaves_0_to_1(tiny_records):
    """Two seeds that differ have a wide interval; no share is below none or above all."""
    records = list(tiny_records.values())
    (board,) = boards(records)
    for panel in draw_board(board, records).axes:
        for container in panel.containers:
            for bar in container.lines[2][0].get_segments():
                assert 0 <= bar[:, 1].min() <= bar[:, 1].max() <= 1


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
