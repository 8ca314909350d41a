"""Every solver that ships keeps the contract."""

import copy
import inspect
from importlib.resources import files

import pytest
import torch

from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import IterativeSolver, load
from extramaze.models.contract import answer, count_parameters
from extramaze.models.dt_net import DTNet
from extramaze.models.it_net import ITNet
from extramaze.models.loading import ALGORITHMS
from extramaze.models.shipped import shipped_seeds
from extramaze.models.training.recipe import parse_recipe, recipe_text

pytestmark = pytest.mark.numeric

NAMES = [*ALGORITHMS, *(f"{name}@{seeds[0]}" for name, seeds in shipped_seeds().items())]


def image(size=9, count=4, dtype=torch.float32):
    return torch.from_numpy(raster(generate(MazeSpec(size, percolation=0.1), count))[0]).to(dtype)


def run(solver, x, steps):
    state = solver.initial_state(x)
    for _ in range(steps):
        state = solver.step(state, x)
    return state


def test_the_contract_is_frozen():
    """Three methods with these arguments, a budget, and a card: what submitters write against."""
    signatures = {
        name: str(inspect.signature(getattr(IterativeSolver, name)))
        for name in ("initial_state", "step", "readout", "step_budget", "own_inference")
    }
    assert signatures == {
        "initial_state": "(self, x: torch.Tensor) -> Any",
        "step": "(self, state: Any, x: torch.Tensor) -> Any",
        "readout": "(self, *state_or_state_and_x: Any, **_: Any) -> torch.Tensor",
        "step_budget": "(self, height: int, width: int) -> int | None",
        "own_inference": "(self, x: torch.Tensor, budget: int) -> extramaze.models.contract.Inference | None",
    }
    assert IterativeSolver.__abstractmethods__ == {"initial_state", "step", "readout"}


def test_what_ships():
    """Three algorithms, and weights of shipped recipes that were trained from their very text."""
    seeds = shipped_seeds()
    assert {"dt-net-thin", "ff-net-thin", "it-net-thin", "pi-net-thin", "plain-cnn-thin"} <= seeds.keys()
    for recipe, found in seeds.items():
        for seed in found:
            trained = (files("extramaze.models") / "weights" / recipe / str(seed) / "recipe.yaml").read_text()
            assert parse_recipe(trained, recipe) == parse_recipe(recipe_text(recipe), recipe), (recipe, seed)
    assert set(ALGORITHMS) == {"dead-end-filling", "wall-follower", "wavefront"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_step_is_pure(name, dtype):
    """Arguments stay as they were, the state has storage of its own, and the same call gives the same bits."""
    solver, x = load(name).to(dtype), image(dtype=dtype)
    with torch.inference_mode():
        state = run(solver, x, 3)
        before, x_before = state.clone(), x.clone()
        first = solver.step(state, x)
        second = solver.step(state, x)
    assert torch.equal(state, before)
    assert torch.equal(x, x_before)
    assert first.data_ptr() != state.data_ptr()
    assert torch.equal(first, second)
    assert first.dtype == dtype
    assert torch.isfinite(first).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [3, 9, 15])
def test_any_size_is_solved_and_shapes_hold(name, size):
    """State and logits are batch first, logits (B, 2, H, W), at sizes never trained on."""
    solver, x = load(name), image(size, 3)
    with torch.inference_mode():
        state = run(solver, x, 2)
        logits = solver.readout(state)
    assert state.shape[0] == 3
    assert logits.shape == (3, 2, *x.shape[2:])


@pytest.mark.parametrize("name", NAMES)
def test_mazes_of_a_batch_do_not_meet(name):
    """In float64 a maze alone and in a batch have the same iterates, to rounding."""
    solver, x = load(name).double(), image(count=5, dtype=torch.float64)
    with torch.inference_mode():
        together, alone = run(solver, x, 5), run(solver, x[2:3], 5)
    assert torch.allclose(together[2:3], alone, rtol=1e-10, atol=1e-10)


def test_parameters_of_the_papers_model():
    """DT-Net at width 128 has 783,504 parameters (Bansal et al. 2022)."""
    assert count_parameters(DTNet(width=128)) == 783_504
    assert count_parameters(ITNet(width=128)) == 783_504 + 4 * 128 * 128 * 9


def test_residual_blocks_compute_what_they_say():
    """The in-place block equals the plain formula, and so do its gradients."""
    torch.manual_seed(0)
    block = DTNet(width=8).blocks[0].double()
    plain = copy.deepcopy(block)
    state = torch.randn(2, 8, 5, 5, dtype=torch.float64)
    out = block(state)
    expected = torch.relu(state + plain.second(torch.relu(plain.first(state))))
    assert torch.allclose(out, expected)
    out.square().sum().backward()
    expected.square().sum().backward()
    for ours, theirs in zip(block.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad)


def test_answers_are_masked_to_open_pixels_and_not_a_number_is_no():
    """Argmax of two channels on open pixels; NaN is never on the path."""
    x = image(count=1)
    logits = torch.zeros(1, 2, 11, 11)
    logits[:, 1] = 1
    assert torch.equal(answer(logits, x), x.amax(dim=1) > 0)
    assert not answer(torch.full_like(logits, torch.nan), x).any()
