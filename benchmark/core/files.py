"""Files: written whole or not at all, read within bounds, and held by one process.

Everything that a command writes is written, and removed, by this module and ``folders``: a process may be killed, or
the disk be full, at any of its steps, and the same command given again goes on.
"""

import errno
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from extramaze.core.errors import InputError
from extramaze.core.locks import locked
from extramaze.core.paths import real

LOCK = ".lock"  # which older versions kept beside records, and nobody takes for data
UNFINISHED = (".tmp", ".part")  # how the hidden names of what is not whole end
UNSYNCED = (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EPERM, errno.EACCES)  # what a system without says

MOST_READ = 2**30  # bytes of a file, where its reader asks for no less


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turn a failure of the file system into an InputError that says what could not be done, and why."""
    try:
        yield
    except OSError as problem:
        raise InputError(f"cannot {what}: {problem.strerror or problem}") from problem


def temporary_name(path: Path) -> Path:
    """Return a new name beside a path, for what is to be renamed to it, or was and is to be removed."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is either the old one or the whole new one, after a power cut too.

    For whoever holds the file or its folder. Raises InputError where it cannot be written.
    """
    if not path.name:
        raise InputError("an empty path was given for a file; name one")
    temporary = temporary_name(path)
    with telling(f"write {path}"):
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync(path.parent)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def replace_file(path: Path, other: Path) -> None:
    """Let a whole file take another's place. Raises InputError where it cannot."""
    with telling(f"write {other}"):
        path.replace(other)
        sync(other.parent)


def sync(folder: Path) -> None:
    """Have the names in a folder outlive a power cut, where the system knows how."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # a system that opens no folders, or one that we may write into and not read
        return
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in UNSYNCED:
            raise
    finally:
        os.close(descriptor)


def write_alone(path: Path, content: bytes) -> None:
    """Hold a file that stands for itself, and write it atomically. Raises InputError."""
    with hold(path):
        write_atomically(path, content)


def write_once(path: Path, content: bytes) -> None:
    """Write a file where there is none, atomically; one with this very content is what a killed run wrote.

    For whoever holds the file. Raises InputError where there is another.
    """
    if not os.path.lexists(path):
        write_atomically(path, content)
    elif not path.is_file() or path.stat().st_size != len(content) or read_bytes(path) != content:
        raise InputError(f"{path} exists; choose another --out, or delete it")


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Keep a folder, or a file, to this process, and remove what killed writers of it left beside it.

    The system lets go of it however the process ends. Raises InputError where another process holds it.
    """
    with locked(path):
        remove_left(path)
        yield


def remove_left(path: Path) -> None:
    """Delete what killed writers and removers of a file or folder left beside it. Only for whoever holds it."""
    for place in {path, Path(os.path.realpath(path))}:
        left = re.compile(rf"\.{re.escape(place.name)}\.[0-9a-f]{{8}}\.tmp")
        with suppress(OSError):  # no folder to look into, or not for us
            for found in [one for one in place.parent.iterdir() if left.fullmatch(one.name)]:
                discard(found)


def is_temporary(path: Path) -> bool:
    """Whether a file or folder is what killed writers leave behind."""
    return path.name.startswith(".") and path.suffix == ".tmp"


def is_unfinished(path: Path) -> bool:
    """Whether a folder is none of data yet: what killed writers leave, or what the same command goes on with."""
    return path.name.startswith(".") and path.suffix in UNFINISHED


def is_free(folder: Path, *ours: str) -> bool:
    """Whether a folder may be written into: there is none, or it holds nothing but some files of ours.

    What killed writes leave does not count: everybody may overwrite it.
    """
    if not folder.exists():
        return True
    ours = (LOCK, *ours)
    return folder.is_dir() and all(path.name in ours or is_temporary(path) for path in folder.iterdir())


def remove_temporary(folder: Path) -> None:
    """Delete what killed writers left in a folder and one level below. Only for the process that holds it."""
    for path in [*folder.glob(".*.tmp"), *folder.glob("*/.*.tmp")]:
        discard(path)


def remove_file(path: Path) -> None:
    """Delete a file, if there is one. Raises InputError where it cannot be deleted."""
    if os.path.lexists(path):  # a file system that cannot be written says so of what is not there, too
        with telling(f"remove {path}"):
            path.unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Delete a file, or a folder with all that is in it, that is no data. Raises InputError where it cannot be."""
    if path.is_symlink() or not path.is_dir():
        remove_file(path)
        return
    with telling(f"remove {path}"):
        shutil.rmtree(path)


def make_folder(path: Path) -> None:
    """Make a folder and its parents. Raises InputError where it cannot be."""
    try:
        missing = [one for one in (path, *path.parents) if not one.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for one in missing:
            sync(one.parent)
    except FileExistsError as problem:
        raise InputError(f"cannot make the folder {path}: it is a file; choose another place") from problem
    except OSError as problem:
        raise InputError(f"cannot make the folder {path}: {problem.strerror or problem}") from problem


def read_inside(folder: Path, name: str, most: int) -> bytes:
    """Read a file of a folder that somebody else made, as ``read_bytes`` does.

    Raises InputError also for a link that leaves the folder.
    """
    path = folder / name
    if real(path).parent != real(folder):
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
