"""The lattice image inside a raster, so that one local rule serves both scales.

At scale 1 a tile is a pixel; at scale 2 it is 2×2 pixels inside one more ring of wall. Neighbours are always listed up,
down, left, right: the order of the stored path's tie-break (``extramaze.mazes.walk``).
"""

import torch
from torch import Tensor
from torch.nn import functional


def to_tiles(pixels: Tensor) -> Tensor:
    """Take one pixel of each tile: (B, C, H, W) → (B, C, 2L + 1, 2L + 1)."""
    return pixels if pixels.shape[-1] % 2 else pixels[..., 1:-1:2, 1:-1:2]


def to_pixels(tiles: Tensor, side: int) -> Tensor:
    """Undo ``to_tiles`` for a raster of a given side, the ring all zero."""
    if side % 2:
        return tiles
    return functional.pad(tiles.repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1), (1, 1, 1, 1))


def neighbours(tiles: Tensor) -> Tensor:
    """Stack the values up, down, left and right of each tile, 0 beyond the edge: (B, H, W) → (4, B, H, W)."""
    padded = functional.pad(tiles, (1, 1, 1, 1))
    return torch.stack(
        [padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]]
    )  # fmt: skip


def lattice_of(side: int) -> int:
    """Return L, the cells along one side, for a raster of a given side."""
    return (side - 1) // 2 if side % 2 else (side - 4) // 4
