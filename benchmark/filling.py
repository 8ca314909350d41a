"""Whether an answer is dead-end filling's, the classical algorithm that DT-Net resembles most (arXiv 2410.03020)."""

from typing import Any

import numpy as np
import torch

from extramaze.core.compiled import compiled
from extramaze.mazes.parallel import over_blocks


def filled(images: np.ndarray) -> np.ndarray:
    """Return dead-end filling's answer: images uint8 (B, 3, H, W) → bool (B, H, W). O(H·W) time a maze.

    The same pixels as ``extramaze.models.dead_end_filling`` leaves open in the end.
    """
    count, _, height, _ = images.shape
    tiles = images if height % 2 else images[:, :, 1:-1:2, 1:-1:2]
    left = np.zeros((count, tiles.shape[2] + 2, tiles.shape[3] + 2), np.uint8)
    over_blocks(_fill_block, count, None, np.ascontiguousarray(tiles), left)
    answer = left[:, 1:-1, 1:-1].astype(bool)
    if height % 2:
        return answer
    return np.pad(answer.repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (1, 1), (1, 1)))


def as_filling(images: np.ndarray, predictions: Any) -> np.ndarray:
    """Tell which predictions (B, H, W) equal dead-end filling's answer, pixel by pixel: bool (B,)."""
    said = predictions.cpu().numpy() if isinstance(predictions, torch.Tensor) else np.asarray(predictions)
    return (filled(images) == said.astype(bool)).all(axis=(1, 2))


@compiled
def _fill_block(begin, end, images, left):
    high, wide = left.shape[1:]
    for i in range(begin, end):
        image, tiles = images[i], left[i].reshape(high * wide)
        ends = np.zeros(2, np.int64)
        for row in range(high - 2):
            for column in range(wide - 2):
                red, green, blue = image[0, row, column], image[1, row, column], image[2, row, column]
                tile = (row + 1) * wide + column + 1
                tiles[tile] = red | green | blue
                if red != green:
                    ends[int(red)] = tile
        for first in range(len(tiles)):
            tile = first
            while tiles[tile] and tile != ends[0] and tile != ends[1]:
                ways, following = 0, 0
                for step in (-wide, wide, -1, 1):
                    if tiles[tile + step]:
                        ways, following = ways + 1, tile + step
                if ways > 1:
                    break
                tiles[tile] = 0
                tile = following
                if ways == 0:
                    break
