"""Locks: a folder or a file is one process's at a time, and let go of however that process ends.

They lie in the user's cache, named after what they lock, so that nothing but data lies beside records.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from extramaze.core.errors import InputError

SCRATCH = "extramaze-"  # how scratch folders begin, in the system's folder for temporary files


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a path, whatever lies there or does not, under any of its names (relative, or through links).

    Raises InputError where another process, or this one, holds it already. Where no lock can be written, neither in the
    cache nor among temporary files, a warning says so once and nothing is held.
    """
    lock = _acquired(path)
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _acquired(path: Path) -> FileLock | None:
    name = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]
    for folder in _places():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _lock(folder / f"{name}.lock")
        except Timeout as problem:
            raise InputError(f"{path} is in use by another process; wait, or choose another --out") from problem
        except OSError:  # a home that is read-only, full or missing, or a file system without locks
            continue
    _warn()
    return None


def _lock(path: Path) -> FileLock:
    """Lock a file without waiting. A lock that outlives its process, where there is no other, is none for us."""
    lock = FileLock(path, fallback_to_soft=False)
    lock.acquire(timeout=0)
    return lock


def _places() -> Iterator[Path]:
    """Yield the folders to keep locks in, best first: the user's cache, and a folder of the user's temporary files."""
    stated = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with suppress(RuntimeError):  # nobody's home
        yield (stated if stated.is_absolute() else Path.home() / ".cache") / "extramaze" / "locks"
    with suppress(OSError):  # no place for temporary files
        yield Path(tempfile.gettempdir()) / f"extramaze-locks-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


@cache
def _warn() -> None:
    told = "no lock can be written in the cache or among temporary files; run one command on a folder at a time"
    print(f"warning: {told}", file=sys.stderr)


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder among temporary files that is gone afterwards; those that killed processes left go first.

    Raises InputError where it cannot be made.
    """
    try:
        base = Path(tempfile.gettempdir())
        _remove_left(base)
        place = base / f"{SCRATCH}{uuid.uuid4().hex[:8]}"
        lock = _lock(place.with_suffix(".lock"))
        place.mkdir(mode=0o700)
    except (OSError, Timeout) as problem:
        raise InputError(
            f"cannot make a temporary folder: {problem}; set TMPDIR to a place that can be written"
        ) from problem
    try:
        yield place
    finally:
        _remove(place, lock)


def _remove_left(base: Path) -> None:
    """Remove the scratch folders whose lock nobody holds."""
    for path in base.glob(f"{SCRATCH}{'[0-9a-f]' * 8}.lock"):
        with suppress(OSError, Timeout):  # somebody's, or of a process at work
            _remove(path.with_suffix(""), _lock(path))


def _remove(place: Path, lock: FileLock) -> None:
    shutil.rmtree(place, ignore_errors=True)
    with suppress(OSError):
        place.with_suffix(".lock").unlink()
    lock.release()
