"""Architectures from outside: trained, kept and loaded as extramaze's own are."""

import json
import shutil
import subprocess
import sys

import pytest
import torch

import extramaze.models.training.run as run_module
from extramaze.blocks.identity import solver_info
from extramaze.cli import run
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.training.recipe import parse_recipe
from extramaze.models.training.train import train
from extramaze.models.training.trained import read_result
from extramaze.verification.validate import problems

pytestmark = pytest.mark.numeric

RECIPE = """
name: tiny-gru
paper: none
architecture: {builder: "nets/conv_gru.py:ConvGRU", width: 4}
data: {spec: "size=5", scale: 1}
training: {gradient: progressive, steps: 12, batch: 8, learning_rate: 0.01, weight_decay: 0, warmup_steps: 4,
           max_iterations: 3, bf16: false}
validation: {every: 4, count: 8, final_count: 8, iterations: 3}
"""
GRADIENTS = {
    "progressive": "gradient: progressive, gradient_steps: 2",
    "jacobian-free": "gradient: jacobian-free",
    "implicit": "gradient: implicit, tolerance: 0.01",
    "phantom": "gradient: phantom, tolerance: 0.01, gradient_steps: 2",
    "backprop": "gradient: backprop",
    "deep-supervision": "gradient: deep-supervision, gradient_steps: 2",
}
HELPER = "IMAGE_CHANNELS = 3\n"


@pytest.fixture
def place(root, tmp_path):
    """A folder with a recipe, and below it the example's ConvGRU, which takes a number from a file beside it."""
    nets = tmp_path / "place" / "nets"
    nets.mkdir(parents=True)
    code = (root / "examples" / "conv_gru.py").read_text()
    (nets / "conv_gru.py").write_text(code.replace("IMAGE_CHANNELS = 3\n", "from numbers_of import IMAGE_CHANNELS\n"))
    (nets / "numbers_of.py").write_text(HELPER)
    (nets.parent / "recipe.yaml").write_text(RECIPE)
    return nets.parent


def changed(place, *pairs):
    """Change a recipe's text; return its path."""
    path = place / "recipe.yaml"
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return str(path)


def test_the_example_is_a_recipe_that_builds(root):
    """The ConvGRU of the examples trains by the recipe beside it."""
    recipe = parse_recipe((root / "examples" / "conv-gru.yaml").read_text(), "conv-gru")
    assert recipe.architecture.from_outside
    assert recipe.architecture.arguments == {"width": 32}


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_every_gradient_trains_it(place, tmp_path, gradient):
    """By each gradient the weights move to numbers, and the folder loads with its files far from where they were."""
    recipe = changed(place, ("gradient: progressive", GRADIENTS[gradient]))
    result = train(recipe, 0, tmp_path / "out", device="cpu", quiet=True)
    shutil.rmtree(place)
    folder = (tmp_path / "out").rename(tmp_path / "elsewhere")
    solver = load(folder)
    assert solver.card.name == "tiny-gru@0"
    assert solver.card.weights_sha256 == result.weights_sha256
    torch.manual_seed(0)
    assert all(torch.isfinite(value).all() for value in solver.state_dict().values())
    assert sorted(path.name for path in (folder / "architecture").iterdir()) == ["conv_gru.py", "numbers_of.py"]


@pytest.mark.parametrize("keys", ["bf16: false, ema: 0.9, channels_last: false", "bf16: true, recurrent_divisor: 30"])
def test_a_stopped_run_goes_on_to_the_same_bits(place, tmp_path, monkeypatch, keys):
    """A run that is stopped within a step and started again ends with the weights of one that was not."""
    recipe = changed(place, ("bf16: false", keys))
    whole = train(recipe, 0, tmp_path / "whole", device="cpu", quiet=True)
    stop_at(9, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, 0, tmp_path / "stopped", device="cpu", quiet=True)
    monkeypatch.undo()
    resumed = train(recipe, 0, tmp_path / "stopped", device="cpu", quiet=True)
    assert (resumed.resumed, resumed.weights_sha256) == (1, whole.weights_sha256)


def stop_at(last, monkeypatch):
    """Interrupt training before a step."""
    plain = run_module.TrainingRun.step

    def step(self, number, batch):
        if number == last:
            raise KeyboardInterrupt
        return plain(self, number, batch)

    monkeypatch.setattr(run_module.TrainingRun, "step", step)


@pytest.mark.parametrize("name", ["conv_gru.py", "numbers_of.py"])
def test_a_changed_file_refuses_to_resume(place, tmp_path, monkeypatch, capsys, name):
    """Changed between runs, a file is named and nothing is lost; put back, the run goes on."""
    recipe, out = str(place / "recipe.yaml"), tmp_path / "out"
    stop_at(9, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, 0, out, device="cpu", quiet=True)
    monkeypatch.undo()
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    was = (place / "nets" / name).read_bytes()
    (place / "nets" / name).write_bytes(was + b"# another\n")
    assert run(["train", "--recipe", recipe, "--out", str(out), "--device", "cpu", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert name in said
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    (place / "nets" / name).write_bytes(was)
    assert train(recipe, 0, out, device="cpu", quiet=True).resumed == 1


def test_identity_is_of_the_files_wherever_they_lie(place, tmp_path):
    """What a record states of its code is the sha256 of each file by name; a moved folder is the same solver."""
    train(str(place / "recipe.yaml"), 0, tmp_path / "out", device="cpu", quiet=True)
    here = solver_info(load(tmp_path / "out"))
    there = solver_info(load((tmp_path / "out").rename(tmp_path / "there")))
    assert here == there
    assert here.files == read_result(tmp_path / "there").code
    assert sorted(here.files) == ["conv_gru.py", "numbers_of.py"]


def test_reading_a_trained_folder_runs_nothing(place, tmp_path, capsys):
    """Validate, ls and a recipe's check do not import it; an altered copy is named by validate, and not loaded."""
    out, code = tmp_path / "out", place / "nets" / "conv_gru.py"
    code.write_text(code.read_text() + f"\nopen({str(tmp_path / 'ran')!r}, 'a').close()\n")
    train(str(place / "recipe.yaml"), 0, out, device="cpu", quiet=True)
    (tmp_path / "ran").unlink()
    assert problems(out) == []
    assert run(["validate", str(out)]) == 0
    assert run(["ls", "recipes"]) == 0
    capsys.readouterr()
    kept = out / "architecture" / "numbers_of.py"
    kept.write_text(HELPER + "# altered\n")
    assert any("architecture/numbers_of.py: altered" in line for line in problems(out))
    with pytest.raises(InputError, match=r"numbers_of.py: altered"):
        load(out)
    assert not (tmp_path / "ran").exists()


BROKEN = {
    "builder: nets/gone.py:ConvGRU": "there is no file",
    "builder: nets/conv_gru.py:ConvGRUU": "no function 'ConvGRUU'",
    "builder: nets/conv_gru.py:torch": "no function 'torch'",
    "builder: nets/conv_gru.py:Tensor": "expected an IterativeSolver, got Tensor",
    "builder: no_such_package.here:Net": "No module named 'no_such_package'",
    "builder: acme-gru": "unknown architecture 'acme-gru'",
    "builder: dt_nte": "did you mean dt_net",
    "builder: nets/conv_gru.py": "name the class in the file, nets/conv_gru.py:Net",
    "width: 4": "architecture.builder: missing, and needed",
}


@pytest.mark.parametrize("builder", BROKEN)
def test_a_builder_that_is_none_is_one_line(place, tmp_path, capsys, builder):
    """What cannot be imported, or is no solver, is refused before a folder is made."""
    recipe = changed(place, ('builder: "nets/conv_gru.py:ConvGRU", width: 4', builder))
    refused(recipe, tmp_path / "out", capsys, BROKEN[builder])


ARGUMENTS = {
    "widht: 4": "no argument 'widht'; did you mean width?",
    "depth_of_all: 4": "it takes width, kernel",
    "width: broad": "width: expected a whole number, got the text 'broad'",
    "width: true": "width: expected a whole number, got true",
}


@pytest.mark.parametrize("keys", ARGUMENTS)
def test_arguments_are_checked_against_the_constructor(place, tmp_path, capsys, keys):
    """A name or a type that the constructor does not take is one line with a suggestion."""
    refused(changed(place, ("width: 4", keys)), tmp_path / "out", capsys, ARGUMENTS[keys])


CODE = {
    "returns nothing": (
        "return self.head(state)",
        "return None",
        "ConvGRU.readout must return logits (B, 2, H, W), got nothing",
    ),
    "fails": ("self.width = width", "self.width = 1 // 0", "ZeroDivisionError"),
    "exits": ("self.width = width", "raise SystemExit(3)", "SystemExit: 3"),
    "another batch": ("x.new_zeros(len(x)", "x.new_zeros(len(x) + 1", "whose first dimension is the batch"),
    "shares weights": (
        "self.head = ",
        "self.one = nn.Linear(2, 2); self.two = nn.Linear(2, 2); self.two.weight = self.one.weight; self.head = ",
        "its weights cannot be written as safetensors",
    ),
    "needs more": ("width: int = 32", "width: int, heads: int", "it needs the argument 'heads'"),
    "nothing to learn": ("self.head = ", "self.requires_grad_(False); self.head = ", None),
}


@pytest.mark.parametrize("case", CODE)
def test_code_that_breaks_is_blamed(place, tmp_path, capsys, case):
    """What its constructor or first step does wrong is one line, and no folder is made."""
    old, new, said = CODE[case]
    code = place / "nets" / "conv_gru.py"
    assert old in code.read_text()
    code.write_text(code.read_text().replace(old, new))
    if said is None:
        train(str(place / "recipe.yaml"), 0, tmp_path / "out", device="cpu", quiet=True)  # its head learns
        code.write_text(code.read_text().replace("(width, 2, 1)", "(width, 2, 1).requires_grad_(False)"))
        said = "no parameters to train"
        shutil.rmtree(tmp_path / "out")
    refused(str(place / "recipe.yaml"), tmp_path / "out", capsys, said)


def refused(recipe, out, capsys, said):
    """See that training exits 2 with one line that says so, and leaves nothing behind."""
    assert run(["train", "--recipe", recipe, "--out", str(out), "--device", "cpu", "--quiet"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_failure_in_the_middle_names_the_architecture(place, tmp_path, capsys):
    """Code that fails at a later step is blamed in one line, and what was trained so far stays."""
    code = place / "nets" / "conv_gru.py"
    late = "self.calls = getattr(self, 'calls', 0) + 1; assert self.calls < 30\n        update, reset ="
    code.write_text(code.read_text().replace("update, reset =", late))
    out = tmp_path / "out"
    assert run(["train", "--recipe", str(place / "recipe.yaml"), "--out", str(out), "--device", "cpu", "--quiet"]) == 2
    error = capsys.readouterr().err
    assert "ConvGRU: its code failed: AssertionError" in error
    assert error.count("\n") == 1
    assert (out / "checkpoint.safetensors").exists()


def test_a_network_that_passes_once_is_told_so(place, tmp_path, capsys):
    """An architecture that says single_pass is held to the same rules as extramaze's own."""
    code = place / "nets" / "conv_gru.py"
    code.write_text(code.read_text().replace("    def __init__", "    single_pass = True\n\n    def __init__"))
    refused(str(place / "recipe.yaml"), tmp_path / "out", capsys, "passes once: it needs gradient: backprop")


def test_installed_packages_announce_architectures(place, tmp_path, monkeypatch):
    """An announced name builds the package's class; its files are known by content and stay where they are."""
    site = tmp_path / "site"
    (site / "acme_nets-1.0.dist-info").mkdir(parents=True)
    (site / "acme_nets-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-nets\nVersion: 1.0\n")
    (site / "acme_nets-1.0.dist-info" / "top_level.txt").write_text("acme_nets\n")
    announced = "[extramaze.architectures]\nacme-gru = acme_nets.conv_gru:ConvGRU\n"
    (site / "acme_nets-1.0.dist-info" / "entry_points.txt").write_text(announced)
    shutil.copytree(place / "nets", site / "acme_nets")
    code = (site / "acme_nets" / "conv_gru.py").read_text().replace("from numbers_of", "from acme_nets.numbers_of")
    (site / "acme_nets" / "conv_gru.py").write_text(code)
    (site / "acme_nets" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(site)
    recipe = changed(place, ('builder: "nets/conv_gru.py:ConvGRU"', "builder: acme-gru"))
    result = train(recipe, 0, tmp_path / "out", device="cpu", quiet=True)
    assert "acme_nets/conv_gru.py" in result.code
    assert not (tmp_path / "out" / "architecture").exists()
    assert load(tmp_path / "out").card.weights_sha256 == result.weights_sha256
    content = json.loads((tmp_path / "out" / "training.json").read_text())
    content["code"]["acme_nets/conv_gru.py"] = "0" * 64
    (tmp_path / "out" / "training.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="code is not the one"):
        load(tmp_path / "out")


def test_it_is_tuned_from_trained_weights(place, tmp_path):
    """A run begins with another's weights where the networks are alike, and one line says where they are not."""
    recipe, first = str(place / "recipe.yaml"), tmp_path / "first"
    begun = train(recipe, 0, first, device="cpu", quiet=True)
    tuned = train(recipe, 1, tmp_path / "tuned", device="cpu", quiet=True, init_from=str(first))
    assert (tuned.init_from, tuned.initial_weights_sha256) == ("tiny-gru@0", begun.weights_sha256)
    with pytest.raises(InputError, match="unlike the architecture"):
        train(changed(place, ("width: 4", "width: 5")), 1, tmp_path / "x", quiet=True, init_from=str(first))


def test_several_processes_share_it(place, tmp_path):
    """Two processes train it from one folder, as they do extramaze's own."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m"]
    options = ["extramaze", "train", "--recipe", str(place / "recipe.yaml"), "--out", str(tmp_path / "out")]
    done = subprocess.run([*command, *options, "--device", "cpu"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert read_result(tmp_path / "out").processes == 2
    assert load(tmp_path / "out").card.name == "tiny-gru@0"
