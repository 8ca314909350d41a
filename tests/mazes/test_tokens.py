import numpy as np
import pytest

from extramaze.mazes import (
    InputError,
    Mazes,
    MazeSpec,
    answers_from_tokens,
    from_tokens,
    generate,
    raster,
    to_text,
    to_tokens,
    token_ids,
)

CORRIDOR = "#####" + "#S G#" + "#####"


@pytest.fixture(scope="module")
def mazes():
    return generate(MazeSpec(9, width=13, percolation=0.1, start="any"), 20)


def test_a_maze_by_hand():
    """Walls, openings, start, goal and path of two rows of two cells are the characters one would type."""
    connections = np.zeros((1, 2, 2, 2), bool)
    connections[0, 0, 0] = [True, True]  # (0, 0)–(1, 0) and (0, 1)–(1, 1)
    connections[0, 1, 1, 0] = True  # (1, 0)–(1, 1)
    maze = Mazes.from_arrays(connections, np.array([[0, 0]]), np.array([[0, 1]]))
    assert to_tokens(maze) == ["######S#G## # ##   ######"]
    assert to_tokens(maze, solved=True) == ["######S#G##o#o##ooo######"]


def test_token_strings_give_mazes_and_answers_back(mazes):
    """Questions and answers decode to the maze; answers to the stored path."""
    solved = to_tokens(mazes, solved=True)
    for texts in (to_tokens(mazes), solved):
        assert from_tokens(texts, width=15).digest() == mazes.digest()
    assert np.array_equal(answers_from_tokens(solved, width=15), raster(mazes)[1])
    assert to_tokens(mazes[:0]) == []


def test_ids_and_padding():
    """``# SGo`` are 1 to 5, and the padding 0, as HRM and TRM have it."""
    assert token_ids(["# SGo"], 8).tolist() == [[1, 2, 3, 4, 5, 0, 0, 0]]
    assert token_ids([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("texts", "width", "problem"),
    [
        ([CORRIDOR, CORRIDOR + "#"], 5, "of one length, got 15 to 16"),
        ([CORRIDOR.replace(" ", "x")], 5, "string 0: expected only the characters '# SGo', got 'x'"),
        ([CORRIDOR], None, "do not make a square; give width"),
        ([CORRIDOR], 4, "do not make rows of 4"),
        ([CORRIDOR], 5, "pixels a side"),
        (["#####" * 2 + "#S G#" + "#####" * 2], None, "start .* not on a cell"),
    ],
)
def test_other_strings_are_refused(texts, width, problem):
    """Strings that are no lattice image get one clear error."""
    with pytest.raises(InputError, match=problem):
        from_tokens(texts, width)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (CORRIDOR, "a list of token strings, one a maze, got '#####"),
        (None, "got None"),
        ([CORRIDOR, None], "token string 1: expected a string, got None"),
        ([CORRIDOR.encode()], "token string 0: expected a string, got b'#####"),
    ],
)
def test_what_are_no_strings(texts, problem):
    """One string in place of a list, and other things among strings."""
    with pytest.raises(InputError, match=problem):
        from_tokens(texts, 5)


@pytest.mark.parametrize("width", [0, -5, 2.5, True, "5"])
def test_a_width_is_a_whole_number(width):
    """As counts are."""
    with pytest.raises(InputError, match="width must be an integer of at least 1"):
        from_tokens([CORRIDOR], width)


@pytest.mark.parametrize("length", [-1, 2.5, True, "5"])
def test_a_length_is_a_whole_number(length):
    """As counts are."""
    with pytest.raises(InputError, match="length must be an integer of at least 0"):
        token_ids([CORRIDOR], length)


def test_too_long_for_the_padding():
    """Nothing is cut off."""
    with pytest.raises(InputError, match="15 characters do not fit into 10"):
        token_ids([CORRIDOR], 10)


def test_text_shows_a_maze_and_an_answer(mazes):
    """Every pixel is two characters; path, right, missed and wrong pixels are told apart."""
    images, targets = raster(mazes[0])
    lines = to_text(mazes).splitlines()
    assert [len(line) for line in lines] == [30] * 11
    text = "".join(lines)
    ends = 2
    assert text.count("██") == (images[0].max(axis=0) == 0).sum()
    assert text.count("·") == targets.sum() - ends
    assert "·" not in to_text(mazes, solution=False)
    wrong = np.zeros_like(targets[0])
    wrong[1::2, 1::2] = 1
    answered = to_text(mazes, prediction=wrong)
    inner = [(pixel, path) for pixel, path in zip(wrong.flat, targets[0].flat, strict=True)]
    assert answered.count("·") == sum(path > pixel for pixel, path in inner)
    assert answered.count("×") == sum(pixel > path for pixel, path in inner)
    assert answered.count("o") == sum(pixel and path for pixel, path in inner) - ends
