"""NumPy archives of unknown origin: how much they unpack to, by their own headers, before anything is unpacked."""

import io
import zipfile
from collections.abc import Sequence

import numpy as np

from extramaze.core.errors import InputError

ANY_SHARE = 2**25  # bytes that an archive may unpack to however small it is
RATIO = 64  # bytes that each of its own may unpack to beyond; random mazes reach 60 where almost every edge is open
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # as NumPy writes


def check_archive(content: bytes, origin: str, most: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of an archive's arrays by name, those that are no arrays left out.

    Raises InputError for no archive, for one that is compressed as NumPy's are not, and for one that unpacks to more
    than ``most`` bytes, or to more than its size gives reason to expect.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_sizes(archive.infolist(), len(content), origin, most)
            shapes = {name.removesuffix(".npy"): _shape(archive, name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError, RuntimeError) as problem:
        if isinstance(problem, InputError):
            raise
        raise InputError(f"{origin}: not a readable archive of arrays: {problem}") from problem
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _check_sizes(members: Sequence[zipfile.ZipInfo], size: int, origin: str, most: int) -> None:
    strange = next((member for member in members if member.compress_type not in METHODS), None)
    if strange is not None:
        raise InputError(f"{origin}: compressed as NumPy's archives are not; write it with numpy.savez_compressed")
    unpacked = sum(member.file_size for member in members)  # beyond what is stated, nothing is unpacked
    if unpacked > most:
        raise InputError(f"{origin}: unpacks to {unpacked:,} bytes; at most {most:,} are read: give several files")
    if unpacked > ANY_SHARE + RATIO * size:
        raise InputError(
            f"{origin}: {size:,} bytes that unpack to {unpacked:,}, more than {RATIO} times as many; "
            "if it is no mistake, write it with numpy.savez, uncompressed"
        )


def _shape(archive: zipfile.ZipFile, name: str) -> tuple[int, ...] | None:
    """Read an array's shape from the beginning of its file; None for what is no array."""
    try:
        with archive.open(name) as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape: tuple[int, ...] = read(file)[0]
            return shape
    except (ValueError, KeyError, TypeError, SyntaxError):
        return None
