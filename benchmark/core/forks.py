"""Processes made by fork: the native threads of polars, torch and numba do not live on in them.

A child that relies on threads which its parent had begun waits for ever, or dies without a word. It is told instead:
work that such threads do is announced here, and refused in a child that was forked after its parent had done some.
``fork`` is what ``multiprocessing`` takes by default on Linux before Python 3.14; ``spawn`` begins afresh.
"""

import os
from dataclasses import dataclass

from extramaze.core.errors import InputError


@dataclass
class _Threads:
    """Whether this process has begun native threads, and whether it believes in some that its parent had."""

    begun: bool = False
    lost: bool = False

    def forked(self) -> None:
        self.lost, self.begun = self.lost or self.begun, False


_THREADS = _Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_THREADS.forked)


def begin_threads(work: str) -> None:
    """Announce work, ``reading a record``, that native threads do. Raises InputError where it would wait for ever."""
    if _THREADS.lost:
        raise InputError(
            f"{work}: this process was forked from one that had read records, evaluated or trained, whose threads it "
            "lacks, so it would wait for ever; start processes by multiprocessing.get_context('spawn'), or fork first"
        )
    _THREADS.begun = True
