"""Mazes that others made: easy-to-hard folders, and maze-dataset objects."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from extramaze.core.errors import InputError
from extramaze.mazes.decode import from_raster
from extramaze.mazes.mazes import Mazes

INPUTS = "inputs.npy"
NEEDED = ("connection_list", "start_pos", "end_pos")  # of a maze-dataset maze


def read_easy_to_hard(folder: str | Path, most: int | None = None) -> Mazes:
    """Read the mazes of an easy-to-hard folder, such as ``maze_data_test_13`` (arXiv 2108.06011), from ``inputs.npy``.

    most: at most so many; the file is mapped, so that the rest is not read. The stored path of each maze is ours; where
    a maze has cycles, ``solutions.npy`` may hold another one as short. Raises InputError for a missing or unreadable
    file, and for an image that is none of a maze.
    """
    path = Path(folder) / INPUTS
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as problem:
        raise InputError(f"cannot read {path}: {problem}; expected an array (N, 3, H, W) of 0 and 1") from problem
    if images.ndim != 4:
        raise InputError(f"{path}: expected an array (N, 3, H, W), got shape {images.shape}")
    return from_raster(images[:most])


def from_maze_dataset(mazes: Iterable[Any]) -> Mazes:
    """Convert maze-dataset mazes (arXiv 2309.10498): a ``MazeDataset`` or its ``SolvedMaze`` objects.

    They must be of one size and name a start and an end. Raises InputError. ``pip install extramaze[maze-dataset]``
    installs versions that work together.
    """
    found = list(mazes)
    for index, maze in enumerate(found):
        missing = [name for name in NEEDED if getattr(maze, name, None) is None]
        if missing:
            kind = type(maze).__name__
            raise InputError(f"maze {index}: expected a maze with start and end, got {kind} without {missing[0]}")
    shapes = sorted({np.asarray(maze.connection_list).shape for maze in found})
    if len(shapes) != 1:
        given = "none" if not shapes else f"shapes {shapes[0]} and {shapes[-1]}"
        raise InputError(f"expected mazes of one size, got {given}; convert each size by itself")
    return Mazes.from_arrays(*(np.stack([np.asarray(getattr(maze, name)) for maze in found]) for name in NEEDED))
