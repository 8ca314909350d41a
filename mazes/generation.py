"""Draw mazes: addressed, split, and exactly as many as asked for."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from extramaze.core.arguments import whole
from extramaze.core.compiled import compiled
from extramaze.core.errors import InputError
from extramaze.mazes.algorithms.aldous_broder import carve_aldous_broder
from extramaze.mazes.algorithms.dfs import carve_dfs
from extramaze.mazes.algorithms.kruskal import carve_kruskal
from extramaze.mazes.algorithms.prim import carve_prim
from extramaze.mazes.algorithms.wilson import carve_wilson
from extramaze.mazes.endpoints import degree_wanted, draw_endpoints, path_fits
from extramaze.mazes.layouts import layout_hash, split_of_hash
from extramaze.mazes.mazes import Generation, Mazes
from extramaze.mazes.parallel import over_blocks
from extramaze.mazes.randomness import BRAID, CYCLES, ENDPOINTS, PERCOLATION, TREE, address, stream_key
from extramaze.mazes.shaping import add_cycles, braid, percolate
from extramaze.mazes.spec import ALGORITHMS, SPLITS, MazeSpec, check_split
from extramaze.mazes.walk import fill_degrees

MAX_INDEX = 2**32
INDICES_PER_SEED = 2**24  # set aside for each training seed: 16.7 million mazes, seeds 0 to 255
MAX_CELLS_TRIED = 50_000_000  # cells carved for one maze before giving up: a few seconds
MIN_ATTEMPTS = 1_000
PILOT = 4  # mazes drawn first, to see whether all can be had
RISK = 1e-3  # of giving up on one of all the mazes asked for, above which none are drawn
UNSPLIT = -1
NO_BOUND = 2**62
KEPT, WRONG_SPLIT, NO_ENDPOINTS, WRONG_PATH = 0, 1, 2, 3
DFS, WILSON, ALDOUS_BRODER, PRIM, KRUSKAL = (
    ALGORITHMS.index(name) for name in ("dfs", "wilson", "aldous-broder", "prim", "kruskal")
)


class Rules(NamedTuple):
    """A specification in whole numbers, as the kernels read it; probabilities are thresholds of 2³²."""

    algorithm: int
    percolation: int
    cycles: int
    braid: int
    start: int
    goal: int
    min_path: int
    max_path: int
    min_shortest: int
    max_shortest: int
    split: int
    attempts: int


def generate(
    spec: MazeSpec,
    count: int,
    split: str | None = None,
    first: int = 0,
    workers: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Mazes:
    """Draw mazes ``first … first + count − 1`` of a specification.

    Maze i depends only on (generator version, spec, split, i): not on count, order or workers. Every layout, up to the
    8 symmetries, belongs to one of the splits train, val, test and sealed; None draws from all of them. Attempts that
    land in another split, leave no cells for start and goal, or have a path out of bounds are drawn again;
    ``mazes.generation`` counts them. progress: called now and then with how many more mazes are done.

    Raises InputError for a negative count, indices beyond 2³², an unknown split, or a specification of which a maze
    could not be had within the attempts allowed. The first few mazes tell whether that threatens the rest, so that it
    is said before long work, with the acceptance seen and the constraint that binds.
    """
    count, first, workers = check_request(spec, count, split, first, workers)
    rows, columns = spec.shape
    try:
        connections = np.zeros((count, 2, rows, columns), bool)
        start, goal = np.empty((count, 2), np.int32), np.empty((count, 2), np.int32)
    except MemoryError as problem:
        size = count * 2 * rows * columns / 2**30
        raise InputError(f"{count} mazes of [{spec}] need {size:.0f} GiB; draw them in parts, with first=") from problem
    key, rules = stream_key(spec, split), _rules(spec, split)
    tally = np.zeros(4, np.int64)
    for begin, end in ((0, min(PILOT, count)), (PILOT, count)):
        if begin >= end:
            continue
        part = slice(begin, end)
        arrays = connections[part], start[part], goal[part]
        outcomes = over_blocks(
            _generate_block, end - begin, workers, key, first + begin, rules, *arrays, progress=progress
        )
        for *found, failed in outcomes:
            tally += found
            if failed >= 0:
                raise _cannot(spec, split, f"maze {failed}", np.array(found))
        missing = _expected_missing(tally, count, rules.attempts)
        if begin == 0 and end < count and missing > RISK:
            raise _cannot(spec, split, f"{count} mazes ({missing:.1g} of them would be missing)", tally)
    kept, wrong_split, no_endpoints, wrong_path = tally.tolist()
    drawn = kept + wrong_split + no_endpoints + wrong_path
    return Mazes(connections, start, goal, Generation(spec, split, first, drawn, wrong_split, no_endpoints, wrong_path))


def _expected_missing(tally: np.ndarray, count: int, attempts: int) -> float:
    """Estimate how many of ``count`` mazes would not be had within the attempts allowed, from a tally of some."""
    return count * math.exp(-attempts * tally[0] / tally.sum()) if tally.sum() else 0.0


def _rules(spec: MazeSpec, split: str | None) -> Rules:
    return Rules(
        algorithm=ALGORITHMS.index(spec.algorithm),
        percolation=round(spec.percolation * 2**32),
        cycles=spec.cycles,
        braid=round(spec.braid * 2**32),
        start=degree_wanted(spec.start),
        goal=degree_wanted(spec.goal),
        min_path=spec.min_path,
        max_path=spec.max_path or NO_BOUND,
        min_shortest=spec.min_shortest,
        max_shortest=spec.max_shortest or NO_BOUND,
        split=UNSPLIT if split is None else SPLITS.index(split),
        attempts=max(MIN_ATTEMPTS, MAX_CELLS_TRIED // math.prod(spec.shape)),
    )


def check_request(
    spec: MazeSpec, count: int, split: str | None, first: int, workers: int | None
) -> tuple[int, int, int | None]:
    """Return count, first and workers as whole numbers. Raises InputError for anything that cannot be drawn."""
    if not isinstance(spec, MazeSpec):
        raise InputError(f"expected a MazeSpec, got {spec!r}; read a specification with MazeSpec.parse")
    check_split(split)
    count, first = whole("count", count, 0), whole("first", first, 0)
    if workers is not None:
        workers = whole("workers", workers, 1)
    if first + count > MAX_INDEX:
        raise InputError(f"maze indices must stay below 2**32, got first={first}, count={count}")
    return count, first, workers


def _cannot(spec: MazeSpec, split: str | None, what: str, tally: np.ndarray) -> InputError:
    kept, wrong_split, no_endpoints, wrong_path = tally.tolist()
    drawn = kept + wrong_split + no_endpoints + wrong_path
    if wrong_path:
        advice = f"in {wrong_path} the path did not fit min_path … max_shortest; widen these bounds"
    elif no_endpoints:
        ends = f"start={spec.start}, goal={spec.goal}"
        advice = f"in {no_endpoints} no cells would do for {ends}; use 'any', or change the percolation"
    else:
        advice = "all fell outside the split: this specification has few layouts; use another split, or a larger size"
    return InputError(f"cannot draw {what} of [{spec}], split {split}: {kept} of {drawn} attempts kept; {advice}")


@compiled
def _generate_block(begin, end, key, first, rules, connections, start, goal):
    """Draw mazes begin … end − 1; return (kept, wrong split, no endpoints, wrong path, index that failed or −1)."""
    rows, columns = connections.shape[2:]
    ints, flags = np.empty(4 * rows * columns, np.int32), np.empty((rows + 2) * (columns + 2), np.bool_)
    degrees = np.empty((rows, columns), np.int8)
    tally = np.zeros(4, np.int64)
    for i in range(begin, end):
        outcome = WRONG_SPLIT
        for attempt in range(rules.attempts):
            maze = connections[i]
            maze[:] = False
            carve(address(key, TREE, first + i, attempt), rules.algorithm, maze, ints, flags)
            if rules.percolation > 0:
                percolate(address(key, PERCOLATION, first + i, attempt), maze, np.uint64(rules.percolation))
            if rules.cycles > 0:
                add_cycles(address(key, CYCLES, first + i, attempt), maze, rules.cycles, ints)
            if rules.braid > 0:
                fill_degrees(maze, degrees)
                braid(address(key, BRAID, first + i, attempt), maze, rules.braid, degrees, ints)
            outcome = WRONG_SPLIT
            if rules.split == UNSPLIT or split_of_hash(layout_hash(maze)) == rules.split:
                fill_degrees(maze, degrees)
                at = address(key, ENDPOINTS, first + i, attempt)
                tree = rules.algorithm <= KRUSKAL
                outcome = NO_ENDPOINTS
                if draw_endpoints(at, maze, degrees, tree, rules.start, rules.goal, start[i], goal[i]):
                    outcome = KEPT if path_fits(maze, start[i], goal[i], rules) else WRONG_PATH
            tally[outcome] += 1
            if outcome == KEPT:
                break
        if outcome != KEPT:
            return tally[0], tally[1], tally[2], tally[3], first + i
    return tally[0], tally[1], tally[2], tally[3], -1


@compiled
def carve(at, algorithm, connections, ints, flags):
    """Carve one maze's spanning tree by an algorithm's number; percolation alone carves none."""
    if algorithm == DFS:
        carve_dfs(at, connections, ints, flags)
    elif algorithm == WILSON:
        carve_wilson(at, connections, ints, flags)
    elif algorithm == ALDOUS_BRODER:
        carve_aldous_broder(at, connections, flags)
    elif algorithm == PRIM:
        carve_prim(at, connections, ints, flags)
    elif algorithm == KRUSKAL:
        carve_kruskal(at, connections, ints)
