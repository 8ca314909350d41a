import pytest
import torch

from extramaze.core.checked import check_model
from extramaze.mazes import InputError
from extramaze.models.dt_net import DTNet
from extramaze.models.training.optimise import (
    Optimisation,
    clip,
    learning_rate,
    make_optimizer,
    recurrent_parameters,
    set_rate,
)

pytestmark = pytest.mark.numeric

PLAIN = {"steps": 100, "batch": 8, "learning_rate": 0.1, "weight_decay": 0, "warmup_steps": 10}


def optimisation(**changes):
    return check_model(Optimisation, {k: v for k, v in (PLAIN | changes).items() if v is not None}, "training")


def test_schedules():
    """Constant stays; step is multiplied at each milestone; cosine is half way down in the middle."""
    constant = optimisation(schedule="constant")
    assert [learning_rate(constant, step) for step in range(10, 100)] == pytest.approx([0.1] * 90)
    steps = optimisation(schedule="step", milestones=[20, 50], decay=0.5)
    rates = [learning_rate(steps, step) for step in (19, 20, 49, 50, 99)]
    assert rates == pytest.approx([0.1, 0.05, 0.05, 0.025, 0.025])
    cosine = optimisation()
    assert learning_rate(cosine, 55) == pytest.approx(0.05)
    for any_one in (constant, steps, cosine):
        assert [learning_rate(any_one, step) for step in range(10)] == pytest.approx([0.01 * i for i in range(1, 11)])


def test_a_budget_in_mazes_is_whole_steps():
    """Mazes are rounded up to whole steps."""
    assert optimisation(steps=None, mazes=17, warmup_steps=0).total_steps == 3
    assert optimisation(steps=None, mazes=800).total_steps == 100


def test_recurrent_parameters_are_those_of_the_step():
    """In DT-Net: the recall convolution and the residual blocks; neither projection nor head."""
    solver = DTNet(width=4, blocks=2)
    found = {id(parameter) for parameter in recurrent_parameters(solver, 1)}
    names = {name for name, parameter in solver.named_parameters() if id(parameter) in found}
    assert names == {n for n, _ in solver.named_parameters() if n.startswith(("recall", "blocks"))}


def test_the_throttle_divides_the_rate_of_recurrent_parameters():
    """Adam's first step has the length of its rate: 1/30 of it for the recurrent parameters."""
    solver = DTNet(width=4, blocks=1)
    optimizer = make_optimizer(solver, optimisation(recurrent_divisor=30), 1)
    before = {name: value.detach().clone() for name, value in solver.named_parameters()}
    for parameter in solver.parameters():
        parameter.grad = torch.ones_like(parameter)
    set_rate(optimizer, 0.003)
    optimizer.step()
    for name, value in solver.named_parameters():
        expected = 0.0001 if name.startswith(("recall", "blocks")) else 0.003
        assert torch.allclose(before[name] - value, torch.full_like(value, expected), rtol=1e-3)


def test_clipping_keeps_the_direction_and_bounds_the_norm():
    """Gradients beyond the norm are scaled down to it; without a norm they are left as they are, to the bit."""
    parameters = [torch.nn.Parameter(torch.zeros(3)), torch.nn.Parameter(torch.zeros(2))]
    gradients = [torch.tensor([3.0, 0.0, 0.0]), torch.tensor([0.0, 4.0])]

    def reset():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.clone()

    reset()
    assert clip(parameters, 1.0) == pytest.approx(5)
    assert torch.allclose(parameters[1].grad, gradients[1] / 5, rtol=1e-5)
    reset()
    assert clip(parameters, None) == pytest.approx(5)
    assert all(torch.equal(p.grad, g) for p, g in zip(parameters, gradients, strict=True))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"mazes": 800}, "mazes: .*either steps or mazes"),
        ({"steps": None}, "mazes: .*either steps or mazes"),
        ({"steps": 2**22}, "batch: .*must not exceed"),
        ({"warmup_steps": 101}, "warmup_steps: .*longer than the run of 100"),
        ({"milestones": [5]}, "milestones: .*belong to schedule: step"),
        ({"schedule": "step"}, "milestones: .*needs milestones"),
        ({"schedule": "step", "milestones": [9, 3]}, "milestones: .*later than the one before"),
        ({"bf16": False, "bf16_only_where_fast": True}, "bf16_only_where_fast"),
        ({"ema": 1.0, "seconds": 0, "recurrent_divisor": 0.5}, "seconds: .*recurrent_divisor: .*ema: "),
    ],
)
def test_impossible_optimisation_is_refused_by_key(changes, problem):
    """Each problem names its key; several are listed together."""
    with pytest.raises(InputError, match=problem):
        optimisation(**changes)
