"""Draw mazes: addressed, split, and exactly as many as asked for."""

import numba
import numpy as np

from extramaze.mazes.algorithms.dfs import carve_dfs
from extramaze.mazes.errors import InputError
from extramaze.mazes.layouts import layout_hash, split_of_hash
from extramaze.mazes.mazes import Generation, Mazes
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.randomness import ENDPOINTS, PERCOLATION, TREE, address, below, stream_key, word
from extramaze.mazes.spec import SPLITS, MazeSpec, check_split
from extramaze.mazes.walk import fill_degrees

MAX_INDEX = 2**32
MAX_CELLS_TRIED = 50_000_000  # cells carved for one maze before giving up: a few seconds
MIN_ATTEMPTS = 1_000
UNSPLIT = -1
KEPT, WRONG_SPLIT, NO_START = 0, 1, 2


def generate(spec: MazeSpec, count: int, split: str | None = None, first: int = 0, workers: int | None = None) -> Mazes:
    """Draw mazes ``first … first + count − 1`` of a specification.

    Maze i depends only on (generator version, spec, split, i): not on count, order or workers. Every layout, up to the
    8 symmetries, belongs to one of the splits train, val, test and sealed; None draws from all of them. Attempts that
    land in another split, or leave no cell for the start, are drawn again; ``mazes.generation`` counts them.

    Raises InputError for a negative count, indices beyond 2³², an unknown split, or a specification of which a maze
    could not be had within the attempts allowed (it names the constraint that binds).
    """
    check_split(split)
    count, first = _whole("count", count, 0), _whole("first", first, 0)
    if workers is not None:
        workers = _whole("workers", workers, 1)
    if first + count > MAX_INDEX:
        raise InputError(f"maze indices must stay below 2**32, got first={first}, count={count}")
    side = spec.lattice
    try:
        connections = np.zeros((count, 2, side, side), bool)
        start, goal = np.empty((count, 2), np.int32), np.empty((count, 2), np.int32)
    except MemoryError as problem:
        size = count * 2 * side**2 / 2**30
        raise InputError(f"{count} mazes of [{spec}] need {size:.0f} GiB; draw them in parts, with first=") from problem
    outcomes = over_blocks(
        _generate_block,
        count,
        workers,
        stream_key(spec, split),
        first,
        np.uint64(round(spec.percolation * 2**32)),
        spec.start == "deadend",
        UNSPLIT if split is None else SPLITS.index(split),
        max(MIN_ATTEMPTS, MAX_CELLS_TRIED // side**2),
        connections,
        start,
        goal,
    )
    tallies = np.array(outcomes, dtype=np.int64).reshape(-1, 4)
    failed = tallies[tallies[:, 3] >= 0]
    if len(failed):
        raise _cannot(spec, split, failed[0])
    kept, wrong_split, no_start = tallies[:, :3].sum(axis=0).tolist()
    drawn = kept + wrong_split + no_start
    return Mazes(connections, start, goal, Generation(spec, split, first, drawn, wrong_split, no_start))


def _whole(name: str, value: int, least: int) -> int:
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least:
        return int(value)
    raise InputError(f"{name} must be an integer of at least {least}, got {value!r}")


def _cannot(spec: MazeSpec, split: str | None, tally: np.ndarray) -> InputError:
    kept, wrong_split, no_start, index = tally.tolist()
    drawn = kept + wrong_split + no_start
    if no_start:
        advice = f"{no_start} of them had no dead end to start from; lower the percolation or use start='any'"
    else:
        advice = "all fell outside the split: this specification has few layouts; use another split, or a larger size"
    return InputError(f"cannot draw maze {index} of [{spec}], split {split}: {kept} of {drawn} attempts kept; {advice}")


@numba.njit(cache=True, nogil=True)
def _generate_block(
    begin, end, key, first, threshold, deadend, split, max_attempts, connections, start, goal
):  # fmt: skip
    """Draw mazes begin … end − 1; return (kept, wrong split, no start, index that failed or −1)."""
    side = connections.shape[2]
    stack, visited = np.empty(side * side, np.int32), np.empty((side + 2) * (side + 2), np.bool_)
    degrees = np.empty((side, side), np.int8)
    tally = np.zeros(3, np.int64)
    for i in range(begin, end):
        outcome = WRONG_SPLIT
        for attempt in range(max_attempts):
            maze = connections[i]
            maze[:] = False
            carve_dfs(address(key, TREE, first + i, attempt), maze, stack, visited)
            if threshold > 0:
                percolate(address(key, PERCOLATION, first + i, attempt), maze, threshold)
            outcome = WRONG_SPLIT
            if split == UNSPLIT or split_of_hash(layout_hash(maze)) == split:
                at = address(key, ENDPOINTS, first + i, attempt)
                fill_degrees(maze, degrees)
                outcome = KEPT if draw_endpoints(at, degrees, deadend, start[i], goal[i]) else NO_START
            tally[outcome] += 1
            if outcome == KEPT:
                break
        if outcome != KEPT:
            return tally[0], tally[1], tally[2], first + i
    return tally[0], tally[1], tally[2], -1


@numba.njit(cache=True, nogil=True)
def percolate(at, connections, threshold):
    """Open every lattice edge of one maze with probability threshold / 2³², besides those already open."""
    side = connections.shape[1]
    position = 0
    for row in range(side):
        for column in range(side):
            if row < side - 1:
                connections[0, row, column] |= word(at, position) < threshold
                position += 1
            if column < side - 1:
                connections[1, row, column] |= word(at, position) < threshold
                position += 1


@numba.njit(cache=True, nogil=True)
def draw_endpoints(at, degrees, deadend, start, goal):
    """Draw a start (among the dead ends, or all cells) and a goal among the other cells; False where none can be."""
    side = degrees.shape[0]
    position = 0
    if deadend:
        count = 0
        for row in range(side):
            for column in range(side):
                count += degrees[row, column] == 1
        if count == 0:
            return False
        rank, position = below(at, position, count)
        cell = -1
        while rank >= 0:
            cell += 1
            rank -= degrees[cell // side, cell % side] == 1
    else:
        cell, position = below(at, position, side * side)
    other, position = below(at, position, side * side - 1)
    other += other >= cell
    start[0], start[1] = cell // side, cell % side
    goal[0], goal[1] = other // side, other % side
    return True
