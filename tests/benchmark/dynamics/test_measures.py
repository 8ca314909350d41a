import copy

import numpy as np
import pytest
import torch

from extramaze.dynamics import (
    Limit,
    estimate,
    largest_exponent,
    observe,
    path_independence,
    spectral_radius,
    study_float32,
    watch_motion,
)
from extramaze.dynamics.alignment import asymptotic_alignment
from extramaze.dynamics.lyapunov import Tangent, follow
from extramaze.dynamics.recurrence import BitwisePeriods, magnitudes
from extramaze.mazes import InputError

ONE = torch.ones(2, 8, dtype=torch.float64)


def test_finite_differences_step_in_where_forward_mode_is_missing():
    """torch.cdist has no forward derivative; the exponent of the same doubling map is log 2 all the same."""

    def step(z):
        z = z + 0 * torch.cdist(z[:, None], z[:, None])[:, 0]
        return torch.remainder(2.0 * z, 1.0) + 1e-3

    found = largest_exponent(step, 0.1 + 0.3 * ONE[:, :1], steps=100)
    assert not found.forward
    assert np.allclose(found.value, np.log(2), atol=1e-4)


@pytest.mark.parametrize(("matrix", "radius"), [([[0.5, 9.0], [0.0, 0.25]], 0.5), ([[0.0, -0.9], [0.9, 0.0]], 0.9)])
def test_the_spectral_radius_of_a_linear_map_is_its_matrix(matrix, radius):
    """Power iteration finds the largest modulus, for a non-normal matrix and for a complex pair."""
    matrix = torch.tensor(matrix, dtype=torch.float64)
    found = spectral_radius(lambda z: z @ matrix.T, torch.zeros(3, 2, dtype=torch.float64))
    assert np.allclose(found, radius, rtol=1e-6)


@pytest.mark.parametrize("period", [1, 7, 1000])
def test_bitwise_periods_are_found_without_keeping_the_run(period):
    """Brent finds the least period of a counter after a transient, however long the cycle."""
    state = torch.tensor([[-50], [-3]])
    bits = BitwisePeriods(state)
    for _ in range(5 * max(period, 60)):
        state = torch.where(state < period - 1, state + 1, torch.zeros_like(state))
        bits.see(state)
    assert bits.period.tolist() == [period, period]


def test_an_integer_cycle_longer_than_the_window_is_told():
    """A counter modulo 1,000 has period 1,000, seen through a window of 20."""
    report = observe(lambda z: (z + 1) % 1000, torch.tensor([[5]]), burn_in=5000, window=20)
    assert report.period.tolist() == [1000]
    assert report.repeats.all()


def test_memory_separates_trajectories_and_changes_nothing():
    """With room for one window at a time, the report is the same as with room for all."""
    rates = torch.tensor([[0.5], [-1.0], [0.999], [2.0]], dtype=torch.float64)
    state = torch.ones(4, 8, dtype=torch.float64)
    whole = observe(lambda z: z * rates, state, 30, 20, exponent_steps=100)
    apart = observe(lambda z: z * rates, state, 30, 20, exponent_steps=100, memory=8 * 21 * 8)
    assert apart.limit == whole.limit
    assert np.array_equal(apart.residual, whole.residual)
    assert torch.equal(apart.final, whole.final)


def test_costs_are_known_before_starting():
    """Steps, passes and bytes follow from the arguments; too little memory for one window is refused."""
    cost = estimate(lambda z: z, ONE, burn_in=30, window=20, exponent_steps=100, memory=8 * 21 * 8)
    assert (cost.steps, cost.pursued, cost.passes, cost.frame_bytes) == (70, 110, 2, 1344)
    with pytest.raises(InputError, match="raise it"):
        observe(lambda z: z, ONE, 30, 20, memory=1000)


def test_a_contraction_forgets_its_start_and_the_identity_does_not():
    """Path independence: one limit from every start, or as many limits as starts."""
    targets = torch.arange(1.0, 25.0, dtype=torch.float64).reshape(3, 8)

    def answer(z):
        return z > 10

    forgets = path_independence(lambda z: targets + (z - targets) / 2, torch.zeros_like(targets) + 1, 100, answer)
    assert np.allclose(forgets.cosine, 1.0)
    assert forgets.dependent == 0.0
    keeps = path_independence(lambda z: z.clone(), targets, 5, answer, starts=("zero", "others"))
    assert keeps.dependent == 1.0
    assert keeps.asymptotic < 0.9


def test_no_problem_starts_from_its_own_limit():
    """Orthogonal limits under the identity align with no other's: a self-pair would give 1/B."""
    found = path_independence(lambda z: z.clone(), torch.eye(4, dtype=torch.float64), 1, lambda z: z > 0, ("others",))
    assert found.asymptotic == 0.0
    assert np.allclose(asymptotic_alignment(torch.eye(4), torch.eye(4)), 1.0)


def test_a_motion_the_readout_cannot_see_is_told_from_one_it_can():
    """Two flips of the same size: one in a channel that is not read, one that changes every answer."""

    def readout(z):
        return torch.stack([torch.zeros_like(z[:, 0]), z[:, 0]], dim=1)

    signs = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64).reshape(2, 2, 1, 1)
    state = torch.ones(2, 2, 3, 3, dtype=torch.float64)
    motion = watch_motion(lambda z: z * signs, readout, state, window=4)
    assert np.allclose(motion.latent, np.sqrt(2.0))
    assert np.allclose(motion.logits, [0.0, np.sqrt(2.0)])
    assert motion.flipping.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.int16, torch.uint8, torch.bool])
def test_magnitudes_are_the_largest_absolute_values(kind):
    """Of numbers of any kind, infinities and NaN among them."""
    random = torch.Generator().manual_seed(0)
    states = (8 * torch.randn(5, 3, 4, generator=random)).to(kind)
    assert torch.equal(magnitudes(states), states.double().abs().flatten(1).amax(dim=1))
    if kind.is_floating_point:
        states[0, 0, 0], states[1, 1, 1] = float("-inf"), float("nan")
        assert magnitudes(states)[0] == float("inf")
        assert magnitudes(states)[1].isnan()


def test_following_a_tangent_keeps_no_history():
    """A map with parameters that want gradients leaves no graph behind: memory does not grow with the steps."""
    layer = torch.nn.Linear(8, 8, dtype=torch.float64)
    with torch.inference_mode():
        for state, _ in follow(Tangent(layer, ONE.clone()), ONE.clone(), 20):
            assert not state.requires_grad
            assert state.grad_fn is None


def test_parameters_that_want_gradients_are_in_nobodys_way():
    """A network as it is made, and a state that hangs on a parameter: nothing need be switched off first."""
    layer = torch.nn.Linear(8, 8, dtype=torch.float64)
    begin = torch.nn.Parameter(ONE.clone())

    def readout(state):
        return torch.stack([state * layer.weight[0], state], dim=1)[..., None]

    report = observe(layer, begin * 2, 400, 16, exponent_steps=40, lyapunov=True)
    assert report.limit == [Limit.FIXED_POINT] * 2
    assert np.isfinite(report.lyapunov).all()
    assert estimate(layer, begin * 2, 20, 16).passes == 1
    assert (watch_motion(layer, readout, begin * 2, 8).latent > 0).all()
    found = path_independence(layer, begin * 2, 400, lambda state: state > 0)
    assert np.allclose(found.cosine, 1.0)
    assert np.allclose(asymptotic_alignment(begin * 2, begin * 3), 1.0)
    exact = largest_exponent(layer, begin * 2, steps=40).value
    assert np.allclose(exact, largest_exponent(layer, begin * 2, steps=40, forward=False).value, atol=1e-4)
    assert np.allclose(spectral_radius(layer, begin * 2), spectral_radius(layer, ONE))
    assert study_float32(copy.deepcopy(layer).float(), begin * 2, 100, 16, 2**20).tolist() == [[1, 0]] * 2
    assert layer.weight.grad is None


def test_tangents_are_followed_for_all_on_request():
    """lyapunov=True follows what rests too."""
    state = torch.tensor([[0.3], [0.4]], dtype=torch.float64)
    report = observe(lambda z: 7 + z / 2, state, 200, 20, exponent_steps=100, lyapunov=True)
    assert np.allclose(report.lyapunov, -np.log(2))
