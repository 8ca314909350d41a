"""Files of a submission's folder, in sub-folders too: named with ``/``, and never through a link."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from extramaze.core.errors import InputError
from extramaze.core.files import make_folder, read_bytes, write_atomically
from extramaze.core.names import MEMBER
from extramaze.core.paths import real


def is_member_name(name: str) -> bool:
    """Whether a file may be called so in a submission: letters, digits, ``._-``, and ``/`` between folders."""
    return re.fullmatch(MEMBER, name) is not None


def read_member(folder: Path, name: str, most: int) -> bytes:
    """Read a file of a submission of at most so many bytes. Raises InputError, also for a link on the way."""
    path = folder / name
    if real(path) != real(folder) / name:
        raise InputError(f"{name}: a link that leaves its folder; put the file itself there")
    return read_bytes(path, most)


def write_member(folder: Path, name: str, content: bytes) -> None:
    """Write a file of a submission, atomically, with the folders that it lies in. Raises InputError."""
    make_folder((folder / name).parent)
    write_atomically(folder / name, content)


def strangers(folder: Path, known: Collection[str]) -> Iterator[str]:
    """Yield the names of files and folders that are none of the known ones, nor on the way to one, in order."""
    leading = {parent.as_posix() for name in known for parent in Path(name).parents}
    for path in sorted(folder.iterdir()):
        if path.name in leading and path.is_dir() and not path.is_symlink():
            inside = [name.removeprefix(f"{path.name}/") for name in known if name.startswith(f"{path.name}/")]
            yield from (f"{path.name}/{name}" for name in strangers(path, inside))
        elif path.name not in known:
            yield path.name
