"""Mazes that others made: easy-to-hard folders, and maze-dataset objects."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from extramaze.core.arguments import numbers, whole
from extramaze.core.errors import InputError
from extramaze.core.signatures import HEAD, NPY, kind_of, why_unreadable
from extramaze.mazes.decode import from_raster
from extramaze.mazes.mazes import Mazes

INPUTS = "inputs.npy"
NEEDED = ("connection_list", "start_pos", "end_pos")  # of a maze-dataset maze


def read_easy_to_hard(folder: str | Path, most: int | None = None) -> Mazes:
    """Read the mazes of an easy-to-hard folder, such as ``maze_data_test_13`` (arXiv 2108.06011), from ``inputs.npy``.

    most: at most so many; the file is mapped, so that the rest is not read. The stored path of each maze is ours; where
    a maze has cycles, ``solutions.npy`` may hold another one as short. Raises InputError for a missing or unreadable
    file, for another ``most``, and for an image that is none of a maze.
    """
    if not isinstance(folder, str | PathLike):
        raise InputError(f"expected the path of a folder that holds {INPUTS}, got {folder!r:.80}")
    count = None if most is None else whole("most", most, 0)
    path = Path(folder) / INPUTS
    images = _mapped(path)
    if images.ndim != 4:
        raise InputError(f"{path}: expected an array (N, 3, H, W), got shape {images.shape}")
    try:
        return from_raster(images[:count])
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from problem


def _mapped(path: Path) -> np.ndarray:
    """Map an array's file into memory. Raises InputError that says what the file is where it is none."""
    problem: Exception | None = None
    try:
        if not path.is_file():
            why = f"{path.parent} is a file; give its folder" if path.parent.is_file() else "there is no such file"
        elif (kind := kind_of(_head(path))) != NPY:
            why = f"it is {kind}"
        else:
            return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as fault:
        problem, why = fault, why_unreadable(fault)
    raise InputError(f"cannot read {path}: {why}; expected an array (N, 3, H, W) of 0 and 1") from problem


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def from_maze_dataset(mazes: Iterable[Any]) -> Mazes:
    """Convert maze-dataset mazes (arXiv 2309.10498): a ``MazeDataset`` or its ``SolvedMaze`` objects.

    They must be of one size and name a start and an end. Raises InputError. ``pip install maze-dataset==1.4.2
    muutils==0.8.10`` installs versions that work together.
    """
    try:
        found = [_arrays(index, maze) for index, maze in enumerate(mazes)]
    except TypeError as problem:
        raise InputError(f"expected a MazeDataset or a list of its mazes, got a {type(mazes).__name__}") from problem
    shapes = sorted({maze[0].shape for maze in found})
    if len(shapes) != 1:
        given = "none" if not shapes else f"shapes {shapes[0]} and {shapes[-1]}"
        raise InputError(f"expected mazes of one size, got {given}; convert each size by itself")
    return Mazes.from_arrays(*(np.stack(arrays) for arrays in zip(*found, strict=True)))


def _arrays(index: int, maze: Any) -> list[np.ndarray]:
    """Return a maze's connections (2, R, C), start and end, (2,) each. Raises InputError."""
    missing = [name for name in NEEDED if getattr(maze, name, None) is None]
    if missing:
        kind = type(maze).__name__
        raise InputError(f"maze {index}: expected a maze with start and end, got {kind} without {missing[0]}")
    found = [numbers(f"maze {index}: {name}", getattr(maze, name)) for name in NEEDED]
    for name, array, axes in zip(NEEDED, found, (3, 1, 1), strict=True):
        if array.ndim != axes or len(array) != 2:
            expected = "(2, R, C)" if axes == 3 else "a row and a column, (2,)"
            raise InputError(f"maze {index}: {name} must be {expected}, got shape {array.shape}")
        if axes == 1 and array.dtype.kind not in "iu":
            raise InputError(f"maze {index}: {name} must hold integers, got {array.dtype}")
    return found
