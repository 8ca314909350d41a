"""Solvers of other packages, really installed; each fact is seen by a fresh interpreter that has them on its path."""

import json
import os
import shutil
import subprocess
import sys

import pytest

ASK = """
import contextlib, io, json, sys
from extramaze.cli import run
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.loading import plugin_solvers
answers = {"listed": [(p.name, p.distribution, p.problem) for p in plugin_solvers()]}
answers["imported by listing"] = [name for name in sys.modules if name.startswith(("acme_mazes", "rival_mazes"))]
for name in sys.argv[1:]:
    try:
        answers[name] = load(name).card.name
    except InputError as problem:
        answers[name] = str(problem)
for flag in ((), ("--verbose",)):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        answers[" ".join(["ls", *flag])] = [run(["ls", "solvers", *flag]), said.getvalue()]
print(json.dumps(answers))
"""


def install(package, place):
    """Install a package of tests/data, as pip does it, into a folder."""
    source = shutil.copytree(package, place.parent / "sources" / package.name)
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--upgrade", "--target", str(place), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def ask(place, *names):
    """Ask an interpreter that has the folder on its path what it knows."""
    path = os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-c", ASK, *names]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def one(root, tmp_path_factory):
    """What is known with one package of plugins installed."""
    place = tmp_path_factory.mktemp("one") / "site"
    install(root / "tests" / "data" / "acme-mazes", place)
    return ask(place, "gated-net", "broken-net", "lost-net", "wavefront", "gatd-net")


@pytest.fixture(scope="module")
def two(root, tmp_path_factory):
    """What is known with a rival beside it."""
    place = tmp_path_factory.mktemp("two") / "site"
    for name in ("acme-mazes", "rival-mazes"):
        install(root / "tests" / "data" / name, place)
    return ask(place, "gated-net", "rival-net", "dt-net-thin", "dt-net-thin@1", "acme_mazes.gated:make")


def test_plugins_are_listed_without_being_imported(one):
    """Names and distributions are known; no code of theirs has run."""
    who = "acme-mazes 1.2"
    assert one["listed"] == [["broken-net", who, None], ["gated-net", who, None], ["lost-net", who, None]]
    assert one["imported by listing"] == []


def test_a_plugin_loads_by_its_name(one):
    """Like a shipped solver; a wrong name is told which are near."""
    assert one["gated-net"] == "gated-net@0"
    assert "did you mean gated-net" in one["gatd-net"]


def test_a_broken_plugin_is_blamed_and_the_rest_works(one):
    """Its distribution is named with what happened; its neighbours and extramaze's own load."""
    assert one["broken-net"].startswith("plugin broken-net of acme-mazes 1.2: ")
    assert "RuntimeError: no such luck" in one["broken-net"]
    assert one["lost-net"].startswith("plugin lost-net of acme-mazes 1.2: ")
    assert "No module named 'acme_mazes.nowhere'" in one["lost-net"]
    assert (one["wavefront"], one["gated-net"]) == ("wavefront", "gated-net@0")


def test_ls_names_plugins_and_what_is_wrong_with_them(one, two):
    """With their distribution; with --verbose, which loads them, also those that fail."""
    for flags in ("ls", "ls --verbose"):
        code, said = one[flags]
        assert code == 0
        assert "gated-net  (acme-mazes 1.2, acme_mazes.gated:make)" in said
        assert "wavefront\n" in said
    assert "RuntimeError" not in one["ls"][1]
    assert "broken-net  (plugin broken-net of acme-mazes 1.2: " in one["ls --verbose"][1]
    assert "gated-net  (the name is claimed by acme-mazes 1.2 and by rival-mazes 0.3" in two["ls"][1]


def test_a_name_taken_twice_is_an_error_that_names_both(two):
    """Whoever asks for what two packages claim is told; other names of both work."""
    assert "claimed by acme-mazes 1.2 and by rival-mazes 0.3" in two["gated-net"]
    assert (two["rival-net"], two["dt-net-thin@1"]) == ("dead-end-filling", "dt-net-thin@1")
    assert two["acme_mazes.gated:make"] == "gated-net@0"


def test_a_shipped_name_stays_shipped(two):
    """A package that claims it is named in the list and left out."""
    assert two["dt-net-thin"] == "dt-net-thin@0"
    assert "dt-net-thin  (the name is extramaze's own, and rival-mazes 0.3 claims it too; " in two["ls"][1]


BAD = {  # by what is wrong: the files of a distribution
    "no value": {"entry_points.txt": "[extramaze.models]\njust words\n", "METADATA": "Name: no-value\nVersion: 1\n"},
    "no name": {"entry_points.txt": "[extramaze.models]\n = a:b\n", "METADATA": "Name: no-name\nVersion: 1\n"},
    "no module": {
        "entry_points.txt": "[extramaze.models]\nx = a b: c d\n",
        "METADATA": "Name: no-module\nVersion: 1\n",
    },
    "no metadata": {"entry_points.txt": "[extramaze.models]\nunsigned-net = lost:make\n"},
    "no version": {
        "entry_points.txt": "[extramaze.models]\nversionless-net = lost:make\n",
        "METADATA": "Name: vless\n",
    },
    "control": {
        "entry_points.txt": "[extramaze.models]\na\x1b[31m\x00b = a:b\n",
        "METADATA": "Name: con\nVersion: 1\n",
    },
    "long": {
        "entry_points.txt": f"[extramaze.models]\n{'n' * 10_000} = {'m' * 10_000}:x\n",
        "METADATA": "Name: long\n",
    },
    "bytes": {"entry_points.txt": b"[extramaze.models]\n\xff\xfe = a:b\n", "METADATA": "Name: bytes\nVersion: 1\n"},
    "metadata bytes": {"entry_points.txt": "[extramaze.models]\nodd-net = lost:make\n", "METADATA": b"Name: \xff\n"},
    "exits": {
        "entry_points.txt": "[extramaze.models]\nexit-net = exits_on_import:make\n",
        "METADATA": "Name: exits\nVersion: 1\n",
    },
    "algorithm": {
        "entry_points.txt": "[extramaze.models]\nwavefront = lost:make\n",
        "METADATA": "Name: thief\nVersion: 1\n",
    },
    "recipe": {
        "entry_points.txt": "[extramaze.models]\ndt-net-thin@1 = lost:make\n",
        "METADATA": "Name: seed-thief\nVersion: 1\n",
    },
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """What is known with distributions beside ours each of which is broken in one way."""
    place = tmp_path_factory.mktemp("bad") / "site"
    for number, contents in enumerate(BAD.values()):
        folder = place / f"bad{number}-1.dist-info"
        folder.mkdir(parents=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (place / "exits_on_import.py").write_text("import sys\nsys.exit(0)\n")
    (place / "broken.dist-info").symlink_to("nowhere")
    return ask(place, "wavefront", "dt-net-thin@1", "exit-net", "unsigned-net", "nobodys-net")


def test_broken_distributions_are_named_and_left_out(bad):
    """Each has a line with what is wrong, of printable characters; what is shipped is listed and loads."""
    assert (bad["wavefront"], bad["dt-net-thin@1"]) == ("wavefront", "dt-net-thin@1")
    for flags in ("ls", "ls --verbose"):
        code, said = bad[flags]
        assert code == 0
        assert "\nwavefront\n" in said
        assert all(line.isprintable() and len(line) < 1000 for line in said.splitlines())
        for who in ("no-value", "no-name", "no-module", "con 1", "long without", "bytes 1", "thief 1", "seed-thief 1"):
            assert who in said, who
        assert "a distribution without a name (" in said
        assert "vless without a version" in said


def test_a_broken_plugin_that_is_asked_for_says_why(bad):
    """In one sentence that names its distribution, or where that lies."""
    assert bad["exit-net"].startswith("plugin exit-net of exits 1: ")
    assert "SystemExit: 0" in bad["exit-net"]
    assert "plugin unsigned-net of a distribution without a name (" in bad["unsigned-net"]
    assert "unknown solver 'nobodys-net'" in bad["nobodys-net"]
