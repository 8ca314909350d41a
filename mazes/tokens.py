"""Mazes as strings of ``# SGo``, the form that sequence models are given.

The characters of the thin lattice image, row by row without line ends: ``#`` wall, space open, ``S`` start, ``G`` goal,
and in answers ``o`` for the path between them. Charset and ids 1–5, padding 0, as in HRM (Wang et al., arXiv
2506.21734) and TRM (Jolicoeur-Martineau, arXiv 2510.04871), at any size.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from extramaze.core.arguments import whole
from extramaze.core.errors import InputError
from extramaze.core.words import counted
from extramaze.mazes.decode import from_raster
from extramaze.mazes.mazes import Mazes
from extramaze.mazes.rasters import raster

CHARSET = "# SGo"
WALL, OPEN, START, GOAL, PATH = range(1, 6)
PAD = 0


def to_ids(mazes: Mazes, solved: bool = False) -> np.ndarray:
    """Return the token ids of mazes, uint8 (N, H, W), with the stored path where ``solved``."""
    images, targets = raster(mazes)
    ids = np.where(images.any(axis=1), OPEN, WALL).astype(np.uint8)
    if solved:
        ids[targets > 0] = PATH
    ids[(images[:, 1] > 0) & (images[:, 0] == 0)] = START
    ids[(images[:, 0] > 0) & (images[:, 1] == 0)] = GOAL
    return ids


def to_tokens(mazes: Mazes, solved: bool = False) -> list[str]:
    """Write each maze as one string of H·W characters, with the stored path where ``solved``."""
    letters = np.frombuffer(f"?{CHARSET}".encode(), np.uint8)[to_ids(mazes, solved)]
    return [image.tobytes().decode() for image in letters]


def token_ids(texts: Sequence[str], length: int | None = None) -> np.ndarray:
    """Turn strings of one length into ids, uint8 (N, length), padded with 0 on the right.

    Raises InputError for other characters, strings of several lengths, and strings longer than ``length``.
    """
    texts = _strings(texts)
    length = None if length is None else whole("length", length, 0)
    sizes = sorted({len(text) for text in texts})
    if len(sizes) > 1:
        raise InputError(f"token strings must be of one length, got {sizes[0]} to {sizes[-1]} characters")
    width = sizes[0] if sizes else 0
    if length is not None and width > length:
        raise InputError(f"token strings of {counted(width, 'character')} do not fit into {length}")
    for index, text in enumerate(texts):
        strange = set(text) - set(CHARSET)
        if strange:
            raise InputError(f"token string {index}: expected only the characters {CHARSET!r}, got {min(strange)!r}")
    table = np.zeros(128, np.uint8)
    table[[ord(letter) for letter in CHARSET]] = range(1, 6)
    ids = table[np.frombuffer("".join(texts).encode(), np.uint8)].reshape(len(texts), width)
    return np.pad(ids, ((0, 0), (0, (length or width) - width)), constant_values=PAD)


def _strings(texts: object) -> list[str]:
    """Return what is given as a list of strings. Raises InputError for one string alone, and for anything else."""
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise InputError(f"expected a list of token strings, one a maze, got {texts!r:.80}")
    found = list(texts)
    for index, text in enumerate(found):
        if not isinstance(text, str):
            raise InputError(f"token string {index}: expected a string, got {text!r:.80}")
    return found


def from_tokens(texts: Sequence[str], width: int | None = None) -> Mazes:
    """Read mazes, solved or not, from token strings. width: pixels in a row; None: square images.

    Raises InputError where a string is no lattice image with one start and one goal.
    """
    ids = _rows(texts, width)
    images = np.repeat((ids != WALL)[:, None], 3, axis=1)
    images[:, [0, 2]] &= (ids != START)[:, None]
    images[:, [1, 2]] &= (ids != GOAL)[:, None]
    return from_raster(images)


def answers_from_tokens(texts: Sequence[str], width: int | None = None) -> np.ndarray:
    """Read predicted paths: 1 on ``o``, ``S`` and ``G``. Returns uint8 (N, H, W) at scale 1. Raises InputError."""
    return np.isin(_rows(texts, width), (START, GOAL, PATH)).astype(np.uint8)


def _rows(texts: Sequence[str], width: int | None) -> np.ndarray:
    ids = token_ids(texts)
    length = ids.shape[1]
    side = round(length**0.5) if width is None else whole("width", width, 1)
    if side < 1 or length % side or (width is None and side * side != length):
        shape = "a square" if width is None else f"rows of {width}"
        raise InputError(
            f"token strings of {counted(length, 'character')} do not make {shape}; give width, the pixels in a row"
        )
    return ids.reshape(len(ids), -1, side)
