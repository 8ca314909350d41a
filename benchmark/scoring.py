"""Right or wrong: three scores of a predicted path, never one.

*valid*: the prediction is a simple path from start to goal, both included, and nothing else. *optimal*: valid, and as
short as the stored shortest path; where a maze has several, any of them counts (the rule of Knutson et al., arXiv
2410.03020). *exact*: every pixel equals the stored path's (the rule of Bansal et al., arXiv 2202.05826, and of HRM and
TRM). exact ⇒ optimal ⇒ valid. Scoring never masks: a wall pixel in a prediction is an error.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import torch
from scipy.stats import binomtest

from extramaze.mazes import InputError
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.raster import scale_of

SCORE_VERSION = 1
CONFIDENCE = 0.95

_NO_ENDPOINT, _TARGET_NO_PATH = -1, -2


@dataclass(frozen=True, eq=False)
class Outcome:
    """Scores of B predictions, bool (B,) each."""

    exact: np.ndarray
    valid: np.ndarray
    optimal: np.ndarray


def score(images: Any, targets: Any, predictions: Any) -> Outcome:
    """Score predictions: images (B, 3, H, W), targets and predictions (B, H, W), arrays or tensors of 0 and 1.

    The raster's scale is told by its side. O(H·W) time a maze. Raises InputError for other shapes or values,
    floating-point predictions, an image without exactly one start and goal, or a target that is no path.
    """
    image = _binary("images", images, 4, floats=True)
    target = _binary("targets", targets, 3, floats=True)
    predicted = _binary("predictions", predictions, 3, floats=False)
    count, channels, height, width = image.shape
    if channels != 3 or height != width or height < 5:
        raise InputError(f"images must have shape (B, 3, H, H) with H of at least 5, got {image.shape}")
    for name, array in (("targets", target), ("predictions", predicted)):
        if array.shape != (count, height, width):
            raise InputError(f"{name} must have shape {(count, height, width)}, got {array.shape}")
    scale = scale_of(height)
    if scale == 2 and height % 4:
        raise InputError(f"a raster of scale 2 has a side 2n + 6 with odd n, a multiple of 4; got {height}")
    flags = np.zeros((3, count), np.int8)
    over_blocks(_score_block, count, None, scale, image, target, predicted, flags)
    problems = {_NO_ENDPOINT: "the image has no single start and goal", _TARGET_NO_PATH: "the target is no path"}
    for code, problem in problems.items():
        if (flags[0] == code).any():
            index = int((flags[0] == code).argmax())
            raise InputError(f"maze {index}: {problem}; draw images and targets with extramaze.mazes.raster")
    exact, valid, optimal = flags.astype(bool)
    return Outcome(exact=exact, valid=valid, optimal=optimal)


def wilson(right: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval for a share (Wilson, JASA 1927)."""
    interval = binomtest(right, count).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def _binary(name: str, values: Any, dimensions: int, floats: bool) -> np.ndarray:
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    if array.ndim != dimensions:
        raise InputError(f"{name} must have {dimensions} dimensions, got shape {array.shape}")
    if array.dtype == bool or (array.dtype == np.uint8 and array.max(initial=0) <= 1):
        return np.ascontiguousarray(array).view(np.uint8)
    if not floats and not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"{name} must be integer or bool, got {array.dtype}; take the argmax first")
    if not ((array == 0) | (array == 1)).all():
        raise InputError(f"{name} must hold only 0 and 1")
    return np.ascontiguousarray(array.astype(np.uint8))


@numba.njit(cache=True, nogil=True)
def _at(plane, scale, row, column):
    """Read one tile of the lattice image off a plane of the raster, by its first pixel; 0 beyond the edge."""
    i, j = scale * row + scale - 1, scale * column + scale - 1
    if row < 0 or column < 0 or i >= plane.shape[0] or j >= plane.shape[1]:
        return 0
    return plane[i, j]


@numba.njit(cache=True, nogil=True)
def _whole_tiles(plane, scale):
    """Whether every tile is all 0 or all 1, and the ring outside the tiles is 0."""
    if scale == 1:
        return True
    side = plane.shape[0]
    for i in range(side):
        if plane[0, i] or plane[side - 1, i] or plane[i, 0] or plane[i, side - 1]:
            return False
    for i in range(1, side - 1, 2):
        for j in range(1, side - 1, 2):
            first = plane[i, j]
            if plane[i + 1, j] != first or plane[i, j + 1] != first or plane[i + 1, j + 1] != first:
                return False
    return True


@numba.njit(cache=True, nogil=True)
def _path_length(image, plane, scale, start, goal):
    """Return the tiles of a simple path from start to goal, or 0 where the plane is anything else."""
    if not _whole_tiles(plane, scale):
        return 0
    side = (plane.shape[0] - 2 * (scale - 1)) // scale
    count = 0
    for row in range(side):
        for column in range(side):
            if _at(plane, scale, row, column):
                if not (_at(image[0], scale, row, column) or _at(image[1], scale, row, column)):
                    return 0
                count += 1
    row, column = start // side, start % side
    if not _at(plane, scale, row, column):
        return 0
    last_row, last_column = -1, -1
    for length in range(1, count + 1):
        next_row, next_column, ways = -1, -1, 0
        for direction in range(4):
            row_2 = row + (direction == 1) - (direction == 0)
            column_2 = column + (direction == 3) - (direction == 2)
            if (row_2 != last_row or column_2 != last_column) and _at(plane, scale, row_2, column_2):
                next_row, next_column = row_2, column_2
                ways += 1
        if row * side + column == goal:
            return length if ways == 0 and length == count else 0
        if ways != 1:
            return 0
        last_row, last_column = row, column
        row, column = next_row, next_column
    return 0


@numba.njit(cache=True, nogil=True)
def _endpoints(image, scale):
    """Return the tiles of the one start (green) and the one goal (red), or −1 where there is not exactly one."""
    side = (image.shape[1] - 2 * (scale - 1)) // scale
    start, goal = -1, -1
    for row in range(side):
        for column in range(side):
            red, green = _at(image[0], scale, row, column), _at(image[1], scale, row, column)
            if green and not red:
                if start >= 0:
                    return -1, -1
                start = row * side + column
            elif red and not green:
                if goal >= 0:
                    return -1, -1
                goal = row * side + column
    return start, goal


@numba.njit(cache=True, nogil=True)
def _score_block(begin, end, scale, images, targets, predictions, flags):
    for i in range(begin, end):
        start, goal = _endpoints(images[i], scale)
        if start < 0 or goal < 0:
            flags[0, i] = _NO_ENDPOINT
            continue
        shortest = _path_length(images[i], targets[i], scale, start, goal)
        if shortest == 0:
            flags[0, i] = _TARGET_NO_PATH
            continue
        length = _path_length(images[i], predictions[i], scale, start, goal)
        flags[0, i] = (predictions[i] == targets[i]).all()
        flags[1, i] = length > 0
        flags[2, i] = length == shortest
