"""Errors that people are meant to read."""

from collections.abc import Iterable
from difflib import get_close_matches

MAX_LINES, MAX_CHARACTERS = 20, 2_000  # of a message


def cut(text: str, most: int) -> str:
    """Return text of at most ``most`` characters: the beginning and the end of a longer one."""
    end = most // 4
    return text if len(text) <= most else f"{text[: most - end - 1]}…{text[len(text) - end :]}"


def bounded(message: str) -> str:
    """Return a message of at most MAX_LINES lines and MAX_CHARACTERS characters; what is left out is in its middle."""
    lines = cut(message, MAX_CHARACTERS).split("\n")
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES - 3], "…", *lines[-2:]]
    return "\n".join(lines)


class InputError(ValueError):
    """Refused input. The message says what was given, what was expected and what to do; the command line exits 2."""

    def __init__(self, message: str) -> None:
        super().__init__(bounded(message))


class Terminated(BaseException):
    """The process was asked to end: what is open is closed, and nothing mistakes it for a failure of its own."""


class TrainingDiverged(RuntimeError):
    """The loss stopped being a number; nothing was measured."""


class NotComparable(ValueError):
    """Two results that do not answer the same question; the message names what differs. The command line exits 3."""

    def __init__(self, message: str) -> None:
        super().__init__(bounded(message))


def unknown_name(kind: str, given: object, known: Iterable[str]) -> InputError:
    """Build the error for a name that is not in ``known``, with the nearest known names as a suggestion."""
    names, text = sorted(known), cut(str(given), 100)
    near = get_close_matches(text, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
    return InputError(f"unknown {kind} {text!r}; {hint}")
