"""Names that README and the design gave to users still import, and what they return still has its parts."""

from importlib import import_module

import pytest
import torch

from tests.conftest import ROOT

NAMES = [line for line in (ROOT / "tests" / "data" / "names.txt").read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("name", NAMES)
def test_a_published_name_imports(name):
    """Whoever wrote it into a program finds it where it was."""
    module, _, path = name.partition(":")
    found = import_module(module)
    for part in filter(None, path.split(".")):
        found = getattr(found, part)
    assert found is not None


def test_mazes_and_scores_have_their_published_parts():
    """The design's first blocks, on two mazes."""
    from extramaze.mazes import Mazes, MazeSpec, describe, generate, raster, solve
    from extramaze.scoring import score

    spec = MazeSpec(size=9, algorithm="dfs", percolation=0.0, start="deadend")
    mazes = generate(spec, count=2, split="test", first=0)
    assert Mazes.from_arrays(mazes.connections, mazes.start, mazes.goal).digest() == mazes.digest()
    measured = describe(mazes)
    names = ("path_length", "cycles", "n_shortest", "dead_ends", "start_degree", "goal_degree")
    assert all(len(getattr(measured, name)) == len(mazes) == len(solve(mazes)) for name in names)
    images, targets = raster(mazes, scale=2)
    outcome = score(images, targets, targets)
    assert outcome.exact.all()
    assert outcome.valid.all()
    assert outcome.optimal.all()
    assert len(outcome.failure) == 2


def test_reports_and_records_have_their_published_parts(root):
    """What is read off a trajectory, and off a record, by the names that stand in README and the design."""
    from extramaze.dynamics import Limit, observe
    from extramaze.records import read_record

    report = observe(lambda z: 2.5 * z * (1 - z), torch.full((1, 1), 0.3, dtype=torch.float64), burn_in=200, window=64)
    assert (report.limit[0], int(report.period[0])) == (Limit.FIXED_POINT, 1)
    assert report.sentence(0)
    assert len(report.residual) == len(report.lyapunov) == len(report.betti) == 1
    record = read_record(root / "results" / "smoke-v1" / "dead-end-filling")
    tally = record.summary.cells[0].rungs[-1].optimal
    assert 0 <= tally.low <= tally.share <= tally.high <= 1
    assert tally.right >= 0
    assert len(record.mazes.select("cell", "index", "path_length", "optimal", "failure", "limit", "period"))
