"""Mazes in blocks, for more of them than memory holds, and generated while others are in use."""

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count as count_from
from typing import TypeVar

from extramaze.core.arguments import whole
from extramaze.mazes.generation import check_request, generate
from extramaze.mazes.mazes import Mazes
from extramaze.mazes.spec import MazeSpec

BLOCK = 1024  # mazes
AHEAD = 2  # items made before they are asked for: bounds the memory
Made = TypeVar("Made")


def stream(
    spec: MazeSpec,
    count: int | None = None,
    split: str | None = None,
    first: int = 0,
    block: int = BLOCK,
    workers: int | None = None,
) -> Iterator[Mazes]:
    """Yield the mazes of ``generate(spec, count, split, first)`` in blocks, holding one block at a time.

    count: None for as many as are taken. Raises InputError as ``generate`` does: for what was asked, before any block.
    """
    block = whole("block", block, 1)
    asked, first, workers = check_request(spec, 0 if count is None else count, split, first, workers)
    count = None if count is None else asked
    begins = count_from(first, block) if count is None else range(first, first + count, block)
    end = math.inf if count is None else first + count
    return (generate(spec, int(min(block, end - begin)), split, begin, workers) for begin in begins)


def ahead(make: Callable[[int], Made], indices: Iterable[int], depth: int = AHEAD) -> Generator[Made, None, None]:
    """Yield ``make(index)`` for each index in order, made in a thread of its own, at most ``depth`` ahead.

    The kernels release the interpreter lock, so mazes are drawn while a network computes; what is made does not depend
    on ``depth``. Close the iterator (or leave it to its end) to stop the thread; what ``make`` raises is raised here,
    in its turn.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="mazes")
    waiting: deque[Future[Made]] = deque()
    try:
        for index in indices:
            waiting.append(pool.submit(make, index))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
