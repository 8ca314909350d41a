"""Words that fit their numbers."""

from pathlib import Path

import pytest

from extramaze.core.words import counted, tails


def test_one_of_a_thing_is_singular():
    """None and several are plural, and long numbers are in groups of three."""
    assert [counted(count, "maze") for count in (0, 1, 2, 2000)] == ["0 mazes", "1 maze", "2 mazes", "2,000 mazes"]
    assert [counted(count, "category", "categories") for count in (1, 2)] == ["1 category", "2 categories"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("/a/b", "/a/c", ("b", "c")),
        ("/a/b/run", "/a/c/run", ("b/run", "c/run")),
        ("/run", "/a/run", ("/run", "a/run")),
        ("/a/run", "/a/x/../run", None),
    ],
)
def test_paths_are_told_apart_by_their_ends(first, second, expected):
    """As short as they can be."""
    assert tails(Path(first), Path(second)) == expected
