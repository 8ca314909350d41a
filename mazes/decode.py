"""Read mazes back off their images, whoever drew them."""

from typing import Any

import numpy as np

from extramaze.core.arguments import numbers
from extramaze.core.errors import InputError
from extramaze.mazes.mazes import Mazes, refuse
from extramaze.mazes.pixels import scale_of


def from_raster(images: Any) -> Mazes:
    """Decode images of either scale, (N, 3, H, W) with values 0 and 1 of any type, into mazes.

    The scale is told by the sides' parity, as ``extramaze.mazes.raster`` draws them. A cell that is wall all round and
    within, as maze-dataset draws it, is one that nothing leads to. Raises InputError naming the first image that is
    none of a maze: a value other than 0 and 1, a broken ring or pillar of wall, an opening to a closed cell, tiles in
    part, no single start and goal, or a goal that cannot be reached.
    """
    tiles = lattice_tiles(images)
    red, green, blue = tiles.transpose(1, 0, 2, 3)
    opened = red | green | blue
    start, goal = green & ~red & ~blue, red & ~green & ~blue
    plain = (red & green & blue) | ~opened
    refuse(~(plain | start | goal).all(axis=(1, 2)), "a colour is neither wall, open, start (green) nor goal (red)")
    for name, marked in (("start (green)", start), ("goal (red)", goal)):
        many = marked.sum(axis=(1, 2))
        refuse(many == 0, f"it has no {name}")
        refuse(many > 1, f"it has more than one {name}")
        refuse(
            ~marked[:, 1::2, 1::2].any(axis=(1, 2)), f"its {name} is not on a cell but between cells, or on the wall"
        )
    refuse(~_is_lattice(opened), "its walls are not those of a lattice image")
    connections = np.zeros((len(tiles), 2, *start[:, 1::2, 1::2].shape[1:]), bool)
    connections[:, 0, :-1] = opened[:, 2:-1:2, 1::2]
    connections[:, 1, :, :-1] = opened[:, 1::2, 2:-1:2]
    ends = [np.argwhere(cell[:, 1::2, 1::2])[:, 1:] for cell in (start, goal)]
    return Mazes.from_arrays(connections, *ends)


def lattice_tiles(planes: Any) -> np.ndarray:
    """Return the lattice image behind rasters of either scale: (N, 3, H, W) of 0 and 1 → bool (N, 3, 2R + 1, 2C + 1).

    Raises InputError for shapes no raster has, other values, and tiles of scale 2 that are not whole.
    """
    found = numbers("images", planes)
    if found.ndim != 4 or found.shape[1] != 3:
        raise InputError(f"images must have shape (N, 3, H, W), got {found.shape}{_advice(found.shape)}")
    height, width = found.shape[2:]
    scale = scale_of(height)
    fits = (height % 2, width % 2) == (1, 1) if scale == 1 else (height % 4, width % 4) == (0, 0)
    if not fits or min(height, width) < (5 if scale == 1 else 12):
        raise InputError(
            f"images must be n + 2 (scale 1) or 2n + 6 (scale 2) pixels a side, odd n; got {height}×{width}"
        )
    other = (found != 0) & (found != 1)
    if other.any():
        advice = "; images of 0 to 255 are to be divided by 255" if found.max() == 255 else ""
        said = f"{found[other][0]!s} is among them{advice}"
        refuse(other.any(axis=(1, 2, 3)), f"its values are not all 0 and 1: {said}")
    pixels = found.astype(bool)
    if scale == 1:
        return pixels
    tiles = pixels[:, :, 1:-1:2, 1:-1:2]
    drawn = np.pad(tiles.repeat(2, axis=2).repeat(2, axis=3), ((0, 0), (0, 0), (1, 1), (1, 1)))
    refuse((drawn != pixels).any(axis=(1, 2, 3)), "its tiles of 2×2 pixels are not whole, or its outer ring not wall")
    return tiles


def _is_lattice(opened: np.ndarray) -> np.ndarray:
    """Tell which images, bool (N, 2R + 1, 2C + 1), have a ring and pillars of wall and openings between open cells."""
    cells = opened[:, 1::2, 1::2]
    down, right = opened[:, 2:-1:2, 1::2], opened[:, 1::2, 2:-1:2]
    stray = (down & ~(cells[:, :-1] & cells[:, 1:])).any(axis=(1, 2))
    stray |= (right & ~(cells[:, :, :-1] & cells[:, :, 1:])).any(axis=(1, 2))
    pillars = opened[:, ::2, ::2].any(axis=(1, 2))
    ring = opened[:, [0, -1]].any(axis=(1, 2)) | opened[:, :, [0, -1]].any(axis=(1, 2))
    return ~stray & ~pillars & ~ring


def _advice(shape: tuple[int, ...]) -> str:
    """Say what to do with images whose channels are elsewhere, or missing."""
    if len(shape) == 3:
        return "; one image is a batch of one, image[None]" if 3 in shape else "; give three colours a pixel"
    if len(shape) == 4 and shape[-1] == 3:
        return "; the channels are last, use images.transpose(0, 3, 1, 2)"
    return "; give red, green and blue" if len(shape) == 4 else ""
