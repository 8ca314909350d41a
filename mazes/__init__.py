"""Mazes: specifications, generation, solving, measures, images and splits. Knows nothing of models."""

from extramaze.mazes.describe import Description, describe
from extramaze.mazes.errors import InputError
from extramaze.mazes.generate import generate
from extramaze.mazes.layouts import layout_hashes, layout_splits
from extramaze.mazes.mazes import Generation, Mazes
from extramaze.mazes.raster import raster
from extramaze.mazes.solve import Paths, solve
from extramaze.mazes.spec import SPLITS, MazeSpec

__all__ = [
    "SPLITS",
    "Description",
    "Generation",
    "InputError",
    "MazeSpec",
    "Mazes",
    "Paths",
    "describe",
    "generate",
    "layout_hashes",
    "layout_splits",
    "raster",
    "solve",
]
