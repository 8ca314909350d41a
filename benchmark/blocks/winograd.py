"""3×3 convolutions with a quarter of the products: Winograd's minimal filtering F(4×4, 3×3).

Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308), sections 4.1 to 4.3: the image is
cut into tiles of 4×4 pixels, each seen with a margin of one; tiles and kernels are transformed, multiplied channel by
channel at 36 points, and transformed back: 36 products for a tile where the sum itself takes 144. The transforms
multiply by up to 8, so results are some seven times as far from the exact ones as those of the direct sum: rounding
still (at width 32, 1e-5 beside values of about 1 in float32), and the same bits for every number of threads.

States lie channels last. A *strip* is a row of tiles, or a part of one, of at most ROOM numbers a line. The transforms
of some strips are gathered into one batch of tiles, whose 36 points lie PITCH numbers apart, so that every loop runs
over adjacent memory; in float32 a thread's work areas stay in its second-level cache. PITCH is a little more than ROOM:
a power of two would lay all points of a tile on the same few sets of the cache, which cost a tenth to a fifth of the
time on some processors. The work is cut into a multiple of SHARED parts; a few mazes, as they are watched, into a
multiple of FEW, since products of few rows spend their time on being called. The second can change last bits (a BLAS
may take another kernel for so few rows), so that answers keep the first (``tests/speed/test_evaluation.py``).
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from subprocess import DEVNULL
from threading import Lock

import numba
import numpy as np
import torch

from extramaze.core.compiled import compiled, folder_of_kernels

TILE, SEEN = 4, 6
ROOM = 2048  # numbers that a point of a work area holds
PITCH = ROOM + 32  # from one point of a work area to the next
DOWN = SEEN * PITCH
LEAST_CHANNELS, MOST_CHANNELS = 16, ROOM // SEEN  # with fewer nothing is gained, more do not fit
SHARED, FEW = 8, 2  # parts of the work are a multiple of it, however many threads there are

_ONE_AT_A_TIME = Lock()  # numba's simplest threads end the process where two callers meet

Convolve = Callable[[np.ndarray, np.ndarray, np.ndarray, bool, np.ndarray, int], None]

# The kernel's transform, G of section 4.3; rows are the points 0, 1, -1, 2, -2 and infinity.
_KERNEL = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
# In float32, so that sums of either precision keep theirs.
_ZERO, _TWO, _FOUR, _FIVE, _EIGHT = (np.float32(number) for number in (0, 2, 4, 5, 8))


@contextmanager
def as_many_threads() -> Iterator[None]:
    """Let ``convolve`` use as many threads as torch does; to be held around every call.

    Numba's threads, when they start, reset how many torch has where both use the same OpenMP: both get theirs back.
    """
    with _ONE_AT_A_TIME:
        wanted, others = torch.get_num_threads(), numba.get_num_threads()
        numba.set_num_threads(min(wanted, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
        try:
            yield
        finally:
            numba.set_num_threads(others)
            if torch.get_num_threads() != wanted:
                torch.set_num_threads(wanted)


def transformed(weight: np.ndarray) -> np.ndarray:
    """Transform a convolution's weight (C, C, 3, 3) for ``convolve``: (36, C, C), from input to output channels."""
    points = np.einsum("au,oiuv,bv->abio", _KERNEL, weight.astype(np.float64), _KERNEL, optimize=True)
    return np.ascontiguousarray(points.reshape(-1, *points.shape[2:]), dtype=weight.dtype)


def compile_ahead(channels: int) -> subprocess.Popen | None:
    """Begin to compile ``convolve`` for both precisions in a process of its own, to be waited for before its first use.

    None where it was compiled before, for whatever width, or nothing can be kept.
    """
    folder = folder_of_kernels()
    if folder is None or any(folder.rglob("winograd.*")):
        return None
    command = f"from {__name__} import compile_now; compile_now({channels})"
    return subprocess.Popen([sys.executable, "-c", command], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)


def compile_now(channels: int) -> None:
    """Compile ``convolve`` for both precisions."""
    for kind in (np.float32, np.float64):
        states, kernel = np.zeros((1, 1, 1, channels), kind), np.zeros((SEEN * SEEN, channels, channels), kind)
        convolution(channels)(states, kernel, states, False, np.empty_like(states), SHARED)


@compiled(inline="always")
def _input_transform(source, spacing, target, count):
    """Transform six numbers a spacing apart into six, PITCH apart: the rows of B^T."""
    for i in range(count):
        a, b, c = source[i], source[i + spacing], source[i + 2 * spacing]
        d, e, f = source[i + 3 * spacing], source[i + 4 * spacing], source[i + 5 * spacing]
        even, odd = e - _FOUR * c, d - _FOUR * b
        near, far = e - c, _TWO * (d - b)
        target[i] = _FOUR * a - _FIVE * c + e
        target[i + PITCH] = even + odd
        target[i + 2 * PITCH] = even - odd
        target[i + 3 * PITCH] = near + far
        target[i + 4 * PITCH] = near - far
        target[i + 5 * PITCH] = _FOUR * b - _FIVE * d + f


@compiled(inline="always")
def _output_transform(source, spacing, target, stride, count):
    """Transform six numbers a spacing apart into four, a stride apart: the rows of A^T."""
    for i in range(count):
        a, b, c = source[i], source[i + spacing], source[i + 2 * spacing]
        d, e, f = source[i + 3 * spacing], source[i + 4 * spacing], source[i + 5 * spacing]
        target[i] = a + (b + c) + (d + e)
        target[i + stride] = (b - c) + _TWO * (d - e)
        target[i + 2 * stride] = (b + c) + _FOUR * (d + e)
        target[i + 3 * stride] = (b - c) + _EIGHT * (d - e) + f


@compiled(inline="always")
def _load(image, top, left, pixels, strip):
    """Copy six rows of so many pixels from (top, left) on; zero outside the image."""
    height, width, channels = image.shape
    for row in range(SEEN):
        line = strip[row * PITCH :][: pixels * channels]
        if not 0 <= top + row < height:
            line[:] = _ZERO
            continue
        start, stop = max(0, -left), min(pixels, width - left)
        line[: start * channels] = _ZERO
        line[start * channels : stop * channels] = image[top + row, left + start : left + stop].reshape(-1)
        line[stop * channels :] = _ZERO


@compiled(inline="always")
def _store(strip, others, rectify, results):
    """Add ``others`` to a line of numbers, rectify where asked, and write them."""
    for i in range(results.size):
        total = strip[i] + others[i]
        results[i] = max(total, _ZERO) if rectify else total


@compiled(inline="always")
def _place(number, down, across, most):
    """Return where a strip lies: image, tile row, first tile in the row, tiles."""
    segments = (across + most - 1) // most
    line, segment = divmod(number, segments)
    return line // down, line % down, segment * most, min(most, across - segment * most)


@cache
def convolution(channels: int) -> Convolve:
    """Return ``convolve`` for so many channels: one to MOST_CHANNELS.

    Strides that are known when it is compiled, which takes some seconds once on a machine, let its loops use vectors.
    """

    @compiled(parallel=True)
    def convolve(states, kernel, others, rectify, results, shared):
        """Convolve states (B, H, W, C) with a transformed kernel, zero-padded; add ``others``; rectify where asked.

        Arrays are C-contiguous and of one precision; ``results`` may not be ``states``. shared: SHARED or FEW.
        """
        batch, height, width, _ = states.shape
        down, across = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
        most = min(across, (ROOM // channels - 2) // TILE)
        strips = batch * down * ((across + most - 1) // most)
        if not strips:
            return
        parts = shared * -(-strips // (shared * (ROOM // (most * channels))))
        share = -(-strips // parts)
        for part in numba.prange(parts):
            tiles_in, tiles_out = np.empty(SEEN * DOWN, states.dtype), np.empty(SEEN * DOWN, states.dtype)
            strip, beside = np.empty(DOWN, states.dtype), np.empty(DOWN, states.dtype)
            first, last = part * share, min(strips, (part + 1) * share)

            count = 0
            for number in range(first, last):
                image, row, start, tiles = _place(number, down, across, most)
                pixels = tiles * TILE + 2
                _load(states[image], row * TILE - 1, start * TILE - 1, pixels, strip)
                _input_transform(strip, PITCH, beside, pixels * channels)
                for line in range(SEEN):
                    for tile in range(tiles):
                        seen = beside[line * PITCH + tile * TILE * channels :]
                        _input_transform(seen, channels, tiles_in[line * DOWN + (count + tile) * channels :], channels)
                count += tiles

            numbers = count * channels
            for point in range(SEEN * SEEN):
                factor, product = tiles_in[point * PITCH :][:numbers], tiles_out[point * PITCH :][:numbers]
                np.dot(factor.reshape(count, channels), kernel[point], product.reshape(count, channels))
            for column in range(SEEN):
                _output_transform(tiles_out[column * PITCH :], DOWN, tiles_in[column * PITCH :], DOWN, numbers)

            count = 0
            for number in range(first, last):
                image, row, start, tiles = _place(number, down, across, most)
                left, right = start * TILE, min(width, (start + tiles) * TILE)
                for line in range(min(TILE, height - row * TILE)):
                    for tile in range(tiles):
                        seen = tiles_in[line * DOWN + (count + tile) * channels :]
                        _output_transform(seen, PITCH, strip[tile * TILE * channels :], channels, channels)
                    here = results[image, row * TILE + line, left:right].reshape(-1)
                    _store(strip, others[image, row * TILE + line, left:right].reshape(-1), rectify, here)
                count += tiles

    return convolve
