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
    """Two packages, or one and extramaze: whoever asks is told, and other names of both packages work."""
    assert "claimed by acme-mazes 1.2 and by rival-mazes 0.3" in two["gated-net"]
    assert "the name is extramaze's own, and rival-mazes 0.3 claims it too" in two["dt-net-thin"]
    assert (two["rival-net"], two["dt-net-thin@1"]) == ("dead-end-filling", "dt-net-thin@1")
    assert two["acme_mazes.gated:make"] == "gated-net@0"
