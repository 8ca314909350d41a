"""Standard output holds a verb's result and nothing else, however much a solver prints, and by whatever way."""

import ast
import json
import subprocess
import sys

import pytest

from extramaze.cli import run
from extramaze.core.results import print as print_result
from extramaze.core.results import results_apart

NOISY = """
import atexit, logging, os, subprocess, sys, threading
from extramaze.models.wavefront import Wavefront
def shout(where):
    print("hubbub", where)
    sys.stdout.write("hubbub written\\n"); sys.stdout.buffer.write(b"hubbub bytes\\n"); sys.stdout.flush()
    os.write(1, b"hubbub by number\\n")
    subprocess.run([sys.executable, "-c", "print('hubbub of a child')"], check=True)
    thread = threading.Thread(target=lambda: print("hubbub of a thread")); thread.start(); thread.join()
logging.basicConfig(stream=sys.stdout, level=10)
shout("import")
atexit.register(print, "hubbub at exit")
class Mine(Wavefront):
    done = False
    def step(self, state, x):
        if not Mine.done:
            Mine.done = True
            shout("step"); logging.info("hubbub logged")
        return super().step(state, x)
def make():
    shout("factory")
    return Mine()
"""


@pytest.fixture
def place(tmp_path, tiny_suite, tiny_records, monkeypatch):
    """A working folder with a noisy solver, a suite and records."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "noisy.py").write_text(NOISY)
    for name, folder in (("dt-net-thin@0", "a"), ("dt-net-thin@1", "b")):
        tiny_records[name].write(tmp_path / folder)
    return tmp_path


def call(*arguments):
    """Run a command as a process of its own."""
    command = [sys.executable, "-m", "extramaze", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


EVALUATE = ("evaluate", "noisy.py:make", "--suite", "tiny-v1.yaml", "--cells", "easy", "--device", "cpu", "--quiet")


def test_a_noisy_solver_leaves_one_json_document(place):
    """Prints at import, in the factory, in a step, at exit, of threads and children, go to standard error."""
    done = call(*EVALUATE, "--json", "--out", "r")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["plan"]["solver"]["name"] == "wavefront"
    for where in ("import", "factory", "step", "written", "bytes", "by number", "of a child", "of a thread", "at exit"):
        assert f"hubbub {where}\n" in done.stderr
    assert "hubbub" not in done.stdout


def test_a_failing_solver_leaves_nothing(place):
    """What it prints as it is given up, after its verb has ended, goes to standard error too."""
    (place / "failing.py").write_text(
        "from extramaze.models.wavefront import Wavefront\nclass Mine(Wavefront):\n"
        "    def step(self, state, x): raise ValueError('no')\n    def __del__(self): print('hubbub')\n"
    )
    done = call("evaluate", "failing.py:Mine", *EVALUATE[2:], "--json", "--out", "r")
    assert (done.returncode, done.stdout) == (2, "")
    assert "hubbub\n" in done.stderr


def test_tables_are_not_disturbed(place):
    """Without --json too, standard output holds what it holds for a silent solver."""
    done = call(*EVALUATE, "--out", "r")
    assert done.returncode == 0
    assert "hubbub" in done.stderr
    assert "hubbub" not in done.stdout
    assert done.stdout.startswith("wavefront on tiny-v1")


VERBS = {
    "evaluate noisy.py:make --suite tiny-v1.yaml --cells easy --device cpu --quiet --json --shard 1/1 --out s": "shard",
    "evaluate noisy.py:make --suite tiny-v1.yaml --cells easy --device cpu --quiet --json --out r": "cells",
    "gather s --out g --json": "cells",
    "compare a b --json": "measures",
    "check a --baseline base --init --json": "baseline",
    "check b --baseline base --json": "verdict",
    "validate a b --json": "a",
    "leaderboard a b --format json": 0,
}


def test_every_verb_with_json_prints_one_document(place, capfd):
    """Whatever else it has to say goes to standard error."""
    for command, key in VERBS.items():
        code = run(command.split())
        said = capfd.readouterr()
        assert code in (0, 1), said.err
        content = json.loads(said.out)
        assert key in content or isinstance(key, int), command


def test_doctor_and_submissions_of_a_noisy_solver(place, capfd):
    """Verbs without JSON print their findings alone."""
    assert run(["doctor", "noisy.py:make"]) == 0
    said = capfd.readouterr()
    assert said.out == "wavefront keeps the contract (checked on mazes of size 5, 9, 15)\n"
    assert "hubbub" in said.err


@pytest.mark.parametrize("where", ["import", "factory", "step"])
def test_relative_paths_are_the_callers(place, where, capfd):
    """Wherever a solver's code goes, its record lies where it was asked for, and the suite was read from there."""
    (place / "elsewhere").mkdir()
    (place / f"{where}.py").write_text(
        "import os\nfrom extramaze.models.wavefront import Wavefront\n"
        f"def go(where):\n    if where == {where!r}: os.chdir('elsewhere')\ngo('import')\n"
        "class Mine(Wavefront):\n    def step(self, state, x):\n"
        "        if 'elsewhere' in os.listdir(): go('step')\n        return super().step(state, x)\n"
        "def make():\n    go('factory')\n    return Mine()\n"
    )
    command = f"evaluate {where}.py:make --suite tiny-v1.yaml --cells easy --device cpu --quiet --out r"
    assert run(command.split()) == 0
    assert (place / "r" / "record.json").exists()
    assert list((place / "elsewhere").iterdir()) == []
    assert f"solver '{where}.py:make': changed the working directory; it is put back" in capfd.readouterr().err
    assert run(["plot", "r", "--solver", f"{where}.py:make", "--maze", "easy:0", "--out", "p"]) == 0
    assert (place / "p" / "mazes.png").exists()
    assert run(["doctor", f"{where}.py:make"]) == 0


def test_streams_are_given_back(capfd):
    """Also where a verb fails."""
    before = sys.stdout

    @results_apart()
    def verb():
        print("a message")
        print_result("a result")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        verb()
    print("after")
    assert sys.stdout is before
    assert tuple(capfd.readouterr()) == ("a result\nafter\n", "a message\n")


def test_verbs_print_results_with_the_function_for_it(root):
    """Python's own would print on standard error while a verb runs."""
    for path in (root / "benchmark" / "cli").glob("*.py"):
        tree = ast.parse(path.read_text())
        uses = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", None) == "print"]
        results = [use for use in uses if not any(keyword.arg == "file" for keyword in use.keywords)]
        imports = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module in ("extramaze.cli.app", "extramaze.core.results")
            for alias in node.names
        }
        assert "print" in imports or not results or path.name == "__init__.py", path
