"""Files: atomic writing, and mazes as compressed NumPy archives."""

import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from extramaze.mazes.errors import InputError
from extramaze.mazes.mazes import Mazes


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is either the old one or the whole new one. Raises InputError where it cannot be."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as problem:
        with suppress(OSError):
            temporary.unlink()
        raise InputError(f"cannot write {path}: {problem.strerror or problem}") from problem


def make_folder(path: Path) -> None:
    """Make a folder and its parents. Raises InputError where it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise InputError(f"cannot make the folder {path}: {problem.strerror or problem}") from problem


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """Read a file of at most ``most`` bytes. Raises InputError where it cannot be."""
    try:
        if most is not None and path.stat().st_size > most:
            raise InputError(f"{path}: larger than {most >> 20} MiB; nothing of ours is")
        return path.read_bytes()
    except OSError as problem:
        raise InputError(f"cannot read {path}: {problem.strerror or problem}") from problem


def write_npz(mazes: Mazes, path: str | Path) -> None:
    """Write mazes as ``connections``, ``start`` and ``goal`` in a compressed archive, with how they were drawn."""
    generation = mazes.generation
    note = "" if generation is None else f"{generation.spec} split={generation.split} first={generation.first}"
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, connections=mazes.connections, start=mazes.start, goal=mazes.goal, generation=np.array(note)
    )
    write_atomically(Path(path), buffer.getvalue())


def read_npz(path: str | Path) -> Mazes:
    """Read mazes from a compressed archive and check them. Raises InputError."""
    content = read_bytes(Path(path))
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            connections, start, goal = (arrays[name] for name in ("connections", "start", "goal"))
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as problem:
        raise InputError(f"{path}: not an archive of mazes: {problem}") from problem
    return Mazes.from_arrays(connections, start, goal)
