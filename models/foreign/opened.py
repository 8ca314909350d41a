"""Which files foreign code opens, by an audit hook (PEP 578); what libraries open for themselves does not count."""

import importlib.util
import linecache
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import extramaze.mazes  # noqa: F401  # whose folder is one of ours
from extramaze.models.foreign.libraries import is_installed

EVENTS = ("open", "sqlite3.connect", "ctypes.dlopen")  # whose first argument is a path
OURS = tuple(  # what extramaze reads is its own affair
    Path(place) for name in ("extramaze", "extramaze.mazes", "extramaze.models") for place in sys.modules[name].__path__
)
SYSTEM = tuple(map(Path, ("/proc", "/sys", "/dev")))

_WATCHES: list["Opened"] = []
_HOOKED: list[bool] = []  # an audit hook stays for the life of a process: there is one at most


class Opened:
    """The paths that some code opened: to read them, and to write them.

    mine: whether a frame runs that code. own: whether a path is one of the code's own files, be it installed.
    """

    def __init__(self, mine: Callable[[FrameType], bool], own: Callable[[Path], bool]) -> None:
        self.read: dict[Path, None] = {}
        self.written: set[Path] = set()
        self._mine, self._own = mine, own

    def note(self, place: object, writing: bool) -> None:
        """Note that a file is being opened, where the code is the one that is watched."""
        path = _path(place)
        if path is None or path in self.read or (_is_nobodys(path) and not self._own(path)) or not self._asked():
            return
        if writing:
            self.written.add(path)
        else:
            self.read[path] = None

    def _asked(self) -> bool:
        """Whether the watched code is on the stack, with no import of another's module, nor a traceback, between."""
        frame: FrameType | None = sys._getframe(3)
        while frame is not None:
            if self._mine(frame):
                return True
            place, name = frame.f_code.co_filename, frame.f_code.co_name
            if (name == "_find_and_load" and "importlib" in place) or place == linecache.__file__:
                return False
            frame = frame.f_back
        return False


@contextmanager
def watching(opened: Opened) -> Iterator[None]:
    """Note what is opened meanwhile."""
    if not _HOOKED:
        _HOOKED.append(True)
        sys.addaudithook(_audit)
    _WATCHES.append(opened)
    try:
        yield
    finally:
        _WATCHES.remove(opened)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _WATCHES and event in EVENTS:
        with suppress(Exception):  # one raised here would keep the file from being opened
            flags = arguments[2] if event == "open" and isinstance(arguments[2], int) else os.O_RDONLY
            writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) != 0
            _WATCHES[-1].note(arguments[0], writing)


def _path(place: object) -> Path | None:
    """Return the absolute path of what was opened, of a source where it was its bytecode; None for what has none."""
    try:
        path = Path(os.path.abspath(os.fsdecode(place)))  # type: ignore[arg-type]  # noqa: PTH100  # links stay
        path = Path(importlib.util.source_from_cache(path)) if path.suffix == ".pyc" else path
        return None if "__pycache__" in path.parts else path  # what others keep there saves compiling
    except (TypeError, ValueError, OSError):  # a descriptor, bytecode without a source, a folder that is gone
        return None


def _is_nobodys(path: Path) -> bool:
    """Whether a file is installed, extramaze's own, or made by the system as it is read."""
    return is_installed(path) or any(path.is_relative_to(place) for place in (*OURS, *SYSTEM))
