"""Paths as the system has them."""

import os
from pathlib import Path


def real(path: str | Path) -> Path:
    """Return where a path leads, links followed as far as they do. Never fails: ``Path.resolve`` may on a circle."""
    return Path(os.path.realpath(path))
