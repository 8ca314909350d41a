import numpy as np
import pytest

from extramaze.mazes import InputError, MazeSpec

GOLDEN_TEXTS = {
    MazeSpec(9): "size=9",
    MazeSpec(size=9, algorithm="dfs", percolation=0.0, start="deadend"): "size=9",
    MazeSpec(59, percolation=0.001): "size=59,percolation=0.001",
    MazeSpec(13, start="any"): "size=13,start=any",
    MazeSpec(9, percolation=0.1 + 0.2, start="any"): "size=9,percolation=0.3,start=any",
    MazeSpec(9, percolation=1): "size=9,percolation=1",
    MazeSpec(99, percolation=1, start="any", min_shortest=10**10): (
        "size=99,percolation=1,start=any,min_shortest=10000000000"
    ),
}


@pytest.mark.parametrize(("spec", "text"), GOLDEN_TEXTS.items())
def test_canonical_text_is_frozen(spec, text):
    """The text leaves out defaults and is what maze streams and records are keyed by."""
    assert str(spec) == text


@pytest.mark.parametrize("spec", GOLDEN_TEXTS)
def test_parse_inverts_the_text(spec):
    """A specification survives its text."""
    assert MazeSpec.parse(str(spec)) == spec


def test_number_types_do_not_matter():
    """Python and NumPy numbers of one value make one specification."""
    assert MazeSpec(np.int64(9), percolation=np.float32(0.5)) == MazeSpec(9, percolation=0.5)


def test_every_problem_is_listed():
    """One error names each wrong field, what was given and what was expected."""
    with pytest.raises(InputError) as caught:
        MazeSpec(size=8, algorithm="dsf", percolation=1.5, start="deadends")
    message = str(caught.value)
    for part in ("odd integer", "8", "'dsf'", "did you mean dfs", "1.5", "from 0 to 1", "did you mean deadend"):
        assert part in message


@pytest.mark.parametrize("size", [0, 1, 2, 10, -9, 9.5, "9", None, True, 4097])
def test_bad_sizes_are_refused(size):
    """A size is an odd integer of at least 3."""
    with pytest.raises(InputError, match="size must be an odd integer"):
        MazeSpec(size)


@pytest.mark.parametrize("percolation", [-0.1, 1.0001, float("nan"), float("inf"), "x", None, 10**400, np.zeros(2)])
def test_bad_percolations_are_refused(percolation):
    """A percolation is a probability."""
    with pytest.raises(InputError, match="percolation must be a probability"):
        MazeSpec(9, percolation=percolation)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("9", "expected name=value"),
        ("size=9,size=9", "given twice"),
        ("start=any", "size is missing"),
        ("size=9,percolatoin=0.1", "did you mean percolation"),
        ("size=nine", "odd integer"),
        ("size=９", "odd integer"),
        ("size=9_9", "odd integer"),
        ("size=9,percolation=1e-3", "probability from 0 to 1"),
    ],
)
def test_bad_texts_are_refused(text, problem):
    """A text that is no specification says what is wrong with it."""
    with pytest.raises(InputError, match=problem):
        MazeSpec.parse(text)


def test_decimals_that_would_be_lost_are_refused():
    """A percolation is not rounded in silence: single precision and the tenth decimal are errors."""
    for percolation in (1e-10, 1 - 1e-10, np.float32(0.1)):
        with pytest.raises(InputError, match="at most 9 decimals"):
            MazeSpec(9, percolation=percolation)


def test_equal_specifications_have_one_text():
    """A string that only compares equal is stored as the name itself."""

    class Start(str):
        def __str__(self):
            return "something else"

    assert str(MazeSpec(9, start=Start("any"))) == "size=9,start=any"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"start": 5}, "unknown start '5'"),
        ({"goal": "deadendd"}, "did you mean deadend"),
        ({"start": True}, "unknown start"),
        ({"size": 3, "start": 3}, "start=3: no cell of 2×2 has more than 2 neighbours"),
        ({"size": 3, "goal": 4}, "goal=4: no cell"),
        ({"cycles": -1}, "cycles must be an integer of at least 0"),
        ({"cycles": 17}, "cycles must not exceed 16"),
        ({"cycles": 3, "percolation": 0.1}, "neither percolation nor braid"),
        ({"cycles": 3, "braid": 0.1}, "neither percolation nor braid"),
        ({"algorithm": "percolation"}, "percolation must be above 0"),
        ({"braid": 1.5}, "braid must be a probability"),
        ({"min_path": 0}, "min_path must be an integer of at least 1"),
        ({"max_path": 2**62}, "max_path must be an integer of at least 0, and below 2"),
        ({"min_path": 25}, "min_path=25: no path in 5×5 cells is longer than 24"),
        ({"min_path": 9, "max_path": 8}, "min_path=9 exceeds max_path=8"),
        ({"min_shortest": 2}, "a tree has one path"),
        ({"min_shortest": 3, "max_shortest": 2, "percolation": 0.1}, "min_shortest=3 exceeds"),
    ],
)
def test_contradictions_are_refused(fields, problem):
    """Fields that cannot be met together, or at all on the lattice, are one error that names them."""
    with pytest.raises(InputError, match=problem):
        MazeSpec(**{"size": 9, **fields})


def test_degree_one_is_a_dead_end():
    """``start=1`` and ``start="deadend"`` are one specification."""
    assert str(MazeSpec(9, start=1, goal=1)) == "size=9,goal=deadend"
    assert MazeSpec.parse("size=9,start=1,goal=1") == MazeSpec(9, goal="deadend")
