import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extramaze.mazes import InputError, MazeSpec, from_raster, generate, raster


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    size=st.sampled_from([3, 5, 9, 13]),
    width=st.sampled_from([0, 3, 7, 21]),
    percolation=st.sampled_from([0.0, 0.2, 1.0]),
    scale=st.sampled_from([1, 2]),
    kind=st.sampled_from([np.uint8, bool, np.float32]),
    first=st.integers(0, 2**31),
)
def test_decoding_undoes_drawing(size, width, percolation, scale, kind, first):
    """An image of either scale and any type gives the very maze back."""
    mazes = generate(MazeSpec(size, width=width, percolation=percolation, start="any"), 3, first=first)
    assert from_raster(raster(mazes, scale)[0].astype(kind)).digest() == mazes.digest()


def image(scale=1):
    return raster(generate(MazeSpec(9), 1), scale)[0].copy()


def pixel(y, x, value):
    def change(images):
        images[0, :, y, x] = value
        return images

    return change


def coloured(which, value):
    """Give another colour to the start, to the goal, or to a plain cell."""

    def change(images):
        red, green = images[0, 0].astype(bool), images[0, 1].astype(bool)
        marked = {"start": green & ~red, "goal": red & ~green, "plain": red & green}[which]
        row, column = next((y, x) for y, x in np.argwhere(marked) if y % 2 and x % 2)
        images[0, :, row, column] = value
        return images

    return change


def moved_start(images):
    """Take the start's colour from the cell and give it to an opening."""
    row, column = np.argwhere((images[0, 1] == 1) & (images[0, 0] == 0))[0]
    images[0, :, row, column] = 1
    openings = [(y, x) for y, x in np.argwhere(images[0].all(axis=0)) if (y + x) % 2]
    images[0, :, openings[0][0], openings[0][1]] = (0, 1, 0)
    return images


WRONG = {
    "a pillar": (pixel(2, 2, 1), 1, "maze 0: its walls"),
    "the ring": (pixel(0, 1, 1), 1, "its walls"),
    "a closed cell": (pixel(3, 3, 0), 1, "its walls"),
    "a colour": (pixel(1, 1, (0, 0, 1)), 1, "neither wall, open"),
    "a start between cells": (moved_start, 1, "its start .* is not on a cell"),
    "no start": (lambda images: images.max(axis=1, keepdims=True).repeat(3, axis=1), 1, "it has no start"),
    "two starts": (coloured("plain", (0, 1, 0)), 1, "maze 0: it has more than one start"),
    "two goals": (coloured("plain", (1, 0, 0)), 1, "more than one goal"),
    "no goal": (coloured("goal", (1, 1, 1)), 1, "it has no goal"),
    "a start on the wall": (
        lambda images: pixel(2, 2, (0, 1, 0))(coloured("start", (1, 1, 1))(images)),
        1,
        "start .* not on a cell",
    ),
    "bytes of 255": (lambda images: images * 255, 1, "not all 0 and 1: 255 is among them.*divided by 255"),
    "nearly 1": (lambda images: images * np.float32(0.99999994), 1, "not all 0 and 1: 0.99999994 is among them"),
    "not a number": (lambda images: np.where(images, np.nan, 0), 1, "not all 0 and 1: nan"),
    "negative": (lambda images: -images.astype(int), 1, "not all 0 and 1: -1"),
    "channels last": (
        lambda images: images.transpose(0, 2, 3, 1),
        1,
        r"channels are last, use images.transpose\(0, 3, 1, 2\)",
    ),
    "one channel": (lambda images: images[:, :1], 1, "give red, green and blue"),
    "four channels": (lambda images: images[:, [0, 1, 2, 0]], 1, "give red, green and blue"),
    "complex numbers": (lambda images: images + 0j, 1, "expected an array of numbers, got one of complex128"),
    "texts": (lambda images: images.astype(str), 1, "got one of <U"),
    "objects": (lambda images: images.astype(object), 1, "got one of object"),
    "records": (lambda images: np.zeros((1, 3, 11, 11), "i4,f4"), 1, "expected an array of numbers"),
    "nothing": (lambda images: None, 1, "got a NoneType"),
    "ragged rows": (lambda images: [[1], [1, 2]], 1, "expected an array of numbers, got a list"),
    "grey": (lambda images: images * 0.5, 1, "values are not all 0 and 1"),
    "half a tile": (pixel(3, 3, 0), 2, "tiles of 2×2"),
    "the outer ring": (pixel(0, 0, 1), 2, "outer ring"),
    "no image": (lambda images: images[0], 1, r"shape \(N, 3, H, W\)"),
    "an odd shape": (lambda images: images[:, :, :, :10], 1, "11×10"),
    "a side of no maze": (lambda images: images[:, :, :22, :22], 2, "22×22"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_maze_is_refused(name):
    """One sentence says what is wrong with the first image that is none of a maze."""
    change, scale, problem = WRONG[name]
    with pytest.raises(InputError, match=problem):
        from_raster(change(image(scale)))


def test_no_images_are_no_mazes():
    """An empty batch decodes to an empty batch of its size."""
    mazes = from_raster(np.zeros((0, 3, 11, 15), bool))
    assert (len(mazes), mazes.shape) == (0, (5, 7))


def test_a_cell_that_is_wall_throughout_is_a_cell_without_edges():
    """maze-dataset draws isolated cells as wall; they decode to cells that nothing leads to."""
    mazes = generate(MazeSpec(9, algorithm="percolation", percolation=0.3, start="any"), 40)
    images = raster(mazes)[0].copy()
    open_pixels = images.any(axis=1)
    around = open_pixels[:, :-2, 1:-1] | open_pixels[:, 2:, 1:-1] | open_pixels[:, 1:-1, :-2] | open_pixels[:, 1:-1, 2:]
    isolated = np.zeros_like(open_pixels)
    isolated[:, 1:-1, 1:-1] = open_pixels[:, 1:-1, 1:-1] & ~around
    assert isolated.any()
    images[np.broadcast_to(isolated[:, None], images.shape)] = 0
    assert from_raster(images).digest() == mazes.digest()
