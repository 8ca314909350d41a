import json
import os
import subprocess
import sys

import pytest
import safetensors.torch
import torch

from extramaze.mazes import InputError
from extramaze.models.training.distributed import Processes
from extramaze.models.training.recipe import parse_recipe
from extramaze.models.training.run import TrainingRun
from extramaze.models.training.train import check_shares, train

pytestmark = pytest.mark.numeric

RECIPE = """
name: shared
paper: none
architecture: {builder: dt_net, width: 4, blocks: 1}
data: {mixture: [{spec: "size=5", weight: 1}, {spec: "size=5,percolation=0.3", weight: 1}], scale: 1}
training: {gradient: progressive, steps: 8, batch: 8, learning_rate: 0.01, weight_decay: 0, warmup_steps: 4,
           max_iterations: 4, gradient_steps: 2, bf16: false}
validation: {every: 4, count: 300, final_count: 300, iterations: 4}
"""
JACOBIAN_FREE = RECIPE.replace("progressive", "jacobian-free").replace("gradient_steps: 2,", "min_iterations: 1,")
EQUILIBRIUM = RECIPE.replace(
    "{builder: dt_net, width: 4, blocks: 1}", "{builder: pi_net, width: 4, blocks: 1}"
).replace("max_iterations: 4", "max_iterations: 4, tolerance: 0.001, initial_states: [projection, zeros, random]")
SCRIPT = """
import sys
from pathlib import Path
import safetensors.torch
from extramaze.models.training.distributed import join
from extramaze.models.training.recipe import parse_recipe
from extramaze.models.training.run import TrainingRun

with join("cpu") as processes:
    for path in sorted(Path().glob("*.yaml")):
        name = path.stem
        recipe = parse_recipe(Path(f"{name}.yaml").read_text(), name)
        run = TrainingRun(recipe, 0, Path(), processes, True)
        loss, norm = run.backward(3, run.supply(3))
        gradients = {n: p.grad.contiguous() for n, p in run.solver.named_parameters() if p.grad is not None}
        safetensors.torch.save_file(gradients, f"{name}-{processes.rank}.safetensors", {"loss": repr(loss)})
"""


def torchrun(folder, *arguments):
    """Run a command in two processes, as torchrun does."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def test_one_and_two_processes_agree_on_the_gradient(tmp_path):
    """Both processes hold the loss and gradient of the global batch, unevenly open, that one has alone, to rounding.

    Also where mazes begin from states that are drawn, and gradients go through an equilibrium.
    """
    recipes = {
        "progressive": RECIPE,
        "jacobian-free": JACOBIAN_FREE,
        "phantom": EQUILIBRIUM.replace("progressive", "phantom"),
        "implicit": EQUILIBRIUM.replace("progressive", "implicit").replace("gradient_steps: 2,", ""),
    }
    for name, text in recipes.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "script.py").write_text(SCRIPT)
    done = torchrun(tmp_path, "script.py")
    assert done.returncode == 0, done.stderr
    for name, text in recipes.items():
        run = TrainingRun(parse_recipe(text, ""), 0, tmp_path, Processes(0, 1, torch.device("cpu")), True)
        loss, _ = run.backward(3, run.supply(3))
        expected = {name: p.grad for name, p in run.solver.named_parameters() if p.grad is not None}
        for rank in range(2):
            path = tmp_path / f"{name}-{rank}.safetensors"
            found = safetensors.torch.load_file(path)
            assert found.keys() == expected.keys()
            for parameter, gradient in expected.items():
                assert torch.allclose(found[parameter], gradient, rtol=1e-4, atol=1e-6), parameter
            with safetensors.safe_open(path, "pt") as file:
                assert float(file.metadata()["loss"]) == pytest.approx(loss, rel=1e-5)


def test_torchrun_trains_and_one_process_writes(tmp_path):
    """The command line under torchrun leaves one finished folder, validated on every maze once, one line printed."""
    (tmp_path / "r.yaml").write_text(RECIPE)
    out = tmp_path / "run"
    done = torchrun(tmp_path, "-m", "extramaze", "train", "--recipe", "r.yaml", "--out", "run", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("shared seed 0") == 1
    result = json.loads((out / "training.json").read_text())
    assert (result["processes"], result["threads"], result["steps"]) == (2, 1, 8)
    alone = train(str(tmp_path / "r.yaml"), 0, tmp_path / "alone", device="cpu", quiet=True)
    shared, single = (
        safetensors.torch.load_file(folder / "weights.safetensors") for folder in (out, tmp_path / "alone")
    )
    assert alone.steps == 8
    for name, value in single.items():
        assert torch.allclose(shared[name], value, atol=1e-3), name


def test_a_batch_that_cannot_be_shared_is_refused():
    """Eight mazes for three processes: the key is named."""
    with pytest.raises(InputError, match=r"training\.batch: 8 is not a multiple of 3"):
        check_shares(parse_recipe(RECIPE, ""), Processes(0, 3, torch.device("cpu")))
    contracted = RECIPE.replace("bf16: false", "bf16: false, contraction: 0.9")
    with pytest.raises(InputError, match=r"training\.contraction"):
        check_shares(parse_recipe(contracted, ""), Processes(0, 2, torch.device("cpu")))
