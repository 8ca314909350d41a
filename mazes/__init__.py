"""Mazes: specifications, generation, solving, measures, images and splits. Knows nothing of models."""

from extramaze.core.errors import InputError
from extramaze.mazes.contamination import Contamination, contamination
from extramaze.mazes.decode import from_raster
from extramaze.mazes.describe import Description, describe
from extramaze.mazes.generate import generate
from extramaze.mazes.graphs import Graphs, to_graphs, to_networkx
from extramaze.mazes.layouts import layout_hashes, layout_splits
from extramaze.mazes.mazes import Generation, Mazes
from extramaze.mazes.npz import read_npz, write_npz
from extramaze.mazes.raster import raster
from extramaze.mazes.readers import from_maze_dataset, read_easy_to_hard
from extramaze.mazes.solve import Paths, solve
from extramaze.mazes.spec import SPLITS, MazeSpec
from extramaze.mazes.strata import path_strata
from extramaze.mazes.stream import stream
from extramaze.mazes.text import to_text
from extramaze.mazes.tokens import answers_from_tokens, from_tokens, to_tokens, token_ids

__all__ = [
    "SPLITS",
    "Contamination",
    "Description",
    "Generation",
    "Graphs",
    "InputError",
    "MazeSpec",
    "Mazes",
    "Paths",
    "answers_from_tokens",
    "contamination",
    "describe",
    "from_maze_dataset",
    "from_raster",
    "from_tokens",
    "generate",
    "layout_hashes",
    "layout_splits",
    "path_strata",
    "raster",
    "read_easy_to_hard",
    "read_npz",
    "solve",
    "stream",
    "to_graphs",
    "to_networkx",
    "to_text",
    "to_tokens",
    "token_ids",
    "write_npz",
]
