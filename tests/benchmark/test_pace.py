"""What suites cost a network of one's own: its operations counted, its steps timed."""

import pytest

from extramaze import pace
from extramaze.cli import run
from extramaze.costs import DT_NET, FLOPS_PER_PIXEL, Pace, cell_cost, suite_cost
from extramaze.models import load
from extramaze.models.operations import operations
from extramaze.pace import pace_of
from extramaze.schema.suite import load_suite


@pytest.fixture
def net(root):
    """The example's network, as it is named on the command line."""
    return f"{root / 'examples' / 'conv_gru.py'}:ConvGRU"


def test_a_suite_is_summed_by_hand():
    """Operations of an iteration, times iterations and mazes, over the pace."""
    suite = load_suite("smoke-v1")
    found = suite_cost(suite, mazes=0, pace=Pace(lambda _: 1e12, 2.0e12, 1e12))
    assert (found.ladder, found.watched) == (0, 0)
    (cell, *_) = suite.cells
    cost = cell_cost(suite, cell, mazes=3, watched=0, pace=Pace(lambda _: 1e12, 2.0e12, 1e12))
    assert cost.minutes == pytest.approx(3 * suite.iterations[-1] / 2 / 60)
    once = cell_cost(suite, cell, mazes=3, watched=0, pace=Pace(lambda _: 1e12, 2.0e12, 1e12, iterations=1))
    assert once.minutes == pytest.approx(3 / 2 / 60)


def test_a_networks_operations_are_counted_and_its_steps_timed(net, monkeypatch):
    """The pace is what was counted at size 9 over what a step took; other sizes are counted too."""
    monkeypatch.setattr(pace, "_seconds", lambda solver, shape: 0.5)
    solver = load(net)
    found = pace_of(solver)
    assert found.per_second == operations(solver, (11, 11)) / 0.5
    assert found.operations((35, 35)) == operations(solver, (35, 35))
    assert found.iterations is None


def test_algorithms_and_single_passes_have_a_pace_too():
    """What multiplies nothing is taken to grow with the pixels; what passes once makes one iteration."""
    algorithm = pace_of(load("wavefront"))
    assert algorithm.operations((21, 21)) == 441
    assert algorithm.per_second > 0
    assert pace_of(load("plain-cnn-thin")).iterations == 1


def test_suites_are_listed_for_a_network(net, capsys):
    """The table has the suites of its raster, and says whose time it is; with cells where they are asked for."""
    assert run(["ls", "suites", "--for", net]) == 0
    said = capsys.readouterr().out
    assert "time: of ConvGRU" in said
    assert "smoke-v1" in said
    assert run(["ls", "suites", "--for", "dt-net-thin"]) == 0
    said = capsys.readouterr().out
    assert "smoke-v1" in said
    assert "smoke-e2h-v1" not in said


def test_what_cannot_be_listed_is_one_line(tmp_path, capsys):
    """A network that does not load, and --for with something else than suites."""
    (tmp_path / "broken.py").write_text("def make():\n    return 1 // 0\n")
    assert run(["ls", "suites", "--for", f"{tmp_path / 'broken.py'}:make"]) == 2
    assert run(["ls", "solvers", "--for", "wavefront"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "ZeroDivisionError" in said[0]
    assert "--for goes with ls suites" in said[1]


def test_without_a_network_it_is_a_dt_net():
    """The default pace is a width-32 DT-Net's, as it always was."""
    assert DT_NET.operations((11, 11)) == 121 * FLOPS_PER_PIXEL
