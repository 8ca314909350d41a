import copy

import pytest
import torch

from extramaze.core.errors import InputError
from extramaze.dynamics import Limit, observe
from extramaze.models import load
from extramaze.models.blending.ensemble import Ensemble
from extramaze.models.contract import IterativeSolver, answer
from extramaze.models.doctor import examine
from extramaze.models.dt_net import DTNet
from extramaze.models.ff_net import FFNet
from tests.models.blending.test_blends import image

pytestmark = pytest.mark.numeric
KINDS = ("logits", "probabilities", "votes")


@pytest.mark.parametrize("kind", KINDS)
def test_an_ensemble_of_one_is_the_solver(kind):
    """Its states are the solver's, and its answers too."""
    solver, x = load("dt-net-thin@0"), image()
    ensemble = Ensemble([solver], kind).eval()
    with torch.inference_mode():
        state, own = ensemble.initial_state(x), solver.initial_state(x)
        for _ in range(5):
            state, own = ensemble.step(state, x), solver.step(own, x)
        assert torch.allclose(state, own)
        assert answer(ensemble.readout(state), x).equal(answer(solver.readout(own), x))


@pytest.mark.parametrize("kind", KINDS)
def test_two_equal_members_answer_as_one(kind):
    """And a third that disagrees is outvoted by votes."""
    solver, x = load("dt-net-thin@0"), image()
    two = Ensemble([solver, copy.deepcopy(solver)], kind).eval()
    with torch.inference_mode():
        expected = answer(solver(x, 8), x)
        assert answer(two(x, 8), x).equal(expected)
        third = Ensemble([solver, copy.deepcopy(solver), load("dt-net-thin@1")], "votes").eval()
        assert answer(third(x, 8), x).equal(expected)


def test_what_is_averaged():
    """Logits are averaged as they are, probabilities as such, votes as shares, and no pixel gets −∞."""
    torch.manual_seed(0)
    members, x = [DTNet(4, 1).eval() for _ in range(3)], image(2, 5)
    with torch.inference_mode():
        logits = torch.stack([member(x, 2) for member in members])
        plain, shares, votes = (Ensemble(members, kind).eval()(x, 2) for kind in KINDS)
        assert torch.allclose(plain, logits.mean(dim=0), atol=1e-6)
        assert torch.allclose(shares.softmax(dim=1), logits.softmax(dim=2).mean(dim=0), atol=1e-6)
        share = (logits[:, :, 1] > logits[:, :, 0]).float().mean(dim=0)
        assert torch.allclose(votes.exp()[:, 1], share, atol=1e-6)
        assert votes.isfinite().all()


class Turning(IterativeSolver):
    """A state of one channel a phase, which comes back after so many steps."""

    def __init__(self, period):
        super().__init__()
        self.phases = torch.nn.Parameter(torch.arange(float(period)))

    def initial_state(self, x):
        return self.phases.view(1, -1, 1, 1).expand(len(x), -1, *x.shape[2:]).to(x)

    def step(self, state, x):
        return state.roll(1, dims=1)

    def readout(self, state):
        return state[:, :2]


def test_cycles_of_members_make_a_longer_one():
    """A cycle of 2 and one of 3 are one of 6 together."""
    x = torch.ones(1, 3, 5, 5, dtype=torch.float64)
    ensemble = Ensemble([Turning(2), Turning(3)], "logits").double()
    report = observe(lambda state: ensemble.step(state, x), ensemble.initial_state(x).detach(), 10, 24)
    assert report.limit[0] == Limit.CYCLE
    assert report.period[0] == 6


def test_an_ensemble_keeps_the_contract():
    """Of networks of different kinds too."""
    torch.manual_seed(0)
    ensemble = Ensemble([DTNet(4, 1), FFNet(4, 2)], "probabilities").eval()
    assert examine(lambda: copy.deepcopy(ensemble)) == []


def test_an_ensemble_passes_once_where_all_its_members_do():
    """One that iterates makes it iterate."""
    torch.manual_seed(0)
    assert Ensemble([FFNet(4, 1), FFNet(4, 2)], "logits").single_pass
    assert not Ensemble([FFNet(4, 1), DTNet(4, 1)], "logits").single_pass


def test_states_that_are_no_images_are_refused():
    """There is nothing along which to join them."""

    class Flat(Turning):
        def initial_state(self, x):
            return super().initial_state(x).flatten(1)

    with pytest.raises(InputError, match="states of channels"):
        Ensemble([Flat(2)], "logits")
