"""Training from Python, of several seeds, as a rehearsal, and shown on Weights & Biases."""

import importlib.util
import re
import sys
import types

import pytest
import torch

from extramaze.cli import run
from extramaze.core.errors import TrainingDiverged
from extramaze.mazes import InputError
from extramaze.models import load, train
from extramaze.models.dt_net import DTNet
from extramaze.models.training.train import read_seeds, train_seeds
from extramaze.models.training.trained import read_result
from tests.models.test_train import TINY, entries

pytestmark = pytest.mark.numeric

FEW = {
    "data": {"spec": "size=5"},
    "training": {"steps": 6, "batch": 8, "warmup_steps": 2, "max_iterations": 4, "gradient_steps": 2, "bf16": False},
    "validation": {"every": 3, "count": 8, "final_count": 8, "iterations": 4},
}


@pytest.fixture
def recipe(tmp_path):
    """A recipe that trains in a second."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


@pytest.fixture
def conv_gru(root, tmp_path, monkeypatch):
    """The example's class, in a module of one's own."""
    path = tmp_path / "my_gru.py"
    path.write_text((root / "examples" / "conv_gru.py").read_text())
    spec = importlib.util.spec_from_file_location("my_gru", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "my_gru", module)
    spec.loader.exec_module(module)
    return module.ConvGRU


def test_a_solver_is_trained_from_its_own_weights(conv_gru, tmp_path):
    """A solver begins as it is, holds what was trained afterwards, and its folder loads as the same network."""
    torch.manual_seed(5)
    solver = conv_gru(width=6)
    before = solver.head.weight.detach().clone()
    result = train(solver, tmp_path / "out", quiet=True, device="cpu", **FEW)
    loaded = load(tmp_path / "out")
    assert (result.recipe, result.init_from, loaded.width) == ("conv-gru", "ConvGRU", 6)
    assert torch.equal(loaded.head.weight, solver.head.weight)
    assert 0 < float((solver.head.weight - before).abs().max().detach()) < 0.1


def test_a_class_begins_with_the_seeds_weights(conv_gru, tmp_path):
    """A class and its arguments are a recipe: the same seed gives the same weights, and nothing is carried over."""
    digests = [
        train(conv_gru, tmp_path / str(i), quiet=True, device="cpu", arguments={"width": 5}, **FEW).weights_sha256
        for i in range(2)
    ]
    assert digests[0] == digests[1]
    own = train(DTNet, tmp_path / "own", quiet=True, device="cpu", name="mine", arguments={"width": 4}, **FEW)
    assert (own.recipe, own.code) == ("mine", {})


def test_a_recipe_is_trained_as_by_the_command(recipe, tmp_path):
    """Unchanged it gives the very weights; changed by a key it gives others, and the folder says by what."""
    train(recipe, tmp_path / "python", 2, device="cpu", quiet=True)
    command = ["train", "--recipe", recipe, "--seed", "2", "--out", str(tmp_path / "command"), "--device", "cpu"]
    assert run([*command, "--quiet"]) == 0
    one, two = (read_result(tmp_path / name) for name in ("python", "command"))
    assert one.weights_sha256 == two.weights_sha256
    changed = train(recipe, tmp_path / "changed", 2, device="cpu", quiet=True, training={"steps": 8})
    assert changed.steps == 8
    assert "steps: 8" in (tmp_path / "changed" / "recipe.yaml").read_text()


def test_what_cannot_be_trained_is_named(conv_gru, recipe, tmp_path):
    """A network whose arguments cannot be told, one that lies in no file, and other things are refused."""
    solver = conv_gru(width=6)
    solver.width = 7
    with pytest.raises(InputError, match=r"say with which arguments"):
        train(solver, tmp_path / "out", quiet=True, **FEW)
    typed = type("Typed", (DTNet,), {"__module__": "__main__"})
    with pytest.raises(InputError, match=r"lies in no file of its own"):
        train(typed, tmp_path / "out", quiet=True, arguments={"width": 4}, **FEW)
    with pytest.raises(InputError, match=r"expected a recipe"):
        train(torch.nn.Linear(2, 2), tmp_path / "out", quiet=True)
    with pytest.raises(InputError, match=r"arguments belong to a class"):
        train(recipe, tmp_path / "out", quiet=True, arguments={"width": 4})
    with pytest.raises(InputError, match=r"another recipe than the shipped dt-net-thin; give it a name"):
        train("dt-net-thin", tmp_path / "out", quiet=True, training={"steps": 3_000})
    assert not (tmp_path / "out").exists()


def test_several_seeds_go_into_folders_of_their_own(recipe, tmp_path, capsys):
    """Each seed is what it is by itself."""
    command = ["train", "--recipe", recipe, "--out", str(tmp_path / "out"), "--device", "cpu", "--quiet"]
    assert run([*command, "--seeds", "0-1"]) == 0
    assert capsys.readouterr().out.count("evaluate it") == 2
    alone = train(recipe, tmp_path / "alone", 1, device="cpu", quiet=True)
    assert read_result(tmp_path / "out" / "1").weights_sha256 == alone.weights_sha256


def test_a_seed_that_diverges_does_not_keep_others_from_training(recipe, tmp_path, monkeypatch):
    """The others are trained, and then its error is raised."""
    from extramaze.models.training import run as run_module

    plain = run_module.TrainingRun.backward

    def backward(self, step, batch):
        return (float("nan"), 1.0) if self.seed == 0 else plain(self, step, batch)

    monkeypatch.setattr(run_module.TrainingRun, "backward", backward)
    with pytest.raises(TrainingDiverged, match="seed 0"):
        train_seeds(recipe, [0, 1], tmp_path, device="cpu", quiet=True)
    assert read_result(tmp_path / "1").seed == 1


@pytest.mark.parametrize(("text", "seeds"), [("0-4", [0, 1, 2, 3, 4]), ("3", [3]), ("7,0-2", [0, 1, 2, 7])])
def test_seeds_are_read(text, seeds):
    """Ranges and single numbers, in order."""
    assert read_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "4-0", "0-300", "1,1", "a", "0--2", "-1"])
def test_other_seeds_are_refused(text):
    """What is no list of seeds, each once."""
    with pytest.raises(InputError, match=re.escape(repr(text))):
        read_seeds(text)


def test_a_rehearsal_keeps_nothing(recipe, tmp_path, capsys, monkeypatch):
    """Three steps, a validation and loading, and no file afterwards; what does not go with it is refused."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    command = ["train", "--recipe", recipe, "--fast-dev-run", "--device", "cpu", "--quiet"]
    assert run(command) == 0
    assert "3 steps" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before
    assert run([*command, "--seeds", "0-1"]) == 2
    assert run(["train", "--recipe", recipe, "--quiet"]) == 2
    assert run(["train", "--recipe", recipe, "--quiet", "--seed", "1", "--seeds", "2", "--out", "x"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.startswith("error: --") for line in said] == [True] * 3


class Recorded:
    """A run of Weights & Biases that keeps what it is sent."""

    def __init__(self, **settings):
        self.settings, self.sent, self.finished = settings, [], False

    def log(self, values, step):
        self.sent.append((step, values))

    def finish(self):
        self.finished = True


@pytest.fixture
def wandb(monkeypatch):
    """A package wandb whose runs are kept."""
    module = types.ModuleType("wandb")
    module.__spec__ = importlib.util.spec_from_loader("wandb", None)
    module.runs = []

    def init(**settings):
        module.runs.append(Recorded(**settings))
        return module.runs[-1]

    module.init = init
    monkeypatch.setitem(sys.modules, "wandb", module)
    return module


def test_weights_and_biases_is_sent_the_validations(recipe, tmp_path, wandb):
    """The run is called like the solver, knows the recipe, and gets every validation at its step."""
    train(recipe, tmp_path / "out", 1, device="cpu", quiet=True, wandb=True)
    (shown,) = wandb.runs
    assert (shown.settings["name"], shown.settings["group"], shown.finished) == ("tiny@1", "tiny", True)
    assert shown.settings["config"]["architecture"]["width"] == 4
    found = [(step, values["validation_accuracy"]) for step, values in shown.sent]
    assert found == [(entry["step"], entry["validation_accuracy"]) for entry in entries(tmp_path / "out")]


def test_weights_and_biases_is_an_extra(recipe, tmp_path, wandb, monkeypatch):
    """Without it, or where it cannot be opened, one line says so."""

    def offline(**_):
        raise ConnectionError("no\nnetwork")

    wandb.init = offline
    with pytest.raises(InputError, match=r"cannot be opened: ConnectionError: no network"):
        train(recipe, tmp_path / "out", device="cpu", quiet=True, wandb=True)
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr("extramaze.models.training.boards.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'wandb>=0.19'"):
        train(recipe, tmp_path / "other", device="cpu", quiet=True, wandb=True)
    assert not (tmp_path / "other").exists()
