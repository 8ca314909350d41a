"""Mazes as compressed NumPy archives."""

import io
from pathlib import Path

import numpy as np

from extramaze.core.archives import check_archive
from extramaze.core.errors import InputError
from extramaze.core.files import read_bytes, write_atomically
from extramaze.core.signatures import HEAD, NPZ, kind_of, why_unreadable
from extramaze.mazes.mazes import Mazes

ARRAYS = ("connections", "start", "goal")
MAX_MAZES, MAX_UNPACKED = 1_000_000, 2**30  # of one file, the latter in bytes


def write_npz(mazes: Mazes, path: str | Path) -> None:
    """Write mazes as ``connections``, ``start`` and ``goal`` in a compressed archive, with how they were drawn."""
    write_atomically(Path(path), npz_bytes(mazes))


def npz_bytes(mazes: Mazes) -> bytes:
    """Return the archive that ``write_npz`` writes; the same mazes give the same bytes."""
    generation = mazes.generation
    note = "" if generation is None else f"{generation.spec} split={generation.split} first={generation.first}"
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, connections=mazes.connections, start=mazes.start, goal=mazes.goal, generation=np.array(note)
    )
    return buffer.getvalue()


def read_npz(path: str | Path) -> Mazes:
    """Read mazes from an archive and check them; at most MAX_MAZES that unpack to MAX_UNPACKED. Raises InputError."""
    content = read_bytes(Path(path), MAX_UNPACKED)
    if (kind := kind_of(content[:HEAD])) != NPZ:
        raise InputError(f"{path}: not an archive of mazes (.npz) but {kind}")
    _refuse_many(content, str(path))
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            connections, start, goal = (arrays[name] for name in ARRAYS)
    except Exception as problem:  # zipfile, zlib and numpy each have their own for a damaged archive
        raise InputError(f"{path}: not an archive of mazes: {why_unreadable(problem)}") from problem
    try:
        return Mazes.from_arrays(connections, start, goal)
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from problem


def _refuse_many(content: bytes, origin: str) -> None:
    """Raise InputError for more mazes, or bytes, than are read; told by the archive's headers."""
    count = max((shape[0] for shape in check_archive(content, origin, MAX_UNPACKED).values() if shape), default=0)
    if count > MAX_MAZES:
        raise InputError(f"{origin}: {count:,} mazes; at most {MAX_MAZES:,} are read from one file: give several files")
