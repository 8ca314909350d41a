"""What all tests share: options, and what is skipped where there is no GPU."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

ROOT = Path(__file__).parent.parent
torch.set_num_threads(1)  # also where a plugin loaded it before tests/__init__.py could speak
settings.register_profile("tests", deadline=None, derandomize=True)  # the same cases everywhere, however slow
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the zoo of maps be as large as one has time for, and a fresh one: ``--zoo 100 --zoo-seed 7``."""
    parser.addoption("--zoo", type=int, default=1, help="maps of each kind in the zoo of known limits")
    parser.addoption("--zoo-seed", type=int, default=0, help="of the maps; thresholds were chosen on seed 0")
    parser.addoption("--slow", action="store_true", help="run also the tests marked slow")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use up to four processes, and one where speed is measured or few tests are asked for by name."""
    asked = [argument for argument in config.invocation_params.args if "::" in argument or "speed" in argument]
    return 0 if asked or config.option.keyword else min(4, os.cpu_count() or 1)


def pytest_xdist_setupnodes() -> None:
    """Compile what nearly every worker needs once, before several of them would at the same time."""
    from extramaze.mazes import MazeSpec, describe, generate, raster
    from extramaze.scoring import score

    mazes = generate(MazeSpec(3), 1)
    images, targets = raster(mazes)
    describe(mazes), score(images, targets, targets)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is slow and not asked for; skip what needs a GPU where there is none."""
    if not _slow_is_asked_for(config):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("slow")])
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="no CUDA device"))


def _slow_is_asked_for(config: pytest.Config) -> bool:
    """Whether slow tests run: with ``--slow``, ``-m`` that speaks of them, ``-k``, or a test's name after ``::``."""
    by_name = config.option.keyword or any("::" in argument for argument in config.args)
    return bool(config.option.slow or by_name or "slow" in config.option.markexpr)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT
