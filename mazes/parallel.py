"""Run a compiled kernel over slices of its arrays, in threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from extramaze.core.arguments import whole

MIN_BLOCK = 64  # mazes; below this a thread costs more than it saves
SLICES = 4  # a worker, so that a slow slice does not keep the others waiting
REPORTED_SLICES = 64  # a worker, where progress is reported


def over_blocks(
    kernel: Callable[..., Any],
    count: int,
    workers: int | None,
    *arguments: Any,
    progress: Callable[[int], object] | None = None,
) -> list[Any]:
    """Call ``kernel(begin, end, *arguments)`` over slices that cover range(count); return its results in order.

    The kernels release the interpreter lock and write to disjoint slices, so the result does not depend on ``workers``
    (None: one a core). progress: called with the length of each slice that is done.
    """
    workers = (os.cpu_count() or 1) if workers is None else whole("workers", workers, 1)
    size = max(MIN_BLOCK, -(-count // ((SLICES if progress is None else REPORTED_SLICES) * workers)))
    slices = [(begin, min(begin + size, count)) for begin in range(0, count, size)]

    def run(part: tuple[int, int]) -> Any:
        result = kernel(*part, *arguments)
        if progress is not None:
            progress(part[1] - part[0])
        return result

    if workers == 1 or len(slices) <= 1:
        return [run(part) for part in slices]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, slices))
