"""Mazes drawn with characters, for a terminal."""

import numpy as np

from extramaze.mazes.decode import lattice_tiles
from extramaze.mazes.mazes import Mazes
from extramaze.mazes.rasters import raster

WALL, OPEN, START, GOAL = "██", "  ", "S ", "G "
PATH, EXTRA = "· ", "× "
LEGEND = "S start, G goal, · shortest path"


def to_text(mazes: Mazes, index: int = 0, solution: bool = True, prediction: np.ndarray | None = None) -> str:
    """Draw one maze as lines of text, two characters a pixel of the lattice image.

    solution: mark the stored path. prediction: (H, W) at scale 1, marked ``o`` where it is on the stored path and ``×``
    where it is not; pixels of the path that it misses stay ``·``.
    """
    images, targets = raster(mazes[index])
    red, green, _ = lattice_tiles(images)[0]
    drawn = np.where(red | green, OPEN, WALL)
    path = targets[0] > 0
    if solution or prediction is not None:
        drawn[path] = PATH
    if prediction is not None:
        said = np.asarray(prediction) > 0
        drawn[said & path] = "o "
        drawn[said & ~path] = EXTRA
    drawn[green & ~red], drawn[red & ~green] = START, GOAL
    return "\n".join("".join(row).rstrip() for row in drawn)
