"""Compiled kernels are kept outside the package, follow every edit, and need no place to be kept."""

import os
import subprocess
import sys

import pytest

CALLEE = """
from small.compiled import compiled

@compiled
def number():
    return 1
"""
CALLER = """
from small.callee import number
from small.compiled import compiled

@compiled
def twice():
    return 2 * number()

print(twice())
"""


@pytest.fixture
def package(root, tmp_path):
    """A small package of two kernels, one of which calls the other."""
    folder = tmp_path / "small"
    folder.mkdir()
    source = (root / "benchmark" / "core" / "compiled.py").read_text()
    (folder / "compiled.py").write_text(source.replace("extramaze.mazes", "small"))
    (folder / "callee.py").write_text(CALLEE)
    (folder / "caller.py").write_text(CALLER)
    return folder


def call(package, **environment):
    inherited = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-m", "small.caller"],
        cwd=package.parent,
        capture_output=True,
        text=True,
        env=inherited | environment,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def kept(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")}


def test_an_edited_callee_is_compiled_anew_in_its_callers(package, tmp_path):
    """Numba alone would go on with what the callee once was; what was compiled of the old sources goes."""
    cache, callee = tmp_path / "cache", package / "callee.py"
    assert call(package, XDG_CACHE_HOME=str(cache)) == 2
    before = kept(cache)
    assert call(package, XDG_CACHE_HOME=str(cache)) == 2
    assert kept(cache) == before
    callee.write_text(callee.read_text().replace("return 1", "return 5"))
    assert call(package, XDG_CACHE_HOME=str(cache)) == 10
    assert len(kept(cache)) == len(before) == 2


@pytest.mark.parametrize(("variable", "folder"), [("HOME", ".cache"), ("XDG_CACHE_HOME", ""), ("NUMBA_CACHE_DIR", "")])
def test_nothing_is_kept_in_the_package(package, tmp_path, variable, folder):
    """pip leaves behind what it did not install, and such a folder would hide a clone's code: a cache keeps kernels."""
    call(package, **{variable: str(tmp_path / "somewhere")})
    assert kept(tmp_path / "somewhere" / folder / "extramaze")
    assert not kept(package)


def test_without_a_place_to_keep_them_kernels_work_all_the_same(package, tmp_path):
    """A container whose disk is read only computes the same."""
    (tmp_path / "file").touch()
    assert call(package, HOME=str(tmp_path / "file")) == 2
    assert not kept(tmp_path)


def test_importing_makes_nothing(package, tmp_path):
    """A module with compiled functions is imported without a file or folder made for them."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    subprocess.run(
        [sys.executable, "-c", "import small.callee"],
        cwd=package.parent,
        env=inherited | {"HOME": str(tmp_path / "home")},
        check=True,
    )
    assert not (tmp_path / "home").exists()
