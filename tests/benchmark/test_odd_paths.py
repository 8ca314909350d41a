"""Paths of any characters that a file system allows: opened as given, shown escaped, by every verb that takes one."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from extramaze.cli import run
from extramaze.core.checked import one_line
from extramaze.core.display import sentence, shown
from extramaze.models.training.trained import read_solver
from extramaze.records import read_record
from tests.models.test_doctor import __file__ as solvers
from tests.models.test_train import TINY

SUITE = """
name: small-v1
scale: 1
split: test
iterations: [3]
cells: [{name: usual, axis: in-distribution, spec: size=9, count: 4}]
limits: {burn_in: 3, window: 4, count: 2, cells: [usual]}
"""
NAMES = {
    "no-break space": "a\u00a0b",
    "narrow no-break space": "a\u202fb",
    "wide space": "a\u3000b",
    "family": "\U0001f469\u200d\U0001f466",
    "line break": "a\nb\tc",
    "escape": "\x1b[31ma",
    "Latin-1": os.fsdecode(b"caf\xe9"),
}


OFTEN = ("no-break space", "line break", "Latin-1")  # the others are tried by the slow tests
KINDS = [pytest.param(name, id=kind, marks=() if kind in OFTEN else pytest.mark.slow) for kind, name in NAMES.items()]


@pytest.fixture(params=KINDS)
def place(request, tmp_path, monkeypatch):
    """A folder of an odd name, with a suite, a recipe and a solver of that name in it."""
    folder = tmp_path / request.param
    folder.mkdir()
    (folder / "small-v1.yaml").write_text(SUITE)
    (folder / "tiny.yaml").write_text(TINY.replace("steps: 40", "steps: 4"))
    shutil.copy(solvers, folder / f"{request.param}.py")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def call(capfd, monkeypatch):
    """A function that runs a command and returns what it printed, all of it visible, after its exit code was seen."""

    def command(code, *arguments):
        arguments = [str(argument) for argument in arguments]
        monkeypatch.setattr(sys, "argv", ["extramaze", *arguments])
        found = run(arguments)
        said = "".join(capfd.readouterr())
        assert found == code, said
        assert all(line.isprintable() for line in said.splitlines()), said
        return said

    return command


def test_every_verb_takes_and_shows_any_path(place, call):
    """Suites, solvers, records, baselines, pictures and mazes: each is found where it was said to be."""
    quick = ["--suite", place / "small-v1.yaml", "--device", "cpu", "--quiet"]
    record, name = place / "record", shown(place.name)
    assert f"record: {shown(record)}" in call(0, "evaluate", "wavefront", *quick, "--out", record)
    assert json.loads(call(0, "evaluate", "wavefront", *quick, f"--out={record}", "--json"))["plan"]["device"]
    one_line(read_record(record).summary.run.command)
    assert name in call(2, "evaluate", "wavefront", *quick, "--out", place)
    assert name in call(2, "evaluate", "wavefront", "--suite", place / "none.yaml")
    assert "keeps the contract" in call(0, "doctor", f"{place}/{place.name}.py:Whole")
    assert name in call(2, "doctor", f"{place}/none.py:Whole")
    assert name in call(2, "compare", record, place / "none")
    assert name in call(0, "check", record, "--baseline", place / "base", "--init")
    call(0, "check", record, "--baseline", place / "base", "--junit", place / "j.xml", "--markdown", place / "m.md")
    call(0, "leaderboard", record)
    call(0, "findings", record, "--partial", "--out", place / "findings.md")
    assert (place / "findings.md").exists()
    assert f"{shown(record)}: sound" in call(0, "validate", record)
    assert name in call(0, "verify", record, "--mazes", "2", "--quiet")
    assert name in call(0, "generate", "--size", "9", "--out", place / "m.npz", "--picture", place / "m.png", "--quiet")
    assert name in call(2, "generate", "--size", "11", "--out", place / "m.npz", "--quiet")
    assert name in call(2, "evaluate", "--predictions", place / "none.npz", *quick[:2], "--out", place / "p")
    assert name in call(0, "submit", "new", "my-net", "--out", place / "mine")


def test_training_takes_any_path(place, call):
    """A recipe and a folder; the folder is a solver, and what another one begins with."""
    call(0, "train", "--recipe", place / "tiny.yaml", "--out", place / "run", "--device", "cpu", "--quiet")
    more = ["--device", "cpu", "--quiet", "--init-from", place / "run"]
    call(0, "train", "--recipe", place / "tiny.yaml", "--out", place / "more", *more)
    assert read_solver(place / "more")[2].init_from == "tiny@0"
    assert shown(place.name) in call(2, "train", "--recipe", place / "none.yaml", "--out", place / "run")


def test_a_terminal_without_the_characters_is_no_matter(tmp_path):
    """Under the C locale, and with bytes that are no UTF-8: done or refused with the path in ASCII, never a failure."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    folder = tmp_path / NAMES["Latin-1"] / "m\u00fc\U0001f600"
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "extramaze", "generate", "--out", str(folder / "m.npz"), "--size"]
    for size, code in (("9", 0), ("11", 2)):
        done = subprocess.run([*command, size], capture_output=True, env={**os.environ, **plain}, check=False)
        assert (done.returncode, b"Error" in done.stderr) == (code, False), done.stderr
        assert done.stderr.isascii()
        assert rb"caf\udce9" in done.stderr
    assert (folder / "m.npz").exists()


def test_what_cannot_be_seen_is_escaped():
    """As Python writes it; what can be is left as it is."""
    assert shown("a\u00a0\n\udce9\x1b") == "a\\xa0\\n\\udce9\\x1b"
    assert shown("für ‖z‖ ×") == "für ‖z‖ ×"
    assert shown("n" * 200, 10) == "nnnnnnnnn…"
    assert sentence(" two\n  lines\x00 ") == "two lines\\x00"


@pytest.mark.parametrize(
    "command", ["compare {} {}", "compare r {}", "validate {}", "plot {}", "leaderboard r --verifications {}"]
)
def test_a_circle_of_links_is_no_fault_of_ours(command, tiny_records, tmp_path, monkeypatch, capsys):
    """Whatever is asked of it, a path that leads nowhere is refused in one line."""
    monkeypatch.chdir(tmp_path)
    tiny_records["dead-end-filling"].write(tmp_path / "r")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert run(command.format("one", "two").split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: one ") or line.startswith("error: two ")
