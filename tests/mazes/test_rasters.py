import hashlib

import numpy as np
import pytest

from extramaze.mazes import InputError, MazeSpec, generate, raster, solve
from extramaze.mazes.pixels import raster_side
from tests.mazes import plain

GOLDEN = {
    1: "adf81d007944abb6aba3ee6c5fb6196b458376cdc30cd95b5ce2138b25f5ef13",
    2: "e63906091c08349ddccbcfeb0ae1d56935310e8c66b3124dd7e9af206271b1d3",
}


@pytest.fixture(scope="module")
def mazes():
    return generate(MazeSpec(9, percolation=0.1, start="any"), 30)


@pytest.mark.parametrize("width", [9, 5, 21])
@pytest.mark.parametrize("scale", [1, 2])
def test_rasters_equal_plain_ones(width, scale):
    """Images and targets equal ones drawn by array slices, also of rectangles."""
    mazes = generate(MazeSpec(9, width=width, percolation=0.1, start="any"), 30)
    images, targets = raster(mazes, scale)
    assert images.shape[2:] == (raster_side(9, scale), raster_side(width, scale))
    paths = solve(mazes)
    for i in range(len(mazes)):
        image, target = plain.raster(mazes.connections[i], mazes.start[i], mazes.goal[i], paths[i], scale)
        assert np.array_equal(images[i], image)
        assert np.array_equal(targets[i], target)


@pytest.mark.parametrize("scale", [1, 2])
def test_rasters_are_frozen(mazes, scale):
    """Raster version 1, to the last bit."""
    images, targets = raster(mazes, scale)
    assert hashlib.sha256(images.tobytes() + targets.tobytes()).hexdigest() == GOLDEN[scale]


@pytest.mark.parametrize(("size", "thin", "double"), [(9, 11, 24), (59, 61, 124), (99, 101, 204)])
def test_sides(size, thin, double):
    """n + 2 and 2n + 6 pixels; the parity of the side tells the scale."""
    assert (raster_side(size, 1), raster_side(size, 2)) == (thin, double)


def test_an_image_holds_the_whole_maze(mazes):
    """Walls, start and goal can be read back off the thin image."""
    images, _ = raster(mazes)
    open_pixels = images.max(axis=1).astype(bool)
    assert np.array_equal(open_pixels[:, 2:-1:2, 1::2], mazes.connections[:, 0, :-1])
    assert np.array_equal(open_pixels[:, 1::2, 2:-1:2], mazes.connections[:, 1, :, :-1])
    start = np.argwhere((images[:, 1] == 1) & (images[:, 0] == 0))[:, 1:]
    goal = np.argwhere((images[:, 0] == 1) & (images[:, 1] == 0))[:, 1:]
    assert np.array_equal((start - 1) // 2, mazes.start)
    assert np.array_equal((goal - 1) // 2, mazes.goal)


def test_only_two_scales():
    """A scale other than 1 or 2 is refused."""
    with pytest.raises(InputError, match="scale must be 1"):
        raster(generate(MazeSpec(9), 1), 3)
