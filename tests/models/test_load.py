import json
import os
import py_compile
import shutil
import sys
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest
import torch

from extramaze.blocks.identity import solver_info
from extramaze.core.errors import Terminated
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.loading import ALGORITHMS
from extramaze.models.shipped import ALGORITHM_NAMES

WEIGHTS = Path(str(files("extramaze.models"))) / "weights"
PLUGIN = """
from extramaze.models.dead_end_filling import DeadEndFilling
def make(): return DeadEndFilling()
def broken(): raise RuntimeError("no such luck")
def wrong(): return 3
number = 5
class Stubborn(DeadEndFilling):
    def eval(self): return None
class Untrained(DeadEndFilling):
    def train(self, mode=True): super().train(mode)
class Sour(DeadEndFilling):
    def eval(self): raise RuntimeError("no evaluation")
class Cardless(DeadEndFilling):
    card = property(lambda self: 1 / 0)
"""


@pytest.fixture
def folder(tmp_path):
    """A copy of a trained solver."""
    return Path(shutil.copytree(WEIGHTS / "dt-net-thin" / "0", tmp_path / "solver"))


def test_a_name_is_its_lowest_seed():
    """``dt-net-thin`` is seed 0; ``@1`` is another with other weights."""
    lowest, zero, one = load("dt-net-thin"), load("dt-net-thin@0"), load("dt-net-thin@1")
    assert lowest.card == zero.card
    assert (one.card.name, one.card.seed, one.card.scale) == ("dt-net-thin@1", 1, 1)
    assert torch.equal(lowest.head[0].weight, zero.head[0].weight)
    assert not torch.equal(lowest.head[0].weight, one.head[0].weight)
    assert not lowest.training


def test_a_folder_and_its_shipped_name_are_one_solver(folder):
    """A checkpoint folder loads like the name it ships under."""
    assert load(str(folder)).card == load("dt-net-thin@0").card


ENDINGS = {
    "raise SystemExit(0)": "its code failed: SystemExit: 0",
    "raise GeneratorExit": "its code failed: GeneratorExit",
    "raise Stop": "its code failed: Stop",
    "raise StopIteration": "its code failed: StopIteration",
    "raise Mute": "its code failed: Mute: its message cannot be read",
    "import os; raise OSError(2, 'gone')": "its code failed: FileNotFoundError: [Errno 2] gone",
}
KINDS = """
class Stop(BaseException): pass
class Mute(Exception):
    def __str__(self): return 1 / 0
"""


@pytest.mark.parametrize(("ending", "said"), ENDINGS.items())
@pytest.mark.parametrize("where", ["module", "factory", "weights"])
def test_whatever_a_solver_s_code_raises_is_one_error(tmp_path, where, ending, said):
    """No kind of exception passes through, wherever it is raised while a solver is made."""
    raising = f"{ending}\n" if where == "module" else ""
    made = "    net = DeadEndFilling()\n    net.state_dict = end\n    return net\n" if where == "weights" else ""
    text = f"from extramaze.models.dead_end_filling import DeadEndFilling\n{KINDS}{raising}def end(*_):\n    {ending}\n"
    (tmp_path / "mine.py").write_text(f"{text}def make():\n{made or '    end()'}\n")
    with pytest.raises(InputError) as caught:
        load(f"{tmp_path / 'mine.py'}:make")
    assert str(caught.value).endswith(said)


def test_what_the_user_ends_a_process_by_is_left_alone(tmp_path):
    """The keyboard's interruption, and the system's request to end, are no failures of a solver."""
    for ending in ("raise KeyboardInterrupt", "from extramaze.core.errors import Terminated; raise Terminated"):
        (tmp_path / "mine.py").write_text(f"def make(): pass\n{ending}\n")
        with pytest.raises((KeyboardInterrupt, Terminated)):
            load(f"{tmp_path / 'mine.py'}:make")


def test_factories_in_files_and_modules(tmp_path):
    """``file.py:factory`` and ``module:factory`` load; the card says where from."""
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    assert load(f"{path}:make").card.name == "dead-end-filling"
    assert load("extramaze.models.wavefront:Wavefront").card.name == "wavefront"


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("dt-net-thim", "did you mean dt-net-thin"),
        ("dt-net-thin@7", r"no shipped seed '7'.*shipped: 0, 1, 2"),
        ("dt-net-thin@", "no shipped seed ''"),
        ("wavefrond", "did you mean wavefront"),
        ("no.such.module:make", "No module named"),
        ("{file}:none", "has no function 'none'"),
        ("{file}:number", "has no function 'number'"),
        ("{file}:broken", "RuntimeError: no such luck"),
        ("{file}:wrong", "expected an IterativeSolver, got int"),
        ("{file}:Stubborn", r"eval\(\) and train\(\) must return the solver itself; return self"),
        ("{file}:Untrained", r"eval\(\) and train\(\) must return the solver itself; return self"),
        ("{file}:Sour", "RuntimeError: no evaluation"),
        ("{file}:Cardless", "ZeroDivisionError"),
        ("missing.py:make", "there is no file"),
        ("a\0b.py:make", "none of them NUL"),
        ("x" * 5000, "at most 1000"),
        ("x" * 300, "no file or folder to look into: File name too long"),
        ("x" * 300 + ".py:make", "no file or folder to look into: File name too long"),
        ("{dir}", "recipe.yaml"),
    ],
)
def test_what_cannot_be_loaded_says_why(tmp_path, target, problem):
    """One sentence for each way a target can be wrong."""
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=problem):
        load(target.format(file=path, dir=tmp_path / "empty"))


@pytest.mark.parametrize("line", ["sys.path = [*sys.path[1:]]", "sys.path = ()", "sys.path.remove(sys.path[0])"])
def test_a_file_that_meddles_with_the_path_is_loaded(tmp_path, line):
    """And ``sys.path`` is what it was before."""
    path, before = tmp_path / "mine.py", list(sys.path)
    path.write_text(f"{PLUGIN}import sys\n{line}\n")
    assert load(f"{path}:make").card.name == "dead-end-filling"
    assert sys.path == before


def test_truncated_weights_are_refused(folder):
    """Weights whose sha256 is not the stated one are truncated or altered."""
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="truncated or altered"):
        load(str(folder))


def test_weights_of_another_width_are_refused(folder):
    """A recipe of another width names the first tensor that differs."""
    path = folder / "recipe.yaml"
    path.write_text(path.read_text().replace("width: 32", "width: 16"))
    with pytest.raises(InputError, match=r"another architecture.*expected \(16, 16, 3, 3\), found \(32, 32, 3, 3\)"):
        load(str(folder))


def test_missing_weights_are_one_line(folder):
    """A folder without its weights says which file is missing."""
    (folder / "weights.safetensors").unlink()
    with pytest.raises(InputError, match=r"cannot read .*weights\.safetensors"):
        load(str(folder))


def test_a_seed_below_99_percent_is_marked(folder):
    """Seeds that trained badly are shipped, and say so."""
    path = folder / "training.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"validation_accuracy": 0.9, "reached_99": False}))
    accuracy = load(str(folder)).card.provenance.accuracy
    assert (accuracy.exact, accuracy.mazes) == (0.9, 4_096)


@pytest.mark.parametrize("text", ["{", "[]", '{"recipe": 3}'])
def test_a_broken_training_file_is_refused(folder, text):
    """training.json is checked before anything is built."""
    (folder / "training.json").write_text(text)
    with pytest.raises(InputError, match=r"training\.json"):
        load(str(folder))


def test_two_files_of_one_name_are_two_solvers(tmp_path):
    """Each is known by the code that it came from."""
    targets, digests = [], []
    for folder, text in (("a", "# one"), ("b", "# another")):
        path = tmp_path / folder / "solver.py"
        path.parent.mkdir()
        path.write_text(f"{text}\nfrom extramaze.models.wavefront import Wavefront\n\n\nclass Mine(Wavefront): ...\n")
        targets.append(f"{path}:Mine")
        digests.append(sha256(path.read_bytes()).hexdigest())
    first, second = (load(target) for target in targets)
    assert [solver_info(solver).code_sha256 for solver in (first, second)] == digests


def test_a_file_is_read_itself(tmp_path, monkeypatch):
    """No bytecode is left beside it, where it would be submitted, and none that lies there is believed."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "mine.py"
    text = "from extramaze.models.{0} import {1}\nmake = {1}\n"
    path.write_text(text.format("wall_follower", "WallFollower"))
    load(f"{path}:make")
    assert list(tmp_path.iterdir()) == [path]
    py_compile.compile(str(path))
    then, length = path.stat().st_mtime, path.stat().st_size
    path.write_text(text.format("wavefront", "Wavefront").ljust(length))
    os.utime(path, (then, then))
    assert type(load(f"{path}:make")).__name__ == "Wavefront"


def test_algorithms_are_listed_without_being_imported():
    """The names that data knows are those that load makes."""
    assert tuple(ALGORITHMS) == ALGORITHM_NAMES
