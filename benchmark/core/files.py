"""Files: written whole or not at all, read within bounds, and folders held by one process."""

import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from extramaze.core.errors import InputError

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
MOST_READ = 2**30  # bytes of a file, where its reader asks for no less


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is either the old one or the whole new one. Raises InputError where it cannot be."""
    if not path.name:
        raise InputError("an empty path was given for a file; name one")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as problem:
        with suppress(OSError):
            temporary.unlink()
        raise InputError(f"cannot write {path}: {problem.strerror or problem}") from problem


def is_temporary(path: Path) -> bool:
    """Whether a file is what ``write_atomically`` leaves behind where it is killed."""
    return path.name.startswith(".") and path.suffix == ".tmp"


def is_free(folder: Path, *ours: str) -> bool:
    """Whether a folder may be written into: there is none, or it holds nothing but some files of ours.

    What killed writes leave does not count: everybody may overwrite it.
    """
    if not folder.exists():
        return True
    ours = (LOCK, *ours)
    return folder.is_dir() and all(path.name in ours or is_temporary(path) for path in folder.iterdir())


def remove_temporary(folder: Path) -> None:
    """Delete what killed writes left in a folder and one level below."""
    for path in [*folder.glob(".*.tmp"), *folder.glob("*/.*.tmp")]:
        path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder and its parents. Raises InputError where it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as problem:
        raise InputError(f"cannot make the folder {path}: it is a file; choose another place") from problem
    except OSError as problem:
        raise InputError(f"cannot make the folder {path}: {problem.strerror or problem}") from problem


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keep a folder to this process; the system lets go of it however the process ends.

    Raises InputError where another process holds it. Where the system has no such locks nothing is held.
    """
    if fcntl is None:
        yield
        return
    lock = folder / LOCK
    try:
        file = lock.open("w")
    except OSError as problem:
        raise InputError(f"cannot write into {folder}: {problem.strerror or problem}") from problem
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                raise BlockingIOError("its holder removed it, and somebody else made a new one")
        except BlockingIOError as problem:
            raise InputError(f"{folder} is in use by another process; wait, or choose another --out") from problem
        except OSError as problem:
            raise InputError(
                f"cannot lock {lock}: {problem.strerror or problem}; choose a folder elsewhere"
            ) from problem
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def read_inside(folder: Path, name: str, most: int) -> bytes:
    """Read a file of a folder that somebody else made, as ``read_bytes`` does.

    Raises InputError also for a link that leaves the folder.
    """
    path = folder / name
    try:
        leaves = path.resolve().parent != folder.resolve()
    except (OSError, RuntimeError) as problem:  # links in a circle
        raise InputError(f"cannot read {path}: {problem}; put the file itself there") from problem
    if leaves:
        raise InputError(f"{name}: a link that leaves its folder; put the file itself there")
    return read_bytes(path, most)


def read_bytes(path: Path, most: int = MOST_READ) -> bytes:
    """Read a file of at most ``most`` bytes. Raises InputError where it cannot be.

    It must be a regular one: a pipe or a device could keep its reader waiting.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{path} is {_kind(found.st_mode)}, no regular file; only such are read")
        if found.st_size > most:
            raise InputError(f"{path}: {found.st_size:,} bytes; at most {most:,} are read")
        with path.open("rb") as file:
            content = file.read(most + 1)  # it may grow meanwhile, or not have said its size
    except OSError as problem:
        raise InputError(f"cannot read {path}: {problem.strerror or problem}") from problem
    except InputError:
        raise
    except ValueError as problem:  # a path with a NUL, or with characters that the system cannot name
        raise InputError(f"cannot read {str(path)!r}: {problem}") from problem
    if len(content) > most:
        raise InputError(f"{path}: more than {most:,} bytes; at most so many are read")
    return content


def _kind(mode: int) -> str:
    """Say what a path leads to that is no regular file."""
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "a socket"
