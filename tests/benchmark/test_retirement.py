"""Mazes that leave their block once settled: by which rule, and what the audit says of it."""

import numpy as np
import pytest
import torch

from extramaze.blocks.answering import first_step, iterate
from extramaze.blocks.block import to_input
from extramaze.blocks.retirement import AUDITED, audited, iterate_retiring
from extramaze.evaluation.evaluate import evaluate
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import IterativeSolver, load
from extramaze.schema.plan import make_part
from extramaze.statistics import share_at_most
from tests.benchmark.conftest import TINY

pytestmark = pytest.mark.numeric


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def test_the_audited_tenth_is_addressed():
    """Whether a maze is audited depends on its specification and index alone, and a tenth are."""
    whole = audited("size=9 test", 0, 20_000)
    assert np.array_equal(whole[300:400], audited("size=9 test", 300, 100))
    assert abs(whole.mean() - AUDITED) < 0.01
    assert not np.array_equal(whole[:400], audited("size=11 test", 0, 400))


class Turning(IterativeSolver):
    """The state counts steps; a pixel is on the path until a step that differs from maze to maze."""

    def __init__(self, late):
        super().__init__()
        self.late = late

    def initial_state(self, x):
        return torch.stack([torch.zeros_like(x[:, 0]), self.late[:, None, None].expand_as(x[:, 0])], dim=1)

    def step(self, state, x):
        return torch.stack([state[:, 0] + 1, state[:, 1]], dim=1)

    def readout(self, state):
        on = (state[:, 0] < state[:, 1]).float()
        return torch.stack([1 - on, on], dim=1)


def retire(solver, x, rungs, keep):
    state = first_step(solver, solver.initial_state(x), x)
    return iterate_retiring(solver, x, state, rungs, "plain", torch.from_numpy(keep))


def test_retirement_is_audited():
    """A maze that changes after it seemed settled disagrees where it was kept on, and keeps its answer elsewhere."""
    x, late = torch.ones(4, 3, 5, 5), torch.tensor([5.0, 5.0, 300.0, 300.0])
    keep = np.array([True, False, True, False])
    found = retire(Turning(late), x, (3, 10, 100, 1000), keep)
    plain = iterate(Turning(late), x, (3, 10, 100, 1000))
    for ours, theirs in zip(found.rungs[:3], plain[:3], strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(found.rungs[3][:3], plain[3][:3])
    assert found.rungs[3][3].all()
    assert found.disagrees.tolist() == [False, False, True, False]


def test_everything_kept_on_is_the_plain_iteration():
    """With all mazes audited retirement changes no answer."""
    drawn, _ = raster(generate(MazeSpec(9, percolation=0.1), 32, split="test"), 1)
    solver, x = load("dead-end-filling"), to_input(drawn, torch.device("cpu"), torch.float32)
    found = retire(solver, x, (10, 200), np.ones(32, bool))
    assert all(torch.equal(a, b) for a, b in zip(found.rungs, iterate(solver, x, (10, 200)), strict=True))
    assert not found.disagrees.any()


def test_a_record_states_its_audit(tiny_suite, tiny_records):
    """With --retire the record counts audited mazes by cell; without it there is nothing to count."""
    record = evaluate(load("dt-net-thin@0"), tiny_suite, "cpu", quiet=True, retire=True)
    for cell in record.summary.cells:
        chosen = audited(f"{cell.spec} test", 0, cell.n)
        rows = record.mazes.filter(record.mazes["cell"] == cell.name)
        assert rows["audit_agrees"].is_not_null().to_list() == chosen.tolist()
        assert cell.audit.audited == chosen.sum()
        assert cell.audit.high == share_at_most(cell.audit.disagree, cell.audit.audited)
    assert all(cell.audit is None for cell in tiny_records["dt-net-thin@0"].summary.cells)


class Alternating(IterativeSolver):
    """All pixels at every second step, and none in between."""

    def initial_state(self, x):
        return torch.zeros_like(x[:, :1])

    def step(self, state, x):
        return state + 1

    def readout(self, state):
        on = state % 2
        return torch.cat([1 - on, on], dim=1)


class Late(Alternating):
    """All pixels up to step 149, and none from then on."""

    def readout(self, state):
        on = (state < 150).float()
        return torch.cat([1 - on, on], dim=1)


def test_what_alternates_never_settles():
    """The answer is looked at after odd and even numbers of steps, so that a cycle of two is no rest."""
    found = retire(Alternating(), torch.ones(2, 3, 5, 5), (200,), np.zeros(2, bool))
    assert found.evaluations.tolist() == [200, 200]


def test_a_record_counts_who_changed_after_leaving(tmp_path):
    """Audited mazes run to the end and say that the others left too early; the others' steps end where they left."""
    (tmp_path / "s.yaml").write_text(TINY.replace("[2, 5, 20]", "[2, 200]"))
    part = make_part(40, 1, ("easy",))
    record = evaluate(Late(), str(tmp_path / "s.yaml"), "cpu", part=part, quiet=True, retire=True)
    (cell,), chosen = record.summary.cells, audited("size=5 test", 0, 40)
    assert record.mazes["evaluations"].to_list() == np.where(chosen, 200, 63).tolist()
    assert record.mazes["audit_agrees"].to_list() == [False if kept else None for kept in chosen]
    assert cell.audit.disagree == cell.audit.audited == chosen.sum() > 0


def test_the_upper_bound_is_clopper_and_pearsons():
    """With none of n the bound solves (1 − p)ⁿ = 0.05; with all of n, or none looked at, it is 1."""
    assert (1 - share_at_most(0, 30)) ** 30 == pytest.approx(0.05)
    assert (share_at_most(7, 7), share_at_most(0, 0)) == pytest.approx((1, 1))
