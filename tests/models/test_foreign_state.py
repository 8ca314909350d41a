"""The process is what it was after foreign code ran, and what was changed is named once."""

import copy
import importlib
import logging
import os
import random
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.doctor import examine
from extramaze.models.foreign.origin import unchanged_by
from extramaze.models.foreign.state import unchanged
from tests.solver_zoo import Plain

CHANGES = {  # what foreign code does, and how that is named; None for what every new network does
    "import os; os.chdir('/')": "the working directory",
    "import sys; sys.path.insert(0, '/nowhere')": "sys.path",
    "import sys; sys.path = ['/nowhere']": "sys.path",
    "import sys; sys.path = None": "sys.path",
    "import sys; sys.argv[:] = ['other']": "sys.argv",
    "import sys; sys.argv = ['other', 'words']": "sys.argv",
    "import sys, io; sys.stdout = io.StringIO()": "sys.stdout",
    "import sys; sys.stderr = None": "sys.stderr",
    "import sys, io; sys.stdin = io.StringIO('x')": "sys.stdin",
    "import os; os.dup2(os.open(os.devnull, os.O_WRONLY), 1)": "file descriptor 1",
    "import os; os.close(0)": "file descriptor 0",
    "import warnings; warnings.simplefilter('ignore')": "warning filters",
    "import warnings; warnings.resetwarnings()": "warning filters",
    "import torch; torch.set_default_dtype(torch.float64)": "torch's default type",
    "import torch; torch.set_default_device('meta')": "torch's default device",
    "import torch; torch.set_num_threads(torch.get_num_threads() + 1)": "torch's threads",
    "import torch; torch.set_grad_enabled(not torch.is_grad_enabled())": "torch's gradient mode",
    "import torch; torch.set_float32_matmul_precision('medium')": "torch's precision of products",
    "import torch; torch.use_deterministic_algorithms(True)": "torch's deterministic mode",
    "import torch; torch.backends.cudnn.benchmark ^= True": "cuDNN's settings",
    "import torch; torch.manual_seed(987)": "torch's random seed",
    "import torch; torch.rand(3)": None,
    "import random; random.seed(3)": "Python's random state",
    "import numpy; numpy.random.seed(3)": "numpy's random state",
    "import numpy; numpy.random.rand(3)": "numpy's random state",
    "import numpy; numpy.seterr(all='raise')": "numpy's handling of errors",
    "import logging; logging.basicConfig(level=10, force=True)": "the root logger",
    "import logging; logging.disable()": "the root logger",
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)": "signal handlers",
    "import sys; sys.excepthook = print": "sys.excepthook",
    "import sys; sys.setrecursionlimit(54321)": "the recursion limit",
}


def state():
    """Everything that is to stay, independently of how the product reads it."""
    return {
        "folder": Path.cwd(),
        "path": (id(sys.path), list(sys.path)),
        "argv": (id(sys.argv), list(sys.argv)),
        "streams": [id(sys.stdin), id(sys.stdout), id(sys.stderr)],
        "descriptors": [os.fstat(number).st_ino for number in range(3)],
        "filters": (id(warnings.filters), list(warnings.filters)),
        "torch": (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(), torch.ones(1).device),
        "precision": (torch.get_float32_matmul_precision(), torch.are_deterministic_algorithms_enabled()),
        "cudnn": torch.backends.cudnn.benchmark,
        "random": (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()),  # noqa: NPY002
        "errors": np.geterr(),
        "logging": (logging.root.level, list(logging.root.handlers), logging.root.manager.disable),
        "signals": signal.getsignal(signal.SIGINT),
        "rest": (sys.excepthook, sys.getrecursionlimit()),
    }


SOLVER = """
from extramaze.models.wavefront import Wavefront
if {where!r} == "import": {change}
class Mine(Wavefront):
    def step(self, state, x):
        if {where!r} == "step": {change}
        return super().step(state, x)
def make():
    if {where!r} == "factory": {change}
    if {where!r} == "failure":
        {change}; raise RuntimeError("no luck")
    return Mine()
"""


@pytest.mark.parametrize("where", ["import", "factory", "step", "failure"])
@pytest.mark.parametrize("change", CHANGES)
def test_the_process_is_what_it_was(tmp_path, change, where, capfd):
    """Whatever is changed, wherever; its part is named in one line, once for two calls."""
    path = tmp_path / "solver.py"
    path.write_text(SOLVER.format(where=where, change=change))
    before = state()
    for _ in range(2):
        try:
            solver = load(f"{path}:make")
            with unchanged_by(solver):
                solver.step(solver.initial_state(torch.zeros(1, 3, 11, 11)), torch.zeros(1, 3, 11, 11))
        except InputError:
            assert where == "failure"
        assert state() == before
    said = capfd.readouterr().err.splitlines()
    if CHANGES[change] is None:
        assert said == []
    else:
        assert len(said) == 1, said
        (line,) = said
        assert line.startswith(f"solver '{path}:make': changed ")
        assert CHANGES[change] in line
        assert line.endswith("it is put back")


def test_what_a_library_does_as_it_starts_is_not_named(tmp_path, monkeypatch, capfd):
    """Whoever imports it, extramaze in the middle of a solver's step or the solver: it is put back all the same."""
    library = tmp_path / "site-packages" / "a_library_that_draws.py"
    library.parent.mkdir()
    library.write_text("import random, warnings\nrandom.random()\nwarnings.simplefilter('always')\n")
    monkeypatch.syspath_prepend(library.parent)
    before = state()
    with unchanged("who imports a library"):
        importlib.import_module(library.stem)
    assert state() == before
    with unchanged("who draws"):
        random.random()
    assert capfd.readouterr().err == "who draws: changed Python's random state; it is put back\n"


def test_doctor_accuses_a_solver_of_no_seed_that_it_set_itself(capfd):
    """Its own check of noise seeds torch, and puts that back."""

    class Unaccused(Plain):
        pass

    solver = Unaccused()
    torch.manual_seed(77)
    assert examine(lambda: copy.deepcopy(solver)) == []
    assert "random" not in capfd.readouterr().err
    assert torch.initial_seed() == 77


def test_a_deleted_folder_does_not_stop_what_follows(tmp_path, monkeypatch):
    """The rest is put back where the working directory cannot be."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    before = list(sys.path)
    with unchanged("a solver"):
        (tmp_path / "gone").rmdir()
        os.chdir("/")
        sys.path.append("more")
    assert sys.path == before


def test_streams_that_were_closed_are_open(tmp_path):
    """The file behind them, the streams themselves, and whoever kept one while a solver was loaded."""
    (tmp_path / "solver.py").write_text(
        "import sys, os, logging\nfrom extramaze.models.wavefront import Wavefront\n"
        "HANDLER, OUT = logging.StreamHandler(), sys.stdout\n"
        "class Mine(Wavefront):\n    def step(self, state, x):\n"
        "        HANDLER.emit(logging.makeLogRecord({'msg': 'logged'})); print('kept', file=OUT)\n"
        "        return super().step(state, x)\n"
        "def make():\n    sys.stdout.close(); sys.stderr.close(); sys.__stderr__.close()\n    return Mine()\n"
    )
    code = (
        "import sys, torch\nfrom extramaze.models import load\n"
        "from extramaze.models.foreign.origin import unchanged_by\n"
        "solver, x = load('solver.py:make'), torch.zeros(1, 3, 11, 11)\n"
        "with unchanged_by(solver): solver.step(solver.initial_state(x), x)\n"
        "print('out'); print('err', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["kept", "out"])
    lines = done.stderr.splitlines()
    assert [line for line in lines if "changed" not in line] == ["logged", "err"]


def test_nested_calls_give_back_what_each_found(capfd):
    """A solver whose factory loads another, and changes what that one had changed before."""
    before = state()
    with unchanged("outer"):
        torch.set_default_dtype(torch.float64)
        with unchanged("inner"):
            torch.set_default_dtype(torch.float16)
            print("said")
        assert torch.get_default_dtype() == torch.float64
    assert state() == before
    assert capfd.readouterr().out == "said\n"
