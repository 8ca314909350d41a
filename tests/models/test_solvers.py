import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from extramaze.mazes import InputError, MazeSpec, describe, generate, raster
from extramaze.models import answer, load
from extramaze.models.contract import count_parameters
from extramaze.models.dt_l import GRID, dt_l, norm_bounds
from extramaze.models.dt_net import dt_net
from extramaze.models.ff_net import ff_net
from extramaze.models.it_net import it_net
from extramaze.models.pi_net import pi_net
from extramaze.models.plain_cnn import plain_cnn
from extramaze.models.published import read_published
from extramaze.models.training.architectures import BUILDERS
from extramaze.models.training.recipe import parse_recipe
from tests.models.test_train import TINY


def image(size=9, count=4, dtype=torch.float64, scale=1, **keys):
    return torch.from_numpy(raster(generate(MazeSpec(size, **keys), count), scale)[0]).to(dtype)


def test_parameter_counts():
    """Sums of 9 · in · out over the layers; the published figures at width 128."""
    assert count_parameters(dt_net(width=128)) == 783_504
    assert count_parameters(dt_net(width=128, recall=False)) == 783_504 - 9 * 131 * 128
    head = 9 * (128 * 32 + 32 * 8 + 8 * 2)
    assert count_parameters(ff_net(width=128)) == 9 * 3 * 128 + 30 * 2 * 9 * 128 * 128 + head == 8_890_128
    gains = 5 * 128  # weight normalisation: a norm for each output channel of five convolutions
    assert count_parameters(pi_net(width=128)) == 783_504 + gains
    assert count_parameters(plain_cnn(32, 12)) == (27 * 32 + 32) + 10 * (288 * 32 + 32) + (288 * 2 + 2)
    assert count_parameters(dt_l(32, 2)) == (27 * 32 + 32) + 4 * 288 * 32 + 2 + 9 * (32 * 32 + 32 * 8 + 8 * 2)


def test_without_recall_the_image_is_seen_once():
    """Another image changes nothing after the initial state without recall, and everything with it."""
    torch.manual_seed(0)
    x, other = image(count=2), image(13, count=2)[:, :, :11, :11]
    for recall in (True, False):
        solver = dt_net(width=8, recall=recall).double()
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
    solver = dt_l(width=8, blocks=2, lipschitz=0.9).double()
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
    solver, x = dt_l(width=8, lipschitz=0.8).double().eval(), image(count=2)
    a, b = solver.initial_state(x), 100 * torch.randn(2, 8, 11, 11, dtype=torch.float64)
    apart = (a - b).norm()
    with torch.no_grad():
        for _ in range(60):
            a, b = solver.step(a, x), solver.step(b, x)
    assert (a - b).norm() <= 0.8**60 * apart


def test_evaluation_takes_the_bounds_from_the_weights():
    """After weights change, ``eval()`` computes the bounds anew."""
    solver = dt_l(width=4).eval()
    before = solver.bounds.clone()
    with torch.no_grad():
        for kernel in solver.kernels():
            kernel.mul_(2)
    assert torch.allclose(solver.eval().bounds, 2 * before)


# Single pass


@pytest.mark.parametrize("build", [lambda: ff_net(8, 3), lambda: plain_cnn(8, 4)])
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
    solver = plain_cnn(32, 12).double()
    signal, squares = torch.randn(8, 3, 31, 31, dtype=torch.float64), []
    for layer in solver.layers:
        signal = layer(signal)
        squares.append(signal[:, :, 12:-12, 12:-12].square().mean())
    assert 1 / 4 < squares[21] / squares[1] < 4


def test_a_plain_cnn_sees_as_far_as_it_has_layers():
    """A pixel moves the logits up to ``layers`` pixels away, and no further."""
    torch.manual_seed(0)
    solver = plain_cnn(8, 3).double()
    x = torch.zeros(1, 3, 15, 15, dtype=torch.float64)
    moved = x.clone()
    moved[:, :, 7, 7] = 1
    rows, columns = torch.nonzero((solver.logits(moved) - solver.logits(x)).abs().amax(dim=(0, 1)) > 0).T
    assert int((rows - 7).abs().max()) == int((columns - 7).abs().max()) == 3


# Wall follower


def walk(solver, x, steps):
    state = solver.initial_state(x)
    states = [state]
    for _ in range(steps):
        state = solver.step(state, x)
        states.append(state)
    return states


def plain_walk(pixels, start):
    """The right-hand rule on a picture, one pixel a step: yields (position, heading)."""
    turns = [(-1, 0), (0, 1), (1, 0), (0, -1)]  # up, right, down, left: one clockwise turn a place
    is_open = lambda at, way: pixels[at[0] + turns[way % 4][0], at[1] + turns[way % 4][1]]  # noqa: E731
    heading = next(way + 2 for way in (0, 2, 3, 1) if is_open(start, way)) % 4  # from up, down, left or right
    at = start
    while True:
        yield at, heading
        heading = next(way % 4 for way in (heading + 1, heading, heading + 3, heading + 2) if is_open(at, way))
        at = (at[0] + turns[heading][0], at[1] + turns[heading][1])


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("size", [3, 5, 9])
def test_the_wall_follower_goes_round_a_tree_for_ever(size, scale):
    """On L×L trees every maze's state returns after 4L² − 4 steps and at no step before."""
    lattice = (size + 1) // 2
    period = 4 * lattice**2 - 4
    states = walk(load("wall-follower"), image(size, 6, torch.float32, scale, start="any"), 2 * period)
    for maze in range(6):
        returns = [t for t in range(1, period + 1) if torch.equal(states[t][maze], states[0][maze])]
        assert returns == [period]
    assert torch.equal(states[2 * period], states[0])


def test_the_wall_follower_walks_by_the_rule():
    """With cycles too, position and heading are those of the rule followed on a picture with plain lists."""
    mazes = generate(MazeSpec(9, percolation=0.2, start="any"), 20)
    images, _ = raster(mazes)
    states = walk(load("wall-follower"), torch.from_numpy(images).float(), 150)
    planes = [0, 3, 1, 2]  # of up, right, down, left
    for maze in range(20):
        start = tuple((2 * mazes.start[maze] + 1).tolist())
        walker = plain_walk(images[maze].max(axis=0) > 0, start)
        for state in states:
            at, heading = next(walker)
            assert torch.nonzero(state[maze, :4]).tolist() == [[planes[heading], *at]]


def test_the_wall_follower_with_cycles_takes_twice_round():
    """Walker and heading return after the P steps round a face, the trail after 2P where there are several faces."""
    mazes = generate(MazeSpec(7, percolation=0.05, start="any"), 30)
    states = walk(load("wall-follower"), torch.from_numpy(raster(mazes)[0]).float(), 240)
    cycles = describe(mazes).cycles
    assert 5 < (cycles > 0).sum() < 25
    for maze in range(30):
        face = next(t for t in range(1, 241) if torch.equal(states[t][maze, :4], states[0][maze, :4]))
        whole = next(t for t in range(1, 241) if torch.equal(states[t][maze], states[0][maze]))
        assert whole == (2 * face if cycles[maze] else face)


def test_the_wall_follower_is_right_when_it_stands_on_the_goal():
    """On a tree the trail is the path from start to walker: the answer is right each time the walker is at the goal."""
    mazes = generate(MazeSpec(9), 10)
    images, targets = raster(mazes)
    x, solver = torch.from_numpy(images).float(), load("wall-follower")
    states = walk(solver, x, 96)
    for maze in range(10):
        row, column = (2 * mazes.goal[maze] + 1).tolist()
        at_goal = [t for t, state in enumerate(states) if state[maze, :4, row, column].any()]
        assert at_goal
        right = [
            t for t, state in enumerate(states)
            if np.array_equal(answer(solver.readout(state), x)[maze].numpy(), targets[maze])
        ]  # fmt: skip
        assert set(at_goal) <= set(right)
        assert len(right) < 30


# PI-Net's own inference


def test_own_inference_reports_evaluations_and_residual():
    """Each maze's state has the residual reported, within the budget; free solvers have no inference of their own."""
    torch.manual_seed(0)
    solver, x = pi_net(width=8, tolerance=1e-6).eval(), image(dtype=torch.float32)
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
    solver = pi_net(width=8, root_finder=root_finder, tolerance=1e-9).double().eval()
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


# Published weights


class TheirBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.shortcut = nn.Sequential()

    def forward(self, state):
        return functional.relu(self.conv2(functional.relu(self.conv1(state))) + state)


class TheirNet(nn.Module):
    """A network whose state dictionary has the published layout, made here from the papers' description."""

    def __init__(self, width, blocks, recall, names):
        super().__init__()
        self.recall, self.names = recall, names
        bare = {"kernel_size": 3, "padding": 1, "bias": False}
        residual = [TheirBlock(width) for _ in range(blocks)]
        first = [nn.Conv2d(width + 3, width, **bare)] if recall else []
        body = [*first, nn.Sequential(*residual)] if names[1] == "recur_block" else [*first, *residual]
        parts = (
            nn.Sequential(nn.Conv2d(3, width, **bare), nn.ReLU()),
            nn.Sequential(*body),
            nn.Sequential(
                nn.Conv2d(width, 32, **bare),
                nn.ReLU(),
                nn.Conv2d(32, 8, **bare),
                nn.ReLU(),
                nn.Conv2d(8, 2, **bare),
            ),
        )
        for name, part in zip(names, parts, strict=True):
            self.add_module(name, part)

    def forward(self, x, iterations):
        projection, body, head = (getattr(self, name) for name in self.names)
        state = projection(x)
        for _ in range(iterations):
            state = body(torch.cat([state, x], 1) if self.recall else state)
        return head(state)


DEEP_THINKING = ("projection", "recur_block", "head")
IT_NET = ("input_to_latent_layer", "latent_forward_layer", "latent_to_output_layer")


@pytest.mark.parametrize(
    ("blocks", "recall", "names", "prefix"),
    [(2, True, DEEP_THINKING, ""), (2, False, DEEP_THINKING, "module."), (4, True, IT_NET, "")],
)
def test_published_state_dictionaries_are_read(blocks, recall, names, prefix):
    """Width, blocks and recall are found from the names, and the network computes what theirs does."""
    torch.manual_seed(0)
    theirs = TheirNet(6, blocks, recall, names)
    ours = read_published({prefix + name: value for name, value in theirs.state_dict().items()})
    assert (ours.width, len(ours.blocks), ours.recall is not None) == (6, blocks, recall)
    x = image(dtype=torch.float32)
    assert torch.allclose(ours(x, 5), theirs(x, 5), atol=1e-6)


def test_other_state_dictionaries_are_refused():
    """A foreign name, a missing tensor, and a wrong shape are each named."""
    state = TheirNet(4, 1, True, DEEP_THINKING).state_dict()
    with pytest.raises(InputError, match=r"encoder\.weight.*none of the known layouts"):
        read_published(state | {"encoder.weight": torch.zeros(1)})
    with pytest.raises(InputError, match=r"blocks\.0\.second\.weight.*found none"):
        read_published({name: value for name, value in state.items() if "conv2" not in name})
    with pytest.raises(InputError, match=r"head\.0\.weight.*\(32, 4, 3, 3\), found \(16, 4, 3, 3\)"):
        read_published(state | {"head.0.weight": torch.zeros(16, 4, 3, 3)})
    with pytest.raises(InputError, match="no projection"):
        read_published({})


# Architectures


@pytest.mark.parametrize("name", BUILDERS)
def test_every_solver_takes_the_layout_it_is_trained_in(name):
    """Channels last changes no answer beyond rounding, for every builder."""
    torch.manual_seed(0)
    solver, x = BUILDERS[name](width=8).double().eval(), image(count=2)
    expected = solver(x, 3)
    laid_out = solver.to(memory_format=torch.channels_last)
    assert torch.allclose(laid_out(x.contiguous(memory_format=torch.channels_last), 3), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("keys", "build"),
    [
        ("builder: dt_net, width: 4, blocks: 1", lambda: dt_net(4, 1)),
        ("builder: dt_net, width: 4, blocks: 1, recall: false", lambda: dt_net(4, 1, False)),
        ("builder: it_net, width: 4, blocks: 3", lambda: it_net(4, 3)),
        ("builder: pi_net, width: 4, blocks: 1, root_finder: broyden, tolerance: 0.01", lambda: pi_net(4, 1)),
        ("builder: dt_l, width: 4, blocks: 1, lipschitz: 0.5", lambda: dt_l(4, 1, 0.5)),
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
    for builder, size in ((ff_net, "blocks: 40"), (plain_cnn, "layers: 5")):
        keys = f"builder: {builder.__name__}, width: 4, {size}"
        recipe = parse_recipe(text.replace("builder: dt_net, width: 4, blocks: 1", keys), "")
        assert isinstance(recipe.architecture.build(), type(builder(4, 1)))
    assert len(BUILDERS) == 6


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("builder: dt_net, width: 4, blocks: 1", "builder: dt_nte, width: 4", "architecture: .*dt_net"),
        ("builder: dt_net, width: 4, blocks: 1", "builder: ff_net, width: 4, blocks: 1", "passes once"),
        ("blocks: 1}", "blocks: 1, lipschitz: 0.5}", r"architecture\.lipschitz: "),
        ("blocks: 1}", "blocks: 0}", r"architecture\.blocks: "),
        (
            "builder: dt_net, width: 4, blocks: 1}",
            "builder: dt_net, width: 4}",
            r"architecture\.blocks: Field required",
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
