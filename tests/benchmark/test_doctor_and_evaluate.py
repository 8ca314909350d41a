import pytest
import torch

from extramaze.cli import run
from extramaze.evaluation.rehearsal import refusal
from extramaze.models import load
from extramaze.models.loading import ALGORITHMS
from extramaze.models.shipped import shipped_seeds
from tests import solver_zoo
from tests.models.test_doctor import BROKEN

# torch's own, of some layers in the zoo
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*:UserWarning:torch")

SUITE = """
name: small-v1
scale: 1
split: test
iterations: [3]
cells: [{name: usual, axis: in-distribution, spec: size=9, count: 4}]
limits: {burn_in: 3, window: 4, count: 2, cells: [usual]}
"""
names = {"ids": lambda kind: kind.__name__}


@pytest.fixture
def both(tmp_path, monkeypatch, capfd):
    """A function that runs doctor and evaluate on a solver of the zoo: exit code and what was printed, of each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small-v1.yaml").write_text(SUITE)
    torch.manual_seed(0)  # as most of the zoo's solvers do: no test of them says that this changed

    def call(kind):
        found = []
        (tmp_path / "mine.py").write_text(f"from {kind.__module__} import {kind.__name__}\n")
        target = f"mine.py:{kind.__name__}"
        for command in (
            ["doctor", target],
            ["evaluate", target, "--suite", "small-v1.yaml", "--device", "cpu", "--quiet"],
        ):
            code = run(command)
            said = capfd.readouterr()
            found += [(code, said.err + said.out)]
        return found

    return call


@pytest.mark.parametrize("kind", solver_zoo.KEPT, **names)
def test_a_correct_solver_is_kept_and_runs(both, kind):
    """Of whatever precision, layout, state and layers: doctor finds nothing and evaluate writes a record."""
    examined, evaluated = both(kind)
    assert (examined[0], evaluated[0]) == (0, 0), examined[1] + evaluated[1]


@pytest.mark.parametrize("kind", solver_zoo.REFUSED, **names)
def test_what_evaluate_refuses_doctor_refuses_in_the_same_words(both, kind):
    """One line says why, without a traceback; doctor's own findings follow it."""
    examined, evaluated = both(kind)
    assert (examined[0] in (1, 2), evaluated[0]) == (True, 2), examined[1] + evaluated[1]
    assert evaluated[1].startswith("error: ")
    assert examined[1].splitlines()[0] == evaluated[1].strip()


@pytest.mark.parametrize("kind", solver_zoo.DISTRUSTED, **names)
def test_doctor_sees_what_an_evaluation_does_not(both, kind):
    """It runs to its end; what it found would not be the solver's own."""
    examined, evaluated = both(kind)
    assert (examined[0], evaluated[0]) == (1, 0), examined[1] + evaluated[1]
    assert "; likely cause: " in examined[1]


@pytest.mark.parametrize("kind", BROKEN, **names)
def test_no_broken_solver_is_kept_and_refused(both, kind):
    """Each is found by doctor; where evaluate refuses it too, in its words."""
    examined, evaluated = both(kind)
    assert examined[0] == 1
    if evaluated[0]:
        assert examined[1].splitlines()[0] == evaluated[1].strip()


E2H = [pytest.param(name, marks=pytest.mark.slow) for name in ("dt-net-e2h", "it-net-e2h")]


@pytest.mark.parametrize("name", [*ALGORITHMS, *(name for name in shipped_seeds() if name.endswith("-thin")), *E2H])
def test_whatever_is_shipped_passes_the_rehearsal(name):
    """Every algorithm, and one seed of each network and raster, by its own inference too where it has one."""
    assert refusal(load(name)) is None
