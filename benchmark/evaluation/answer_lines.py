"""Answers as lines of JSON: their masks, and whether they are answers to the questions that were asked."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import Field

from extramaze.core.checked import Strict, parse_json
from extramaze.core.errors import InputError
from extramaze.mazes import answers_from_tokens
from extramaze.mazes.tokens import CHARSET

PATH = "o"
PARTS = {"walls": "#", "start": "S", "goal": "G"}  # of a question, by the characters that show them
UTF8_MARK, UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


class AnswerLine(Strict):
    """One answer of a ``.jsonl`` file. width, maze: of its question, which may stand beside it, and is checked."""

    cell: str
    index: int = Field(ge=0, strict=True)
    answer: str | None
    width: int | None = Field(default=None, strict=True)
    maze: str | None = None


def answer_lines(path: Path, content: bytes) -> Iterator[tuple[str, AnswerLine]]:
    """Yield each line with where it stands, blank ones left out. Raises InputError for a line that is none."""
    if content.startswith(UTF16_MARKS):
        raise InputError(f"{path}: its text is UTF-16; save it as UTF-8")
    for number, text in enumerate(content.removeprefix(UTF8_MARK).splitlines(), start=1):
        if text.strip():
            where = f"{path} line {number}"
            yield where, parse_json(AnswerLine, text, where)


def read_mask(answer: str | None, height: int, width: int) -> np.ndarray | str:
    """Return the mask of an answer, (height, width), or say why there is none."""
    if answer is None:
        return "null"
    text = one_row(answer)
    strange = sorted(set(text) - set(CHARSET))
    if strange:
        return f"{strange[0]!r} in it; only {CHARSET!r} and line ends are read, and o marks the path"
    if max(text.count("S"), text.count("G")) > 1:
        return "more than one S or G; the path is marked with o"
    if len(text) != height * width:
        return f"{len(text)} characters, not {height} × {width}"
    return answers_from_tokens([text], width)[0]


def one_row(text: str) -> str:
    """Take the line ends out of a drawing."""
    return "".join(text.splitlines())


def drawn_otherwise(answer: str, question: str) -> list[str]:
    """Name the PARTS that a readable answer draws unlike its question; a pixel that is marked as path draws none."""
    pixels = [pair for pair in zip(one_row(answer), question, strict=True) if pair[0] != PATH]
    return [part for part, sign in PARTS.items() if any((a == sign) != (b == sign) for a, b in pixels)]


def refuse_other_question(line: AnswerLine, question: str, width: int, where: str) -> None:
    """Raise InputError where a line repeats another question than the one its cell and index stand for."""
    name = f"maze {line.index} of {line.cell}"
    if line.width not in (None, width):
        raise InputError(f"{where}: width {line.width}, but the question, {name}, has {width} pixels in a row")
    if line.maze is not None and one_row(line.maze) != question:
        raise InputError(
            f"{where}: its maze is not the question, {name}; give cell and index as extramaze generate wrote them"
        )
