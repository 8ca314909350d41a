"""A suite that takes a second, and records made with it."""

import json
import shutil
from pathlib import Path

import pytest

from extramaze.core.sealed import content_sha256
from extramaze.evaluation.evaluate import evaluate
from extramaze.models import load
from extramaze.schema.card import read_statement
from extramaze.submission.submit import submit
from extramaze.suites import load_suite

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


SMALL = """
name: small-v1
scale: 1
split: test
iterations: [2, 10]
cells:
  - {name: easy, axis: in-distribution, spec: size=5, count: 20}
  - {name: cycles, axis: cycles, spec: "size=13,percolation=0.1", count: 40}
limits: {burn_in: 10, window: 8, count: 4, cells: [easy]}
"""
# A submission as people make them, with weights that somebody trained.
SOLVER = """
from pathlib import Path
from extramaze.models import SolverCard, read_weights
from extramaze.models.dt_net import DTNet

def make():
    solver = DTNet(width=32, blocks=2)
    read_weights(solver, Path(__file__).with_name("weights.safetensors"))
    solver.card = SolverCard(name="borrowed@0", recipe="borrowed", seed=0, scale=1)
    return solver
"""
CARD = """
authors: [A. Person, Ö. Other]
paper: none
license: MIT
training: {specs: ["size=9,start=deadend"], split: train, mazes: 256000}
external_data: none
"""


@pytest.fixture(scope="session")
def workshop(root, tmp_path_factory):
    """Where somebody has a solver, its weights, a card and a suite."""
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "solver.py").write_text(SOLVER)
    (folder / "card.yaml").write_text(CARD)
    (folder / "small-v1.yaml").write_text(SMALL)
    shutil.copy(root / "models" / "weights" / "dt-net-thin" / "0" / "weights.safetensors", folder)
    return folder


@pytest.fixture(scope="session")
def submitted(workshop):
    """The folder of a submission, which nobody changes."""
    statement, suite = read_statement(workshop / "card.yaml"), load_suite(str(workshop / "small-v1.yaml"))
    target = f"{workshop / 'solver.py'}:make"
    return submit(target, statement, suite, workshop / "submissions" / "borrowed@0", "cpu", quiet=True)[0]


@pytest.fixture
def submission(submitted, tmp_path):
    """A copy of a submission, to be changed."""
    return Path(shutil.copytree(submitted, tmp_path / "submission"))


@pytest.fixture
def suite(workshop):
    return load_suite(str(workshop / "small-v1.yaml"))


@pytest.fixture
def statement(workshop):
    return read_statement(workshop / "card.yaml")


def rewrite_card(folder, change):
    """Change a card's content and state its digest anew, as a forger would."""
    content = json.loads((folder / "card.json").read_text())
    change(content)
    content["sha256"] = content_sha256(content)
    (folder / "card.json").write_text(json.dumps(content, indent=1) + "\n")
