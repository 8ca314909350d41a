"""Compiled functions: Numba's ``njit``, kept on disk outside the package and never older than its sources."""

import hashlib
import os
import shutil
from functools import cache, partial
from pathlib import Path
from typing import Any

import numba

SOURCES = Path(__file__).parent


def compiled(function: Any = None, /, **options: Any) -> Any:
    """Compile a function on its first call, free of the interpreter's lock; later processes read what was compiled.

    ``@compiled``, or ``@compiled(parallel=True)`` with any option of ``numba.njit``. Every process compiles anew where
    nothing can be written.
    """
    if function is None:
        return partial(compiled, **options)
    folder, given = folder_of_kernels(), numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = str(folder or given)  # type: ignore[attr-defined]
    try:
        return numba.njit(nogil=True, cache=folder is not None, **options)(function)
    finally:
        numba.config.CACHE_DIR = given  # type: ignore[attr-defined]


@cache
def folder_of_kernels() -> Path | None:
    """Return where kernels are kept, or None where nothing can be written.

    Under ``$NUMBA_CACHE_DIR``, ``$XDG_CACHE_HOME`` or ``~/.cache``, by installation and by the state of its sources:
    Numba compares a kernel's own file alone, and would go on with what an edited callee once was. Not in the package:
    pip leaves behind there what it did not install.
    """
    set_by_user = numba.config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME")  # type: ignore[attr-defined]
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(SOURCES.rglob("*.py"))))
    installation = hashlib.sha256(os.fsencode(SOURCES))
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
