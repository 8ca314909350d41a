"""Progress bars: for eyes on a terminal, and for a log."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

LOG_SECONDS = 30.0  # between the lines of a bar that goes to a log


def progress_bar(
    items: Iterable[Any] | None = None, *, quiet: bool = False, inner: bool = False, **options: Any
) -> "tqdm[Any]":
    """Return a tqdm bar on stderr. Without a terminal it writes every LOG_SECONDS, and one within another nothing."""
    watched = sys.stderr.isatty()
    if not watched:
        options = {**options, "mininterval": LOG_SECONDS, "maxinterval": LOG_SECONDS}
    return tqdm(items, disable=quiet or (inner and not watched), **options)
