"""Right or wrong: three scores of a predicted path, never one.

*valid*: the prediction is a simple path from start to goal, both included, and nothing else. *optimal*: valid, and as
short as the stored shortest path; where a maze has several, any of them counts (the rule of Knutson et al., arXiv
2410.03020). *exact*: every pixel equals the stored path's (the rule of Bansal et al., arXiv 2202.05826, and of HRM and
TRM). exact ⇒ optimal ⇒ valid. Scoring never masks: a wall pixel in a prediction is an error.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from extramaze.core.compiled import compiled
from extramaze.core.errors import InputError
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.pixels import scale_of
from extramaze.mazes.scores import Failure

_NO_ENDPOINT, _TARGET_NO_PATH = -1, -2


FAILURES = tuple(Failure)
_EMPTY, _WALL, _PIECES, _ENDPOINT, _BROKEN, _LONGER, _LOOP, _BRANCH = range(1, len(FAILURES))  # places, for the kernel


@dataclass(frozen=True, eq=False)
class Outcome:
    """Scores of B predictions: bool (B,) each, and ``failure``, the name of a Failure each, str (B,)."""

    exact: np.ndarray
    valid: np.ndarray
    optimal: np.ndarray
    failure: np.ndarray


def score(images: Any, targets: Any, predictions: Any) -> Outcome:
    """Score predictions: images (B, 3, H, W), targets and predictions (B, H, W), arrays or tensors of 0 and 1.

    The raster's scale is told by its side. O(H·W) time a maze. Raises InputError for other shapes or values,
    floating-point predictions, an image without exactly one start and goal, or a target that is no path on open
    pixels. That a target is a shortest path is taken on trust: ``optimal`` is as short as that.
    """
    image = _binary("images", images, 4, floats=True)
    target = _binary("targets", targets, 3, floats=True)
    predicted = _binary("predictions", predictions, 3, floats=False)
    count, channels, height, width = image.shape
    if channels != 3 or height % 2 != width % 2 or min(height, width) < 5:
        raise InputError(f"images must have shape (B, 3, H, W), both odd or both even, at least 5; got {image.shape}")
    for name, array in (("targets", target), ("predictions", predicted)):
        if array.shape != (count, height, width):
            raise InputError(f"{name} must have shape {(count, height, width)}, got {array.shape}")
    scale = scale_of(height)
    if scale == 2 and (height % 4 or width % 4):
        raise InputError(f"a raster of scale 2 has sides 2n + 6 with odd n, multiples of 4; got {height}×{width}")
    flags = np.zeros((4, count), np.int8)
    over_blocks(_score_block, count, None, scale, image, target, predicted, flags)
    problems = {_NO_ENDPOINT: "the image has no single start and goal", _TARGET_NO_PATH: "the target is no path"}
    for code, problem in problems.items():
        if (flags[0] == code).any():
            index = int((flags[0] == code).argmax())
            raise InputError(f"maze {index}: {problem}; draw images and targets with extramaze.mazes.raster")
    exact, valid, optimal = flags[:3].astype(bool)
    return Outcome(exact=exact, valid=valid, optimal=optimal, failure=np.array(FAILURES)[flags[3]])


def _binary(name: str, values: Any, dimensions: int, floats: bool) -> np.ndarray:
    array = values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)
    if array.ndim != dimensions:
        raise InputError(f"{name} must have {dimensions} dimensions, got shape {array.shape}")
    if array.dtype == bool or (array.dtype == np.uint8 and array.max(initial=0) <= 1):
        return np.ascontiguousarray(array).view(np.uint8)
    if not floats and not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"{name} must be integer or bool, got {array.dtype}; take the argmax first")
    if not ((array == 0) | (array == 1)).all():
        raise InputError(f"{name} must hold only 0 and 1")
    return np.ascontiguousarray(array.astype(np.uint8))


@compiled
def _score_block(begin, end, scale, images, targets, predictions, flags):
    height, width = images.shape[2:]
    rows, columns = (height - 2 * (scale - 1)) // scale, (width - 2 * (scale - 1)) // scale
    wide, count_of_tiles = columns + 2, (rows + 2) * (columns + 2)
    # The lattice image's tiles, inside a ring that nothing reaches, so that no walk needs to look where they end.
    predicted, stored = np.zeros(count_of_tiles, np.uint8), np.zeros(count_of_tiles, np.uint8)
    queue = np.empty(count_of_tiles, np.int32)
    for i in range(begin, end):
        image, target, prediction = images[i], targets[i], predictions[i]
        same, walls, pieces, astray = True, False, False, False
        for row in range(height):
            for column in range(width):
                said = prediction[row, column]
                same &= said == target[row, column]
                open_here = image[0, row, column] | image[1, row, column] | image[2, row, column]
                walls |= said > open_here
                astray |= target[row, column] > open_here
        starts, goals, start, goal, count, shortest = 0, 0, 0, 0, 0, 0
        for row in range(rows):
            for column in range(columns):
                y, x = scale * row + scale - 1, scale * column + scale - 1
                tile = (row + 1) * wide + column + 1
                red, green = image[0, y, x], image[1, y, x]
                if green > red:
                    starts, start = starts + 1, tile
                elif red > green:
                    goals, goal = goals + 1, tile
                predicted[tile], stored[tile] = prediction[y, x], target[y, x]
                count += predicted[tile]
                shortest += stored[tile]
                if scale == 2:
                    whole = prediction[y, x] + prediction[y, x + 1] + prediction[y + 1, x] + prediction[y + 1, x + 1]
                    pieces |= whole != 4 * predicted[tile]
                    astray |= (
                        target[y, x] + target[y, x + 1] + target[y + 1, x] + target[y + 1, x + 1] != 4 * stored[tile]
                    )
        if starts != 1 or goals != 1:
            flags[0, i] = _NO_ENDPOINT
        elif astray or not _is_path(stored, wide, start, goal, shortest):
            flags[0, i] = _TARGET_NO_PATH
        else:
            valid = not walls and not pieces and _is_path(predicted, wide, start, goal, count)
            flags[0, i], flags[1, i], flags[2, i] = same, valid, valid and count == shortest
            if not flags[2, i]:
                flags[3, i] = _failure(predicted, wide, start, goal, count, walls, pieces, valid, queue)


@compiled
def _is_path(tiles, wide, start, goal, count):
    """Whether the ``count`` set tiles are exactly a simple path from start to goal."""
    if not tiles[start]:
        return False
    last, tile = 0, start
    for length in range(1, count + 1):
        ways, following = 0, 0
        for step in (-wide, wide, -1, 1):
            if tiles[tile + step] and tile + step != last:
                ways += 1
                following = tile + step
        if tile == goal:
            return ways == 0 and length == count
        if ways != 1:
            return False
        last, tile = tile, following
    return False


@compiled
def _failure(tiles, wide, start, goal, count, walls, pieces, valid, queue):
    """Return the index in FAILURES of the first kind that applies; ``tiles`` is used up."""
    if walls:
        return _WALL
    if pieces:
        return _PIECES
    if count == 0:
        return _EMPTY
    if not (tiles[start] and tiles[goal]):
        return _ENDPOINT
    if valid:
        return _LONGER
    edges = 0
    for tile in range(wide, len(tiles) - wide):
        if tiles[tile]:
            edges += int(tiles[tile + 1]) + int(tiles[tile + wide])
    components, joined = 0, False
    for source in range(-1, len(tiles)):
        first = start if source < 0 else source
        if not tiles[first]:
            continue
        components += 1
        tiles[first] = 0
        queue[0] = first
        depth = 1
        while depth > 0:
            depth -= 1
            tile = queue[depth]
            joined |= source < 0 and tile == goal
            for step in (-wide, wide, -1, 1):
                if tiles[tile + step]:
                    tiles[tile + step] = 0
                    queue[depth] = tile + step
                    depth += 1
    if not joined:
        return _BROKEN
    return _LOOP if edges > count - components else _BRANCH
