import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.dt_net import dt_net
from extramaze.models.gradients import Depth, draw_depth, masked_loss, run_depth, training_loss
from extramaze.models.recipe import parse_recipe, recipe_names, recipe_text
from extramaze.models.train import TrainingDiverged, learning_rate, train

TINY = """
name: tiny
paper: none
architecture: {builder: dt_net, width: 4, blocks: 1}
data: {spec: "size=5", scale: 1}
training: {gradient: progressive, steps: 40, batch: 8, learning_rate: 0.01, weight_decay: 0, warmup_steps: 4,
           max_iterations: 4, gradient_steps: 2, clip_norm: 1.0, bf16: true}
validation: {every: 4, count: 16, final_count: 32, iterations: 4}
"""


@pytest.fixture
def recipe(tmp_path):
    """A recipe that trains in a second."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


def test_training_leaves_a_loadable_solver(recipe, tmp_path):
    """Recipe, result, log and weights are there, agree, and load; the checkpoint is gone."""
    result = train(recipe, 3, tmp_path / "run", quiet=True)
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "log.jsonl",
        "recipe.yaml",
        "training.json",
        "weights.safetensors",
    ]
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log] == list(range(4, 41, 4))
    assert result.mazes == 320
    solver = load(str(tmp_path / "run"))
    assert (solver.card.name, solver.card.seed) == ("tiny@3", 3)
    assert train(recipe, 3, tmp_path / "run", quiet=True) == result  # finished: nothing is trained again


def test_seeds_give_different_weights_and_a_seed_the_same(recipe, tmp_path):
    """A run is a function of recipe and seed."""
    digests = [train(recipe, seed, tmp_path / str(i), quiet=True).weights_sha256 for i, seed in enumerate((0, 0, 1))]
    assert digests[0] == digests[1] != digests[2]


def test_a_killed_run_resumes_to_the_same_weights(recipe, tmp_path):
    """A real process killed in the middle and started again ends with the bits of an uninterrupted run."""
    script = (
        "import sys, extramaze.models.train as t\n"
        "plain = t._Run.step\n"
        "def slow(self, step):\n"
        "    import time; time.sleep(0.02); return plain(self, step)\n"
        "t._Run.step = slow\n"
        "t.train(sys.argv[1], 0, sys.argv[2], quiet=True)\n"
    )
    out = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", script, recipe, str(out)], env=os.environ)
    deadline = time.monotonic() + 120
    while not (out / "checkpoint.safetensors").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "training.json").exists()
    resumed = train(recipe, 0, out, quiet=True)
    whole = train(recipe, 0, tmp_path / "whole", quiet=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    logs = [
        [json.loads(line) for line in (f / "log.jsonl").read_text().splitlines()] for f in (out, tmp_path / "whole")
    ]
    for entry in (*logs[0], *logs[1]):
        entry.pop("seconds")
    assert logs[0] == logs[1]


def test_a_loss_that_is_no_number_stops_with_advice(recipe, tmp_path, monkeypatch):
    """The step, the folder of the last good checkpoint and advice are named; the checkpoint stays."""
    import extramaze.models.train as module

    calls = []

    def sometimes(*arguments):
        calls.append(1)
        return training_loss(*arguments) * (float("nan") if len(calls) > 6 else 1)

    monkeypatch.setattr(module, "training_loss", sometimes)
    with pytest.raises(TrainingDiverged, match=r"nan at step 6 .*lower the learning rate"):
        train(recipe, 0, tmp_path / "run", quiet=True)
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_folders_of_others_are_refused_and_left_alone(recipe, tmp_path):
    """Another seed's run, and a folder with other files, stay as they are."""
    train(recipe, 0, tmp_path / "run", quiet=True)
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}
    with pytest.raises(InputError, match="another recipe or seed"):
        train(recipe, 1, tmp_path / "run", quiet=True)
    assert {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()} == before
    with pytest.raises(InputError, match="holds no training run"):
        train(recipe, 0, tmp_path, quiet=True)


def test_a_broken_checkpoint_is_refused(recipe, tmp_path):
    """A checkpoint that cannot be read says to delete it."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.yaml").write_text("# seed 0\n" + TINY)
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"no tensors")
    with pytest.raises(InputError, match="delete it to start over"):
        train(recipe, 0, tmp_path / "run", quiet=True)


def test_a_wrong_recipe_lists_every_problem(tmp_path):
    """Unknown keys, wrong types and impossible values are named together, each with its key."""
    text = TINY.replace("width: 4", "width: none").replace("batch: 8", "bacth: 8").replace("size=5", "size=4")
    with pytest.raises(InputError) as caught:
        parse_recipe(text, "tiny.yaml")
    for part in ("architecture.width", "training.bacth", "training.batch", "data.spec", "odd integer"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match="not readable as YAML"):
        parse_recipe("a: [", "tiny.yaml")
    with pytest.raises(InputError, match="exactly one step"):
        parse_recipe(TINY.replace("progressive", "jacobian-free"), "tiny.yaml")


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_open_with_their_command(name):
    """Each shipped recipe is valid and begins with the command that runs it."""
    text = recipe_text(name)
    assert parse_recipe(text, name).name == name
    assert text.startswith(f"# extramaze train --recipe {name} --seed 0 --out ")


def test_depths_stay_in_range():
    """Progressive: n + k ≤ m with k ≥ 1; Jacobian-free: n in its range and one traced step."""
    progressive = parse_recipe(recipe_text("dt-net-thin"), "").training
    depths = [draw_depth(progressive, 0, step) for step in range(2000)]
    assert {d.free for d in depths} == set(range(30))
    assert {d.traced for d in depths} == set(range(1, 11))
    assert max(d.free + d.traced for d in depths) == 30
    free = parse_recipe(recipe_text("it-net-thin"), "").training
    depths = [draw_depth(free, 0, step) for step in range(500)]
    assert {d.free for d in depths} == set(range(5, 31))
    assert {d.traced for d in depths} == {1}


def test_the_jacobian_free_gradient_is_that_of_one_step():
    """After free iterations the gradient is of the last step alone, its incoming state a constant."""
    torch.manual_seed(0)
    solver = dt_net(width=4, blocks=1).double()
    x = torch.rand(2, 3, 7, 7, dtype=torch.float64)
    with torch.no_grad():
        state = solver.initial_state(x)
        for _ in range(5):
            state = solver.step(state, x)
    solver.readout(solver.step(state, x)).square().sum().backward()
    expected = {name: p.grad.clone() for name, p in solver.named_parameters() if p.grad is not None}
    solver.zero_grad()
    run_depth(solver, x, Depth(5, 1)).square().sum().backward()
    found = {name: p.grad for name, p in solver.named_parameters() if p.grad is not None}
    assert "projection.weight" not in found
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value)


def test_walls_do_not_enter_the_loss():
    """Logits on wall pixels change nothing; the loss is the mean over open pixels."""
    x = torch.zeros(1, 3, 5, 5)
    x[:, :, 1:4, 1:4] = 1
    logits, targets = torch.randn(1, 2, 5, 5), torch.ones(1, 5, 5, dtype=torch.long)
    inside = logits[:, :, 1:4, 1:4]
    expected = (inside.logsumexp(dim=1) - inside[:, 1]).mean()
    noisy = logits.clone()
    noisy[:, :, 0] = 100
    assert torch.allclose(masked_loss(logits, targets, x), expected)
    assert torch.allclose(masked_loss(noisy, targets, x), expected)


def test_the_learning_rate_rises_then_falls_to_nothing():
    """Linear warm-up to the stated rate, then a half cosine."""
    training = parse_recipe(recipe_text("dt-net-thin"), "").training
    rates = np.array([learning_rate(training, step) for step in range(training.steps)])
    assert rates.argmax() == 199
    assert rates.max() == pytest.approx(1e-3)
    assert (np.diff(rates[:200]) > 0).all()
    assert (np.diff(rates[201:]) < 0).all()
    assert rates[-1] < 1e-8
