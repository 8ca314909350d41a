"""Wall layouts up to symmetry, and the split each of them belongs to.

A layout's canonical form is the least, over the 8 symmetries of the square, of its edge bits read row by row (for each
cell the edge down, then the edge right, where the lattice has them). Of a rectangle only the 4 symmetries count through
which it lies down (R ≤ C), so that it and its transpose have one form. Its hash decides the split with one salt for all
specifications, versions and seasons, so a layout of the test split never occurs in the training split of any
specification.
"""

import numpy as np

from extramaze.core.compiled import compiled
from extramaze.core.errors import InputError
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.spec import SPLITS

SALT = np.uint64(0x65787472616D617A)  # "extramaz"
# Upper bounds of train, val and test in tenths of the hash's range; sealed takes the rest (70/10/10/10).
_BOUNDS = tuple(np.uint64(tenths * 2**32 // 10) for tenths in (7, 8, 9))


@compiled
def _edge(connections, symmetry, row, column, vertical):
    """Whether the edge down (vertical 0) or right (1) of a cell is open in the maze seen through a symmetry."""
    rows, columns = connections.shape[1:]
    row_2, column_2 = row + (1 - vertical), column + vertical
    if symmetry & 4:
        row, column = column, row
        row_2, column_2 = column_2, row_2
    if symmetry & 1:
        row, row_2 = rows - 1 - row, rows - 1 - row_2
    if symmetry & 2:
        column, column_2 = columns - 1 - column, columns - 1 - column_2
    return connections[1 if row == row_2 else 0, min(row, row_2), min(column, column_2)]


@compiled
def _lying(connections):
    """Return the rows and columns of one maze lying down, rows ≤ columns."""
    rows, columns = connections.shape[1:]
    return min(rows, columns), max(rows, columns)


@compiled
def _smaller(connections, candidate, best):
    """Whether the edge bits seen through ``candidate`` come before those seen through ``best``."""
    rows, columns = _lying(connections)
    for row in range(rows):
        for column in range(columns):
            for vertical in range(2):
                if (row == rows - 1) if vertical == 0 else (column == columns - 1):
                    continue
                left = _edge(connections, candidate, row, column, vertical)
                right = _edge(connections, best, row, column, vertical)
                if left != right:
                    return right
    return False


@compiled
def canonical_symmetry(connections):
    """Return the symmetry, 0–7, through which the edge bits of one maze, bool (2, R, C), lying down are least."""
    rows, columns = connections.shape[1:]
    best = 4 if rows > columns else 0
    for symmetry in range(best + 1, 4 if rows < columns else 8):
        if _smaller(connections, symmetry, best):
            best = symmetry
    return best


@compiled
def _mix(word):
    """Scramble 64 bits (the finaliser of SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@compiled
def layout_hash(connections):
    """Return the 64-bit hash of one layout's canonical form: equal for all 8 symmetries of a maze."""
    rows, columns = _lying(connections)
    symmetry = canonical_symmetry(connections)
    state = _mix(SALT ^ ((np.uint64(rows) << np.uint64(32)) | np.uint64(columns)))
    word = np.uint64(0)
    bits = 0
    for row in range(rows):
        for column in range(columns):
            for vertical in range(2):
                if (row == rows - 1) if vertical == 0 else (column == columns - 1):
                    continue
                word = (word << np.uint64(1)) | np.uint64(_edge(connections, symmetry, row, column, vertical))
                bits += 1
                if bits == 64:
                    state = _mix(state ^ word)
                    word = np.uint64(0)
                    bits = 0
    return _mix(state ^ word)


@compiled
def split_of_hash(value):
    """Return the index in SPLITS of the split that a layout's hash falls into."""
    position = value >> np.uint64(32)
    for split in range(3):
        if position < _BOUNDS[split]:
            return split
    return 3


@compiled
def _hash_block(begin, end, connections, hashes):
    for i in range(begin, end):
        hashes[i] = layout_hash(connections[i])


def layout_hashes(connections: np.ndarray, workers: int | None = None) -> np.ndarray:
    """Hash the layouts of mazes up to symmetry: bool (N, 2, R, C) → uint64 (N,). Raises InputError for other arrays."""
    connections = np.asarray(connections)
    shape = connections.shape
    if len(shape) != 4 or shape[1] != 2 or connections.dtype != bool:
        raise InputError(f"connections must be bool (N, 2, R, C), got {connections.dtype} {shape}")
    hashes = np.empty(len(connections), np.uint64)
    over_blocks(_hash_block, len(connections), workers, connections, hashes)
    return hashes


def layout_splits(connections: np.ndarray, workers: int | None = None) -> np.ndarray:
    """Name the split each layout belongs to: bool (N, 2, R, C) → str (N,)."""
    return np.array(SPLITS)[splits_of_hashes(layout_hashes(connections, workers))]


@compiled
def splits_of_hashes(hashes):
    """Return the index in SPLITS of each layout's split: uint64 (N,) → int8 (N,)."""
    splits = np.empty(len(hashes), np.int8)
    for index in range(len(hashes)):
        splits[index] = split_of_hash(hashes[index])
    return splits
