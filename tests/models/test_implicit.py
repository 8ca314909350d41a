import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from extramaze.models.contract import IterativeSolver
from extramaze.models.dt_net import DTNet
from extramaze.models.it_net import ITNet
from extramaze.models.pi_net import PINet
from extramaze.models.training.contraction import contract, expansion
from extramaze.models.training.gradients import Depth, draw_depth, draw_state, masked_loss, run_depth, training_loss
from extramaze.models.training.implicit import equilibrium, implicit_step, phantom_steps, settle
from extramaze.models.training.recipe import Training

pytestmark = pytest.mark.numeric

PLAIN = {"steps": 100, "batch": 4, "learning_rate": 0.01, "weight_decay": 0, "warmup_steps": 0, "clip_norm": 1,
         "max_iterations": 12, "bf16": False}  # fmt: skip


def training(gradient, **keys):
    return Training(gradient=gradient, **(PLAIN | keys))


class Contraction(IterativeSolver):
    """z ← tanh(A z + B x), ‖A‖ = 0.6, on 3·H·W numbers a maze: small, smooth, with one fixed point."""

    def __init__(self, size=12):
        super().__init__()
        torch.manual_seed(1)
        matrix = torch.randn(size, size, dtype=torch.float64)
        self.a = nn.Parameter(0.6 * matrix / torch.linalg.matrix_norm(matrix, 2))
        self.b = nn.Parameter(torch.randn(size, size, dtype=torch.float64) / size)

    def initial_state(self, x):
        return torch.zeros_like(x)

    def step(self, state, x):
        return torch.tanh(state.flatten(1) @ self.a.T + x.flatten(1) @ self.b.T).view_as(state)

    def readout(self, state):
        return state[:, :2]


@pytest.fixture
def problem():
    """A contraction, images, and a loss with some curvature."""
    torch.manual_seed(2)
    x = torch.rand(3, 3, 2, 2, dtype=torch.float64)
    weights = torch.randn_like(x)
    return Contraction(), x, lambda state: (weights * state).sum() + state.square().sum()


def gradients(solver, value):
    solver.zero_grad()
    value.backward()
    return {name: parameter.grad.clone() for name, parameter in solver.named_parameters() if parameter.grad is not None}


def solve(solver, x, tolerance=1e-13):
    return equilibrium(solver, solver.initial_state(x), x, "anderson", tolerance, 200).state


def test_implicit_gradients_equal_finite_differences(problem):
    """Central differences of the equilibrium's loss, a parameter at a time, agree to their accuracy."""
    solver, x, loss = problem
    found = gradients(solver, loss(implicit_step(solver, solve(solver, x), x, 1e-13, 200)))
    epsilon = 1e-5
    for name, parameter in solver.named_parameters():
        for index in ((0, 0), (3, 7), (11, 2)):
            values = []
            for sign in (1, -1):
                with torch.no_grad():
                    parameter[index] += sign * epsilon
                    values.append(float(loss(solve(solver, x))))
                    parameter[index] -= sign * epsilon
            assert float(found[name][index]) == pytest.approx((values[0] - values[1]) / (2 * epsilon), rel=1e-6)


def test_implicit_gradients_equal_long_unrolling(problem):
    """Backpropagation through 80 iterations from zero gives the same gradient, to 0.6⁸⁰."""
    solver, x, loss = problem
    found = gradients(solver, loss(implicit_step(solver, solve(solver, x), x, 1e-14, 200)))
    state = solver.initial_state(x)
    for _ in range(80):
        state = solver.step(state, x)
    expected = gradients(solver, loss(state))
    for name, value in expected.items():
        assert torch.allclose(found[name], value, rtol=1e-10, atol=1e-12)


def test_the_backward_solve_reports_and_scales(problem):
    """The linear solve reports evaluations and residual for each maze, and a gradient 10⁻⁸ as large is as accurate."""
    solver, x, loss = problem
    state, reports = solve(solver, x), []
    large = gradients(solver, loss(implicit_step(solver, state, x, 1e-10, 100, reports.append)))
    small = gradients(solver, 1e-8 * loss(implicit_step(solver, state, x, 1e-10, 100)))
    (report,) = reports
    assert report.converged.all()
    assert report.evaluations.shape == report.residual.shape == (3,)
    assert (report.evaluations > 2).all()
    for name, value in large.items():
        assert torch.allclose(1e-8 * value, small[name], rtol=1e-8)


@pytest.mark.parametrize(("steps", "damping"), [(1, 1.0), (4, 1.0), (5, 0.3)])
def test_phantom_gradients_are_their_series(problem, steps, damping):
    """k damped steps at an equilibrium give λ Σ_{t<k} (λJ + (1−λ)1)ᵗ applied to one step's gradient."""
    solver, x, loss = problem
    state = solve(solver, x)
    found = gradients(solver, loss(phantom_steps(solver, state, x, steps, damping)))
    point = state.clone().requires_grad_()
    outer = torch.autograd.grad(loss(point), point)[0]
    image = solver.step(point, x)
    series, term = torch.zeros_like(outer), outer
    for _ in range(steps):
        series = series + damping * term
        term = damping * torch.autograd.grad(image, point, term, retain_graph=True)[0] + (1 - damping) * term
    expected = dict(zip(["a", "b"], torch.autograd.grad(image, [solver.a, solver.b], series), strict=True))
    for name, value in expected.items():
        assert torch.allclose(found[name], value, rtol=1e-9, atol=1e-12)


def test_phantom_gradients_tend_to_the_implicit_one(problem):
    """Each further step of the series leaves less of the difference to the implicit gradient."""
    solver, x, loss = problem
    state = solve(solver, x)
    exact = gradients(solver, loss(implicit_step(solver, state, x, 1e-13, 200)))["a"]
    found = [gradients(solver, loss(phantom_steps(solver, state, x, k, 0.7)))["a"] for k in (1, 4, 16)]
    errors = [float((value - exact).norm()) for value in found]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


class Scalar(IterativeSolver):
    """z ← a z + x, by hand: limit x / (1 − a)."""

    def __init__(self, a):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a, dtype=torch.float64))

    def initial_state(self, x):
        return torch.zeros_like(x)

    def step(self, state, x):
        return self.a * state + x

    def readout(self, state):
        return state[:, :2]


def test_the_jacobian_free_gradient_by_hand():
    """z* = x/(1−a) = 4 for a = ½, x = 2: one step's gradient is z* = 4 a number, the true one z*/(1−a) = 8."""
    solver, x = Scalar(0.5), torch.full((1, 3, 1, 1), 2.0, dtype=torch.float64)
    reached = settle(solver, solver.initial_state(x), x, 200, 1e-14)
    assert torch.allclose(reached, torch.full_like(x, 4))
    assert float(gradients(solver, solver.step(reached, x).sum())["a"]) == pytest.approx(3 * 4)
    assert float(gradients(solver, implicit_step(solver, reached, x, 1e-14, 50).sum())["a"]) == pytest.approx(3 * 8)


def test_free_iterations_stop_where_a_maze_has_converged():
    """A maze stops at its first change below the tolerance in the largest number, another goes on to the budget."""
    solver = Scalar(0.5)
    x = torch.tensor([1.0, 1024.0], dtype=torch.float64).view(2, 1, 1, 1).expand(2, 3, 1, 1)
    reached = settle(solver, solver.initial_state(x), x, 12, 0.01)  # the n-th change is x / 2ⁿ⁻¹
    assert float(reached[0, 0]) == pytest.approx(2 - 2**-7)  # 2⁻⁷ < 0.01: eight steps
    assert float(reached[1, 0]) == pytest.approx(1024 * (2 - 2**-11))  # twelve
    untested = settle(solver, solver.initial_state(x), x, 12, 0.0)
    assert float(untested[0, 0]) == pytest.approx(2 - 2**-11)


@pytest.mark.parametrize("kind", ["implicit", "phantom", "jacobian-free"])
def test_memory_does_not_grow_with_the_iterations(kind):
    """Bytes saved for the backward pass are the same after 3 and after 60 evaluations of a PI-Net's step."""
    torch.manual_seed(0)
    solver, x = PINet(width=8), torch.rand(2, 3, 11, 11)
    targets = torch.zeros(2, 11, 11, dtype=torch.long)
    saved = []
    for budget in (3, 60):
        plan = training(kind, min_iterations=budget, max_iterations=budget, tolerance=1e-9)
        bytes_held = []

        def pack(tensor, bytes_held=bytes_held):
            bytes_held.append(tensor.numel() * tensor.element_size())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            training_loss(solver, x, targets, plan, 0, 0)
        saved.append(sum(bytes_held))
    assert saved[0] == saved[1] > 0


def test_implicit_gradients_reach_all_but_the_projection():
    """An equilibrium does not depend on where the search began, so the projection gets no gradient."""
    torch.manual_seed(0)
    solver, x = PINet(width=4), torch.rand(2, 3, 5, 5)
    plan = training("implicit", tolerance=1e-3)
    found = gradients(solver, training_loss(solver, x, torch.ones(2, 5, 5, dtype=torch.long), plan, 0, 0))
    assert {name for name, _ in solver.named_parameters()} - found.keys() == {"projection.weight"}


def test_a_progressive_step_is_what_it_was():
    """Without new keys the loss and every gradient are, to rounding, those of n free and k traced plain steps."""
    torch.manual_seed(0)
    solver, x = DTNet(width=8), (torch.rand(4, 3, 9, 9) > 0.4).float()
    targets, plan = torch.ones(4, 9, 9, dtype=torch.long), training("progressive", gradient_steps=5, bf16=True)
    for step in range(4):
        random = np.random.default_rng([1, 7, step])
        free = int(random.integers(12))
        traced = int(random.integers(1, min(5, 12 - free) + 1))
        with torch.autocast("cpu", torch.bfloat16):
            state = solver.initial_state(x)
            if free:
                with torch.no_grad():
                    for _ in range(free):
                        state = solver.step(state, x)
                state = state.detach()
            for _ in range(traced):
                state = solver.step(state, x)
            logits = solver.readout(state)
        old = masked_loss(logits, targets, x)
        expected = gradients(solver, old)
        new = training_loss(solver, x, targets, plan, 7, step)
        assert new.item() == pytest.approx(old.item(), rel=1e-3)
        found = gradients(solver, new)
        torch.testing.assert_close(found, expected, rtol=0.01, atol=1e-4)  # bfloat16 keeps 8 bits


def test_alpha_weighs_the_unrolled_and_the_progressive_loss():
    """(1 − α) times the loss after m traced iterations and α times the progressive loss."""
    torch.manual_seed(0)
    solver, x = DTNet(width=4), torch.rand(2, 3, 7, 7)
    targets = torch.ones(2, 7, 7, dtype=torch.long)
    plan = training("progressive", gradient_steps=5, alpha=0.01)
    unrolled = masked_loss(run_depth(solver, x, Depth(0, 12)), targets, x)
    progressive = masked_loss(run_depth(solver, x, draw_depth(plan, 3, 4)), targets, x)
    expected = gradients(solver, 0.99 * unrolled + 0.01 * progressive)
    found = gradients(solver, training_loss(solver, x, targets, plan, 3, 4))
    for name, value in expected.items():
        assert torch.allclose(found[name], value, rtol=1e-5, atol=1e-8)


def test_first_steps_backpropagate_through_every_iteration():
    """In the first backprop_steps the projection learns; Jacobian-free steps send it nothing."""
    torch.manual_seed(0)
    solver, x = ITNet(width=4, blocks=1), torch.rand(2, 3, 7, 7)
    targets = torch.ones(2, 7, 7, dtype=torch.long)
    plan = training("jacobian-free", backprop_steps=3, backprop_iterations=4)
    assert {draw_depth(plan, 0, step).traced for step in range(3)} <= {1, 2, 3, 4}
    assert all(draw_depth(plan, 0, step).free == 0 for step in range(3))
    assert "projection.weight" in gradients(solver, training_loss(solver, x, targets, plan, 0, 2))
    assert "projection.weight" not in gradients(solver, training_loss(solver, x, targets, plan, 0, 3))


def test_initial_states_are_mixed_evenly():
    """A third of the mazes begin at zero, a third within [−1, 1] at random, a third at the projection."""
    torch.manual_seed(0)
    solver, x = DTNet(width=4), torch.rand(300, 3, 5, 5) + 0.1
    plan = training("implicit", tolerance=0.1, initial_states=("projection", "zeros", "random"))
    states, own = draw_state(solver, x, plan, 0, 5), solver.initial_state(x)
    is_own = (states == own).flatten(1).all(dim=1)
    is_zero = (states == 0).flatten(1).all(dim=1)
    rest = states[~is_own & ~is_zero]
    for count in (int(is_own.sum()), int(is_zero.sum()), len(rest)):
        assert abs(count - 100) < 4 * math.sqrt(300 * 2 / 9)
    assert rest.min() < -0.9
    assert rest.max() > 0.9
    assert rest.mean().abs() < 0.02
    assert torch.equal(states, draw_state(solver, x, plan, 0, 5))
    assert not torch.equal(states, draw_state(solver, x, plan, 0, 6))


class Linear(IterativeSolver):
    """Stretches by 3 whatever the state is."""

    def initial_state(self, x):
        return torch.ones_like(x)

    def step(self, state, x):
        return 3 * state + x

    def readout(self, state):
        return state[:, :2]


def test_the_contraction_factor_is_of_the_perturbation():
    """A step that stretches by 3 is estimated at 3 for perturbations and states of any size."""
    x = torch.rand(5, 3, 4, 4, dtype=torch.float64)
    for size in (1e-3, 1.0, 100.0):
        noise = size * torch.randn(5, 3, 4, 4, dtype=torch.float64)
        for state in (torch.zeros_like(x), 1e3 * torch.rand_like(x)):
            estimate = expansion(Linear(), state, x, noise)
            assert torch.allclose(estimate, torch.full((5,), 3.0, dtype=torch.float64), rtol=1e-6)


def test_expanding_weights_are_rescaled_and_others_left():
    """Every recurrent convolution is multiplied by (limit/estimate)^(1/9); projection and head stay."""
    torch.manual_seed(0)
    solver = ITNet(width=8).double()
    with torch.no_grad():
        for layer in solver.recurrent_convolutions():
            layer.weight.mul_(3)
    before = copy.deepcopy(solver)
    x = torch.rand(3, 3, 7, 7, dtype=torch.float64)
    state, noise = solver.initial_state(x), torch.randn(3, 8, 7, 7, dtype=torch.float64)
    estimate = contract(solver, state, x, noise, 1.0)
    assert estimate > 1
    assert len(solver.recurrent_convolutions()) == 9
    scaled = {id(layer.weight) for layer in solver.recurrent_convolutions()}
    for new, old in zip(solver.parameters(), before.parameters(), strict=True):
        assert torch.allclose(new, old * (estimate ** (-1 / 9) if id(new) in scaled else 1))
    assert expansion(solver, state, x, noise).max() < estimate
    weights = [layer.weight.clone() for layer in solver.recurrent_convolutions()]
    contract(solver, state, x, noise, 1e6)
    assert all(torch.equal(a, b.weight) for a, b in zip(weights, solver.recurrent_convolutions(), strict=True))
