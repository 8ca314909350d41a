import math

import numpy as np
import pytest
import torch
from torch import nn

from extramaze.landscape.curvature import (
    Objective,
    density,
    eigenpairs,
    gradient_share,
    set_parameters,
    trace_probes,
)
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models.blending.alignment import balanced
from extramaze.models.blending.weights import rounded, weights_of
from extramaze.models.dt_net import DTNet
from extramaze.models.symmetry import random_move, symmetry_of
from extramaze.models.training.gradients import masked_loss

pytestmark = pytest.mark.numeric


def quadratic(matrix):
    """½ θᵀ H θ, from θ = (1, …, 1)."""
    h = torch.from_numpy(np.asarray(matrix, float))
    theta = nn.Parameter(torch.ones(len(h), dtype=torch.float64))
    return Objective([theta], lambda: 0.5 * theta @ h @ theta)


def symmetric(eigenvalues, seed=0):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues), len(eigenvalues))))
    return turn @ np.diag(eigenvalues) @ turn.T


SPECTRUM = np.concatenate([[9.0, 5.0], np.linspace(-0.5, 1, 57), [-2.0]])


def test_a_known_spectrum_is_found():
    """Both ends of a turned diagonal matrix of 60 rows."""
    objective = quadratic(symmetric(SPECTRUM))
    largest, vectors = eigenpairs(objective.product(), 60, 2)
    smallest, _ = eigenpairs(objective.product(), 60, 1, largest=False)
    assert np.allclose(largest, [9, 5], rtol=1e-3)
    assert np.allclose(smallest, [-2], rtol=1e-3)
    assert np.allclose(vectors.T @ vectors, np.eye(2), atol=1e-6)


def test_small_spectra_are_found_whole():
    """x² − y² has eigenvalues 2 and −2; as many as there are may be asked for."""
    objective = quadratic([[2.0, 0], [0, -2.0]])
    assert np.allclose(eigenpairs(objective.product(), 2, 2)[0], [2, -2])
    assert np.allclose(eigenpairs(objective.product(), 2, 1, largest=False)[0], [-2])


def test_one_probe_gives_the_trace_of_a_diagonal():
    """Exactly, by random signs; of another matrix the mean of many."""
    diagonal = quadratic(np.diag(SPECTRUM))
    assert np.allclose(trace_probes(diagonal.product(), 60, 3), SPECTRUM.sum())
    probes = trace_probes(quadratic(symmetric(SPECTRUM)).product(), 60, 400)
    assert abs(probes.mean() - SPECTRUM.sum()) < 4 * probes.std() / 20


def test_the_density_has_the_moments_of_the_spectrum():
    """Weights sum to 1, and the mean eigenvalue is the trace's share."""
    places, weights = density(quadratic(symmetric(SPECTRUM)).product(), 60, 40, steps=20)
    assert math.isclose(weights.sum(), 1, rel_tol=1e-9)
    assert abs((places * weights).sum() - SPECTRUM.mean()) < 0.15
    assert abs(places.max() - 9) < 1e-3


def test_a_gradient_in_the_top_subspace():
    """Of a quadratic of rank 2 all of it lies there, from wherever."""
    matrix = symmetric([4.0, 3.0] + [0.0] * 18)
    objective = quadratic(matrix)
    _, vectors = eigenpairs(objective.product(), 20, 2)
    assert math.isclose(gradient_share(objective.gradient(), vectors), 1, rel_tol=1e-9)
    assert math.isclose(gradient_share(np.zeros(20), vectors), 0)


def smooth():
    """A network without corners, and its mean squared output on eight inputs."""
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, 10), nn.Tanh(), nn.Linear(10, 1)).double()
    x = torch.randn(8, 4, dtype=torch.float64)
    return net, x, Objective(list(net.parameters()), lambda: (net(x) ** 2).mean())


@pytest.mark.parametrize("seed", range(3))
def test_products_are_differences_of_gradients(seed):
    """Along random vectors, to the accuracy of finite differences."""
    net, _, objective = smooth()
    vector = np.random.default_rng(seed).normal(size=objective.size)
    product = objective.product()(vector)
    where = torch.cat([value.detach().reshape(-1) for value in net.parameters()]).numpy().copy()
    step, ends = 1e-5, []
    for sign in (1, -1):
        set_parameters(net, where + sign * step * vector)
        ends.append(objective.gradient())
    assert np.allclose(product, (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-9)


def test_products_through_an_iteration():
    """Of a solver with the gradient through all its steps, as autograd gives them of the function as a whole."""
    torch.manual_seed(0)
    solver = DTNet(2, 1).double().eval()
    images, targets = raster(generate(MazeSpec(3), 2), 1)
    x, wanted = torch.from_numpy(images).double(), torch.from_numpy(targets).long()
    objective = Objective.of(solver, x, wanted, 4)
    names = [name for name, _ in solver.named_parameters()]

    def loss(*values):
        logits = torch.func.functional_call(solver, dict(zip(names, values, strict=True)), (x, 4))
        return masked_loss(logits, wanted, x)

    given = tuple(value.detach() for value in solver.parameters())
    along = tuple(torch.randn_like(value) for value in given)
    expected = torch.cat([part.reshape(-1) for part in torch.autograd.functional.hvp(loss, given, along)[1]])
    vector = torch.cat([part.reshape(-1) for part in along]).numpy()
    assert np.allclose(objective.product()(vector), expected.numpy())


def test_products_are_those_of_the_whole_hessian():
    """As autograd builds it row by row, of 200 parameters."""
    net, x, objective = smooth()
    shapes = [value.shape for value in net.parameters()]
    names = [name for name, _ in net.named_parameters()]

    def loss(flat):
        parts = torch.split(flat, [shape.numel() for shape in shapes])
        given = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        return (torch.func.functional_call(net, given, x) ** 2).mean()

    flat = torch.cat([value.detach().reshape(-1) for value in net.parameters()])
    hessian = torch.autograd.functional.hessian(loss, flat).numpy()
    vector = np.random.default_rng(0).normal(size=objective.size)
    assert np.allclose(objective.product()(vector), hessian @ vector)


def test_balanced_curvature_is_that_of_every_scaled_copy():
    """Largest eigenvalue and trace of a rescaled copy differ; those of the balanced ones do not."""
    torch.manual_seed(2)
    solver = DTNet(4, 1).double().eval()
    images, targets = raster(generate(MazeSpec(3), 2), 1)
    x, wanted = torch.from_numpy(images).double(), torch.from_numpy(targets).long()
    symmetry, weights = symmetry_of(solver), weights_of(solver.state_dict())
    found = []
    for net in (weights, random_move(symmetry, 0).apply(symmetry, weights)):
        for prepared in (net, balanced(symmetry, net)):
            solver.load_state_dict(rounded(prepared, solver.state_dict()))
            objective = Objective.of(solver, x, wanted, 3)
            found.append(eigenpairs(objective.product(), objective.size, 1)[0][0])
    raw, own, scaled, balanced_copy = found
    assert abs(scaled / raw - 1) > 0.05
    assert math.isclose(own, balanced_copy, rel_tol=1e-2)
