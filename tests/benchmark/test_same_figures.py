"""What the tool that compares figures calls a difference."""

import subprocess
import sys

import pytest

from tests.tools.differences import NOTHING, Difference, Expected, differences, sort_out
from tests.tools.figures import lines_of, settled
from tests.tools.same_figures import report

BOARD = {"suite": "s-v1", "mode": "own", "rows": [{"recipe": "a", "score": 0.5, "ranks": [1, 2]}]}


def places(theirs, ours, tolerance=0.0):
    """Where two exports differ."""
    return [difference.place for difference in differences(theirs, ours, tolerance)]


def test_equal_figures_do_not_differ():
    """Nothing is said of what is the same, in whatever order its keys and its named rows stand."""
    rows = [{"recipe": "b", "score": 1}, {"recipe": "a", "score": 2}]
    assert places({"x": [None, True, 1.5], "rows": rows}, {"rows": rows[::-1], "x": [None, True, 1.5]}) == []


@pytest.mark.parametrize(
    ("ours", "place"),
    [
        ({**BOARD, "rows": [{"recipe": "a", "score": 0.5000000001, "ranks": [1, 2]}]}, "s-v1, own / rows / a / score"),
        ({**BOARD, "rows": [{"recipe": "a", "score": 0.5, "ranks": [1, 3]}]}, "s-v1, own / rows / a / ranks"),
        ({**BOARD, "rows": [{"recipe": "a", "score": 0.5}]}, "s-v1, own / rows / a / ranks"),
        ({**BOARD, "rows": [*BOARD["rows"], {"recipe": "b"}]}, "s-v1, own / rows / b"),
        ({**BOARD, "mode": "free"}, None),
    ],
)
def test_a_difference_is_named_by_its_place(ours, place):
    """Rows by their names, numbers exactly; a board of another mode is another board."""
    found = places([BOARD], [ours])
    assert found == ([place] if place else ["s-v1, own", "s-v1, free"])


def test_what_is_there_or_here_alone_differs():
    """Either way round it is named, with a word for what is not there."""
    assert list(differences({"a": 1}, {})) == [Difference("a", 1, NOTHING)]
    assert list(differences({}, {"a": 1})) == [Difference("a", NOTHING, 1)]


def test_a_truth_is_no_number():
    """True and 1, null and 0, 1 and "1" differ."""
    assert places([{"a": True, "b": None, "c": 1}], [{"a": 1, "b": 0, "c": "1"}]) == ["0 / a", "0 / b", "0 / c"]


def test_numbers_may_differ_within_a_tolerance():
    """Also those within a text, whose words have to be the same."""
    theirs = {"share": 0.5, "list": [1.0, 2.0], "text": "of 1,000 mazes 5.00 %"}
    assert places(theirs, {"share": 0.5001, "list": [1.0, 2.0001], "text": "of 1,000 mazes 5.001 %"}, 1e-3) == []
    assert places(theirs, {"share": 0.51, "list": [1.0], "text": "of 1,000 mazes 5.00 points"}, 1e-3) == list(theirs)


def test_what_is_stated_is_told_apart():
    """A statement covers the places of its pattern, the first one that does."""
    ranks = Expected("* / ranks", "0", "another rule")
    every = Expected("boards / *", "0", "another board")
    moved, gone, score = (Difference(place, 1, 2) for place in ("boards / a / ranks", "boards / b", "score"))
    unstated, stated = sort_out([moved, gone, score], [ranks, every])
    assert (unstated, stated) == ([score], {ranks: [moved], every: [gone]})
    said = report(unstated, stated)
    assert said.startswith("1 figures differ\n  score: 1 there, 2 here\n")
    assert "another rule" in said


def test_lines_are_known_by_their_words():
    """A line whose numbers alone changed has the place that it had, under its heading."""
    theirs, ours = (lines_of(f"## Sizes\n| dt-net | {share} % |\n| dt-net | 1 % |\n") for share in ("98.5", "97"))
    assert places(theirs, ours) == ["Sizes / | dt-net | # % |"]


def test_what_changes_from_run_to_run_is_no_figure():
    """Seconds are left out at any depth."""
    assert settled({"run": {"seconds": 3, "kept": [{"finished": "now", "n": 1}]}}) == {"run": {"kept": [{"n": 1}]}}


def test_the_tool_says_what_it_does():
    """Help, without a commit or anything installed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.tools.same_figures", "--help"], capture_output=True, text=True, check=True
    )
    assert "--tolerance" in done.stdout
