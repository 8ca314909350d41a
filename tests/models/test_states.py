"""States of several tensors: trained, evaluated and examined as one tensor of the same numbers."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from extramaze.evaluation.evaluate import evaluate
from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.models import Inference, IterativeSolver
from extramaze.models.calling import begin, in_precision, next_state, read_logits
from extramaze.models.contract import read, wants_image
from extramaze.models.doctor import examine
from extramaze.models.dt_net import DTNet
from extramaze.models.states import OneTensor, is_nested, mapped, one_tensor, parts
from extramaze.models.training.gradients import draw_depth, masked_loss, training_loss
from extramaze.models.training.recipe import parse_recipe
from extramaze.verification.rerun import nudged
from tests.models.test_train import TINY

pytestmark = pytest.mark.numeric

WIDTH = 3


class Pair(IterativeSolver):
    """Two fields that see each other and the image; the state is one tensor, the readout sees the image again."""

    def __init__(self):
        super().__init__()
        self.begin = nn.Conv2d(3, 2 * WIDTH, 1)
        self.mix = nn.Conv2d(2 * WIDTH + 3, 2 * WIDTH, 3, padding=1)
        self.head = nn.Conv2d(WIDTH + 3, 2, 1)
        with torch.no_grad():
            self.mix.weight.mul_(0.5)  # a contraction, so that equilibria are there to be found

    def initial_state(self, x):
        return self.packed(self.begin(x))

    def step(self, state, x):
        return self.packed(torch.tanh(self.mix(torch.cat([self.fields(state), x], dim=1))))

    def readout(self, state, x):
        return self.head(torch.cat([self.fields(state)[:, :WIDTH], x], dim=1))

    def packed(self, fields):
        return fields

    def fields(self, state):
        return state


class InTuple(Pair):
    def packed(self, fields):
        return tuple(fields.split(WIDTH, dim=1))

    def fields(self, state):
        return torch.cat(state, dim=1)


class InDict(Pair):
    def packed(self, fields):
        first, second = fields.split(WIDTH, dim=1)
        return {"second": [second], "first": (first,)}

    def fields(self, state):
        return torch.cat([state["first"][0], state["second"][0]], dim=1)


KINDS = {"tensor": Pair, "tuple": InTuple, "dict": InDict}
GRADIENTS = {
    "progressive": "gradient: progressive, gradient_steps: 2",
    "jacobian-free": "gradient: jacobian-free, min_iterations: 2",
    "implicit": "gradient: implicit, tolerance: 1.0e-12, root_finder: plain, backward_iterations: 60",
    "phantom": "gradient: phantom, tolerance: 1.0e-12, root_finder: plain, gradient_steps: 2",
    "backprop": "gradient: backprop",
    "deep-supervision": "gradient: deep-supervision, gradient_steps: 2",
}


def made(kind):
    """Return a network; all kinds have the same weights."""
    torch.manual_seed(0)
    return KINDS[kind]()


def mazes(count=4):
    """Mazes with their targets."""
    images, targets = raster(generate(MazeSpec(5), count), 1)
    return torch.from_numpy(images).float(), torch.from_numpy(targets).long()


def plain_loss(solver, x, targets, training, step):
    """The loss of one training step, written down for states as the network has them; its gradients are set."""
    depth, kind = draw_depth(training, 0, step), training.gradient
    state = solver.initial_state(x)
    free = max(1, depth.free) - 1 if kind in ("implicit", "phantom") else depth.free
    with torch.no_grad() if free else torch.enable_grad():
        for _ in range(free):
            state = kept(solver.step(state, x))
    if kind in ("implicit", "phantom"):
        state = mapped(torch.Tensor.detach, state)
    if kind == "implicit":
        return plain_implicit(solver, x, targets, state)
    losses = []
    for _ in range(depth.traced):
        new = kept(solver.step(state, x))
        state = (
            mapped(lambda old, now: torch.lerp(old, now, training.damping), state, new) if kind == "phantom" else new
        )
        if kind == "deep-supervision":
            losses.append(masked_loss(read(solver, state, x), targets, x))
            state = mapped(torch.Tensor.detach, state)
    loss = sum(losses) / len(losses) if losses else masked_loss(read(solver, state, x), targets, x)
    loss.backward()
    return loss


def kept(state):
    """A state between two steps: in float32, as it began."""
    return mapped(lambda part: part.float(), state)


def plain_implicit(solver, x, targets, state):
    """The implicit function theorem by its Neumann series."""
    point = mapped(lambda part: part.clone().requires_grad_(), state)
    image = kept(solver.step(point, x))
    ends = mapped(lambda part: part.detach().requires_grad_(), image)
    loss = masked_loss(read(solver, ends, x), targets, x)
    loss.backward()
    inputs, outputs, wanted = ([part for _, part in parts(one)] for one in (point, image, ends))
    given = [part.grad for part in wanted]
    total = given
    for _ in range(80):
        products = torch.autograd.grad(outputs, inputs, total, retain_graph=True)
        total = [one + two for one, two in zip(given, products, strict=True)]
    weights = [solver.mix.weight, solver.mix.bias]
    for weight, gradient in zip(weights, torch.autograd.grad(outputs, weights, total), strict=True):
        weight.grad = gradient
    return loss


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bf16", [False, True], ids=["float32", "bf16"])
@pytest.mark.parametrize("gradient", GRADIENTS)
def test_two_steps_equal_a_plain_reference(gradient, bf16, kind):
    """After two steps of descent the weights are those of the gradient written down for that very state."""
    text = TINY.replace("gradient: progressive", GRADIENTS[gradient]).replace(
        "max_iterations: 4, gradient_steps: 2", "max_iterations: 4"
    )
    training = parse_recipe(text.replace("bf16: true", f"bf16: {str(bf16).lower()}"), "").training
    (x, targets), ours, plain = mazes(), made(kind), made(kind)
    for step in range(2):
        ours.zero_grad()
        training_loss(one_tensor(ours), x, targets, training, 0, step).backward()
        plain.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            plain_loss(plain, x, targets, training, step)
        with torch.no_grad():
            for network in (ours, plain):
                for parameter in network.parameters():
                    if parameter.grad is not None:
                        parameter.sub_(parameter.grad, alpha=0.5)
    moved = max(
        float((one - two).abs().max().detach())
        for one, two in zip(made(kind).parameters(), plain.parameters(), strict=True)
    )
    apart = max(
        float((one - two).abs().max().detach()) for one, two in zip(ours.parameters(), plain.parameters(), strict=True)
    )
    assert moved > 0.01
    assert apart < (0.05 if bf16 else 1e-4) * moved


@pytest.mark.parametrize("kind", ["tuple", "dict"])
def test_the_same_numbers_are_answered_and_watched(kind, tmp_path):
    """Records of the same network are equal, however its state is packed: answers, limits, other starts."""
    records = [evaluate(made(one), SUITE(tmp_path), device="cpu", quiet=True) for one in ("tensor", kind)]
    columns = ["optimal", "exact", "limit", "limit_right"]
    one, two = (record.mazes.select(columns).to_dicts() for record in records)
    assert one == two
    for name in ("residual", "latent_motion", "alignment"):
        ours, theirs = (record.mazes[name].to_numpy() for record in records)
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-9, nan_ok=True)


def SUITE(folder):
    """A suite that takes a second."""
    path = folder / "pairs-v1.yaml"
    path.write_text(
        "name: pairs-v1\nscale: 1\nsplit: test\niterations: [2, 6]\n"
        "cells:\n  - {name: easy, axis: in-distribution, spec: size=5, count: 8}\n"
        "limits: {burn_in: 30, window: 20, count: 4, cells: [easy]}\n"
    )
    return str(path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_doctor_finds_them_sound(kind):
    """They keep every part of the contract."""
    assert examine(lambda: made(kind).eval()) == []


class Counting(InTuple):
    """Counts its steps in the state, beside numbers, in a named tuple."""

    class Both(NamedTuple):
        fields: Any
        steps: Any

    def initial_state(self, x):
        return self.Both(self.begin(x), torch.full((len(x),), 2**40 + 1))

    def step(self, state, x):
        fields = torch.tanh(self.mix(torch.cat([state.fields, x], dim=1)))
        return self.Both(fields, state.steps + 1)

    def readout(self, state, x):
        return self.head(torch.cat([state.fields[:, :WIDTH], x], dim=1))


def test_whole_numbers_stay_exact_and_are_not_begun_elsewhere():
    """A counter beside float32 numbers keeps its value, and no other start is tried for it."""
    torch.manual_seed(0)
    solver, (x, _) = in_precision(Counting(), torch.float32), mazes()
    state = begin(solver, x)
    assert state.dtype == torch.float64
    state = next_state(solver, next_state(solver, state, x), x)
    assert solver.form(x).nested(state).steps.tolist() == [2**40 + 3] * len(x)
    assert isinstance(solver.form(x).nested(state), Counting.Both)
    assert read_logits(solver, state, x).dtype == torch.float32


def test_keys_have_one_order():
    """A dict whose keys come in another order is the same state."""
    solver = one_tensor(made("dict"))
    x, _ = mazes()
    state = solver.initial_state(x)
    form = solver.form(x)
    again = dict(reversed(form.nested(state).items()))
    assert torch.equal(form.flat(again, x, "step"), state)
    assert [part.place for part in form.parts] == ["state['first'][0]", "state['second'][0]"]


def test_a_single_tensor_is_left_alone():
    """What a solver of one tensor returns is what is computed with: the very object."""
    solver = made("tensor")
    x, _ = mazes()
    state = torch.zeros(len(x), 2 * WIDTH, *x.shape[2:])
    solver.initial_state = lambda _: state
    assert one_tensor(solver).initial_state(x) is state
    assert not is_nested(state)


@pytest.mark.parametrize("kind", KINDS)
def test_nudged_starts_differ_by_a_little(kind):
    """Every part begins beside where it would, by the amount."""
    solver, (x, _) = made(kind), mazes()
    here, there = solver.initial_state(x), nudged(solver, 1e-3).initial_state(x)
    for (_, one), (_, two) in zip(parts(here), parts(there), strict=True):
        assert torch.allclose(two, one * 1.001)


class Own(InDict):
    """Answers in its own way, by steps that it counts."""

    def own_inference(self, x, budget):
        state = self.initial_state(x)
        for _ in range(min(3, budget)):
            state = self.step(state, x)
        return Inference(state, torch.full((len(x),), min(3, budget)), torch.full((len(x),), float("nan")))


class Greedy(Own):
    """Makes more steps than it may."""

    def own_inference(self, x, budget):
        found = super().own_inference(x, budget)
        for _ in range(budget):
            found = Inference(self.step(found.state, x), found.evaluations, found.residual)
        return found


def test_own_inference_may_return_them(tmp_path):
    """Its state is read out, and its steps are counted."""
    torch.manual_seed(0)
    record = evaluate(Own(), SUITE(tmp_path), device="cpu", quiet=True, mode="own")
    assert len(record.mazes) == 8
    with pytest.raises(InputError, match=r"Greedy.own_inference made .* steps a maze"):
        evaluate(Greedy(), SUITE(tmp_path), device="cpu", quiet=True, mode="own")


@dataclass(frozen=True)
class Fault:
    """Something wrong with a state. method: that returns it. change: of a right one. said: the sentence."""

    method: str
    change: Any
    said: str


FAULTS = {
    "a leaf that is no tensor": Fault("initial_state", lambda s: {**s, "n": 3}, r"state\['n'\] is of type int"),
    "a leaf of another batch": Fault(
        "initial_state", lambda s: {**s, "n": torch.zeros(1, 2)}, r"state\['n'\] is float32 \(1, 2\), of 4 images"
    ),
    "nothing in it": Fault("initial_state", lambda _: {}, "holds numbers, got an empty dict"),
    "complex numbers": Fault(
        "initial_state", lambda s: {**s, "n": torch.zeros(4, 2, dtype=torch.complex64)}, "plain tensors of real numbers"
    ),
    "a part too many": Fault("step", lambda s: {**s, "n": torch.zeros(4)}, r"state\['n'\] is new or missing"),
    "another shape": Fault(
        "step",
        lambda s: {**s, "second": [s["second"][0][:, :1]]},
        r"must keep the shape and type of state\['second'\]\[0\]",
    ),
    "another type": Fault("step", lambda s: mapped(lambda part: part.double(), s), "must keep the shape and type"),
    "a single tensor": Fault("step", lambda s: s["second"][0], "is new or missing"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_state_is_one_line(fault, tmp_path):
    """It names the method, the place in the state and what was expected."""
    found = FAULTS[fault]

    class Wrong(InDict):
        pass

    def method(self, *arguments):
        return found.change(getattr(InDict, found.method)(self, *arguments))

    setattr(Wrong, found.method, method)
    solver, (x, _) = in_precision(Wrong(), torch.float32), mazes()
    with pytest.raises(InputError, match=found.said) as error:
        next_state(solver, begin(solver, x), x)
    assert str(error.value).startswith(f"Wrong.{found.method} must ")
    assert "\n" not in str(error.value)
    assert any(breach.check == "shapes" for breach in examine(Wrong))


class Readouts:
    """Ways to write a readout."""

    def state(self, state): ...
    def image(self, state, x): ...
    def image_if_given(self, state, x=None): ...
    def temperature(self, state, temperature=1.0): ...
    def named(self, state, picture): ...
    def anything(self, *arguments): ...


@pytest.mark.parametrize(
    ("name", "wants"),
    [
        ("state", False),
        ("image", True),
        ("image_if_given", True),
        ("temperature", False),
        ("named", True),
        ("anything", False),
    ],
)
def test_who_gets_the_image(name, wants):
    """A readout gets it whose second argument is named x or is needed."""
    solver = made("tensor")
    solver.readout = getattr(Readouts(), name)
    assert wants_image(solver) is wants


def test_in_place_steps_are_found_out():
    """A step that changes its argument's tensors is seen, packed as they are."""

    class InPlace(InDict):
        def step(self, state, x):
            state["first"][0].add_(1)
            return super().step(state, x)

    assert any(breach.check == "arguments unmodified" for breach in examine(lambda: InPlace().eval()))


def test_what_extramaze_steps_itself_is_not_wrapped():
    """A class of one's own that keeps DT-Net's states and steps is served as DT-Net is; a nudged one as what it is."""

    class Mine(DTNet):
        def readout(self, state):
            return super().readout(state)

    solver = Mine(4, 1)
    assert one_tensor(solver) is solver
    assert isinstance(one_tensor(nudged(made("dict"), 1e-3)), OneTensor)


def test_wrapped_solvers_are_called_like_themselves():
    """Messages name the class, and a wrapped solver is not wrapped again."""
    wrapped = one_tensor(made("dict"))
    assert type(wrapped).__name__ == "InDict"
    assert isinstance(wrapped, OneTensor)
    assert one_tensor(wrapped) is wrapped
