"""Pictures of mazes: whole pixels, no blank page, titles that fit."""

import numpy as np
import pytest
from matplotlib.image import imread

from extramaze.mazes import MazeSpec, generate, raster
from extramaze.pictures.mazes import SIDE, save_samples, wrapped

MARKED = 24  # pixels from a start or a goal that its mark may reach
AROUND = 170  # pixels of title, legend and gaps, at most
WALL = 0x33


@pytest.mark.parametrize(("size", "width"), [(9, 0), (33, 0), (201, 0), (399, 0), (9, 41), (41, 9)])
def test_each_pixel_of_a_maze_is_a_square_of_whole_pixels(tmp_path, size, width):
    """However large the maze is; and the picture of a rectangle is as low, or as high, as the rectangle."""
    spec = MazeSpec(size, width=width)
    mazes = generate(spec, 1)
    save_samples({spec: mazes}, tmp_path / "m.png")
    seen = (imread(tmp_path / "m.png")[..., :3] * 255).round().astype(int)
    (image,), _ = raster(mazes)
    high, broad = image.shape[1:]
    each = max(1, SIDE // max(high, broad))
    wall = (seen == WALL).all(axis=2)
    top = int((wall.sum(axis=1) >= each * broad).argmax())
    left = int((wall.sum(axis=0) >= each * high).argmax())
    blocks = seen[top : top + each * high, left : left + each * broad].reshape(high, each, broad, each, 3)
    whole = (blocks == blocks[:, :1, :, :1]).all(axis=(1, 3, 4))
    reach = MARKED // each + 1
    for row, column in np.argwhere(image.sum(axis=0) == 1):
        whole[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = True
    assert whole.all()
    assert len(seen) <= each * high + AROUND


@pytest.mark.parametrize(
    "title", ["size=9,percolation=0.123456789,start=any,goal=deadend,min_path=3,max_path=30", "x" * 90]
)
def test_titles_are_broken_to_fit(title):
    """A specification after its commas, and nothing of it is lost."""
    lines: list[str] = wrapped(title, SIDE, 7).split("\n")
    assert title.startswith("".join(lines))
    assert sum(map(len, lines)) == len(title)
    assert len(lines) > 1
    assert all(line.endswith(",") for line in lines[:-1]) == ("," in title)
