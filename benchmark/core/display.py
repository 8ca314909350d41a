"""Names and paths as people see them: on one line, with every character that a terminal would hide or obey escaped."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from extramaze.core.escapes import visible

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}"  # of whatever has a name in results
MOST = 100  # characters of a name that a sentence shows


@contextmanager
def arguments_shown(arguments: Sequence[str]) -> Iterator[Callable[[str], str]]:
    """Have a command's arguments printed as ``shown`` writes them; yields what does so with text.

    Paths are opened as given, whatever characters the file system allows in them. This is the one place where they are
    made fit to be seen: whatever prints an argument, or a part of one, prints it escaped.
    """
    raw = {part for argument in arguments for part in (argument, *re.split("[=:/]", argument)) if part.strip()}
    odd = sorted((part for part in raw if shown(part) != part), key=len, reverse=True)

    def escape(text: str) -> str:
        for part in odd:
            text = text.replace(part, shown(part))
        return text

    if not odd:
        yield escape
        return
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (Escaping(stream, escape) for stream in before)
    try:
        yield escape
    finally:
        sys.stdout, sys.stderr = before


class Escaping:
    """A stream that writes text as ``escape`` makes it, and is another one in everything else."""

    def __init__(self, stream: Any, escape: Callable[[str], str]) -> None:
        self._stream, self._escape = stream, escape

    def over(self, stream: Any) -> "Escaping":
        """Return what escapes in the same way, written to another stream."""
        return Escaping(stream, self._escape)

    def write(self, text: str) -> int:
        """Write text, escaped."""
        self._stream.write(self._escape(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines, escaped."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def shown(text: object, most: int | None = None) -> str:
    r"""Write text with what cannot be seen escaped as Python does it, ``\n``, ``\xa0``, ``\udce9`` (a byte, no UTF-8).

    most: characters that are kept, with an ellipsis for the rest; None for all.
    """
    text = str(text)
    cut = text if most is None or len(text) <= most else f"{text[: most - 1]}…"
    return visible(cut)


def sentence(text: object) -> str:
    """Write an error on one line: line breaks and tabs are blanks, what else cannot be seen is escaped."""
    return shown(" ".join(re.split(r"[ \t\n\r\f\v]+", str(text).strip())))
