"""Compiled functions: Numba's ``njit``, kept on disk outside the package and never older than its sources.

Importing a module with compiled functions neither looks for that place nor makes it: the first call of one does.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CALLED = "extramaze.mazes"  # the package whose functions compiled ones of other packages call


def compiled(function: Any = None, /, **options: Any) -> Any:
    """Compile a function on its first call, free of the interpreter's lock; later processes read what was compiled.

    ``@compiled``, or ``@compiled(parallel=True)`` with any option of ``numba.njit``. Every process compiles anew where
    nothing can be written.
    """
    import numba

    if function is None:
        return partial(compiled, **options)
    dispatcher = numba.njit(nogil=True, **options)(function)
    dispatcher._cache = KernelCache(function)  # what ``cache=True`` sets, and makes folders for, at once
    return dispatcher


class KernelCache:
    """What Numba keeps compiled functions in, of one function, found when it is first needed."""

    def __init__(self, function: Callable) -> None:
        self.function = function
        self._found: Any = None

    def __getattr__(self, name: str) -> Any:
        """Pass on what Numba asks of its own caches: to load, save and flush what was compiled."""
        if self._found is None:
            self._found = _cache_of(self.function)
        return getattr(self._found, name)


def _cache_of(function: Callable) -> Any:
    """Return Numba's cache of a function, in the folder of kernels, or the one that keeps nothing."""
    from numba import config
    from numba.core.caching import FunctionCache, NullCache

    folder, given = folder_of_kernels(), config.CACHE_DIR  # type: ignore[attr-defined]
    if folder is None:
        return NullCache()
    config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    try:
        return FunctionCache(function)  # type: ignore[no-untyped-call]
    finally:
        config.CACHE_DIR = given  # type: ignore[attr-defined]


@cache
def folder_of_kernels() -> Path | None:
    """Return where kernels are kept, made where it is missing, or None where nothing can be written.

    Under ``$NUMBA_CACHE_DIR``, ``$XDG_CACHE_HOME`` or ``~/.cache``, by installation and by the state of its sources:
    Numba compares a kernel's own file alone, and would go on with what an edited callee once was. Not in the package:
    pip leaves behind there what it did not install.
    """
    set_by_user = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    sources = _sources()
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    installation = hashlib.sha256(os.fsencode(sources[0].parent))
    try:
        base = Path(set_by_user) if set_by_user else Path.home() / ".cache"
        home = base / "extramaze" / installation.hexdigest()[:16]
        folder = home / state.hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        for other in home.iterdir():
            if other != folder:  # of sources that are no more
                shutil.rmtree(other, ignore_errors=True)
        return folder if os.access(folder, os.W_OK) else None
    except (OSError, RuntimeError):
        return None


def _sources() -> list[Path]:
    """List the files that a compiled function's callees may be in, in order."""
    spec = find_spec(CALLED)
    folders: Iterable[str] = (spec.submodule_search_locations if spec else None) or ()
    return sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
