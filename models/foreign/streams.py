"""Standard streams, lent to foreign code: it may replace or close them, and they are there afterwards."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

DESCRIPTORS = (0, 1, 2)


class Lent(io.TextIOBase):
    """Writes to the process's own stream of a name; that it is closed does not matter to anybody.

    It stays usable between calls: a log handler made while a solver is loaded writes through it ever after.
    """

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._own: Any = None  # while it stands in the own stream's place

    def _real(self) -> Any:
        current = getattr(sys, self._stream)
        return self._own if current is self else current

    def write(self, text: str) -> int:  # noqa: D102  # those of every stream
        real = self._real()
        return len(text) if real is None else real.write(text)

    def flush(self) -> None:  # noqa: D102
        real = self._real()
        if real is not None:
            real.flush()

    def close(self) -> None:
        """Keep the process's own stream open."""

    def isatty(self) -> bool:  # noqa: D102
        real = self._real()
        return real is not None and real.isatty()

    def fileno(self) -> int:  # noqa: D102
        return self._real().fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # noqa: D102
        return getattr(self._real(), "encoding", "utf-8")

    @property
    def errors(self) -> str:  # type: ignore[override]  # noqa: D102
        return getattr(self._real(), "errors", "replace")

    def reconfigure(self, **_: Any) -> None:
        """Leave the process's own stream as it is."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)


_LENT = {name: Lent(name) for name in ("stdout", "stderr")}


@contextmanager
def streams_lent() -> Iterator[list[str]]:
    """Lend the standard streams; give them back whole. Yields a list that names, afterwards, what had been changed."""
    changed: list[str] = []
    own = {name: getattr(sys, name) for name in ("stdin", *_LENT)}
    copies = {number: copy for number in DESCRIPTORS if (copy := _copy(number)) is not None}
    for name, lent in _LENT.items():
        if own[name] is not lent:
            lent._own = own[name]
            setattr(sys, name, lent)
    try:
        yield changed
    finally:
        for name, stream in own.items():
            if getattr(sys, name) is not _LENT.get(name, stream):
                changed.append(f"sys.{name}")
        for number, copy in copies.items():
            if not _same_file(number, copy):
                changed.append(f"file descriptor {number}")
                os.dup2(copy, number)
            os.close(copy)
        for number, (name, stream) in enumerate(own.items()):
            setattr(sys, name, _reopened(name, number, stream))


def _copy(number: int) -> int | None:
    with suppress(OSError):  # it was closed before
        return os.dup(number)
    return None


def _same_file(one: int, other: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(one), os.fstat(other))
    return False


def _reopened(name: str, number: int, stream: Any) -> Any:
    """Return a stream, or another on the same file where foreign code found its way to the stream itself."""
    if stream is None or not getattr(stream, "closed", False) or stream is not getattr(sys, f"__{name}__"):
        return stream
    fresh = open(number, "r" if name == "stdin" else "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    setattr(sys, f"__{name}__", fresh)
    return fresh
