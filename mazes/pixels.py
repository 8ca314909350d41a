"""How large the images of mazes are, in pixels."""

from numbers import Integral

from extramaze.core.errors import InputError

SCALES = (1, 2)


def raster_side(size: int, scale: int) -> int:
    """Return the side in pixels of a maze of the literature's size n: n + 2 (scale 1) or 2n + 6 (scale 2)."""
    if isinstance(scale, bool) or not isinstance(scale, Integral) or scale not in SCALES:
        raise InputError(f"scale must be 1 (thin) or 2 (easy-to-hard), got {scale!r}")
    return size + 2 if scale == 1 else 2 * size + 6


def raster_shape(shape: tuple[int, int], scale: int) -> tuple[int, int]:
    """Return the height and width in pixels of mazes of R×C cells."""
    return raster_side(2 * shape[0] - 1, scale), raster_side(2 * shape[1] - 1, scale)


def scale_of(side: int) -> int:
    """Tell the scale of a raster by its side's parity."""
    return 1 if side % 2 else 2
