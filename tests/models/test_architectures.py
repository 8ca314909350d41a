import math

import pytest
import torch

from extramaze.mazes import InputError
from extramaze.models.dt_l import DTL
from extramaze.models.dt_net import DTNet
from extramaze.models.it_net import ITNet
from extramaze.models.pi_net import PINet
from extramaze.models.training.architectures import BUILDERS
from extramaze.models.training.recipe import parse_recipe
from tests.models.test_solvers import image
from tests.models.test_train import TINY

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize("name", BUILDERS)
def test_every_solver_takes_the_layout_it_is_trained_in(name):
    """Channels last changes no answer beyond rounding, for every builder."""
    torch.manual_seed(0)
    solver, x = BUILDERS[name](width=16).double().eval(), image(count=2)
    expected = solver(x, 3)
    laid_out = solver.to(memory_format=torch.channels_last)
    assert torch.allclose(laid_out(x.contiguous(memory_format=torch.channels_last), 3), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("keys", "build"),
    [
        ("builder: dt_net, width: 4, blocks: 1", lambda: DTNet(4, 1)),
        ("builder: dt_net, width: 4, blocks: 1, recall: false", lambda: DTNet(4, 1, False)),
        ("builder: it_net, width: 4, blocks: 3", lambda: ITNet(4, 3)),
        ("builder: pi_net, width: 4, blocks: 1, root_finder: broyden, tolerance: 0.01", lambda: PINet(4, 1)),
        ("builder: dt_l, width: 4, blocks: 1, lipschitz: 0.5", lambda: DTL(4, 1, 0.5)),
    ],
)
def test_recipes_build_what_they_name(keys, build):
    """Every key of an architecture is its builder's keyword."""
    made = parse_recipe(TINY.replace("builder: dt_net, width: 4, blocks: 1", keys), "").architecture.build()
    assert type(made) is type(build())
    shapes = lambda solver: {name: value.shape for name, value in solver.state_dict().items()}  # noqa: E731
    assert shapes(made) == shapes(build())


def test_single_pass_recipes():
    """Feed-forward networks are built from layers or blocks, and train by one backpropagated pass."""
    text = TINY.replace("progressive", "backprop").replace("max_iterations: 4, gradient_steps: 2", "max_iterations: 1")
    for name, size in (("ff_net", "blocks: 40"), ("plain_cnn", "layers: 5")):
        keys = f"builder: {name}, width: 4, {size}"
        recipe = parse_recipe(text.replace("builder: dt_net, width: 4, blocks: 1", keys), "")
        assert type(recipe.architecture.build()) is BUILDERS[name]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("builder: dt_net, width: 4, blocks: 1", "builder: dt_nte, width: 4", "architecture.builder: .*dt_net"),
        ("builder: dt_net, width: 4, blocks: 1", "builder: ff_net, width: 4, blocks: 1", "passes once"),
        ("blocks: 1}", "blocks: 1, lipschitz: 0.5}", r"architecture\.lipschitz: "),
        ("blocks: 1}", "blocks: 0}", r"architecture\.blocks: "),
        (
            "builder: dt_net, width: 4, blocks: 1}",
            "builder: dt_net, blocks: 1}",
            r"architecture\.width: missing, and needed",
        ),
        ("gradient: progressive", "gradient: implicit", "training.*gradient_steps"),
        ("gradient: progressive, ", "gradient: phantom, ", "needs a tolerance"),
        ("gradient: progressive", "gradient: phantom, alpha: 0.5", "alpha"),
        ("builder: dt_net, width: 4, blocks: 1}", "builder: dt_l, width: 4, blocks: 1}", None),
    ],
)
def test_impossible_combinations_are_named(old, new, problem):
    """Each combination that cannot be trained is one line with its key; possible ones pass."""
    text = TINY.replace(old, new)
    assert text != TINY
    if problem is None:
        parse_recipe(text, "tiny")
        return
    with pytest.raises(InputError, match=problem):
        parse_recipe(text, "tiny")


def test_contraction_needs_convolutions_of_its_own_kind():
    """The rescaling is defined for DT-Net's and IT-Net's convolutions; PI-Net and DT-L are told so."""
    text = TINY.replace("clip_norm: 1.0", "clip_norm: 1.0, contraction: 1.0")
    assert math.isclose(parse_recipe(text, "").training.contraction, 1.0)
    with pytest.raises(InputError, match=r"training.*contraction"):
        parse_recipe(text.replace("dt_net", "pi_net"), "")
