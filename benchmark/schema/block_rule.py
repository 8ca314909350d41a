"""The block rule: how many mazes are computed together, which is part of their numbers (``extramaze.blocks``)."""

BLOCK_PIXELS = {"cpu": 2**13, "cuda": 2**17}  # states of a block should stay in a CPU's cache, and fill a GPU
LIMIT_BLOCK = 4  # watched mazes computed together; part of the plan


def block_size(pixels: int, device_type: str, mazes: int) -> int:
    """Return the block rule's size for images of so many pixels: the largest power of two with at most BLOCK_PIXELS.

    mazes: of the cell in its suite, however many of them are run. On a GPU, whose blocks are large, a block need not
    hold more: the next power of two.
    """
    size = 1 << max(0, (BLOCK_PIXELS[device_type] // pixels).bit_length() - 1)
    return size if device_type == "cpu" else min(size, 1 << (mazes - 1).bit_length())
