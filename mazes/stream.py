"""Mazes in blocks, for more of them than memory holds, and generated while others are in use."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count as count_from
from typing import TypeVar

from extramaze.mazes.errors import InputError
from extramaze.mazes.generate import generate
from extramaze.mazes.mazes import Mazes
from extramaze.mazes.spec import MazeSpec

BLOCK = 1024
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

    count: None for as many as are taken. Raises InputError as ``generate`` does, before the first block.
    """
    if block < 1:
        raise InputError(f"block must be at least 1, got {block}")
    end = None if count is None else first + count
    for begin in count_from(first, block):
        if end is not None and begin >= end:
            return
        yield generate(spec, block if end is None else min(block, end - begin), split, begin, workers)


def ahead(make: Callable[[int], Made], begin: int, end: int | None, depth: int) -> Iterator[Made]:
    """Yield ``make(begin), make(begin + 1), …`` in order, made by one thread at most ``depth`` items ahead.

    What is made does not depend on ``depth``; memory holds at most ``depth + 1`` items. depth 0: made when asked for.
    """
    if depth < 1:
        yield from (make(index) for index in (count_from(begin) if end is None else range(begin, end)))
        return
    waiting: deque[Future[Made]] = deque()
    following = begin
    with ThreadPoolExecutor(1) as pool:
        try:
            while True:
                while len(waiting) < depth and (end is None or following < end):
                    waiting.append(pool.submit(make, following))
                    following += 1
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
