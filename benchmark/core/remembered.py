"""What was checked once and found sound, remembered in the user's cache by the sha256 of everything that it rests on.

An entry is an empty file with that name, so that none can be broken in itself. ``EXTRAMAZE_CACHE=off`` believes and
remembers nothing. A cache that cannot be used costs time and one warning.
"""

import hashlib
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from extramaze.core.errors import InputError

SWITCH, OFF = "EXTRAMAZE_CACHE", "off"
MOST = 20_000  # entries; beyond so many all go, and what is still there is checked once more
_WARNED: list[str] = []  # of what, once a process


def key_of(parts: Iterable[str]) -> str:
    """Return the name of what rests on some texts, in this order."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_remembered(key: str) -> bool:
    """Whether this was found sound before. Raises InputError for a SWITCH that is neither off nor left out."""
    folder = _folder()
    try:
        return folder is not None and (folder / key).is_file()
    except OSError as problem:
        _warn(str(problem.strerror))
        return False


def remember(key: str) -> None:
    """Remember that this was found sound, where it can be. Raises InputError as ``is_remembered`` does."""
    folder = _folder()
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(folder / key, os.O_CREAT | os.O_WRONLY, 0o600))
        _forget_many(folder)
    except OSError as problem:
        _warn(str(problem.strerror))


def _folder() -> Path | None:
    """Return where entries lie, None where nothing is to be remembered."""
    stated = os.environ.get(SWITCH, "")
    if stated not in ("", OFF):
        raise InputError(f"{SWITCH}: expected {OFF}, or not to be set, got {stated[:40]!r}")
    return None if stated == OFF else _place()


def _place() -> Path | None:
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with suppress(RuntimeError):  # nobody's home
        return (home if home.is_absolute() else Path.home() / ".cache") / "extramaze" / "checked"
    return None


@cache
def _forget_many(folder: Path) -> None:
    """Empty a cache that has grown too large; looked at once a process."""
    entries = list(folder.iterdir())
    for entry in entries if len(entries) > MOST else ():
        entry.unlink()


def _warn(problem: str) -> None:
    if not _WARNED:
        _WARNED.append(problem)
        told = f"nothing can be remembered in {_place()} ({problem}); records are checked anew each time"
        print(f"warning: {told} ({SWITCH}={OFF} does so without this warning)", file=sys.stderr)
