"""The GPU's path without a GPU: everything keeps the devices apart, and the CPU's numbers come out."""

import numpy as np
import pytest
import torch
import yaml

from extramaze.evaluation.evaluate import evaluate
from extramaze.models import load
from extramaze.models.shipped import recipe_names
from extramaze.models.training.recipe import recipe_text
from extramaze.models.training.train import train
from extramaze.quickstart import quickstart
from extramaze.schema.plan import make_part
from extramaze.suites import load_suite
from extramaze.verification.noise import noise_floor
from extramaze.verification.verify import verify
from tests.models.test_distributed import EQUILIBRIUM
from tests.pretended_gpu import GPU, NAME, OnGPU, pretended_gpu

pytestmark = pytest.mark.numeric

SOLVERS = [
    *("dt-net-thin@0", "dt-net-no-recall-thin@0", "it-net-thin@0", "pi-net-thin@0", "dt-l-kernel-thin@0"),
    *("ff-net-thin@0", "plain-cnn-thin@0", "wavefront", "dead-end-filling", "wall-follower"),
]
PURSUED = """
name: pursued-v1
scale: 1
split: test
iterations: [2, 5]
cells:
  - {name: easy, axis: in-distribution, spec: size=5, count: 6}
  - {name: large, axis: size, spec: size=9, count: 4}
limits: {burn_in: 10, window: 8, count: 2, pursuit: 20, cells: [easy]}
"""


@pytest.fixture
def suite(tmp_path):
    """A suite that pursues what its window leaves open."""
    path = tmp_path / "pursued-v1.yaml"
    path.write_text(PURSUED)
    return str(path)


@pytest.fixture
def gpu():
    """A pretended GPU."""
    with pretended_gpu():
        yield


MISTAKES = {
    "both devices": lambda x: x + torch.ones(3),
    "written into the CPU's": lambda x: torch.ones(3).add_(x),
    "an index of the GPU's": lambda x: torch.ones(3)[x.long()],
    "NumPy": lambda x: x.numpy(),
    "NumPy, asked for": lambda x: np.asarray(x),
    "a CPU's generator": lambda x: torch.randn(3, device=x.device, generator=torch.Generator()),
    "weights left behind": lambda x: torch.nn.Linear(3, 3)(x),
    "an input left behind": lambda x: torch.nn.Linear(3, 3).to(x.device)(torch.ones(3)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cuda_refuses_is_refused(mistake, gpu):
    """Or the tests below would show nothing."""
    with pytest.raises((RuntimeError, TypeError)):
        MISTAKES[mistake](torch.ones(3, device="cuda"))


def test_tensors_say_where_they_lie(gpu):
    """Made there, moved there and back, computed there, copied between."""
    there = torch.arange(3.0).to("cuda")
    here = there.cpu()
    for each in (there, there + 1, there[1:], there.double(), torch.zeros_like(there), torch.zeros(2, device=GPU)):
        assert isinstance(each, OnGPU)
        assert (each.device, each.is_cuda) == (GPU, True)
    assert not isinstance(here, OnGPU)
    assert here.device.type == "cpu"
    here[0] = 7
    assert there[0] == 0
    there.copy_(here)
    assert there.tolist() == [7, 1, 2]


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_is_evaluated(name, suite):
    """Scores, limits, pursuit, Betti numbers and path independence of each kind of solver."""
    with pretended_gpu():
        found = evaluate(load(name), suite, "cuda", quiet=True)
    expected = evaluate(load(name), suite, "cpu", quiet=True)
    assert found.summary.plan.device == NAME
    assert found.summary.plan.iteration == "plain"
    assert [cell.rungs for cell in found.summary.cells] == [cell.rungs for cell in expected.summary.cells]
    assert [part.counts for part in found.summary.limits] == [part.counts for part in expected.summary.limits]


def test_ways_of_evaluating(suite, tmp_path, gpu):
    """Its own inference, TF32, float64, the noise floor, and running a record again."""
    ways = [{"tf32": True}, {"dtype": "float64"}]
    records = [evaluate(load("dt-net-thin@0"), suite, "cuda", quiet=True, **way) for way in ways]
    records.append(evaluate(load("pi-net-thin@0"), suite, "cuda", quiet=True, mode="own"))
    assert all(record.summary.cells[0].rungs[-1].optimal.right == 6 for record in records)
    noise = noise_floor(load("dt-net-thin@0"), load_suite(suite), "cuda", make_part(4, 1), quiet=True)
    assert all(cell.either == 0 for cell in noise)
    evaluate(load("dt-net-thin@0"), suite, "cuda", tmp_path / "row", quiet=True)
    assert verify(tmp_path / "row", quiet=True).disagree == 0


def shortened(name):
    """Return a shipped recipe, or one of this file, that trains for a moment."""
    recipe = yaml.safe_load(recipe_text(name) if name in recipe_names() else EQUILIBRIUM)
    training = recipe["training"]
    training |= {"steps": 6, "batch": 4, "warmup_steps": 2} | (
        {"backprop_steps": 2} if "backprop_steps" in training else {}
    )
    if name == "implicit":
        training["gradient"] = "implicit"
        del training["gradient_steps"]
    recipe["validation"] = {"every": 3, "count": 8, "final_count": 8, "iterations": 4}
    return yaml.safe_dump(recipe | {"name": f"{name}-shortened"})


@pytest.mark.parametrize(
    "name", ["dt-net-e2h", "it-net-thin", "pi-net-thin", "implicit", "dt-l-kernel-thin", "ff-net-thin"]
)
def test_every_gradient_is_trained_with(name, tmp_path, gpu):
    """Weights come out that can be loaded, and a second call returns what was trained."""
    path = tmp_path / "recipe.yaml"
    path.write_text(shortened(name))
    run = train(str(path), 0, tmp_path / "run", "cuda", quiet=True)
    assert run.machine == NAME
    assert train(str(path), 0, tmp_path / "run", "cuda", quiet=True) == run
    assert load(str(tmp_path / "run"))


def test_the_first_command(suite, tmp_path, gpu, monkeypatch):
    """The leaderboard and its picture, of a few mazes."""
    monkeypatch.setattr("extramaze.quickstart.SUITE", suite)
    monkeypatch.setattr("extramaze.quickstart.PART", make_part(4, 2))
    assert "wavefront" in quickstart(tmp_path, quiet=True)
    assert (tmp_path / "failures.png").exists()
