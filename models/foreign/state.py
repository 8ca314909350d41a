"""The state of the process around foreign code: whatever it changes is put back, and named once.

Put back: working directory, ``sys.path``, ``sys.argv``, standard streams, warning filters, torch's default type and
device, threads, gradients, precision and determinism, numpy's handling of errors, random states, handlers of signals
and of the root logger, the hook for exceptions and the limit of recursion. Not looked at: the environment's variables,
which a solver sets for its own later use, threads and atexit handlers that it starts, and what it patches elsewhere.
"""

import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from extramaze.models.foreign.failures import as_exception
from extramaze.models.foreign.libraries import is_library
from extramaze.models.foreign.streams import streams_lent

OF_LIBRARIES = ("warning filters", "Python's random state")  # parts that importing one may change
_NAMED: set[tuple[str, str]] = set()  # (who, what): each is said once in a process


@dataclass(frozen=True)
class Part:
    """One part of the process's state.

    name: in words. read: its value now, that ``==`` compares. put_back: set it to a value read before. quiet: not
    worth a line.
    """

    name: str
    read: Callable[[], Any]
    put_back: Callable[[Any], None]
    quiet: bool = False


@contextmanager
def unchanged(who: str) -> Iterator[None]:
    """Run foreign code, then put the process back as it was; name once on standard error what ``who`` had changed.

    All it raises is an Exception.
    """
    before, modules = [(part, part.read()) for part in PARTS], set(sys.modules)
    streams: list[str] = []
    try:
        with streams_lent() as streams, as_exception():
            yield
    finally:
        changed = [part.name for part, value in before if _put_back(part, value) and not part.quiet]
        if _libraries_came(modules):
            changed = [name for name in changed if name not in OF_LIBRARIES]
        new = [name for name in [*changed, *streams] if _first(who, name)]
        if new:
            _say(f"{who}: changed {', '.join(new)}; it is put back")


def _libraries_came(before: set[str]) -> bool:
    """Whether a library was imported, by whoever: some draw random names, or set warning filters, as they start."""
    return any(is_library(sys.modules.get(name)) for name in sys.modules.keys() - before)


def say_once(who: str, sentence: str) -> None:
    """Print a line on standard error, once in a process."""
    if _first(who, sentence):
        _say(f"{who}: {sentence}")


def _first(who: str, what: str) -> bool:
    first = (who, what) not in _NAMED
    _NAMED.add((who, what))
    return first


def _say(line: str) -> None:
    if sys.stderr is not None:
        tqdm.write(line, file=sys.stderr)  # above a progress bar


def _put_back(part: Part, before: Any) -> bool:
    """Put a part back where it was changed; return whether it was."""
    with suppress(Exception):  # what cannot even be read was changed
        if part.read() == before:
            return False
    with suppress(Exception):  # a folder that is gone, an attribute made read-only: the rest is put back all the same
        part.put_back(before)
    return True


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  # half the time, and this stands around every block
    except OSError:  # it was deleted
        return None


def _go_to(folder: str | None) -> None:
    if folder is not None:
        os.chdir(folder)


@dataclass(frozen=True)
class _List:
    """A list that a module holds: the very object, and what is in it."""

    itself: list
    content: list

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _List) and self.itself is other.itself and self.content == other.content

    __hash__ = None  # type: ignore[assignment]


def _list_part(name: str, owner: Any, attribute: str, before: Callable[[], None] = lambda: None) -> Part:
    """Return the part that is a list held by a module. before: called before it is put back."""

    def read() -> _List:
        found = getattr(owner, attribute)
        return _List(found, list(found))

    def put_back(value: _List) -> None:
        setattr(owner, attribute, value.itself)
        before()
        value.itself[:] = value.content

    return Part(name, read, put_back)


class _Bits:
    """Numbers of a random state, compared bit for bit."""

    def __init__(self, state: Any, *content: Any) -> None:
        self.state, self._content = state, content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bits) and self._content == other._content

    __hash__ = None  # type: ignore[assignment]


def _numpy_random() -> _Bits:
    state = np.random.get_state()  # noqa: NPY002  # what foreign code draws from
    return _Bits(state, state[1].tobytes(), *state[2:])  # type: ignore[index]


def _torch_random() -> _Bits:
    here = torch.get_rng_state()
    there = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    return _Bits((here, there), *(state.numpy().tobytes() for state in (here, *there)))


def _set_torch_random(value: _Bits) -> None:
    here, there = value.state
    torch.set_rng_state(here)
    if there:
        torch.cuda.set_rng_state_all(there)


def _signals() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}


def _set_signals(handlers: dict[int, Any]) -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _logging() -> tuple[Any, ...]:
    root = logging.root
    return root.level, tuple(root.handlers), root.manager.disable


def _set_logging(value: tuple[Any, ...]) -> None:
    logging.root.setLevel(value[0])
    logging.root.handlers[:] = value[1]
    logging.disable(value[2])


def _cudnn() -> tuple[bool, ...]:
    cudnn = torch.backends.cudnn
    return cudnn.enabled, cudnn.benchmark, cudnn.deterministic


def _set_cudnn(value: tuple[bool, ...]) -> None:
    cudnn = torch.backends.cudnn
    cudnn.enabled, cudnn.benchmark, cudnn.deterministic = value


def _precision() -> str | None:
    with suppress(RuntimeError):  # the older setting, where only the newer one was used
        return torch.get_float32_matmul_precision()
    return None


def _determinism() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _set_determinism(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _set_grad(on: bool) -> None:
    torch.set_grad_enabled(on)


def _set_errors(value: Any) -> None:
    np.seterr(**value)


def _set_default_device(device: torch.device) -> None:
    torch.set_default_device(None if device == torch.device("cpu") else device)


# The default device comes first: the others make tensors.
PARTS = (
    Part("torch's default device", torch.get_default_device, _set_default_device),
    Part("torch's default type", torch.get_default_dtype, torch.set_default_dtype),
    Part("torch's threads", torch.get_num_threads, torch.set_num_threads),
    Part("torch's gradient mode", torch.is_grad_enabled, _set_grad),
    Part("torch's precision of products", _precision, lambda name: torch.set_float32_matmul_precision(name)),
    Part("torch's deterministic mode", _determinism, _set_determinism),
    Part("cuDNN's settings", _cudnn, _set_cudnn),
    Part("the working directory", _folder, _go_to),
    _list_part("sys.path", sys, "path"),
    _list_part("sys.argv", sys, "argv"),
    _list_part("warning filters", warnings, "filters", warnings.resetwarnings),  # which also forgets what was warned of
    Part("numpy's handling of errors", np.geterr, _set_errors),
    Part("the root logger", _logging, _set_logging),
    Part("signal handlers", _signals, _set_signals),
    Part("sys.excepthook", lambda: sys.excepthook, lambda hook: setattr(sys, "excepthook", hook)),
    Part("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    Part("Python's random state", random.getstate, random.setstate),
    Part("numpy's random state", _numpy_random, lambda value: np.random.set_state(value.state)),  # noqa: NPY002
    # Every network with fresh weights draws from torch's; only who seeds it is named.
    Part("torch's random seed", torch.initial_seed, lambda _: None),
    Part("torch's random state", _torch_random, _set_torch_random, quiet=True),
)
