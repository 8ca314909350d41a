"""Modules of foreign code: each solver has its own, whatever another's are called and whenever they are imported."""

import dataclasses
import inspect
import pickle
import subprocess
import sys

import pytest
import torch

from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.foreign.origin import unchanged_by

SOLVER = """
import dataclasses
from extramaze.models.wavefront import Wavefront
{top}
class Mine(Wavefront):
    def number(self):
        {late}
        return {says}
def make():
    return Mine()
"""
WAYS = {
    "at the top": {"top": "import helper", "late": "", "says": "helper.NUMBER"},
    "a name": {"top": "from helper import NUMBER", "late": "", "says": "NUMBER"},
    "in a method": {"top": "", "late": "import helper", "says": "helper.NUMBER"},
    "by importlib, in a method": {
        "top": "import importlib",
        "late": "helper = importlib.import_module('helper')",
        "says": "helper.NUMBER",
    },
    "a package": {"top": "import parts.inner", "late": "", "says": "parts.inner.NUMBER"},
    "a package, in a method": {"top": "", "late": "from parts import inner", "says": "inner.NUMBER"},
    "relative imports in a package": {"top": "from parts.middle import get", "late": "", "says": "get()"},
    "a folder without a file": {"top": "", "late": "import bare.inner as inner", "says": "inner.NUMBER"},
}


def write(folder, number, top="", late="", says=""):
    """Write a solver and everything it may import, all telling one number."""
    for inside in ("parts", "bare"):
        (folder / inside).mkdir(parents=True, exist_ok=True)
    (folder / "parts" / "__init__.py").write_text("")
    (folder / "parts" / "middle.py").write_text("def get():\n    from . import inner\n    return inner.NUMBER\n")
    for path in (folder / "helper.py", folder / "parts" / "inner.py", folder / "bare" / "inner.py"):
        path.write_text(f"NUMBER = {number}\n")
    path = folder / "solver.py"
    path.write_text(SOLVER.format(top=top, late=late or "pass", says=says))
    return f"{path}:make"


def number_of(solver):
    """Ask a solver while its code is called as the harness does."""
    with unchanged_by(solver):
        return solver.number()


@pytest.mark.parametrize("way", WAYS)
def test_two_solvers_have_their_own_helpers(tmp_path, way):
    """Helpers of one name, imported early or late, before and after the other was loaded and used."""
    before = set(sys.modules)
    first = load(write(tmp_path / "a", 1, **WAYS[way]))
    second = load(write(tmp_path / "b", 2, **WAYS[way]))
    assert [number_of(solver) for solver in (first, second, first, second)] == [1, 2, 1, 2]
    assert not {"helper", "parts", "parts.inner", "parts.middle", "bare", "solver"} & (set(sys.modules) - before)


@pytest.mark.parametrize("way", WAYS)
def test_an_import_finds_its_own_outside_the_harness_too(tmp_path, way):
    """Whoever calls a loaded solver's methods gets what an evaluation gets."""
    solvers = [load(write(tmp_path / name, number, **WAYS[way])) for name, number in (("a", 1), ("b", 2))]
    assert [solver.number() for solver in solvers] == [1, 2]


@pytest.mark.parametrize("way", WAYS)
def test_each_load_sees_the_folder_as_it_is(tmp_path, way, monkeypatch):
    """An edit of the same length within the same second, though bytecode of the former lies there."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    first = load(write(tmp_path, 1, **WAYS[way]))
    assert number_of(first) == 1
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(tmp_path)], check=True)
    assert number_of(load(write(tmp_path, 2, **WAYS[way]))) == 2


def test_no_bytecode_of_helpers_is_left(tmp_path, monkeypatch):
    """It would be submitted."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    load(write(tmp_path, 1, **WAYS["relative imports in a package"])).number()
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_package_is_loaded_from_where_one_is(tmp_path, monkeypatch):
    """``package.module:make``, each from its working directory; relative and absolute imports find its own."""
    text = "from . import inner\nimport parts.middle\n" + SOLVER
    for name, number in (("a", 1), ("b", 2)):
        write(tmp_path / name, number, **WAYS["at the top"])
        code = text.format(top="", late="pass", says="(inner.NUMBER, parts.middle.get())")
        (tmp_path / name / "parts" / "net.py").write_text(code)
    solvers = []
    for name in ("a", "b"):
        monkeypatch.chdir(tmp_path / name)
        solvers.append(load("parts.net:make"))
    assert [number_of(solver) for solver in solvers] == [(1, 1), (2, 2)]


def test_a_folder_named_like_a_library_does_not_hide_it(tmp_path):
    """Nor does a file named like a module of Python's that is loaded already."""
    for name in ("numpy", "torch", "yaml", "networkx"):
        (tmp_path / name).mkdir()
    (tmp_path / "json.py").write_text("1 / 0")
    target = write(tmp_path, 0, top="import json, numpy, torch, yaml, networkx", says="json.dumps(numpy.ones(1)[0])")
    assert number_of(load(target)) == "1.0"


def test_folders_added_to_the_path_are_the_solvers_own(tmp_path):
    """They serve its later imports, and nobody else's."""
    top = "import sys, pathlib\nsys.path.append(str(pathlib.Path(__file__).parent.parent / (pathlib.Path(__file__)"
    top += ".parent.name + '-lib')))"
    solvers = []
    for name, number in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}-lib").mkdir()
        (tmp_path / f"{name}-lib" / "common.py").write_text(f"NUMBER = {number}\n")
        solvers.append(load(write(tmp_path / name, 0, top=top, late="import common", says="common.NUMBER")))
    assert [number_of(solver) for solver in solvers] == [1, 2]
    assert not [entry for entry in sys.path if "-lib" in str(entry)]


def test_classes_of_helpers_are_where_python_looks_for_them(tmp_path):
    """Pickle, inspect and dataclasses find modules by name; so does a solver that pickles within its own code."""
    (tmp_path / "shapes.py").write_text(
        "from __future__ import annotations\nimport dataclasses\n"
        "@dataclasses.dataclass\nclass Shape:\n    side: int = 3\n"
    )
    late = "import pickle; return pickle.loads(b'cshapes\\nShape\\n.')().side"
    solver = load(write(tmp_path, 0, top="from shapes import Shape", late=late, says="0"))
    shape = type(solver).number.__globals__["Shape"](4)
    assert pickle.loads(pickle.dumps(shape)) == shape
    assert pickle.loads(pickle.dumps(solver)).origin is None
    assert "class Shape" in inspect.getsource(type(shape))
    assert "class Mine" in inspect.getsource(type(solver))
    assert dataclasses.replace(shape, side=5).side == 5
    assert number_of(solver) == 3


def test_a_missing_module_is_named_as_it_was_written(tmp_path):
    """Without the name under which the harness keeps modules."""
    with pytest.raises(InputError, match=r"No module named 'parts\.nothing'"):
        load(write(tmp_path, 0, top="import parts.nothing", says="0"))
    before = set(sys.modules)
    with pytest.raises(InputError, match="No module named 'nothing'"):
        load(write(tmp_path, 0, top="import helper, nothing", says="0"))
    assert not {name for name in set(sys.modules) - before if "extramaze_plugin" in name}


def test_a_helper_may_import_the_solvers_file(tmp_path):
    """It is the same module, and no second copy with other classes."""
    (tmp_path / "late.py").write_text("from solver import Mine\n")
    solver = load(write(tmp_path, 0, late="import late", says="late.Mine"))
    assert number_of(solver) is type(solver)


def test_a_solver_made_of_another_is_loaded_within_its_factory(tmp_path):
    """The inner one keeps its helper."""
    inner = write(tmp_path / "a", 1, **WAYS["in a method"])
    top = f"from extramaze.models import load\nimport helper\nINNER = load({inner!r})"
    outer = load(write(tmp_path / "b", 2, top=top, says="(helper.NUMBER, INNER.number())"))
    assert number_of(outer) == (2, 1)
    assert torch.nn.Module in type(outer).__mro__
