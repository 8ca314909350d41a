"""The answers that a record keeps: which pixels each maze's was at the last rung, a bit each.

``answers.npz`` holds an array a cell, by its name: uint8 (N, ⌈H·W / 8⌉), a row a maze in the order of the per-maze
table, whose bits, most significant first, are the pixels of the image that was answered, row by row.
"""

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from extramaze.core.archives import check_archive
from extramaze.core.errors import InputError
from extramaze.mazes.pixels import raster_shape
from extramaze.schema.plan import Plan

MAX_UNPACKED = 2**30  # bytes of all answers of a record

Packed = Mapping[str, np.ndarray]  # by cell: uint8 (N, bytes of an answer)


def pack(answers: np.ndarray) -> np.ndarray:
    """Pack answers bool (B, H, W) into bits: uint8 (B, ⌈H·W / 8⌉)."""
    return np.packbits(answers.reshape(len(answers), -1), axis=1)


def unpack(packed: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return packed answers as they were: bool (B, H, W), of images of this shape."""
    pixels = shape[0] * shape[1]
    return np.unpackbits(packed, axis=1, count=pixels).reshape(len(packed), *shape).astype(bool)


def answers_bytes(packed: Packed) -> bytes:
    """Write packed answers as a file's content, the same bytes for the same answers."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # numpy.savez takes no array called "file"
        for name, array in packed.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def read_answers(content: bytes, plan: Plan, origin: str) -> Packed:
    """Read the answers to a plan's mazes, packed. Raises InputError for answers to other mazes, or to more or fewer."""
    wanted = {
        cell.name: (planned.mazes, (height * width + 7) // 8)
        for cell, planned in plan.pairs()
        for height, width in [raster_shape(cell.maze_spec.shape, plan.suite.scale)]
    }
    shapes = check_archive(content, origin, MAX_UNPACKED)
    if list(shapes) != list(wanted):
        raise InputError(f"{origin}: answers to other cells than the record's; restore the file, or evaluate again")
    for name, shape in shapes.items():
        if shape != wanted[name]:
            raise InputError(
                f"{origin}: {name}: answers of {' × '.join(map(str, shape))} bytes, and the cell's are "
                f"{' × '.join(map(str, wanted[name]))}; restore the file, or evaluate again"
            )
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        packed = {name: archive[name] for name in wanted}
    strange = next((name for name, array in packed.items() if array.dtype != np.uint8), None)
    if strange is not None:
        raise InputError(f"{origin}: {strange}: expected bytes (uint8), got {packed[strange].dtype}; restore the file")
    return packed
