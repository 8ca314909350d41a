"""What is no solver's own: Python's modules, those of installed packages, and extramaze's."""

import sysconfig
from functools import cache
from pathlib import Path
from types import ModuleType

OURS = "extramaze"
APART = "extramaze_plugin_"  # how names of modules that are kept apart begin


@cache
def library_folders() -> tuple[Path, ...]:
    """Return where Python and its installed packages lie."""
    return tuple({Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")})


def is_installed(path: str | Path) -> bool:
    """Whether a file or folder is Python's own, or of an installed package."""
    place = Path(path)
    if {"site-packages", "dist-packages"} & set(place.parts):
        return True
    return any(place.is_relative_to(folder) for folder in library_folders())


def is_library(module: ModuleType | None) -> bool:
    """Whether a module is built in, Python's own, or of an installed package."""
    if module is None or module.__name__.startswith(APART):
        return False
    origin = getattr(module, "__file__", None)
    if origin is not None:
        return is_installed(origin)
    places = list(getattr(module, "__path__", ()))
    return all(is_installed(place) for place in places)
