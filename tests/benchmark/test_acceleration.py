import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from extramaze.blocks.acceleration import choose_iteration, make_step, prepare_ahead
from extramaze.blocks.answering import iterate
from extramaze.blocks.block import to_input
from extramaze.blocks.winograd import LEAST_CHANNELS, MOST_CHANNELS
from extramaze.dynamics import largest_exponent
from extramaze.dynamics.lyapunov import Tangent
from extramaze.evaluation.evaluate import evaluate
from extramaze.filling import filled
from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.models import load
from extramaze.models.dead_end_filling import DeadEndFilling
from extramaze.models.dt_net import DTNet, ResidualBlock
from extramaze.models.pi_net import PINet
from extramaze.schema.plan import make_part

pytestmark = pytest.mark.numeric

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def images(size, count, **spec):
    drawn, _ = raster(generate(MazeSpec(size, **spec), count, split="test"))
    return to_input(drawn, CPU, torch.float32)


KNOWN = {"dt-net": lambda: load("dt-net-thin@0"), "it-net": lambda: load("it-net-thin@0"), "pi-net": lambda: PINet(16)}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize(("size", "count"), [(9, 64), (13, 5), (21, 1)])
def test_the_faster_iteration_is_the_plain_one(name, size, count):
    """Three faster steps equal three plain ones to rounding, for every size and batch; arguments stay as they are."""
    solver, x = KNOWN[name](), images(size, count)
    assert choose_iteration(solver, CPU) == "winograd"
    step, state = make_step(solver, x, "winograd"), solver.initial_state(x)
    plain = state
    before, image = state.clone(), x.clone()
    for _ in range(3):
        plain, state = solver.step(plain, x), step(state)
    torch.testing.assert_close(state, plain, rtol=1e-4, atol=1e-4 * float(plain.abs().max()))
    assert torch.equal(before, solver.initial_state(x))
    assert torch.equal(image, x)


def test_early_answers_do_not_depend_on_the_iteration():
    """Before rounding has had time to grow, both iterations answer the same, but for one maze at most."""
    solver, x = load("dt-net-thin@0"), images(9, 64)
    for ours, plain in zip(iterate(solver, x, (5, 20), "winograd"), iterate(solver, x, (5, 20)), strict=True):
        assert (ours != plain).flatten(1).any(dim=1).sum() <= 1


def test_only_what_is_known_is_made_faster():
    """Other solvers, changed steps, very narrow and very wide networks and GPUs take the plain iteration."""
    changed = type("Changed", (DTNet,), {"step": lambda self, state, x: state + 1})
    assert choose_iteration(load("dt-net-thin"), CPU) == "winograd"
    for width in (LEAST_CHANNELS - 1, MOST_CHANNELS + 1):
        assert choose_iteration(DTNet(width, blocks=1), CPU) == "plain"
    assert choose_iteration(load("dt-net-thin"), torch.device("cuda")) == "plain"
    assert choose_iteration(load("wavefront"), CPU) == "plain"
    assert choose_iteration(changed(LEAST_CHANNELS), CPU) == "plain"
    assert choose_iteration(DTNet(LEAST_CHANNELS, recall=False), CPU) == "plain"


class Halved(ResidualBlock):
    def forward(self, state):
        return 0.5 * super().forward(state)


class Louder(torch.nn.Conv2d):
    def forward(self, state):
        return 2 * super().forward(state)


CHANGES = {
    "another step": lambda s: setattr(s, "step", lambda state, x: state),
    "another block": lambda s: s.blocks.append(torch.nn.Identity()),
    "a block that computes otherwise": lambda s: s.blocks.append(Halved(s.width)),
    "a hook": lambda s: s.blocks[0].register_forward_hook(lambda module, arguments, result: 2 * result),
    "a bias": lambda s: setattr(s.blocks[0], "first", torch.nn.Conv2d(s.width, s.width, 3, padding=1)),
    "another kernel": lambda s: setattr(s.blocks[0], "first", torch.nn.Conv2d(s.width, s.width, 1, bias=False)),
    "dilation": lambda s: setattr(s.recall, "dilation", (2, 2)),
    "something after the recall": lambda s: setattr(s, "recall", torch.nn.Sequential(s.recall, torch.nn.Tanh())),
    "something within a block": lambda s: setattr(
        s.blocks[0], "first", torch.nn.Sequential(s.blocks[0].first, torch.nn.Tanh())
    ),
    "a convolution of its own": lambda s: setattr(s.blocks[0], "second", Louder(s.width, s.width, 3, 1, 1, bias=False)),
    "more within a layer": lambda s: setattr(
        s.blocks[0], "first", torch.nn.Conv2d(s.width, s.width + 1, 3, padding=1, bias=False)
    ),
    "another forward": lambda s: setattr(s.recall, "forward", lambda x: x[:, : s.width]),
    "circular padding": lambda s: setattr(s.recall, "padding_mode", "circular"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_network_that_was_changed_is_run_as_it_is(change):
    """Whatever its class, a solver whose step is not DT-Net's own takes its own step."""
    solver = DTNet(LEAST_CHANNELS)
    assert choose_iteration(solver, CPU) == "winograd"
    CHANGES[change](solver)
    assert choose_iteration(solver, CPU) == "plain"


def tied(solver):
    solver.blocks = torch.nn.Sequential(solver.blocks[0], solver.blocks[0])


def shared_within(solver):
    for block in solver.blocks:
        block.second = block.first


def swapped(solver):
    for block in solver.blocks:
        first = block.first
        del block.first
        block.first = first


def with_a_spare(solver):
    for block in solver.blocks:
        block.spare = torch.nn.Conv2d(solver.width, solver.width, 3, padding=1, bias=False)


@pytest.mark.parametrize("change", [tied, shared_within, swapped, with_a_spare])
def test_layers_are_passed_in_the_order_of_the_step(change):
    """However they are registered, shared or accompanied: the faster step, where there is one, is the solver's own."""
    solver, x = DTNet(LEAST_CHANNELS), images(9, 3)
    change(solver)
    state = solver.initial_state(x)
    step = make_step(solver, x, choose_iteration(solver, CPU))
    torch.testing.assert_close(step(state), solver.step(state, x), rtol=1e-4, atol=1e-5)


def test_a_step_is_of_its_images_alone():
    """States of other images or another precision are refused rather than read beyond their end."""
    solver, x = DTNet(LEAST_CHANNELS), torch.ones(2, 3, 5, 5)
    step, state = make_step(solver, x, "winograd"), solver.initial_state(x)
    for wrong in (state[:1], torch.cat([state, state]), state[..., :4], state.double()):
        with pytest.raises(InputError, match="was given"):
            step(wrong)


@pytest.mark.parametrize("name", KNOWN)
def test_tangents_are_carried_by_the_exact_derivative(name):
    """The next states, what a nudge becomes in one step, and the exponents are those of the solver's own step."""
    solver, x = KNOWN[name]().double(), images(9, 2).double()
    with torch.inference_mode(False), torch.no_grad():
        x = x.clone()
        state = solver.initial_state(x)
        steps = [make_step(solver, x, iteration) for iteration in ("winograd", "plain")]
        for _ in range(20):
            state = steps[1](state)
        (new, moved), exact = (Tangent(step, state).carry(state) for step in steps)
        assert new.equal(steps[0](state))
        for found, expected in zip((new, moved), exact, strict=True):
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)
        fast, slow = (largest_exponent(step, state, 40) for step in steps)
    assert fast.forward
    assert slow.forward
    np.testing.assert_allclose(fast.value, slow.value, atol=1e-9)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(
    "spec",
    ["size=9", "size=13,percolation=0.15,start=any", "size=9,braid=1,start=any", "size=5,width=13,percolation=0.3"],
)
def test_filling_is_the_iterating_solvers(scale, spec):
    """The kernel leaves what the iterating dead-end filling leaves in the end, on every raster."""
    drawn, _ = raster(generate(MazeSpec.parse(spec), 40), scale)
    x, solver = torch.from_numpy(drawn).float(), load("dead-end-filling")
    state = solver.initial_state(x)
    for _ in range(solver.step_budget(*x.shape[2:])):
        state = solver.step(state, x)
    assert np.array_equal(filled(drawn), state[:, 0].numpy() > 0)


def test_overthinking_is_right_once_and_wrong_at_last(tiny_records):
    """The count is of rows right at some rung and not at the last."""
    record = tiny_records["dt-net-thin@1"]
    for cell in record.summary.cells:
        rows = record.mazes.filter(record.mazes["cell"] == cell.name)["optimal"].to_list()
        assert cell.overthought.right == sum(any(right) and not right[-1] for right in rows)


class Halting(DeadEndFilling):
    """Has an inference of its own: the plain iteration with its own accounting."""

    repeat, copied = 1, False

    def own_inference(self, x, budget):
        ours = copy.deepcopy(self) if self.copied else self
        state = ours.initial_state(x)
        for _ in range(min(budget, 4) * self.repeat):
            state = ours.step(state, x)
        return SimpleNamespace(state=state, evaluations=torch.full((len(x),), min(budget, 4) + self.extra))


def test_own_inference_is_counted_and_bounded(tiny_suite):
    """A solver's own inference is a mode of its own; it states its evaluations and may not exceed the budget."""
    solver = Halting()
    solver.extra = 0
    record = evaluate(solver, tiny_suite, "cpu", part=make_part(2, 2), quiet=True, mode="own")
    assert record.summary.plan.mode == "own"
    assert set(record.mazes["evaluations"]) == {4}
    solver.extra = 1000
    with pytest.raises(InputError, match="evaluations of 2 allowed"):
        evaluate(solver, tiny_suite, "cpu", part=make_part(2, 2), quiet=True, mode="own")
    solver.extra, solver.repeat = 0, 100
    with pytest.raises(InputError, match=r"made 200.0 steps a maze of 2 allowed, whatever it states"):
        evaluate(solver, tiny_suite, "cpu", part=make_part(2, 2), quiet=True, mode="own")
    solver.repeat, solver.copied = 1, True
    evaluate(solver, tiny_suite, "cpu", part=make_part(2, 2), quiet=True, mode="own")
    with pytest.raises(InputError, match="no inference of its own"):
        evaluate(load("wavefront"), tiny_suite, "cpu", quiet=True, mode="own")


@pytest.mark.parametrize(
    "problem",
    [torch.OutOfMemoryError("too many"), RuntimeError("GET was unable to find an engine to execute this computation")],
    ids=["torch", "cuDNN"],
)
def test_memory_that_does_not_suffice_halves_the_batch(problem, tiny_suite, tiny_records):
    """Where more than eight mazes do not fit, blocks are cut, the record says to what, and an algorithm's rows stay."""

    class Small(DeadEndFilling):
        def step(self, state, x):
            if x.dtype == torch.float32 and len(x) > 8:
                raise problem
            return super().step(state, x)

    record = evaluate(Small(), tiny_suite, "cpu", quiet=True)
    assert {cell.batch for cell in record.summary.cells} == {8}
    assert record.mazes.equals(tiny_records["dead-end-filling"].mazes)


def test_only_what_needs_it_is_compiled_ahead(monkeypatch):
    """For a network's own width on a CPU; not for an algorithm, nor on a GPU."""
    asked = []
    monkeypatch.setattr("extramaze.blocks.acceleration.compile_ahead", asked.append)
    for name, device in (("dt-net-thin", "cpu"), ("dt-net-thin", "cuda"), ("wavefront", "cpu")):
        prepare_ahead(load(name), torch.device(device))
    assert asked == [load("dt-net-thin").width]
