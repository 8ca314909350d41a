"""Folders: there whole, by one rename, or not at all; and gone at once, whenever their removal is stopped."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from extramaze.core.errors import InputError
from extramaze.core.files import (
    discard,
    is_temporary,
    is_unfinished,
    make_folder,
    remove_left,
    sync,
    telling,
    temporary_name,
    write_atomically,
)


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, which appears whole where there is none. For whoever holds it. Raises InputError.

    contents: by name, which may have folders in it. Where the folder is there they are written one by one, in order.
    """
    target = Path(os.path.realpath(folder))
    if target.exists():
        _write(target, contents)
        return
    make_folder(target.parent)
    staged = temporary_name(target)
    try:
        _write(staged, contents)
        settle(staged, target)
    except BaseException:
        with suppress(InputError):
            discard(staged)
        raise


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        make_folder((folder / name).parent)
        write_atomically(folder / name, content)


def settle(staged: Path, folder: Path) -> None:
    """Give a folder that is whole its name. Raises InputError where it cannot have it."""
    with telling(f"write {folder}"):
        staged.rename(folder)
        sync(folder.parent)


def part_of(folder: Path) -> Path:
    """Return where a folder is prepared over several runs of a command, hidden beside it, until it is whole."""
    target = Path(os.path.realpath(folder))
    return target.with_name(f".{target.name}.part")


def remove_folder(folder: Path) -> None:
    """Delete a folder, if there is one: it is gone by one rename, and what is left of it is temporary.

    For whoever holds it or the one around it. Raises InputError where it cannot be deleted.
    """
    if folder.exists():
        with telling(f"remove {folder}"):
            folder.rename(temporary_name(folder))
    remove_left(folder)


def holds_only(folder: Path, contents: Mapping[str, bytes]) -> bool:
    """Whether there is no folder, or one in which nothing lies but some of these very files."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(
        is_temporary(path) or (path.is_file() and path.read_bytes() == contents.get(path.name))
        for path in folder.iterdir()
    )


def find_below(folder: Path, name: str) -> Iterator[Path]:
    """Yield the files of a name in or below a folder, in order, those in folders that are not whole yet left out."""
    for path in sorted(folder.rglob(name)):
        if not any(is_unfinished(Path(part)) for part in path.relative_to(folder).parts[:-1]):
            yield path
