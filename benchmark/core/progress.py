"""Progress bars: for eyes on a terminal, and lines now and then for a log."""

import sys
import time
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

LOG_SECONDS = 30.0  # between the lines of a bar that goes to a log
LONG = 2.0  # seconds after which a bar is shown that tells of work that is usually short


def progress_bar(
    items: Iterable[Any] | None = None,
    *,
    quiet: bool = False,
    inner: bool = False,
    brief: bool = False,
    **options: Any,
) -> "tqdm[Any]":
    """Return a tqdm bar on standard error.

    Without a terminal it writes a line at the start, every LOG_SECONDS, and at the end. quiet: nothing at all.
    inner: of a bar within another, for a terminal alone. brief: nothing before LONG, and nothing that stays.
    """
    watched = sys.stderr is not None and sys.stderr.isatty()
    if brief:
        options = {"delay": LONG, "leave": False, **options}
    if not watched:
        options = {**options, "mininterval": LOG_SECONDS, "maxinterval": LOG_SECONDS}
    hidden = quiet or sys.stderr is None or (inner and not watched)
    return (tqdm if watched else _LogBar)(items, disable=hidden, **options)


class _LogBar(tqdm):
    """A bar that is no drawing: each line of it is ended by a line feed, however often something refreshes it."""

    written = -LOG_SECONDS  # when the last line was, by the monotonic clock

    def display(self, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG002
        """Write a line, unless there was one lately."""
        if time.monotonic() - self.written >= LOG_SECONDS:
            self._write()

    def close(self) -> None:
        """Write the last line, where it is to stay and something was to be seen at all."""
        if not self.disable:
            if self.leave and time.time() >= self.start_t + (self.delay or 0):
                self._write()
            self.sp = None  # or it would write what cleans up a terminal
        super().close()

    def clear(self, *_: Any, **__: Any) -> None:
        """Leave lines where they are."""

    def moveto(self, _: int) -> None:
        """Stay below what was written."""

    def _write(self) -> None:
        self.written = time.monotonic()
        self.fp.write(f"{self}\n")
        self.fp.flush()
