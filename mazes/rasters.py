"""Mazes as images: what a solver sees and what it should answer.

The lattice image has 2L + 1 = n + 2 pixels a side: cells at odd rows and columns, passages between, a ring of wall.
``scale=1`` ("thin") is that image. ``scale=2`` is the easy-to-hard format of Schwarzschild et al. (arXiv 2108.06011)
and Knutson et al. (arXiv 2410.03020): every pixel doubled and one more pixel of wall all round, 2n + 6 a side. The side
of the first is odd and of the second even, which tells them apart.
"""

import numpy as np

from extramaze.core.compiled import compiled
from extramaze.mazes.mazes import Mazes
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.pixels import raster_shape
from extramaze.mazes.walk import COLUMN_STEPS, ROW_STEPS, distances_from, next_on_path, packed, scratch


def raster(mazes: Mazes, scale: int = 1, workers: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Draw mazes and their stored shortest paths.

    Returns images, uint8 (N, 3, H, W), with wall (0,0,0), open (1,1,1), start (0,1,0), goal (1,0,0); and targets, uint8
    (N, H, W), 1 on every pixel of the path, both ends included. Every value is 0 or 1.
    """
    height, width = raster_shape(mazes.shape, scale)
    images = np.zeros((len(mazes), 3, height, width), np.uint8)
    targets = np.zeros((len(mazes), height, width), np.uint8)
    over_blocks(
        _raster_block, len(mazes), workers, int(scale), mazes.connections, mazes.start, mazes.goal, images, targets
    )  # fmt: skip
    return images, targets


@compiled
def _paint(plane, scale, row, column, value):
    """Set one pixel of the lattice image in a plane of the raster."""
    i, j = scale * row + scale - 1, scale * column + scale - 1
    plane[i, j] = value
    if scale == 2:
        plane[i, j + 1] = plane[i + 1, j] = plane[i + 1, j + 1] = value


@compiled
def _paint_open(image, scale, maze):
    """Set the open pixels of an image, (3, H, W), that is all wall: row by row, then copied to where it is the same."""
    rows, columns = maze.shape[1:]
    width = image.shape[2]
    for line in range(1, 2 * rows):
        y, row = scale * line + scale - 1, line // 2
        for column in range(columns):
            x = scale * (2 * column + 1) + scale - 1
            if line % 2 == 1:
                image[0, y, x] = 1
                image[0, y, x + scale] = maze[1, row, column]
            else:
                image[0, y, x] = maze[0, row - 1, column]
        if scale == 2:
            for x in range(1, width - 1, 2):
                image[0, y, x + 1] = image[0, y, x]
        for channel in range(3):
            for lower in range(scale):
                if channel + lower > 0:
                    for x in range(width):
                        image[channel, y + lower, x] = image[0, y, x]


@compiled
def _raster_block(begin, end, scale, connections, start, goal, images, targets):
    distance, queue = scratch(connections.shape[2], connections.shape[3])
    for i in range(begin, end):
        maze, target = connections[i], targets[i]
        _paint_open(images[i], scale, maze)
        for channel in range(3):
            _paint(images[i, channel], scale, 2 * start[i, 0] + 1, 2 * start[i, 1] + 1, 1 if channel == 1 else 0)
            _paint(images[i, channel], scale, 2 * goal[i, 0] + 1, 2 * goal[i, 1] + 1, 1 if channel == 0 else 0)
        distances_from(maze, goal[i, 0], goal[i, 1], distance, queue, packed(start[i, 0], start[i, 1]))
        row, column = start[i, 0], start[i, 1]
        _paint(target, scale, 2 * row + 1, 2 * column + 1, 1)
        for _ in range(distance[row, column]):
            direction = next_on_path(maze, distance, row, column)
            down, right = ROW_STEPS[direction], COLUMN_STEPS[direction]
            _paint(target, scale, 2 * row + 1 + down, 2 * column + 1 + right, 1)
            row, column = row + down, column + right
            _paint(target, scale, 2 * row + 1, 2 * column + 1, 1)
