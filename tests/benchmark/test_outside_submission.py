"""Architectures from outside beyond training: evaluated, ranked, submitted, validated and verified."""

import json
import shutil

import pytest

from extramaze.cli import run
from extramaze.records import read_record
from extramaze.verification.validate import problems

RECIPE = """
name: tiny-gru
paper: none
architecture: {builder: conv_gru.py:ConvGRU, width: 4}
data: {spec: "size=5", scale: 1}
training: {gradient: progressive, steps: 4, batch: 8, learning_rate: 0.01, weight_decay: 0, warmup_steps: 1,
           max_iterations: 3, bf16: false}
validation: {every: 4, count: 8, final_count: 8, iterations: 3}
"""
CARD = "authors: [A. Person]\nlicense: MIT\nexternal_data: none\n"


@pytest.fixture(scope="module")
def made(root, workshop, tmp_path_factory):
    """A trained folder whose code tells, by a file, that it was run; and its submission on a small suite."""
    place = tmp_path_factory.mktemp("outside")
    code = (root / "examples" / "conv_gru.py").read_text()
    (place / "conv_gru.py").write_text(code + f"\nfrom beside import touch\ntouch({str(place / 'ran')!r})\n")
    (place / "beside.py").write_text("def touch(path):\n    open(path, 'a').close()\n")
    (place / "recipe.yaml").write_text(RECIPE)
    (place / "card.yaml").write_text(CARD)
    options = ["--device", "cpu", "--quiet"]
    assert run(["train", "--recipe", str(place / "recipe.yaml"), "--out", str(place / "net"), *options]) == 0
    (place / "conv_gru.py").unlink()
    (place / "beside.py").unlink()
    suite = ["--suite", str(workshop / "small-v1.yaml"), "--out", str(place / "submitted")]
    assert run(["submit", str(place / "net"), "--card", str(place / "card.yaml"), *suite, *options]) == 0
    (place / "ran").unlink()
    return place


def test_it_takes_the_code_along(made):
    """The submission has the recipe, the weights and every file of the code, and its record states their digests."""
    folder = made / "submitted"
    files = json.loads((folder / "card.json").read_text())["files"]
    assert {"recipe.yaml", "weights.safetensors", "architecture/conv_gru.py", "architecture/beside.py"} <= files.keys()
    assert sorted(read_record(folder).summary.plan.solver.files) == ["beside.py", "conv_gru.py"]


def test_reading_it_runs_nothing(made, capsys):
    """Validate, leaderboard and compare look at records and cards."""
    folder = str(made / "submitted")
    assert problems(made / "submitted") == []
    assert run(["validate", folder]) == 0
    assert run(["leaderboard", folder]) == 0
    assert run(["compare", folder, folder]) == 0
    assert "tiny-gru" in capsys.readouterr().out
    assert not (made / "ran").exists()


def test_verifying_needs_trust(made, tmp_path, capsys):
    """Without --trust nothing is run, and one line says so; with it the record is reproduced."""
    command = ["verify", str(made / "submitted"), "--out", str(tmp_path), "--quiet"]
    assert run(command) == 2
    said = capsys.readouterr().err
    assert "the code of the architecture in its folder" in said
    assert said.count("\n") == 1
    assert not (made / "ran").exists()
    assert run([*command, "--trust", "--mazes", "5", "--seed", "0"]) == 0
    assert (made / "ran").exists()
    (made / "ran").unlink()


def test_altered_code_is_found(made, tmp_path):
    """A file that was changed, is gone, or is a way out of the folder is named, and nothing is run."""
    for change in ("changed", "gone", "a link"):
        folder = shutil.copytree(made / "net", tmp_path / change)
        file = folder / "architecture" / "beside.py"
        text = file.read_text()
        file.unlink()
        if change == "changed":
            file.write_text(text + "# more\n")
        if change == "a link":
            (tmp_path / "elsewhere.py").write_text(text)
            file.symlink_to(tmp_path / "elsewhere.py")
        assert any("architecture/beside.py: altered" in line for line in problems(folder)), change
        assert run(["evaluate", str(folder), "--device", "cpu", "--quiet"]) == 2
    assert not (made / "ran").exists()


def test_names_that_lead_elsewhere_are_not_followed(made, tmp_path):
    """A stated name with .. in it is no kept file."""
    folder = shutil.copytree(made / "net", tmp_path / "net")
    content = json.loads((folder / "training.json").read_text())
    content["code"]["../recipe.yaml"] = content["code"]["beside.py"]
    (folder / "training.json").write_text(json.dumps(content))
    assert any("../recipe.yaml: altered" in line for line in problems(folder))
