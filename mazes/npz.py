"""Mazes as compressed NumPy archives."""

import io
from pathlib import Path

import numpy as np

from extramaze.core.errors import InputError
from extramaze.core.files import read_bytes, write_atomically
from extramaze.core.signatures import HEAD, NPZ, kind_of, why_unreadable
from extramaze.mazes.mazes import Mazes

ARRAYS = ("connections", "start", "goal")


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
    if (kind := kind_of(content[:HEAD])) != NPZ:
        raise InputError(f"{path}: not an archive of mazes (.npz) but {kind}")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            connections, start, goal = (arrays[name] for name in ARRAYS)
    except Exception as problem:  # zipfile, zlib and numpy each have their own for a damaged archive
        raise InputError(f"{path}: not an archive of mazes: {why_unreadable(problem)}") from problem
    try:
        return Mazes.from_arrays(connections, start, goal)
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from problem
