"""A batch of mazes of one size, as arrays."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from extramaze.core.arguments import numbers
from extramaze.core.compiled import compiled
from extramaze.core.errors import InputError
from extramaze.core.words import counted
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.spec import MazeSpec
from extramaze.mazes.walk import distances_from, scratch

MAX_SIDE = 2**15  # cells a side: searches pack a row and a column into 32 bits


@dataclass(frozen=True)
class Generation:
    """How mazes were drawn.

    drawn: attempts made. rejected_split: attempts whose layout belongs to another split. rejected_endpoints: those in
    the split without cells that fit as start and goal. rejected_path: those whose path does not fit the bounds.
    """

    spec: MazeSpec
    split: str | None
    first: int
    drawn: int
    rejected_split: int
    rejected_endpoints: int
    rejected_path: int

    @property
    def acceptance(self) -> float:
        """Return the share kept of the attempts in the split; below 1, the mazes are a filtered population."""
        in_split = self.drawn - self.rejected_split
        return 1 - (self.rejected_endpoints + self.rejected_path) / in_split if in_split else 1.0


@dataclass(frozen=True, eq=False)
class Mazes:
    """N mazes on a lattice of R×C cells; the arrays are read-only.

    Make them with ``generate`` or ``Mazes.from_arrays``.

    connections: bool (N, 2, R, C). ``[n, 0, i, j]`` opens (i, j)–(i+1, j), ``[n, 1, i, j]`` opens (i, j)–(i, j+1);
        the last row of the first and the last column of the second are always False (maze-dataset's convention).
    start, goal: int32 (N, 2), row and column.
    generation: how they were drawn; None for mazes made elsewhere and for selections.
    """

    connections: np.ndarray
    start: np.ndarray
    goal: np.ndarray
    generation: Generation | None = None

    def __post_init__(self) -> None:
        shape, dtype = self.connections.shape, self.connections.dtype
        if len(shape) != 4 or shape[1] != 2 or dtype != np.bool_:
            raise InputError(f"connections must be bool (N, 2, R, C), got {dtype} {shape}; use Mazes.from_arrays")
        for cell in (self.start, self.goal):
            if cell.shape != (shape[0], 2) or cell.dtype != np.int32 or _outside(cell, shape[2:]).any():
                raise InputError("start and goal must be int32 (N, 2) cells of the lattice; use Mazes.from_arrays")
        for name in ("connections", "start", "goal"):
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @classmethod
    def from_arrays(cls, connections: np.ndarray, start: np.ndarray, goal: np.ndarray) -> "Mazes":
        """Check and copy mazes made elsewhere. Raises InputError naming the first maze that is wrong."""
        connections = numbers("connections", connections)
        if connections.ndim != 4 or connections.shape[1] != 2:
            raise InputError(f"connections must have shape (N, 2, R, C), got {connections.shape}")
        rows, columns = connections.shape[2:]
        if min(rows, columns) < 2:
            raise InputError(f"a maze needs at least 2 cells a side, got {rows}×{columns}")
        if max(rows, columns) > MAX_SIDE:
            raise InputError(f"a maze has at most {MAX_SIDE:,} cells a side, got {rows}×{columns}")
        if connections.dtype != bool and not np.isin(connections, (0, 1)).all():
            raise InputError(f"connections must be bool or 0 and 1, got {connections.dtype} with other values")
        count = len(connections)
        connections = connections.astype(bool)
        cells = {}
        for name, cell in (("start", numbers("start", start)), ("goal", numbers("goal", goal))):
            if cell.shape != (count, 2) or not np.issubdtype(cell.dtype, np.integer):
                raise InputError(f"{name} must be an integer array ({count}, 2), got {cell.dtype} {cell.shape}")
            refuse(_outside(cell, (rows, columns)), f"{name} lies outside the {rows}×{columns} lattice")
            cells[name] = cell.astype(np.int32)
        refuse(connections[:, 0, -1].any(axis=1) | connections[:, 1, :, -1].any(axis=1), "an edge leaves the lattice")
        refuse((cells["start"] == cells["goal"]).all(axis=1), "start and goal are the same cell")
        mazes = cls(connections, cells["start"], cells["goal"])
        reachable = np.empty(count, bool)
        over_blocks(_reachable_block, count, None, mazes.connections, mazes.start, mazes.goal, reachable)
        refuse(~reachable, "the goal cannot be reached from the start")
        return mazes

    def __len__(self) -> int:
        return len(self.connections)

    @property
    def shape(self) -> tuple[int, int]:
        """R and C, the rows and columns of cells."""
        rows, columns = self.connections.shape[2:]
        return rows, columns

    def __getitem__(self, selection: "int | slice | np.ndarray") -> "Mazes":
        """Select mazes by an index (which gives a batch of one), a slice, indices or a mask."""
        if isinstance(selection, int | np.integer):
            selection = np.array([selection])
        if not isinstance(selection, slice) and np.ndim(selection) != 1:
            raise InputError(f"select mazes by an index, a slice, a list of indices or a mask, got {selection!r}")
        return Mazes(self.connections[selection].copy(), self.start[selection].copy(), self.goal[selection].copy())

    def digest(self) -> str:
        """Return the sha256 of the content, in hexadecimal: the same on every machine and release."""
        digest = Digest(len(self), self.shape)
        digest.add(self)
        return digest.hexdigest()


class Digest:
    """The sha256 of mazes that come in parts, in order: ``Mazes.digest`` without all of them at once."""

    def __init__(self, count: int, shape: tuple[int, int]) -> None:
        rows, columns = shape
        sides = rows if rows == columns else f"{rows}×{columns}"
        self._content = hashlib.sha256(f"extramaze mazes 1\n{count} {sides}\n".encode())
        self._rest = np.empty(0, bool)  # bits that do not fill a byte yet
        self._ends: tuple[list[bytes], list[bytes]] = ([], [])

    def add(self, mazes: Mazes) -> None:
        """Take the next mazes."""
        bits = mazes.connections.reshape(-1)
        if len(self._rest):
            bits = np.concatenate([self._rest, bits])
        full = len(bits) // 8 * 8
        self._content.update(np.packbits(bits[:full]).tobytes())
        self._rest = bits[full:].copy()
        for parts, cells in zip(self._ends, (mazes.start, mazes.goal), strict=True):
            parts.append(cells.astype("<i4").tobytes())

    def hexdigest(self) -> str:
        """Return the digest of all mazes taken, once they are as many as was said."""
        content = self._content.copy()
        content.update(np.packbits(self._rest).tobytes())
        for parts in self._ends:
            content.update(b"".join(parts))
        return content.hexdigest()


def _outside(cells: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Tell which of the cells, (N, 2), lie outside a lattice: bool (N,)."""
    return np.any((cells < 0) | (cells >= np.array(shape)), axis=1)


def refuse(wrong: Any, problem: str) -> None:
    """Raise InputError naming the first maze that is wrong, bool (N,), unless none is."""
    if wrong.any():
        raise InputError(f"maze {int(wrong.argmax())}: {problem} ({int(wrong.sum())} of {counted(len(wrong), 'maze')})")


@compiled
def _reachable_block(begin, end, connections, start, goal, reachable):
    distance, queue = scratch(connections.shape[2], connections.shape[3])
    for i in range(begin, end):
        distances_from(connections[i], goal[i, 0], goal[i, 1], distance, queue)
        reachable[i] = distance[start[i, 0], start[i, 1]] >= 0
