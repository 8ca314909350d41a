import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import load
from extramaze.models.contract import count_parameters
from extramaze.models.dt_l import DTL, GRID, norm_bounds
from extramaze.models.dt_net import DTNet
from extramaze.models.ff_net import FFNet
from extramaze.models.pi_net import PINet
from extramaze.models.plain_cnn import PlainCNN

pytestmark = pytest.mark.numeric


def image(size=9, count=4, dtype=torch.float64, scale=1, **keys):
    return torch.from_numpy(raster(generate(MazeSpec(size, **keys), count), scale)[0]).to(dtype)


def test_parameter_counts():
    """Sums of 9 · in · out over the layers; the published figures at width 128."""
    assert count_parameters(DTNet(width=128)) == 783_504
    assert count_parameters(DTNet(width=128, recall=False)) == 783_504 - 9 * 131 * 128
    head = 9 * (128 * 32 + 32 * 8 + 8 * 2)
    assert count_parameters(FFNet(width=128)) == 9 * 3 * 128 + 30 * 2 * 9 * 128 * 128 + head == 8_890_128
    gains = 5 * 128  # weight normalisation: a norm for each output channel of five convolutions
    assert count_parameters(PINet(width=128)) == 783_504 + gains
    assert count_parameters(PlainCNN(32, 12)) == (27 * 32 + 32) + 10 * (288 * 32 + 32) + (288 * 2 + 2)
    assert count_parameters(DTL(32, 2)) == (27 * 32 + 32) + 4 * 288 * 32 + 2 + 9 * (32 * 32 + 32 * 8 + 8 * 2)


def test_without_recall_the_image_is_seen_once():
    """Another image changes nothing after the initial state without recall, and everything with it."""
    torch.manual_seed(0)
    x, other = image(count=2), image(13, count=2)[:, :, :11, :11]
    for recall in (True, False):
        solver = DTNet(width=8, recall=recall).double()
        state = solver.initial_state(x)
        assert torch.equal(solver.step(state, x), solver.step(state, other)) is not recall


# DT-L


def dense(kernel, size):
    """The matrix of a zero-padded convolution on size×size pixels."""
    channels = kernel.shape[0]
    basis = torch.eye(channels * size * size, dtype=kernel.dtype).view(-1, channels, size, size)
    return functional.conv2d(basis, kernel, padding=1).flatten(1).T


@pytest.mark.parametrize("kind", ["random", "smooth", "shift", "orthogonal"])
def test_the_bound_holds_for_the_operator_itself(kind):
    """The norm of the whole convolution matrix stays below the bound at every size, and nears it within a third."""
    torch.manual_seed(0)
    kernels = {
        "random": torch.randn(3, 3, 3, 3, dtype=torch.float64),
        "smooth": torch.ones(3, 3, 3, 3, dtype=torch.float64),
        "shift": torch.zeros(3, 3, 3, 3, dtype=torch.float64),
        "orthogonal": nn.init.orthogonal_(torch.empty(3, 3, 3, 3, dtype=torch.float64)),
    }
    kernels["shift"][:, :, 0, 2] = torch.eye(3, dtype=torch.float64)
    kernel = kernels[kind]
    bound = float(norm_bounds(kernel.unsqueeze(0)))
    norms = [float(torch.linalg.matrix_norm(dense(kernel, size), 2)) for size in (1, 2, 4, 8, 14)]
    assert max(norms) <= bound
    assert norms == sorted(norms)
    assert bound <= 1.34 * norms[-1]


def test_frequencies_between_the_samples_are_bounded_too():
    """Taps that turn by half a sample's frequency: the symbol peaks at 9 between the samples, which see 8.1 at most."""
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64) * math.pi / GRID
    kernel = torch.stack([torch.matrix_exp(turn * (k + m)) for k in range(3) for m in range(3)], dim=-1).view(
        2, 2, 3, 3
    )
    norm = float(torch.linalg.matrix_norm(dense(kernel, 16), 2))
    assert 8.5 < norm <= 9
    assert float(norm_bounds(kernel.unsqueeze(0))) >= 9


def test_the_reshaped_kernel_is_no_bound():
    """Nine equal taps: the reshaped kernel has norm 3, the convolution nearly 9 on a large image."""
    kernel = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    assert float(torch.linalg.matrix_norm(kernel.flatten(1), 2)) == pytest.approx(3)
    assert float(torch.linalg.matrix_norm(dense(kernel, 20), 2)) > 8.8
    assert 9 <= float(norm_bounds(kernel.unsqueeze(0))) < 9 * 1.18


@pytest.mark.parametrize("size", [3, 9, 17])
def test_dt_l_contracts(size):
    """‖step(a) − step(b)‖ ≤ γ‖a − b‖ on random and on sought-out pairs, however large the weights have grown."""
    torch.manual_seed(0)
    solver = DTL(width=8, blocks=2, lipschitz=0.9).double()
    with torch.no_grad():
        for kernel in solver.kernels():
            kernel.mul_(30).add_(torch.randn_like(kernel))
        solver.mix.copy_(torch.tensor([3.0, -2.0]))
    solver.eval()
    x = image(size, 3)
    first = torch.randn(3, 8, *x.shape[2:], dtype=torch.float64)
    for scale in (1e-4, 1.0, 100.0):
        change = scale * torch.randn_like(first)
        for _ in range(15):  # follow what is stretched most: power iteration on the change
            with torch.no_grad():
                moved = solver.step(first + change, x) - solver.step(first, x)
            before, after = change.flatten(1).norm(dim=1), moved.flatten(1).norm(dim=1)
            assert (after <= 0.9 * before * (1 + 1e-12)).all()
            change = moved * (before / after).view(-1, 1, 1, 1)


def test_dt_l_has_one_limit():
    """From zero and from far away the iterates meet, as fast as γⁿ or faster."""
    torch.manual_seed(0)
    solver, x = DTL(width=8, lipschitz=0.8).double().eval(), image(count=2)
    a, b = solver.initial_state(x), 100 * torch.randn(2, 8, 11, 11, dtype=torch.float64)
    apart = (a - b).norm()
    with torch.no_grad():
        for _ in range(60):
            a, b = solver.step(a, x), solver.step(b, x)
    assert (a - b).norm() <= 0.8**60 * apart


def test_evaluation_takes_the_bounds_from_the_weights():
    """After weights change, ``eval()`` computes the bounds anew."""
    solver = DTL(width=4).eval()
    before = solver.bounds.clone()
    with torch.no_grad():
        for kernel in solver.kernels():
            kernel.mul_(2)
    assert torch.allclose(solver.eval().bounds, 2 * before)


# Single pass


@pytest.mark.parametrize("build", [lambda: FFNet(8, 3), lambda: PlainCNN(8, 4)])
def test_a_single_pass_answers_at_the_first_step(build):
    """The first step gives the answer, every later one the same bits, and the class says so."""
    torch.manual_seed(0)
    solver, x = build().eval(), image(dtype=torch.float32)
    first = solver.step(solver.initial_state(x), x)
    assert torch.equal(solver.step(first, x), first)
    assert torch.equal(solver.readout(first), solver.logits(x))
    assert solver.single_pass
    assert not load("dt-net-thin").single_pass


def test_a_plain_cnn_begins_with_signals_of_one_size():
    """Through 11 layers a signal's mean square stays within a factor of 4; from torch's own it falls to 1/150."""
    torch.manual_seed(0)
    solver = PlainCNN(32, 12).double()
    signal, squares = torch.randn(8, 3, 31, 31, dtype=torch.float64), []
    for layer in solver.layers:
        signal = layer(signal)
        squares.append(signal[:, :, 12:-12, 12:-12].square().mean())
    assert 1 / 4 < squares[21] / squares[1] < 4


def test_a_plain_cnn_sees_as_far_as_it_has_layers():
    """A pixel moves the logits up to ``layers`` pixels away, and no further."""
    torch.manual_seed(0)
    solver = PlainCNN(8, 3).double()
    x = torch.zeros(1, 3, 15, 15, dtype=torch.float64)
    moved = x.clone()
    moved[:, :, 7, 7] = 1
    rows, columns = torch.nonzero((solver.logits(moved) - solver.logits(x)).abs().amax(dim=(0, 1)) > 0).T
    assert int((rows - 7).abs().max()) == int((columns - 7).abs().max()) == 3


# PI-Net's own inference


def test_own_inference_reports_evaluations_and_residual():
    """Each maze's state has the residual reported, within the budget; free solvers have no inference of their own."""
    torch.manual_seed(0)
    solver, x = PINet(width=8, tolerance=1e-6).eval(), image(dtype=torch.float32)
    found = solver.own_inference(x, 50)
    assert found.evaluations.shape == found.residual.shape == (4,)
    assert (found.evaluations <= 50).all()
    with torch.no_grad():
        next_state = solver.step(found.state, x)
    change = (next_state - found.state).flatten(1).norm(dim=1)
    scale = next_state.flatten(1).norm(dim=1).clamp(min=1)
    assert torch.allclose(found.residual, change / scale, atol=1e-6)
    assert (solver.own_inference(x, 2).evaluations == 2).all()
    assert load("dt-net-thin").own_inference(x, 5) is None


@pytest.mark.parametrize("root_finder", ["anderson", "broyden"])
def test_own_inference_finds_the_limit_of_free_running(root_finder):
    """Where the plain iteration converges, the root finder ends at the same state after fewer evaluations."""
    torch.manual_seed(0)
    solver = PINet(width=8, root_finder=root_finder, tolerance=1e-9).double().eval()
    x = image(count=2)
    with torch.no_grad():
        for layer in solver.recurrent_convolutions():
            layer.parametrizations.weight.original0.mul_(1.2)
        state, plain = solver.initial_state(x), 0
        while True:
            new = solver.step(state, x)
            plain += 1
            if (new - state).norm() <= 1e-9 * new.norm():
                break
            state = new
            assert plain < 3000
    found = solver.own_inference(x, 3000)
    assert torch.allclose(found.state, new, atol=1e-6 * float(new.abs().max()))
    assert int(found.evaluations.max()) < plain
