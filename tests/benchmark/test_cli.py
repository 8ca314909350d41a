"""Bad input: one clear line on standard error, exit code 2, and nothing on disk changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from extramaze import __version__
from extramaze.cli import run
from extramaze.cli.app import VERBS
from extramaze.mazes.npz import read_npz
from extramaze.records import read_record
from extramaze.verification.validate import problems
from extramaze.verification.verification import read_verifications
from tests.benchmark.test_verification import made
from tests.models.test_train import TINY as TINY_RECIPE


@pytest.fixture
def place(tmp_path, tiny_suite, tiny_records, monkeypatch):
    """A working folder with good and bad files in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.yaml").write_text("name: [")
    (tmp_path / "recipe.yaml").write_text(TINY_RECIPE)
    (tmp_path / "badrecipe.yaml").write_text(TINY_RECIPE.replace("size=5", "size=6"))
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "file.npz").write_text("precious")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "plugin.py").write_text("def make(): raise ValueError('two\\nlines')")
    weights = Path(__file__).parent.parent.parent / "models" / "weights" / "dt-net-thin" / "0"
    shutil.copytree(weights, tmp_path / "truncated")
    (tmp_path / "truncated" / "weights.safetensors").write_bytes(b"short")
    shutil.copytree(weights, tmp_path / "wide")
    recipe = (tmp_path / "wide" / "recipe.yaml").read_text()
    (tmp_path / "wide" / "recipe.yaml").write_text(recipe.replace("width: 32", "width: 64"))
    tiny_records["dt-net-thin@0"].write(tmp_path / "altered")
    content = (tmp_path / "altered" / "record.json").read_text()
    (tmp_path / "altered" / "record.json").write_text(content.replace('"seed": 0', '"seed": 9'))
    tiny_records["dt-net-thin@1"].write(tmp_path / "unreadable")
    (tmp_path / "unreadable" / "record.json").write_text("{")
    for folder, shard in (("unfinished", "1/1"), ("shard", "1/2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "plan.json").write_text("{}")
        (tmp_path / folder / "shard.txt").write_text(shard)
    (tmp_path / "training").mkdir()
    shutil.copy(weights / "recipe.yaml", tmp_path / "training" / "recipe.yaml")
    return tmp_path


def snapshot(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


BAD = {
    "generate size=8 --out m.npz": "size must be an odd integer",
    "generate size=9,percolation=1.5": "percolation must be a probability from 0 to 1",
    "generate": "no specification given",
    "generate size=9 --out file.npz": "file.npz exists",
    "generate size=9 --picture a.jpg": "ends in .png",
    "evaluate wavefront --nonsense": "extramaze evaluate --help",
    "generate size=9 --size 9": "as SPEC or by options, not both",
    "generate --size 8": "size must be an odd integer",
    "generate --size 9 --width eleven": "width must be an odd integer",
    "generate --size 9 --start deadendd": "did you mean deadend",
    "generate --percolation 0.1": "size is missing",
    "generate size=9 --count -3": "count must be an integer of at least 0, got -3",
    "generate size=9 --split tset": "did you mean test",
    "generate size=9 --first -1": "first must be",
    "generate size=9 size=13 --out m.npz": "--out takes one specification",
    "generate size=9 --out file/m.npz": "cannot write file/m.npz",
    "generate size=9 --out no/such/m.npz": "cannot write no/such/m.npz",
    "generate size=9 --count 40 --picture p.png": "1 to 12 mazes",
    "generate size=9 --out m.csv": "ends in .npz or .jsonl",
    "generate --suite tiny-v1.yaml --cell easy --split train": "instead of a specification and --split",
    "generate --suite tiny-v1.yaml --cell easy --first 39 --count 2": "has mazes 0 to 39",
    "generate size=9 --count three": "'--count': expected a whole number, got 'three'",
    "evaluate dt-net-thim": "did you mean dt-net-thin",
    "evaluate dt-net-thin@9": "no shipped seed '9'",
    "evaluate wavefront --suite smoke-v2": "did you mean smoke-v1",
    "evaluate wavefront --suite broken.yaml": "not readable as YAML",
    "evaluate wavefront --suite binary.yaml": "suite binary.yaml: written as UTF-16",
    "evaluate wavefront --suite missing.yaml": "cannot read missing.yaml",
    "evaluate wavefront --suite tiny-v1.yaml --limit 0": "--limit must be at least 1",
    "evaluate --predictions p.npz --dtype float64": "--predictions goes with",
    "evaluate --predictions p.npz --device cpu": "--predictions goes with",
    "evaluate wavefront --suite tiny-v1.yaml --out file": "cannot make the folder file: it is a file",
    "evaluate wavefront --suite tiny-v1.yaml --out file/below": "cannot make the folder file/below",
    "evaluate wavefront --suite tiny-v1.yaml --out altered": "altered since it was written",
    "evaluate wavefront --suite tiny-v1.yaml --out unreadable": "not readable as JSON",
    "evaluate wavefront --device tpu": "unknown device 'tpu'",
    "evaluate truncated": "truncated or altered",
    "evaluate wide": "another architecture",
    "evaluate training": "holds an unfinished training",
    "evaluate plugin.py:make": "its code failed: ValueError: two lines",
    "train --recipe dt-net-thn --out r": "did you mean dt-net-thin",
    "train --recipe broken.yaml --out r": "not readable as YAML",
    "train --recipe badrecipe.yaml --out r": "data.spec",
    "train --recipe recipe.yaml --seed -1 --out r": "seed must be from 0 to 255",
    "train --recipe recipe.yaml --out altered": "holds no training run",
    "train --recipe recipe.yaml --out file/below": "cannot make the folder",
    "leaderboard altered": "altered since it was written",
    "leaderboard unreadable": "not readable as JSON",
    "leaderboard nowhere": "no record",
    "leaderboard --format html": "html",
    "compare altered altered": "altered since it was written",
    "compare altered": "Missing argument",
    "compare nowhere altered": "nowhere holds no record",
    "plot unfinished": "give the same extramaze evaluate again",
    "plot shard": "is shard 1/2 of an evaluation",
    "check unreadable --baseline b": "not readable as JSON",
    "validate file": "neither a record",
    "submit": "Missing argument",
    "submit new": "extramaze submit new NAME starts a submission",
    "submit new Nöt-good": "small letters, digits and single hyphens",
    "submit new wavefront": "the name wavefront is extramaze's own",
    "submit new mine --out altered": "altered exists and is not empty",
    "submit wavefront": "there is no card card.yaml",
    "submit wavefront --card broken.yaml": "not readable as YAML",
    "submit wavefront --card recipe.yaml": "authors: missing, and needed",
    "submit wavefront mine --card card": "extramaze submit new NAME starts a submission",
    "verify nowhere": "nowhere holds no record",
    "verify file": "file holds no record",
    "leaderbord": "leaderboard",
    "ls suits": "'what': 'suits' is not one of 'solvers', 'suites', 'recipes'",
    "quickstart --out file": "cannot make the folder file",
    "quickstart --outt x": "--outt",
}


@pytest.mark.parametrize("command", BAD)
def test_bad_input_is_one_line_and_exit_2(command, place, capsys):
    """Each refusal is one line that names the problem; no file is made, changed or lost."""
    before = snapshot(place)
    assert run(command.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert len(captured.err.strip().splitlines()) == 1
    assert BAD[command] in captured.err
    assert snapshot(place) == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
@pytest.mark.parametrize("command", ["evaluate wavefront", "train --recipe recipe.yaml --out r", "quickstart"])
def test_cuda_without_a_device_is_refused(command, place, capsys):
    """Asking for CUDA where there is none says so."""
    assert run([*command.split(), "--device", "cuda"]) == 2
    assert "0 CUDA devices are here; use cpu" in capsys.readouterr().err


def test_an_internal_fault_is_exit_5(monkeypatch, capsys):
    """What nobody expected is caught at the top, with advice; a traceback only with --debug."""
    monkeypatch.setattr("extramaze.models.shipped.recipe_names", lambda: 1 / 0)
    assert run(["ls", "recipes"]) == 5
    error = capsys.readouterr().err
    assert "internal fault: ZeroDivisionError" in error
    assert "--debug" in error
    assert "Traceback" not in error
    assert run(["ls", "recipes"], debug=True) == 5
    assert "Traceback" in capsys.readouterr().err


def test_a_traceback_of_ones_own_code_on_request(place, capsys):
    """One line, unless --debug asks where a solver's own code failed."""
    assert run(["doctor", "plugin.py:make"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert run(["doctor", "plugin.py:make"], debug=True) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "plugin.py" in err


def test_a_closed_pipe_is_no_failed_check(root):
    """… | head ends the program by the pipe's signal, as it ends others, not with the code of a failed check."""
    command = f"{sys.executable} -m extramaze ls | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=root)
    assert done.returncode in (0, 141)
    assert done.stderr == ""


def test_a_diverged_training_is_exit_5_with_advice(place, monkeypatch, capsys):
    """Nothing was measured: the advice is the trainer's, and nobody is asked to report it."""
    monkeypatch.setattr(
        "extramaze.models.training.shared_loss.training_loss", lambda solver, x, *_: solver(x, 1).sum() * float("nan")
    )
    assert run(["train", "--recipe", "recipe.yaml", "--out", "r", "--quiet", "--device", "cpu"]) == 5
    error = capsys.readouterr().err
    assert "lower the learning rate" in error
    assert "report" not in error


def test_an_interrupt_says_how_to_go_on(monkeypatch, capsys):
    """Ctrl-C is exit 130 and one line."""

    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr("extramaze.models.shipped.recipe_names", interrupt)
    assert run(["ls", "recipes"]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_help_and_version(capsys):
    """Help teaches the first command; every command has help of its own."""
    assert run([]) == 0
    assert "extramaze quickstart" in capsys.readouterr().out
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"extramaze {__version__}\n"
    for command in VERBS:
        assert run([command, "--help"]) == 0
        assert "Options" in capsys.readouterr().out


def test_generate_writes_what_it_prints(place, capsys):
    """The archive holds the mazes whose digest is printed; the picture is a PNG."""
    command = "generate size=9,percolation=0.1 --count 3 --split test --out m.npz --picture p.png"
    assert run(command.split()) == 0
    out = capsys.readouterr().out
    assert read_npz("m.npz").digest()[:16] in out
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")


def test_from_training_to_a_board(place, capsys):
    """train → evaluate → leaderboard, by the command line."""
    assert run(["train", "--recipe", "recipe.yaml", "--out", "runs/tiny", "--quiet", "--device", "cpu"]) == 0
    assert "extramaze evaluate runs/tiny" in capsys.readouterr().out
    assert run(["evaluate", "runs/tiny", "--suite", "tiny-v1.yaml", "--quiet", "--device", "cpu"]) == 0
    assert "record: runs/tiny-v1/tiny@0" in capsys.readouterr().out
    assert run(["evaluate", "wavefront", "--suite", "tiny-v1.yaml", "--quiet", "--device", "cpu"]) == 0
    capsys.readouterr()
    assert run(["leaderboard", "runs", "--format", "markdown"]) == 0
    out = capsys.readouterr().out
    assert "| 1 | wavefront |" in out
    assert "| – | tiny* |" in out  # one seed, and no other recipe from which to know how seeds differ


def test_ls_lists_what_ships(capsys, root):
    """Names that can be typed back."""
    assert run(["ls"]) == 0
    listed = capsys.readouterr().out.split()
    assert listed[:3] == ["dead-end-filling", "wall-follower", "wavefront"]
    weights = (root / "models" / "weights").glob("*/*/weights.safetensors")
    assert set(listed[3:]) == {f"{path.parts[-3]}@{path.parts[-2]}" for path in weights}
    assert run(["ls", "recipes"]) == 0
    assert capsys.readouterr().out.split() == sorted(path.stem for path in (root / "models" / "recipes").glob("*.yaml"))


def test_the_module_runs_as_the_command():
    """``python -m extramaze`` is ``extramaze``, and refuses with the same exit code."""
    process = subprocess.run(
        [sys.executable, "-m", "extramaze", "evaluate", "nothing"], capture_output=True, text=True, env=os.environ
    )
    assert process.returncode == 2
    assert process.stderr.startswith("error: unknown solver 'nothing'")


def test_evaluation_in_parts_by_command(tmp_path, monkeypatch, tiny_suite, capsys):
    """Cells, budgets, shards, gathering, predictions and JSON, each as a command."""
    import json

    import numpy as np

    from extramaze.suites import cell_mazes

    monkeypatch.chdir(tmp_path)
    usual = ["evaluate", "dead-end-filling", "--suite", "tiny-v1.yaml", "--quiet", "--device", "cpu"]
    assert run([*usual, "--cells", "cycles", "--budget", "0.001TFLOP", "--out", "part", "--json"]) == 0
    part = json.loads(capsys.readouterr().out)["plan"]["part"]
    assert part["cells"] == ["cycles"]
    assert 1 <= part["mazes"] < 70
    for index in (1, 2):
        assert run([*usual, "--shard", f"{index}/2", "--out", f"s{index}"]) == 0
    assert run(["gather", "s1", "s2", "--out", "whole"]) == 0
    assert run(["gather", "s1", "--out", "half"]) == 2
    np.savez("p.npz", easy=np.zeros((40, 7, 7), bool))
    assert len(cell_mazes("tiny-v1.yaml", "easy")) == 40
    answers = ["evaluate", "--predictions", "p.npz", "--suite", "tiny-v1.yaml", "--name", "nobody"]
    assert run(answers) == 2
    assert "70 of 70 mazes of cycles have no answer" in capsys.readouterr().err
    assert run([*answers, "--cells", "easy"]) == 0
    command = ["generate", "--suite", "tiny-v1.yaml", "--cell", "easy", "--out", "q.jsonl"]
    assert run(command) == 0
    assert len((tmp_path / "q.jsonl").read_text().splitlines()) == 40
    assert run(["evaluate", "--suite", "tiny-v1.yaml"]) == 2
    for option in (["--dtype", "float64"], ["--shard", "1/2"]):
        assert run([*usual, "--noise-floor", *option]) == 2
        assert "--noise-floor needs float32 answers to every maze" in capsys.readouterr().err
    assert run([*usual, "--name", "mine"]) == 2
    assert run(["ls", "suites", "--verbose"]) == 0
    assert "97.6 TFLOP, about 7 min on two CPU cores" in capsys.readouterr().out
    assert run(["ls", "suites"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert {"laptop-v1", "limits-v1", "paper-v1", "smoke-v1"} < lines.keys()
    assert lines["paper-v1"].endswith("about 4 days")
    assert "exact cycles" in lines["laptop-v1"]
    assert run(["plot", "whole"]) == 0
    assert (tmp_path / "whole" / "plots" / "difficulty.png").exists()


@pytest.mark.parametrize(
    ("options", "place", "field", "value"),
    [
        ("dead-end-filling --dtype float64", "dead-end-filling-limit-2-dtype-float64", "dtype", "float64"),
        ("pi-net-thin@0 --mode own", "pi-net-thin@0-limit-2-own", "mode", "own"),
    ],
)
def test_options_reach_the_plan_and_name_the_folder(options, place, field, value, tmp_path, tiny_suite, monkeypatch):
    """Evaluations that differ in an option do not share a folder."""
    monkeypatch.chdir(tmp_path)
    usual = ["--suite", "tiny-v1.yaml", "--limit", "2", "--device", "cpu", "--quiet"]
    assert run(["evaluate", *options.split(), *usual]) == 0
    assert getattr(read_record(tmp_path / "runs" / "tiny-v1" / place).summary.plan, field) == value


def test_a_noise_floor_is_written_into_the_record(tmp_path, tiny_suite, monkeypatch, capsys):
    """Also into one that was finished without, whose verification stays; once it is there, nothing is run again."""
    monkeypatch.chdir(tmp_path)
    place, kept = tmp_path / "all" / "tiny-v1" / "r", tmp_path / "all" / "verifications" / "tiny-v1" / "one.json"
    usual = ["--suite", "tiny-v1.yaml", "--limit", "2", "--device", "cpu", "--quiet", "--out", str(place)]
    command = ["evaluate", "pi-net-thin@0", "--mode", "own", *usual]
    assert run(command) == 0
    before = read_record(place)
    made(record_sha256=before.summary.sha256, mazes=6, drawn=6, compared=6).write(kept)
    (place / "card.json").write_text("{}")
    assert run([*command, "--noise-floor"]) == 2
    assert "which its card seals" in capsys.readouterr().err
    (place / "card.json").unlink()
    assert run([*command, "--noise-floor"]) == 0
    found = read_record(place).summary
    assert [cell.mazes for cell in found.noise] == [2, 2, 2]
    assert (found.plan, found.cells, found.run) == (before.summary.plan, before.summary.cells, before.summary.run)
    assert problems(place) == []
    assert list(read_verifications(tmp_path / "all" / "verifications")) == [found.sha256]
    monkeypatch.setattr("extramaze.verification.noise.noise_floor", lambda *_: pytest.fail("run again"))
    assert run([*command, "--noise-floor"]) == 0


@pytest.mark.parametrize("split", [None, "train"])
def test_without_a_split_the_tests_layouts_are_among_them(capsys, split):
    """And the command says so; of one maze it says 1 maze."""
    assert run(["generate", "--size", "9", "--count", "1", "--quiet", *(["--split", split] if split else [])]) == 0
    said = capsys.readouterr().out
    assert ("those of the test split among them" in said) == (split is None)
    assert " 1 maze, " in said
