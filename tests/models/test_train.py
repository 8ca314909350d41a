import json
import math
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import safetensors.torch
import torch

import extramaze.models.training.run as run_module
import extramaze.models.training.shared_loss as shared_loss
from extramaze.core.errors import TrainingDiverged
from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.models import load
from extramaze.models.dt_net import DTNet
from extramaze.models.shipped import recipe_names
from extramaze.models.training.distributed import Processes
from extramaze.models.training.gradients import Depth, draw_depth, masked_loss, run_depth, training_loss
from extramaze.models.training.optimise import learning_rate
from extramaze.models.training.recipe import parse_recipe, recipe_text
from extramaze.models.training.run import TrainingRun
from extramaze.models.training.train import train
from extramaze.models.training.validation import Right

pytestmark = pytest.mark.numeric

TINY = """
name: tiny
paper: none
architecture: {builder: dt_net, width: 4, blocks: 1}
data: {spec: "size=5", scale: 1}
training: {gradient: progressive, steps: 40, batch: 8, learning_rate: 0.01, weight_decay: 0, warmup_steps: 4,
           max_iterations: 4, gradient_steps: 2, clip_norm: 1.0, bf16: true}
validation: {every: 4, count: 16, final_count: 32, iterations: 4}
"""
EVERYTHING = """
name: everything
paper: none
architecture: {builder: dt_net, width: 4, blocks: 1}
data: {mixture: [{spec: "size=5", weight: 2}, {spec: "size=5,percolation=0.2", weight: 1}], mazes: 50, scale: 1}
training: {gradient: progressive, mazes: 317, batch: 8, learning_rate: 0.01, weight_decay: 0.01, warmup_steps: 4,
           schedule: step, milestones: [10, 30], recurrent_divisor: 30, max_iterations: 4, gradient_steps: 2,
           bf16: false, channels_last: false, ema: 0.9}
validation: {every: 4, count: 16, final_count: 32, iterations: 4}
"""


def entries(folder, event="validated"):
    """The log's entries of one event, without what depends on the clock."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines if line["event"] == event]


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
        "learning-curve.png",
        "log.jsonl",
        "recipe.yaml",
        "training.json",
        "weights.safetensors",
    ]
    assert [entry["step"] for entry in entries(tmp_path / "run")] == list(range(4, 41, 4))
    assert (result.mazes, result.stopped, result.processes) == (320, "steps", 1)
    begun, ended = entries(tmp_path / "run", "begun")[0], entries(tmp_path / "run", "ended")[0]
    assert begun["threads"] == result.threads == torch.get_num_threads()
    assert ended["final_accuracy"] == round(result.validation_accuracy, 6)
    solver = load(str(tmp_path / "run"))
    assert (solver.card.name, solver.card.seed) == ("tiny@3", 3)
    assert train(recipe, 3, tmp_path / "run", quiet=True) == result  # finished: nothing is trained again


def test_seeds_give_different_weights_and_a_seed_the_same(recipe, tmp_path):
    """A run is a function of recipe and seed."""
    digests = [train(recipe, seed, tmp_path / str(i), quiet=True).weights_sha256 for i, seed in enumerate((0, 0, 1))]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    "text", [pytest.param(TINY, marks=pytest.mark.slow), EVERYTHING], ids=["defaults", "everything"]
)
def test_a_killed_run_resumes_to_the_same_weights(text, tmp_path):
    """A real process killed twice in the middle and started again ends with the bits of an uninterrupted run."""
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(text)
    script = (
        "import sys, time, extramaze.models.training.run as r, extramaze.models.training.train as t\n"
        "plain = r.TrainingRun.step\n"
        "def slow(*arguments):\n"
        "    time.sleep(0.02); return plain(*arguments)\n"
        "r.TrainingRun.step = slow\n"
        "t.train(sys.argv[1], 0, sys.argv[2], device='cpu', quiet=True)\n"
    )
    out = tmp_path / "killed"
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    for _ in range(2):
        before = (out / "checkpoint.safetensors").read_bytes() if (out / "checkpoint.safetensors").exists() else b""
        process = subprocess.Popen([sys.executable, "-c", script, str(recipe), str(out)], env=environment)
        deadline = time.monotonic() + 120
        while not (out / "checkpoint.safetensors").exists() or (out / "checkpoint.safetensors").read_bytes() == before:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (out / "training.json").exists()
    resumed = train(str(recipe), 0, out, device="cpu", quiet=True)
    whole = train(str(recipe), 0, tmp_path / "whole", device="cpu", quiet=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    assert (resumed.resumed, whole.resumed) == (2, 0)
    assert resumed.mazes == 320  # 317, rounded up to whole steps
    assert entries(out) == entries(tmp_path / "whole")


ROUNDED = {"rtol": 0, "atol": 0.01}  # bfloat16 keeps 8 bits, and a weight moves by 0.01 a step


def weights(folder):
    """Return the weights that a training wrote."""
    return safetensors.torch.load_file(folder / "weights.safetensors")


def test_training_is_the_plain_loop(recipe, tmp_path):
    """With every option left out, the weights are to rounding those of a loop written plainly."""
    training = parse_recipe(TINY, "").training
    torch.manual_seed(3)
    solver = DTNet(width=4, blocks=1).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(solver.parameters(), lr=0.01, weight_decay=0)
    for step in range(40):
        rate = 0.01 * (step + 1) / 4 if step < 4 else 0.01 * 0.5 * (1 + math.cos(math.pi * (step - 4) / 36))
        images, targets = raster(generate(MazeSpec(5), 8, split="train", first=3 * 2**24 + step * 8))
        x = torch.from_numpy(images).float().contiguous(memory_format=torch.channels_last)
        optimizer.param_groups[0]["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            logits = run_depth(solver, x, draw_depth(training, 3, step))
        optimizer.zero_grad()
        masked_loss(logits, torch.from_numpy(targets).long(), x).backward()
        torch.nn.utils.clip_grad_norm_(solver.parameters(), 1.0)
        optimizer.step()
    train(recipe, 3, tmp_path / "run", device="cpu", quiet=True)
    torch.testing.assert_close(weights(tmp_path / "run"), dict(solver.state_dict()), **ROUNDED)


@pytest.mark.filterwarnings("ignore")  # of the compiler about itself
def test_a_compiled_step_trains_the_same_weights(tmp_path, monkeypatch):
    """Compilation (here by the backend that changes no arithmetic) reaches the parameters that are written."""
    compiled = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: compiled(function, backend="eager"))
    for name, text in (("plain", TINY), ("compiled", TINY.replace("bf16: true", "bf16: true, compile: true"))):
        (tmp_path / f"{name}.yaml").write_text(text.replace("steps: 40", "steps: 6"))
        train(str(tmp_path / f"{name}.yaml"), 0, tmp_path / name, device="cpu", quiet=True)
    torch.testing.assert_close(weights(tmp_path / "compiled"), weights(tmp_path / "plain"), **ROUNDED)


def interrupted(monkeypatch, step):
    """Let the next training stop at a step as if from the keyboard, once."""
    plain, left = TrainingRun.step, [1]

    def stopping(run, at, batch):
        if at == step and left:
            left.pop()
            raise KeyboardInterrupt
        return plain(run, at, batch)

    monkeypatch.setattr(TrainingRun, "step", stopping)


def test_what_torch_draws_is_the_same_after_resuming(recipe, tmp_path, monkeypatch):
    """A loss with torch's own random numbers in it ends with the same weights, stopped or not."""

    def noisy(*arguments):
        return training_loss(*arguments) * torch.rand(())

    monkeypatch.setattr(shared_loss, "training_loss", noisy)
    whole = train(recipe, 0, tmp_path / "whole", quiet=True)
    interrupted(monkeypatch, 10)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, 0, tmp_path / "run", quiet=True)
    torch.rand(7)
    assert train(recipe, 0, tmp_path / "run", quiet=True).weights_sha256 == whole.weights_sha256
    assert whole.weights_sha256 != train(recipe, 1, tmp_path / "other", quiet=True).weights_sha256


def test_what_is_saved_between_validations_is_not_lost(recipe, tmp_path, monkeypatch):
    """Checkpoints between validations go on at their own step, to the same weights and the same log."""
    whole = train(recipe, 0, tmp_path / "whole", quiet=True)
    monkeypatch.setattr(run_module, "SAVE_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        interrupted(patch, 10)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, 0, tmp_path / "run", quiet=True)
    steps = []
    plain = TrainingRun.step
    monkeypatch.setattr(TrainingRun, "step", lambda run, at, batch: steps.append(at) or plain(run, at, batch))
    assert train(recipe, 0, tmp_path / "run", quiet=True).weights_sha256 == whole.weights_sha256
    assert steps[0] == 10
    assert entries(tmp_path / "run") == entries(tmp_path / "whole")


def test_another_number_of_threads_is_refused(recipe, tmp_path, monkeypatch):
    """A run goes on under the number of threads it was begun with, and says so."""
    interrupted(monkeypatch, 10)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, 0, tmp_path / "run", device="cpu", quiet=True)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        with pytest.raises(InputError, match=rf"{threads} threads.*this is .*{threads + 1} threads.*OMP_NUM_THREADS"):
            train(recipe, 0, tmp_path / "run", device="cpu", quiet=True)
    finally:
        torch.set_num_threads(threads)


def test_training_stops_early_at_the_accuracy_asked_for(tmp_path, monkeypatch):
    """The first good validation ends the run; killed before the result is written, no step more is made."""
    (tmp_path / "r.yaml").write_text(TINY.replace("iterations: 4}\n", "iterations: 4, stop_at: 0.9}\n"))
    everything = lambda solver, blocks, *_: Right(*[sum(block.count for block in blocks)] * 2)  # noqa: E731
    monkeypatch.setattr(run_module, "count_right", everything)
    plain = run_module.write_weights
    monkeypatch.setattr(run_module, "write_weights", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        train(str(tmp_path / "r.yaml"), 0, tmp_path / "run", quiet=True)
    monkeypatch.setattr(run_module, "write_weights", plain)
    result = train(str(tmp_path / "r.yaml"), 0, tmp_path / "run", quiet=True)
    assert (result.stopped, result.steps, result.mazes) == ("accuracy", 4, 32)
    assert [entry["step"] for entry in entries(tmp_path / "run")] == [4]


def test_training_stops_when_the_seconds_are_spent(tmp_path):
    """A budget in seconds ends the run at the next step, validated, and the result says so."""
    (tmp_path / "r.yaml").write_text(TINY.replace("steps: 40", "steps: 40, seconds: 0.000001"))
    result = train(str(tmp_path / "r.yaml"), 0, tmp_path / "run", quiet=True)
    assert (result.stopped, result.steps) == ("seconds", 1)
    assert [entry["step"] for entry in entries(tmp_path / "run")] == [1]


FINE_TUNED = TINY.replace("width: 4, blocks: 1", "width: 32, blocks: 2").replace(
    "learning_rate: 0.01", "learning_rate: 1e-9"
)


def test_fine_tuning_begins_with_the_weights_of_a_trained_solver(tmp_path):
    """At a vanishing rate the weights stay those of the start, whose sha256 the result states."""
    (tmp_path / "r.yaml").write_text(FINE_TUNED.replace("steps: 40", "steps: 4").replace("size=5", "size=5,start=any"))
    recipe, out = str(tmp_path / "r.yaml"), tmp_path / "run"
    result = train(recipe, 0, out, quiet=True, init_from="dt-net-thin@1")
    start, tuned = load("dt-net-thin@1"), load(str(out))
    assert (result.init_from, result.initial_weights_sha256) == ("dt-net-thin@1", start.card.weights_sha256)
    for name, value in start.state_dict().items():
        assert torch.allclose(tuned.state_dict()[name], value, atol=1e-7)
    with pytest.raises(InputError, match="another recipe or seed"):
        train(recipe, 0, out, quiet=True, init_from="dt-net-thin@0")


def test_weights_of_another_architecture_cannot_be_fine_tuned(recipe, tmp_path):
    """The first tensor that does not fit is named, before a folder is made."""
    with pytest.raises(InputError, match=r"--init-from dt-net-thin: .*expected \(4, 4, 3, 3\), found \(32, 32, 3, 3\)"):
        train(recipe, 0, tmp_path / "run", quiet=True, init_from="dt-net-thin")
    assert not (tmp_path / "run").exists()


def test_the_average_of_the_weights_is_what_is_written(tmp_path):
    """With ``ema`` the written weights are the running average, recomputed here from the raw ones."""
    text = TINY.replace("bf16: true", "bf16: true, ema: 0.5")
    (tmp_path / "r.yaml").write_text(text)
    run = TrainingRun(parse_recipe(text, ""), 0, tmp_path, Processes(0, 1, torch.device("cpu")), True)
    name = "head.0.weight"
    mean = run.solver.state_dict()[name].clone()
    for step in range(8):
        run.step(step, run.supply(step))
        decay = min(0.5, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * run.solver.state_dict()[name]
    assert torch.allclose(run.shipped.state_dict()[name], mean, atol=1e-7)
    assert not torch.allclose(run.solver.state_dict()[name], mean, atol=1e-4)


def test_tensorboard_is_an_extra(recipe, tmp_path, monkeypatch):
    """Where it is missing, one sentence says how to get it, before anything starts."""
    monkeypatch.setattr("extramaze.models.training.boards.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'tensorboard>=2\.18'"):
        train(recipe, 0, tmp_path / "run", quiet=True, tensorboard=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_shows_the_validations(recipe, tmp_path):
    """Every validation is a point of its files."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(recipe, 0, tmp_path / "run", quiet=True, tensorboard=True)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert [point.step for point in events.Scalars("validation_accuracy")] == list(range(4, 41, 4))


def test_a_loss_that_is_no_number_stops_with_advice(recipe, tmp_path, monkeypatch):
    """The step, the folder of the last good checkpoint and advice are named; the checkpoint stays."""
    calls = []

    def sometimes(*arguments):
        calls.append(1)
        return training_loss(*arguments) * (float("nan") if len(calls) > 6 else 1)

    monkeypatch.setattr(shared_loss, "training_loss", sometimes)
    with pytest.raises(
        TrainingDiverged, match=r"loss is nan at step 6 .*checkpoint, of step 4, .*lower the learning rate"
    ):
        train(recipe, 0, tmp_path / "run", quiet=True)
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()
    assert [entry["step"] for entry in entries(tmp_path / "run", "diverged")] == [6]


def test_a_gradient_that_is_no_number_stops_before_the_weights_move(recipe, tmp_path, monkeypatch):
    """An infinite gradient under a finite loss is caught before a checkpoint could hold what it would do."""
    monkeypatch.setattr(run_module, "clip", lambda *_: float("inf"))
    with pytest.raises(TrainingDiverged, match="the gradient's norm is inf at step 0"):
        train(recipe, 0, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


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
    assert re.match(rf"# extramaze train --recipe {name} --seed 0 (--init-from \S+ )?--out runs/{name}-0\n", text)


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
    solver = DTNet(width=4, blocks=1).double()
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
    torch.testing.assert_close(found, expected)


def test_free_iterations_keep_nothing_for_the_backward_pass():
    """The bytes saved for the gradient do not depend on the free iterations; they do on the traced ones."""
    solver = DTNet(width=4, blocks=1)
    x = torch.rand(2, 3, 11, 11)

    def saved(depth):
        sizes = []

        def pack(tensor):
            sizes.append(tensor.numel() * tensor.element_size())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            run_depth(solver, x, depth)
        return sum(sizes)

    assert saved(Depth(1, 2)) == saved(Depth(50, 2)) < saved(Depth(1, 4))


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
    rates = np.array([learning_rate(training, step) for step in range(training.total_steps)])
    assert rates.argmax() == 199
    assert rates.max() == pytest.approx(1e-3)
    assert (np.diff(rates[:200]) > 0).all()
    assert (np.diff(rates[201:]) < 0).all()
    assert rates[-1] < 1e-8
