"""A suite that takes a second, and records made with it."""

import pytest

from extramaze.evaluation import evaluate
from extramaze.models import load

TINY = """
name: tiny-v1
scale: 1
split: test
iterations: [2, 5, 20]
cells:
  - {name: easy, axis: in-distribution, spec: size=5, count: 40}
  - {name: cycles, axis: cycles, spec: "size=9,percolation=0.2", count: 70}
  - {name: large, axis: size, spec: size=13, count: 33}
limits: {burn_in: 20, window: 10, count: 6, cells: [cycles, large]}
"""


@pytest.fixture
def tiny_suite(tmp_path):
    """The path of a small suite."""
    path = tmp_path / "tiny-v1.yaml"
    path.write_text(TINY)
    return str(path)


@pytest.fixture(scope="session")
def tiny_records(tmp_path_factory):
    """Records of two seeds of DT-Net and of an algorithm on the small suite."""
    path = tmp_path_factory.mktemp("suite") / "tiny-v1.yaml"
    path.write_text(TINY)
    names = ("dt-net-thin@0", "dt-net-thin@1", "dead-end-filling")
    return {name: evaluate(load(name), str(path), "cpu", quiet=True) for name in names}
