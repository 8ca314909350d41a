"""What a terminal without our signs shows is told apart, and never a fault."""

import ast
import io
import os
import subprocess
import sys

import numpy as np
import pytest

from extramaze.core.escapes import visible
from extramaze.core.terminal import ALIKE, show_everywhere
from extramaze.mazes import MazeSpec, generate, raster, to_text

NARROW = ("ascii", "latin-1", "cp1252", "cp437", "koi8-r")


def shown(text, encoding):
    """What a terminal of an encoding gets to see."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    show_everywhere(stream)
    print(text, end="", file=stream, flush=True)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", [*NARROW, "utf-8"])
def test_the_parts_of_a_maze_are_told_apart(encoding):
    """Wall, open, start, goal, path, right, missed and wrong pixels each have a character of their own."""
    mazes = generate(MazeSpec(9, percolation=0.1), 1)
    wrong = np.zeros_like(raster(mazes)[1][0])
    wrong[1:6, 1:6] = 1
    for drawing in (to_text(mazes), to_text(mazes, prediction=wrong)):
        seen = shown(drawing, encoding)
        assert len(seen) == len(drawing)
        assert len(set(seen)) == len(set(drawing))
        assert "?" not in seen


def test_every_sign_of_ours_has_one_that_looks_alike(root):
    """In whatever any module of ours could print, but for signs that are escaped wherever they stand."""
    modules = [path for room in ("benchmark", "mazes", "models") for path in (root / room).rglob("*.py")]
    texts = [
        node.value
        for path in modules
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    signs = {sign for text in texts for sign in text if not sign.isascii()}
    assert {sign for sign in signs if visible(sign) == sign} <= ALIKE.keys()
    assert all(alike.isascii() and alike != "?" for alike in ALIKE.values())


@pytest.mark.parametrize("encoding", NARROW)
def test_other_signs_are_escaped(encoding):
    """Names in other writings, and bytes that were no text, are shown so that they can be read back."""
    assert shown("\u8ff7/\udcff\U0001f600", encoding) == r"\u8ff7/\udcff\U0001f600"


def test_utf8_is_left_alone():
    """But for bytes of a path that are no text."""
    assert shown("██ 1–2 \u8ff7", "utf-8") == "██ 1–2 \u8ff7"
    assert shown("a\udcff", "utf-8") == r"a\udcff"


@pytest.mark.parametrize("verb", [["check", "--help"], ["generate", "--size", "9", "--count", "1", "--show"]])
def test_a_command_in_an_ascii_terminal(verb):
    """Help, drawings and figures are ASCII on both streams, without a question mark for what is not."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-m", "extramaze", *verb], env={**os.environ, **plain}, capture_output=True)
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert done.stderr.isascii()
    assert b"?" not in done.stdout
