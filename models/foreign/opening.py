"""Open ``file.py`` or ``package.module``: decide whose modules they are, and where the solver's own files lie."""

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

from extramaze.core.paths import real
from extramaze.models.contract import IterativeSolver
from extramaze.models.foreign.libraries import OURS, is_installed, is_library
from extramaze.models.foreign.modules import World, find_spec
from extramaze.models.foreign.origin import Origin, Root


@dataclass(frozen=True, eq=False)
class Foreign:
    """Foreign code about to be run. run: executes it and returns its module. main: the module's plain name."""

    origin: Origin
    run: Callable[[], ModuleType]
    main: str

    @property
    def ours(self) -> bool:
        """Whether it is extramaze's own after all."""
        return self.origin.package == OURS

    def settle(self, solver: IterativeSolver, module: ModuleType) -> None:
        """Give a solver that was just made its origin, with the files that were loaded."""
        if self.ours:
            return
        within = solver.origin  # of a solver that the factory itself loaded
        solver.origin = self.origin
        self.origin.settle(solver, {self.main: Path(module.__file__ or "")})
        if within is not None:
            self.origin.files |= {f"loaded/{name}": digest for name, digest in within.files.items()}

    def forget(self) -> None:
        """Drop the modules of what could not be loaded."""
        if self.origin.world is not None:
            self.origin.world.forget()

    def plain(self, text: str) -> str:
        """Return a message without the name under which modules are kept."""
        return text if self.origin.world is None else text.replace(f"{self.origin.world.name}.", "")


def open_foreign(source: str, who: str, folder: Path | None = None) -> Foreign:
    """Open the source of a factory: a file that is there, or a module. Nothing is run yet.

    folder: where the module lies; by default Python says it.
    """
    if source.endswith(".py"):
        return _open_file(Path(source), who)
    top = source.partition(".")[0]
    folder = folder or _own_folder(top)
    if folder is None:
        return Foreign(Origin(who, _package_roots(top), package=top), lambda: importlib.import_module(source), source)
    world = World(source, folder)
    spec = find_spec(top, [str(folder)])
    places = (spec.submodule_search_locations if spec else None) or []
    roots = tuple(Root(Path(place), Path(place).parent) for place in places) or (Root(folder, folder),)
    return Foreign(Origin(who, roots, world, top), lambda: world.import_module(source), source)


def _open_file(path: Path, who: str) -> Foreign:
    named, found = path.absolute().parent, real(path).parent
    world = World(path.stem, found)
    roots = tuple(Root(folder, folder) for folder in dict.fromkeys((named, found)))
    return Foreign(Origin(who, roots, world), lambda: world.run_file(path.absolute()), path.stem)


def _own_folder(top: str) -> Path | None:
    """Return the folder in which a module's first name is looked up, where it is no installed package's."""
    if top == OURS or is_library(sys.modules.get(top)):
        return None
    for entry in (os.curdir, *sys.path):
        folder = Path(entry).absolute()
        spec = find_spec(top, [str(folder)])
        if spec is not None and (spec.loader is not None or entry == os.curdir):
            return None if is_installed(folder) or top in packages_distributions() else folder
    return None


def _package_roots(top: str) -> tuple[Root, ...]:
    """Return the folders of an installed package, or the file of a module that lies in none; imports nothing."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # one that was put into sys.modules by hand has none
        return ()
    if spec is None:
        return ()
    files = [Path(spec.origin)] if spec.has_location and spec.origin else []
    places = [Path(place) for place in spec.submodule_search_locations or ()] or files
    return tuple(Root(place, place.parent) for place in places)
