"""Compiled kernels are cached by content: a changed kernel is compiled anew even where only another file calls it."""

import hashlib
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

_SOURCES = [*sorted((ROOT / "mazes").rglob("*.py")), ROOT / "benchmark" / "scoring.py"]
_CONTENT = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()[:16]
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"extramaze-kernels-{_CONTENT}"))

import pytest  # noqa: E402
import torch  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the zoo of maps be as large as one has time for: ``pytest tests/benchmark/dynamics --zoo 100``."""
    parser.addoption("--zoo", type=int, default=2, help="maps of each kind in the zoo of known limits")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a GPU where there is none."""
    if torch.cuda.is_available():
        return
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT
