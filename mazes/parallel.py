"""Run a compiled kernel over slices of its arrays, in threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

MIN_BLOCK = 64  # mazes; below this a thread costs more than it saves


def over_blocks(kernel: Callable[..., Any], count: int, workers: int | None, *arguments: Any) -> list[Any]:
    """Call ``kernel(begin, end, *arguments)`` over slices that cover range(count); return its results in order.

    The kernels release the interpreter lock and write to disjoint slices, so the result does not depend on ``workers``
    (None: one a core).
    """
    workers = workers or os.cpu_count() or 1
    size = max(MIN_BLOCK, -(-count // (4 * workers)))
    slices = [(begin, min(begin + size, count)) for begin in range(0, count, size)]
    if workers == 1 or len(slices) <= 1:
        return [kernel(begin, end, *arguments) for begin, end in slices]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda part: kernel(*part, *arguments), slices))
