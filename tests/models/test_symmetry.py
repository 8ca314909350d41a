import numpy as np
import pytest
import torch

from extramaze.core.errors import InputError
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import load
from extramaze.models.blending.alignment import align, aligned_cosine, balance, balanced
from extramaze.models.blending.weights import weights_of
from extramaze.models.contract import IterativeSolver
from extramaze.models.dt_l import DTL
from extramaze.models.dt_net import DTNet
from extramaze.models.ff_net import FFNet
from extramaze.models.it_net import ITNet
from extramaze.models.pi_net import PINet
from extramaze.models.plain_cnn import PlainCNN
from extramaze.models.shipped import shipped_seeds
from extramaze.models.symmetry import Symmetry, random_move, symmetry_of

pytestmark = pytest.mark.numeric
BUILDERS = {
    "dt-net": lambda: DTNet(6, 2),
    "dt-net without recall": lambda: DTNet(6, 2, recall=False),
    "it-net": lambda: ITNet(6),
    "pi-net": lambda: PINet(6, 2),
    "dt-l": lambda: DTL(6, 2),
    "ff-net": lambda: FFNet(6, 4),
    "plain cnn": lambda: PlainCNN(6, 4),
    "plain cnn of one layer": lambda: PlainCNN(6, 1),
}
RECURRENT = [
    f"{name}@{seed}" for name, seeds in shipped_seeds().items() if name[:3] in ("dt-", "it-") for seed in seeds
]


def built(kind, seed=0):
    torch.manual_seed(seed)
    return BUILDERS[kind]().eval()


@pytest.mark.parametrize("kind", BUILDERS)
def test_moves_change_no_function(kind):
    """Random orders and scales leave float64 logits as they are, for every class."""
    solver = built(kind).double().eval()
    symmetry = symmetry_of(solver)
    x = torch.from_numpy(raster(generate(MazeSpec(5), 3), 1)[0]).double()
    weights = weights_of(solver.state_dict())
    with torch.inference_mode():
        before = solver(x, 5)
        moved = random_move(symmetry, 3).apply(symmetry, weights)
        solver.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in moved.items()})
        after = solver.eval()(x, 5)
    assert torch.allclose(before, after, rtol=1e-10, atol=1e-12 * float(before.abs().max()))
    changed = [name for name in weights if not np.allclose(weights[name], moved[name])]
    assert bool(changed) == bool(symmetry.sizes())


def test_units_behind_an_elu_do_not_scale():
    """DT-L's stream and inner units only move; its head's, behind rectifiers, scale too."""
    symmetry = symmetry_of(built("dt-l"))
    scales = random_move(symmetry, 0).scales
    assert np.allclose(scales["stream"], 1)
    assert np.allclose(scales["blocks.0"], 1)
    assert not np.allclose(scales["head.0"], 1)


class Wrong(DTNet):
    """Says that its image channels are hidden units."""

    def symmetry(self):
        axes = dict(super().symmetry().axes)
        axes["projection.weight"] = (axes["projection.weight"][0], (("image", 3),))
        return Symmetry(axes)


class Untied(DTNet):
    """Forgets that the recall makes the state anew."""

    def symmetry(self):
        axes = dict(super().symmetry().axes)
        axes["recall.weight"] = ((("another stream", self.width),), axes["recall.weight"][1])
        return Symmetry(axes)


class Misshapen(DTNet):
    """Counts a channel too many."""

    def symmetry(self):
        axes = dict(super().symmetry().axes)
        axes["head.0.weight"] = (axes["head.0.weight"][0], (("stream", self.width + 1),))
        return Symmetry(axes)


class Undeclared(DTNet):
    symmetry = IterativeSolver.symmetry


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Wrong, "changes what the solver computes"),
        (Untied, "changes what the solver computes"),
        (Misshapen, "head.0.weight is"),
        (Undeclared, "declares no symmetry: add a method symmetry"),
    ],
)
def test_a_declaration_that_is_not_true_is_refused(kind, said):
    """Nobody need believe what a class says of itself."""
    torch.manual_seed(0)
    with pytest.raises(InputError, match=said):
        symmetry_of(kind(6))


@pytest.mark.parametrize("kind", BUILDERS)
def test_balanced_weights_are_those_of_every_scaled_copy(kind):
    """Scales do not matter to them; and what goes into a unit is as large as what comes out of it."""
    solver = built(kind)
    symmetry, weights = symmetry_of(solver), weights_of(solver.state_dict())
    stays = {group: np.arange(size) for group, size in symmetry.sizes().items()}
    move = random_move(symmetry, 5)
    copy = type(move)(stays, move.scales).apply(symmetry, weights)
    one, other = balanced(symmetry, weights), balanced(symmetry, copy)
    assert all(np.allclose(one[name], other[name], rtol=1e-9, atol=1e-12) for name in symmetry.axes)
    again = balance(symmetry, one)
    assert all(np.allclose(logarithms, 0, atol=1e-8) for logarithms in again.values())


@pytest.mark.parametrize("name", RECURRENT)
def test_hidden_orders_and_scales_are_found(name):
    """For every shipped DT-Net, IT-Net and DT-L, from a copy whose units were permuted and rescaled."""
    solver = load(name)
    symmetry, weights = symmetry_of(solver), weights_of(solver.state_dict())
    hidden = random_move(symmetry, 11)
    copy = hidden.apply(symmetry, weights)
    found = align(symmetry, weights, copy)
    for group, order in hidden.permutations.items():
        assert (order[found.move.permutations[group]] == np.arange(len(order))).all()
        assert np.allclose(
            found.move.scales[group] * hidden.scales[group][found.move.permutations[group]], 1, rtol=1e-9
        )
    back = found.move.apply(symmetry, copy)
    assert all(np.allclose(back[part], weights[part], rtol=1e-9, atol=1e-12) for part in symmetry.axes)


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_copy_is_found_for_every_class(kind):
    """After rounding to float32 as well, as a stored copy is."""
    solver = built(kind)
    symmetry, weights = symmetry_of(solver), weights_of(solver.state_dict())
    copy = random_move(symmetry, 2).apply(symmetry, weights)
    stored = {name: value.astype(np.float32).astype(float) for name, value in copy.items()}
    back = align(symmetry, weights, stored).move.apply(symmetry, stored)
    computing, again = symmetry.effective(weights), symmetry.effective(back)
    assert all(np.allclose(computing[name], again[name], rtol=1e-4, atol=1e-6) for name in symmetry.axes)


def test_a_network_is_aligned_with_itself():
    """Every unit stays."""
    solver = load("dt-net-thin@0")
    symmetry, weights = symmetry_of(solver), weights_of(solver.state_dict())
    found = align(symmetry, weights, weights)
    assert all((order == np.arange(len(order))).all() for order in found.move.permutations.values())
    assert all(np.allclose(scales, 1) for scales in found.move.scales.values())


def test_more_searches_find_no_worse():
    """And all of them better than none; what is reported is what the move reaches."""
    one, other = load("dt-net-thin@0"), load("dt-net-thin@1")
    symmetry = symmetry_of(one)
    first, second = weights_of(one.state_dict()), weights_of(other.state_dict())
    reached = [align(symmetry, first, second, restarts) for restarts in (1, 3, 6)]
    cosines = [found.cosine for found in reached]
    assert cosines == sorted(cosines)
    stays = align(symmetry, first, first).move
    assert cosines[0] > aligned_cosine(symmetry, first, second, stays)
    assert np.isclose(aligned_cosine(symmetry, first, second, reached[-1].move), cosines[-1])


def test_a_dead_unit_keeps_its_scale():
    """No scale balances a unit into which nothing leads."""
    solver = built("dt-net")
    with torch.no_grad():
        solver.head[0].weight[3] = 0
    symmetry, weights = symmetry_of(solver), weights_of(solver.state_dict())
    logarithms = balance(symmetry, weights)
    assert all(np.isfinite(value).all() for value in logarithms.values())
    assert abs(logarithms["head.0"][3]) < 1e-12
