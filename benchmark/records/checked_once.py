"""Which records were checked before: known by the content of all their files, and by all that checks it."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy
import polars
import pydantic

from extramaze.core.remembered import key_of

CHECKED_BY = ("extramaze", "extramaze.mazes")  # packages whose sources are the version of the checks


def record_key(contents: Mapping[str, bytes]) -> str:
    """Return under which name it is remembered that a record was found sound. contents: of its files, by name."""
    return key_of([version_of_checks(), *(f"{name} {_sha256(contents[name])}" for name in sorted(contents))])


@cache
def version_of_checks() -> str:
    """Hash the sources of what reads and checks records; with it, the versions of what it reads them with."""
    libraries = [f"{library.__name__} {library.__version__}" for library in (numpy, polars, pydantic)]
    sources = sorted(path for name in CHECKED_BY for path in _sources(name))
    return key_of([*libraries, *(_sha256(path.read_bytes()) for path in sources)])


def _sources(package: str) -> list[Path]:
    spec = find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return [path for folder in folders for path in Path(folder).rglob("*.py")]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
