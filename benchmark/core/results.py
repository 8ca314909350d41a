"""Standard output for results alone: whatever else writes there, a solver's ``print`` or its libraries, is a message.

A verb's result may be one JSON document that another program reads. While it runs, what is written to ``sys.stdout`` or
to the file behind it (by C code, by child processes) goes to standard error.
"""

import builtins
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from extramaze.core.display import Escaping

STDOUT, STDERR = 1, 2  # as the system numbers them
_RESULTS: list[TextIO | None] = []  # where results go while a verb runs
_LAST: list[bool] = []  # whether the process ends with its verb


def print(*values: object, end: str = "\n") -> None:
    """Print a part of a verb's result, as Python's own ``print`` does."""
    builtins.print(*values, end=end, file=_RESULTS[-1] if _RESULTS else sys.stdout)


@contextmanager
def results_apart() -> Iterator[None]:
    """Keep standard output for what ``print`` of this module prints; for good where the process ends with its verb."""
    own = sys.stdout
    kept = _kept()
    results = _stream_on(kept, own) if kept is not None and _number(own) == STDOUT else own
    sys.stdout = sys.stderr
    _RESULTS.append(results)
    try:
        yield
    finally:
        _RESULTS.pop()
        if results is not None:
            results.flush()
        if not _LAST:
            _give_back(own, kept)


def _give_back(own: Any, kept: int | None) -> None:
    sys.stdout = own
    if kept is not None:
        os.dup2(kept, STDOUT)
        os.close(kept)


def end_with_the_verb() -> None:
    """Let nothing follow a verb's results: not what threads and ``__del__`` print on the way out."""
    _LAST.append(True)


def no_more_results() -> None:
    """Send what comes after a command, as its interpreter ends, to standard error as well."""
    if sys.stdout is not None:
        sys.stdout.flush()
    sys.stdout = sys.stderr
    with suppress(OSError):  # one of the two is closed
        os.dup2(STDERR, STDOUT)


def _kept() -> int | None:
    """Point standard output's number at standard error, and return another one for the file that it was."""
    with suppress(OSError):  # one of the two is closed
        if sys.stdout is not None:
            sys.stdout.flush()
        kept = os.dup(STDOUT)
        os.dup2(STDERR, STDOUT)
        return kept
    return None


def _stream_on(number: int, like: Any) -> TextIO:
    buffering = 1 if like.isatty() else -1
    stream = open(number, "w", buffering, like.encoding, like.errors, closefd=False)  # noqa: SIM115
    return cast(TextIO, like.over(stream)) if isinstance(like, Escaping) else stream


def _number(stream: Any) -> int | None:
    with suppress(AttributeError, OSError, ValueError):  # a stream that is no file, as tests and notebooks have
        return int(stream.fileno())
    return None
