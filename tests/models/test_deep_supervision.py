"""Deep supervision: a loss after every step of a window, each from a state that counts as constant."""

import pytest
import torch

from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.models.dt_net import DTNet
from extramaze.models.training.gradients import draw_depth, masked_loss, training_loss
from extramaze.models.training.recipe import parse_recipe
from tests.models.test_train import TINY

pytestmark = pytest.mark.numeric

WINDOW = TINY.replace("bf16: true", "bf16: false").replace(
    "gradient: progressive", "gradient: deep-supervision, min_iterations: 1"
)


def mazes():
    """Two mazes with their targets, in float64."""
    images, targets = raster(generate(MazeSpec(5), 2), 1)
    return torch.from_numpy(images).double(), torch.from_numpy(targets).long()


def test_the_loss_is_the_windows_mean_and_no_gradient_passes_between_its_steps():
    """Loss and gradients equal those of a plain loop over steps, each back-propagated alone."""
    torch.manual_seed(0)
    solver, (x, targets) = DTNet(width=4, blocks=1).double(), mazes()
    training = parse_recipe(WINDOW, "").training
    loss = training_loss(solver, x, targets, training, 0, 3)
    loss.backward()
    found = [parameter.grad.clone() for parameter in solver.parameters() if parameter.grad is not None]
    solver.zero_grad()
    with torch.no_grad():
        state = solver.initial_state(x)
        for _ in range(draw_depth(training, 0, 3).free):
            state = solver.step(state, x)
    total = 0.0
    for _ in range(2):
        state = solver.step(state.detach(), x)
        part = masked_loss(solver.readout(state), targets, x) / 2
        part.backward()
        total += float(part.detach())
    expected = [parameter.grad for parameter in solver.parameters() if parameter.grad is not None]
    assert float(loss.detach()) == pytest.approx(total, rel=1e-6)
    assert len(found) == len(expected) == len(list(solver.parameters())) - 1  # the projection is before the window
    assert all(torch.allclose(one, two, atol=1e-6) for one, two in zip(found, expected, strict=True))


def test_windows_lie_between_the_fewest_and_the_most_iterations():
    """Free iterations are drawn so that the window begins after min_iterations and ends by max_iterations."""
    training = parse_recipe(WINDOW, "").training
    depths = [draw_depth(training, 0, step) for step in range(60)]
    assert {depth.traced for depth in depths} == {2}
    assert {depth.free for depth in depths} == {1, 2}


def test_a_window_longer_than_the_iterations_is_refused():
    """It is named with its key."""
    with pytest.raises(InputError, match=r"training\.gradient_steps: min_iterations and the window"):
        parse_recipe(WINDOW.replace("gradient_steps: 2", "gradient_steps: 4"), "")
