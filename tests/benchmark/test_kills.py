"""Every verb that writes, stopped at every operation on its files and given again: it ends as if it had not been.

Stopped before an operation is stopped after the one before it. By default a part of the operations is tried, of
kills a twelfth; ``EXTRAMAZE_KILLS=3`` tries a third of these, and the tests marked slow try all.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from extramaze.core.compiled import folder_of_kernels
from extramaze.core.files import hold
from extramaze.records import Record, read_record
from extramaze.records.tallies import tally_limits
from extramaze.schema.plan import CONTRACTS
from tests.kill_server import SUITE

RECIPE = """
name: tiny
paper: none
architecture: {builder: dt_net, width: 2, blocks: 1}
data: {spec: "size=5", scale: 1}
training: {gradient: progressive, steps: 2, batch: 2, learning_rate: 0.01, weight_decay: 0, warmup_steps: 1,
           max_iterations: 2, gradient_steps: 1, clip_norm: 1.0, bf16: false}
validation: {every: 1, count: 2, final_count: 2, iterations: 2}
"""
SOLVER = """
from pathlib import Path
from extramaze.models import SolverCard, read_weights
from extramaze.models.dt_net import DTNet

def make():
    solver = DTNet(width=2, blocks=1)
    read_weights(solver, Path(__file__).with_name("weights.safetensors"))
    solver.card = SolverCard(name="mine@0", recipe="mine", seed=0, scale=1)
    return solver
"""
CARD = """
authors: [A. Person]
paper: none
license: MIT
training: {specs: ["size=5"], split: train, mazes: 4}
external_data: none
"""
EVALUATE = "evaluate wavefront --suite tiny.yaml --quiet --device cpu --out r"
INIT = "check r --baseline b --init"
COMMANDS = {  # by name: what is done before, and what is stopped
    "train": ([], "train --recipe recipe.yaml --out t --quiet --device cpu"),
    "evaluate": ([], EVALUATE),
    "evaluate answers": ([], "evaluate --predictions answers.npz --suite tiny.yaml --out a"),
    "gather": ([f"{EVALUATE}{i} --shard {i}/2" for i in (1, 2)], "gather r1 r2 --out g"),
    "rewatch": ([], "rewatch old --quiet --device cpu"),
    "rewatch with noise": ([], "rewatch old --noise-floor --quiet --device cpu"),
    "check --init": ([EVALUATE], INIT),
    "check --accept": ([EVALUATE, INIT], "check r --baseline b --accept --reason why --junit j.xml --markdown m.md"),
    "submit": ([], "submit solver.py:make --suite tiny.yaml --quiet --device cpu"),
    "submit into a folder": (["mkdir s"], "submit solver.py:make --suite tiny.yaml --quiet --device cpu --out s"),
    "submit new": ([], "submit new my-net"),
    "submit new into a folder": (["mkdir s"], "submit new my-net --out s"),
    "check --init into a folder": ([EVALUATE, "mkdir b"], INIT),
    "verify": ([EVALUATE], "verify r --quiet --out v"),
    "verify a submission": (
        ["submit solver.py:make --suite tiny.yaml --quiet --out s"],
        "verify s --quiet --trust --out v",
    ),
    "generate": ([], "generate --size 5 --out m.npz --picture m.png --quiet"),
    "generate lines": ([], "generate --size 5 --out m.jsonl --quiet"),
    "plot": ([EVALUATE], "plot r"),
    "leaderboard": ([EVALUATE], "leaderboard r --pictures p"),
    "findings": ([EVALUATE], "findings r --partial --out f.md"),
}
VOLATILE = {"run", "sha256", "record_sha256", "finished", "seconds", "wall_seconds", "resumed", "accepted"}


class Server:
    """The process that runs commands in children of its own."""

    def __init__(self, place: Path) -> None:
        self.output, self.temporary, self.cache = place / "output", place / "tmp", place / "cache"
        self.temporary.mkdir()
        kernels = folder_of_kernels()
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "XDG_CACHE_HOME": str(self.cache),
            "TMPDIR": str(self.temporary),
            "MPLCONFIGDIR": str(place / "matplotlib"),
            **({"NUMBA_CACHE_DIR": str(kernels.parents[2])} if kernels else {}),
        }
        command = [sys.executable, "-m", "tests.kill_server"]
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(
            command, cwd=root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ready\n"

    def run(self, folder: Path, command: str, at: int = 0, how: str = "kill") -> tuple[int, int, str]:
        """Run a command in a folder; return its exit code, its operations, and what it printed."""
        count = Path(f"{self.output}.count")
        count.unlink(missing_ok=True)
        request = {"folder": str(folder), "output": str(self.output), "command": command.split(), "at": at, "how": how}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        code = json.loads(self.process.stdout.readline())["code"]
        return code, int(count.read_text()) if count.exists() else 0, self.output.read_text(errors="replace")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    with server.process:
        yield server


@pytest.fixture(scope="module")
def start(server, tmp_path_factory):
    """A folder with a suite, a recipe, a solver, answers, and a record whose limits are of older rules."""
    from extramaze.models import write_weights
    from extramaze.models.dt_net import DTNet

    folder = tmp_path_factory.mktemp("start")
    for name, text in {"tiny": SUITE, "recipe": RECIPE, "card": CARD}.items():
        (folder / f"{name}.yaml").write_text(text)
    (folder / "solver.py").write_text(SOLVER)
    write_weights(DTNet(width=2, blocks=1), folder / "weights.safetensors")
    np.savez(folder / "answers.npz", easy=np.zeros((4, 7, 7), np.uint8))
    assert server.run(folder, EVALUATE.replace("--out r", "--out old"))[0] == 0
    outdate(folder / "old")
    return folder


def outdate(folder):
    """Make a record one of older rules, by which every trajectory has another limit."""
    record = read_record(folder)
    plan = record.summary.plan.model_copy(update={"contracts": {**CONTRACTS, "dynamics": 2}})
    seen = pl.col("limit").is_not_null()
    mazes = record.mazes.with_columns(
        limit=pl.when(seen).then(pl.lit("cycle")),
        period=pl.when(seen).then(2).cast(pl.Int32),
        betti=pl.when(seen).then(pl.lit([2, 0], dtype=pl.List(pl.Int32))),
    )
    limits = [tally_limits(mazes, cell.name, plan.suite) for cell in plan.cells if cell.watched]
    Record.seal(plan, record.summary.cells, limits, mazes, record.summary.run).write(folder)


@pytest.fixture
def world(name, server, start, tmp_path):
    """Return the folder in which a command is to be run, and how to make it anew."""
    before = tmp_path / "before"
    shutil.copytree(start, before)
    for command in COMMANDS[name][0]:
        if command.startswith("mkdir "):
            (before / command.split()[1]).mkdir()
        else:
            code, _, printed = server.run(before, command)
            assert code == 0, printed

    def anew():
        shutil.rmtree(tmp_path / "world", ignore_errors=True)
        return shutil.copytree(before, tmp_path / "world")

    return anew


def contents(folder):
    """Return every file below a folder by name, without what depends on the clock, and every folder."""
    return {str(path.relative_to(folder)): content(path) for path in sorted(folder.rglob("*"))}


def content(path):
    if path.is_dir():
        return None
    if path.name == "log.jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [steady(line) for line in lines if line["event"] != "resumed"]
    return steady(json.loads(path.read_text())) if path.suffix == ".json" else path.read_bytes()


def steady(value):
    if isinstance(value, dict):
        return {key: steady(inner) for key, inner in value.items() if key not in {*VOLATILE, "record.json"}}
    return [steady(inner) for inner in value] if isinstance(value, list) else value


def refused(code, printed):
    """Whether a command ended as refused, with one line that says why."""
    errors = [line for line in printed.splitlines() if line.startswith("error: ")]
    return code == 2 and len(errors) == 1 and "Traceback" not in printed and "internal fault" not in printed


def stopped(code, printed, expected):
    """Whether a command ended as stopped, with one line that says so."""
    errors = [line for line in printed.splitlines() if line.startswith("error: ")]
    return code == expected and len(errors) == 1 and "run the same command again" in errors[0]


class Trial:
    """A command's undisturbed end, and what it leaves where it was stopped before an operation and given again."""

    def __init__(self, server, anew, command) -> None:
        self.server, self.anew, self.command = server, anew, command
        folder = anew()
        self.code, self.count, printed = server.run(folder, command)
        assert self.code == 0, printed
        self.whole = contents(folder)
        self.outside = self.temporary()

    def temporary(self):
        return sorted(path.name for path in self.server.temporary.glob("extramaze-*") if "locks" not in path.name)

    def problems(self, at, how):
        """Yield what is wrong after a stop before an operation."""
        folder = self.anew()
        code, _, printed = self.server.run(folder, self.command, at, how)
        done = code == self.code  # what was stopped had done its work, or did without
        if how == "kill" and code != 137:
            yield f"{how} {at}: ended with {code} {printed}"
        if how == "full" and not (refused(code, printed) or done):
            yield f"{how} {at}: ended with {code} {printed}"
        if how == "interrupt" and not (stopped(code, printed, 130) or done):
            yield f"{how} {at}: ended with {code} {printed}"
        if how == "terminate" and not (stopped(code, printed, 143) or done):
            yield f"{how} {at}: ended with {code} {printed}"
        code, _, printed = self.server.run(folder, self.command)
        if code != self.code:
            yield f"{how} {at}, and again: ended with {code} {printed}"
            return
        found = contents(folder)
        for name in sorted(found.keys() | self.whole.keys()):
            if name not in found or name not in self.whole or found[name] != self.whole[name]:
                fate = "missing" if name not in found else "left" if name not in self.whole else "other"
                yield f"{how} {at}, and again: {name} is {fate}"
        if self.temporary() != self.outside:
            yield f"{how} {at}, and again: {self.temporary()} among temporary files"


KILLS = int(os.environ.get("EXTRAMAZE_KILLS", "12"))
STRIDES = {"kill": KILLS, "full": 24, "interrupt": 60, "terminate": 60}  # of the operations, by default
RELATIVES = {"rewatch", "submit into a folder"}  # much like another command, and long


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in RELATIVES])
def test_stopped_at_some_operations(name, server, world):
    """Killed, out of space, interrupted and terminated: given again, each ends with the files of one that was not."""
    trial = Trial(server, world, COMMANDS[name][1])
    found = [
        problem
        for first, (how, stride) in enumerate(STRIDES.items())
        for at in range(1 + (first + len(name)) % stride, trial.count + 2, stride)  # elsewhere in each command
        for problem in trial.problems(at, how)
    ]
    assert found == []


TARGETS = {  # by command: what it writes into
    "train": "t",
    "evaluate": "r",
    "evaluate answers": "a",
    "gather": "g",
    "rewatch": "old",
    "check --init": "b",
    "check --accept": "b",
    "submit": "submissions/tiny-v1/mine@0",
    "submit new": "my-net",
    "verify": "r",
    "generate": "m.npz",
    "generate lines": "m.jsonl",
    "plot": "r/plots",
    "leaderboard": "p",
    "findings": "f.md",
}


@pytest.mark.parametrize("name", TARGETS)
def test_of_two_commands_at_once_one_says_so(name, server, world, monkeypatch):
    """What is held, here by another of its names, is refused with exit code 2, and nothing is written into it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(server.cache))
    folder = world()
    (folder / "link").symlink_to(folder)
    before = contents(folder / TARGETS[name])
    with hold(folder / "link" / TARGETS[name]):
        code, _, printed = server.run(folder, COMMANDS[name][1])
    assert refused(code, printed), printed
    assert "in use by another process" in printed
    assert contents(folder / TARGETS[name]) == before


@pytest.mark.slow
@pytest.mark.parametrize("how", STRIDES)
@pytest.mark.parametrize("name", COMMANDS)
def test_stopped_at_every_operation(name, how, server, world):
    """The same before each operation, and after the last."""
    trial = Trial(server, world, COMMANDS[name][1])
    assert [problem for at in range(1, trial.count + 2) for problem in trial.problems(at, how)] == []
