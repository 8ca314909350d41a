"""Where a solver's code comes from: its files, each known by its sha256, and how its code is called.

Covered is, below the solver's folder (or its package), every source that was loaded, every one that these import
wherever the import stands, and every file that was opened meanwhile. What is opened or imported later, or elsewhere,
is named once as not covered; libraries, Python's own files and extramaze's are known by their versions.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

from extramaze.core.display import shown
from extramaze.core.errors import InputError
from extramaze.core.paths import real
from extramaze.models.contract import IterativeSolver, card_of
from extramaze.models.foreign.imports import reachable
from extramaze.models.foreign.libraries import OURS, is_installed
from extramaze.models.foreign.modules import World, world_of_frame
from extramaze.models.foreign.opened import Opened, watching
from extramaze.models.foreign.state import say_once, unchanged
from extramaze.models.weight_files import holds_exactly, state_sha256

MOST_NAMED = 10  # files that are not covered
_REMEMBERED: dict[str, dict[Path, None]] = {}  # of an installed package's target: Python imports it once in a process


@dataclass(frozen=True)
class Root:
    """A folder (or a single file) whose files are a solver's own. base: what their names are relative to."""

    place: Path
    base: Path


@dataclass(eq=False)
class Origin:
    """One load of foreign code.

    who: what to call it in a message. roots: where its own files lie. world: its modules; None for an installed
    package's, which are Python's. files: the covered ones by name, with their sha256. paths: where those lie.
    uncovered: those that are not. opened: what its code opens as it runs.
    """

    who: str
    roots: tuple[Root, ...]
    world: World | None = None
    package: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    uncovered: set[Path] = field(default_factory=set)
    opened: Opened = field(init=False)

    def __post_init__(self) -> None:
        self.opened = Opened(self._runs, lambda path: self.name_of(path) is not None)
        self._known = set(sys.modules)
        self._stamps: dict[str, tuple[int, int]] = {}

    def __deepcopy__(self, memo: Any) -> "Origin":
        return self

    def __reduce__(self) -> Any:
        return type(None), ()  # a pickled solver goes where these files are not

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run its code: with its own modules, watched, and with the process as it was afterwards.

        Raises InputError where a covered file turns out to have changed since it was loaded.
        """
        with ExitStack() as around:
            if self.world is not None:
                around.enter_context(self.world.active())
            around.enter_context(unchanged(self.who))
            around.enter_context(watching(self.opened))
            if self.world is not None:
                around.callback(self.world.keep_path)
            yield
        if self.files:
            self._look_at_what_came_later()

    def settle(self, solver: IterativeSolver, main: Mapping[str, Path]) -> None:
        """State the covered files, once the solver is loaded.

        main: the file that was named, by its module's plain name. A file that holds the solver's weights and nothing
        else is no part of its code: they have a digest of their own.
        """
        found = dict.fromkeys([*self._sources(main), *self._read(str(sorted(main)))])
        digests = (card_of(solver).weights_sha256, state_sha256(solver.state_dict()))
        weights = [digest for digest in digests if digest is not None]
        for path in found:
            name = self.name_of(path)
            if name is None:
                self._not_covered(path)
            elif path.is_file() and not holds_exactly(path, weights):
                self.paths[name], self._stamps[name] = path, _stamp(path)
                self.files[name] = self._executed().get(str(path)) or sha256(path.read_bytes()).hexdigest()
        self.files |= _class_file(type(solver), self)
        self.opened.read.clear()

    def name_of(self, path: Path) -> str | None:
        """Return a file's name below the solver's folder; None where it lies elsewhere or in a hidden folder."""
        for place in (path, real(path)):
            for root in self.roots:
                if place.is_relative_to(root.place):
                    name = place.relative_to(root.base)
                    hidden = any(part.startswith(".") for part in name.parts[:-1])
                    library = is_installed(path) and not is_installed(root.place)
                    return None if hidden or library else shown(name.as_posix())
        return None

    def _runs(self, frame: FrameType) -> bool:
        if self.world is not None:
            return world_of_frame(frame) is self.world
        return str(frame.f_globals.get("__name__")).partition(".")[0] == self.package

    def _executed(self) -> dict[str, str]:
        return {} if self.world is None else self.world.digests

    def _modules(self) -> dict[str, Any]:
        if self.world is not None:
            return self.world.plain_names()
        inside = f"{self.package}."
        return {n: m for n, m in list(sys.modules.items()) if n == self.package or n.startswith(inside)}

    def _sources(self, main: Mapping[str, Path]) -> list[Path]:
        """Return the files of its modules, and those that these would import later."""
        modules = {n: Path(m.__file__) for n, m in self._modules().items() if getattr(m, "__file__", None)}
        if self.world is not None:
            return [*map(Path, self.world.digests), *sorted(reachable(modules, self.world.folders, self.world.holds))]
        (name,) = main
        packages = {n: path for n, path in modules.items() if name == n or name.startswith(f"{n}.")}
        folders = [str(root.base) for root in self.roots]
        return sorted(reachable(packages, folders, lambda top: top == self.package))

    def _read(self, key: str) -> list[Path]:
        read = [path for path in self.opened.read if path not in self.opened.written]
        for path in self.opened.written & self.opened.read.keys():
            self._not_covered(path, " (it is written, too)")
        if self.world is not None:
            return read
        remembered = _REMEMBERED.setdefault(key, {})
        new = [module.__file__ for name, module in self._modules().items() if name not in self._known]
        remembered |= dict.fromkeys([*map(Path, filter(None, new)), *read])
        return list(remembered)

    def _look_at_what_came_later(self) -> None:
        executed = self._executed()
        for path in dict.fromkeys([*map(Path, executed), *self.opened.read]):
            if self.name_of(path) not in self.files:
                self._not_covered(path)
        again = [name for path in self.opened.read if (name := self.name_of(path)) in self.paths]
        self.opened.read.clear()
        changed = [name for name in again if self._was_rewritten(name)]
        changed += [n for n, path in self.paths.items() if executed.get(str(path), self.files[n]) != self.files[n]]
        if changed:
            raise InputError(f"{self.who}: {changed[0]} changed since the solver was loaded; start again")

    def _was_rewritten(self, name: str) -> bool:
        """Whether a covered file holds something else now; it is read only where its time or size differ."""
        try:
            if _stamp(self.paths[name]) == self._stamps[name]:
                return False
            return sha256(self.paths[name].read_bytes()).hexdigest() != self.files[name]
        except OSError:
            return True

    def _not_covered(self, path: Path, why: str = "") -> None:
        if not path.is_file() or path in self.uncovered:
            return
        self.uncovered.add(path)
        if len(self.uncovered) <= MOST_NAMED:
            say_once(self.who, f"not covered: {shown(path)}{why}; a change of it goes unnoticed")
        else:
            say_once(self.who, "not covered: more files than these; a change of any goes unnoticed")


def covered_files(solver: IterativeSolver) -> dict[str, str]:
    """Return the sha256 of every file that a solver's code is made of, by name; none for extramaze's own.

    Of a solver that was not loaded but made by the caller: of its class's file and what that imports beside it.
    """
    if solver.origin is not None:
        return dict(sorted(solver.origin.files.items()))
    kind = type(solver)
    if kind.__module__.partition(".")[0] == OURS:
        return {}
    try:
        path = Path(inspect.getfile(kind)).absolute()
    except (OSError, TypeError):  # typed into an interpreter: there is no file
        return {}
    if not path.is_file():
        return {}
    module = path.stem if "." not in kind.__module__ else kind.__module__
    base = path.parents[module.count(".")] if path.stem != "__init__" else path.parents[module.count(".") + 1]
    root = Root(base / module.partition(".")[0], base) if "." in module else Root(base, base)
    found = reachable({module: path}, [str(base)], lambda top: not is_installed(base) and top != OURS)
    names = {found_path: Origin("", (root,)).name_of(found_path) for found_path in {path, *found}}
    return {
        name: sha256(place.read_bytes()).hexdigest()
        for place, name in sorted(names.items(), key=lambda pair: str(pair[1]))
        if name is not None
    }


def files_sha256(files: Mapping[str, str]) -> str | None:
    """Hash the digests of files by name, as the lines that sha256sum prints; of a single one it is its own."""
    if len(files) <= 1:
        return next(iter(files.values()), None)
    return sha256("".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()).hexdigest()


@contextmanager
def unchanged_by(solver: IterativeSolver) -> Iterator[None]:
    """Run a solver's code, and leave the process as it was; extramaze's own changes nothing."""
    if solver.origin is not None:
        with solver.origin.running():
            yield
    elif type(solver).__module__.partition(".")[0] != OURS:
        with unchanged(f"solver {type(solver).__name__}"):
            yield
    else:
        yield


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _class_file(kind: type, origin: Origin) -> dict[str, str]:
    """Return the digest of a class that lies elsewhere, by its module: who makes it decides what it does."""
    if kind.__module__.partition(".")[0] == OURS:
        return {}
    with suppress(OSError, TypeError):
        path = Path(inspect.getfile(kind))
        if origin.name_of(path.absolute()) is None:
            return {f"module {kind.__module__}": sha256(path.read_bytes()).hexdigest()}
    return {}
