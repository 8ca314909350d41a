"""What all tests share: options, and what is skipped where there is no GPU."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

ROOT = Path(__file__).parent.parent
settings.register_profile("tests", deadline=None, derandomize=True)  # the same cases everywhere, however slow
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the zoo of maps be as large as one has time for, and a fresh one: ``--zoo 100 --zoo-seed 7``."""
    parser.addoption("--zoo", type=int, default=2, help="maps of each kind in the zoo of known limits")
    parser.addoption("--zoo-seed", type=int, default=0, help="of the maps; thresholds were chosen on seed 0")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use up to four processes, and one where speed is measured or few tests are asked for by name."""
    asked = [argument for argument in config.invocation_params.args if "::" in argument or "speed" in argument]
    return 0 if asked or config.option.keyword else min(4, os.cpu_count() or 1)


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
