"""Modules of foreign code, each solver's apart from any other's.

Two solvers may both have a ``helper.py``, and Python knows one module of a name. What lies in a solver's folder is
therefore imported below a package that is made for that load alone: its ``import helper`` finds
``extramaze_plugin_solver_0123456789ab_1.helper``, whenever it happens, in a step made much later too.
``sys.modules`` keeps it under that name, where pickle and inspect look; under its plain name it is there while the
solver's code runs.
Sources are compiled each time: bytecode beside them is neither believed nor left there, where it would be submitted.
"""

import builtins
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.abc import Loader
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from itertools import count
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from extramaze.models.foreign.libraries import APART, OURS, is_installed, is_library

_NUMBERS = count(1)
_WORLDS: dict[str, "World"] = {}  # by the name of their package
_ACTIVE: list["World"] = []  # whose code is running, innermost last


class World:
    """The modules of one loaded solver. They lie in the folders that its package ``name`` is looked for in.

    digests: sha256 of every source that was executed, by path, as it was then.
    """

    def __init__(self, label: str, folder: Path) -> None:
        label = "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in label)
        self.name = f"{APART}{label}_{sha256(bytes(folder)).hexdigest()[:12]}_{next(_NUMBERS)}"
        self.digests: dict[str, str] = {}
        self.builtins = {**vars(builtins), "__import__": self._import}
        self._importlib = _Importlib(self)
        self._path_before: set[str] = set()
        self._package = ModuleType(self.name)
        self._package.__path__ = [str(folder)]
        sys.modules[self.name] = self._package
        _WORLDS[self.name] = self

    @property
    def folders(self) -> list[str]:
        """Where its modules are looked for: the solver's folder, and what its code has added to ``sys.path``."""
        if self in _ACTIVE:
            self.keep_path()
        return self._package.__path__  # type: ignore[return-value]

    def keep_path(self) -> None:
        """Remember what its code, which is running, has added to ``sys.path``: later imports rely on it."""
        folders: list[str] = self._package.__path__  # type: ignore[assignment]
        added = [str(Path(entry).absolute()) for entry in sys.path or () if entry not in self._path_before]
        folders += dict.fromkeys(entry for entry in added if entry not in folders and not is_installed(entry))

    def forget(self) -> None:
        """Drop its modules: of a solver that could not be loaded."""
        _WORLDS.pop(self.name, None)
        for name in [self.name, *self._inside()]:
            sys.modules.pop(name, None)

    def run_file(self, path: Path) -> ModuleType:
        """Execute a file as a module of this world, which others of it import by the file's name."""
        name = f"{self.name}.{path.stem if path.stem.isidentifier() else '_'.join(path.stem.split('.'))}"
        spec = ModuleSpec(name, _Source(name, str(path)), origin=str(path))
        spec.has_location = True  # gives the module its __file__
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)  # type: ignore[union-attr]
        return module

    def import_module(self, name: str) -> ModuleType:
        """Import a module of this world by its plain name."""
        return importlib.import_module(f"{self.name}.{name}")

    def plain_names(self) -> dict[str, ModuleType]:
        """Return its modules so far, by their plain names."""
        return {name.removeprefix(f"{self.name}."): sys.modules[name] for name in self._inside()}

    def holds(self, top: str) -> bool:
        """Whether a first name of a dotted one is this world's: not where a library of that name is there already.

        A plain folder, as Python has it, is a package only where no real one of its name is installed.
        """
        if top == OURS or is_library(sys.modules.get(top)):
            return False
        if f"{self.name}.{top}" in sys.modules:
            return True
        spec = find_spec(top, self.folders)
        if spec is None or spec.loader is not None:
            return spec is not None
        elsewhere = PathFinder.find_spec(top)
        return elsewhere is None or elsewhere.loader is None

    @contextmanager
    def active(self) -> Iterator[None]:
        """While its code runs: its folders are on ``sys.path``, its modules known by their plain names too.

        C code that imports by name, pickle's for one, needs both.
        """
        displaced: dict[str, ModuleType | None] = {}
        path = sys.path, list(sys.path)
        sys.path[:0] = self.folders
        self._path_before = set(sys.path)
        for name, module in self.plain_names().items():
            if name != OURS and not is_library(sys.modules.get(name.partition(".")[0])):
                displaced[name] = sys.modules.get(name)
                sys.modules[name] = module
        _ACTIVE.append(self)
        try:
            yield
        finally:
            _ACTIVE.remove(self)
            sys.path = path[0]
            sys.path[:] = path[1]
            for name, module in self.plain_names().items():
                if sys.modules.get(name) is module:
                    del sys.modules[name]
            sys.modules.update({name: module for name, module in displaced.items() if module is not None})

    def _inside(self) -> list[str]:
        return [name for name in list(sys.modules) if name.startswith(f"{self.name}.")]

    def _import(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] | None = (), level: int = 0
    ) -> Any:
        """What ``import`` means in its modules (PEP 302's ``__import__``, which Python looks up in each module)."""
        top = name.partition(".")[0]
        if level or not self.holds(top):
            module = builtins.__import__(name, globals, locals, fromlist or (), level)
            return self._importlib if module is importlib else module
        found = builtins.__import__(f"{self.name}.{name}", globals, locals, fromlist or (), 0)
        if self in _ACTIVE:
            sys.modules.setdefault(name, sys.modules[f"{self.name}.{name}"])  # C code looks for it there
        return found if fromlist else sys.modules[f"{self.name}.{top}"]


class _Importlib(ModuleType):
    """What a world's modules get as ``importlib``: the same, but that ``import_module`` finds their own."""

    def __init__(self, world: World) -> None:
        super().__init__("importlib", importlib.__doc__)
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib, name)

    def import_module(self, name: str, package: str | None = None) -> ModuleType:
        """Import a module by its name, as ``importlib.import_module`` does."""
        inside = not name.startswith(".") and self._world.holds(name.partition(".")[0])
        return self._world.import_module(name) if inside else importlib.import_module(name, package)


class _Hooked:
    """What loaders of a world's modules share: Python looks up ``import`` in the module's builtins."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _world_of(module.__name__).builtins
        super().exec_module(module)  # type: ignore[misc]


class _Source(_Hooked, SourceFileLoader):  # type: ignore[misc]
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        content = self.get_data(path)
        _world_of(fullname).digests[path] = sha256(content).hexdigest()
        return self.source_to_code(content, path)


class _Sourceless(_Hooked, SourcelessFileLoader): ...


_LOADERS: tuple[tuple[Any, list[str]], ...] = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (_Source, SOURCE_SUFFIXES),
    (_Sourceless, BYTECODE_SUFFIXES),
)


class _Alias(Loader):
    """Gives a world's module out under its plain name, to whatever imports by name while the world's code runs."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = self._world.import_module(spec.name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


class _Finder:
    """Finds modules of worlds, by their own names or, where a world's code asks, by their plain ones."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG004
        top = name.partition(".")[0]
        if top in _WORLDS:
            return find_spec(name, _WORLDS[top].folders if name.count(".") == 1 else path or ())
        world = _calling() if _WORLDS else None
        return ModuleSpec(name, _Alias(world)) if world is not None and world.holds(top) else None


sys.meta_path.insert(0, _Finder)  # finds nothing before a world is made


def find_spec(name: str, folders: Sequence[str]) -> ModuleSpec | None:
    """Find a module, or a plain folder as a package without a file, in some folders; nothing is remembered."""
    portions: list[str] = []
    for folder in folders:
        spec = FileFinder(folder, *_LOADERS).find_spec(name)
        if spec is not None and spec.loader is not None:
            return spec
        portions += [] if spec is None else spec.submodule_search_locations or []
    if not portions:
        return None
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = portions
    return spec


def world_of_frame(frame: FrameType | None) -> World | None:
    """Return the world whose code a frame runs, None for any other code."""
    importer = None if frame is None else frame.f_builtins.get("__import__")
    return getattr(importer, "__self__", None) if getattr(importer, "__func__", None) is World._import else None


def _calling() -> World | None:
    """Return the world whose code is running: the nearest on the stack, else the one that was made active."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        world = world_of_frame(frame)
        if world is not None:
            return world
        frame = frame.f_back
    return _ACTIVE[-1] if _ACTIVE else None


def _world_of(name: str) -> World:
    return _WORLDS[name.partition(".")[0]]
