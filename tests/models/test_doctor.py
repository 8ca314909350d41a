import pytest
import torch
from torch import nn

from extramaze.cli import run
from extramaze.models import IterativeSolver, load
from extramaze.models.contract import Inference
from extramaze.models.dead_end_filling import DeadEndFilling
from extramaze.models.doctor import examine
from extramaze.models.dt_l import DTL
from extramaze.models.dt_net import DTNet
from extramaze.models.ff_net import FFNet
from extramaze.models.it_net import ITNet
from extramaze.models.loading import ALGORITHMS
from extramaze.models.pi_net import PINet
from extramaze.models.plain_cnn import PlainCNN
from extramaze.models.shipped import shipped_seeds

pytestmark = pytest.mark.numeric

SHIPPED = [  # of each network's seeds the first by default: the code is the same
    *ALGORITHMS,
    *(
        pytest.param(f"{name}@{seed}", marks=pytest.mark.slow if seed != seeds[0] else [])
        for name, seeds in shipped_seeds().items()
        for seed in seeds
    ),
]


class Whole(IterativeSolver):
    """Keeps the contract; every broken solver below differs from it in one way."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.mix = nn.Conv2d(7, 4, 3, padding=1)
        self.head = nn.Conv2d(4, 2, 1)

    def initial_state(self, x):
        return x.new_zeros(x.shape[0], 4, *x.shape[2:])

    def step(self, state, x):
        return torch.tanh(self.mix(torch.cat([state, x], dim=1)))

    def readout(self, state):
        return self.head(state)


class OneSizeTable(Whole):
    def __init__(self):
        super().__init__()
        self.positions = nn.Parameter(torch.randn(4, 11, 11))

    def step(self, state, x):
        return super().step(state, x) + self.positions


class Square(Whole):
    def step(self, state, x):
        return super().step(state, x) + state.transpose(2, 3)


class AlwaysFails(Whole):
    def step(self, state, x):
        raise RuntimeError("boom")


class Exits(Whole):
    def step(self, state, x):
        raise SystemExit(0)


class OneImage(Whole):
    def initial_state(self, x):
        return super().initial_state(x)[0]


class GrowingState(Whole):
    def initial_state(self, x):
        return super().initial_state(x)[:, :, :-1]

    def step(self, state, x):
        return super().step(super().initial_state(x), x)


class WrongReadout(Whole):
    def readout(self, state):
        return super().readout(state)[:, 1]


class OwnForward(Whole):
    def forward(self, x, iterations):
        return super().forward(x, iterations + 1)


class ForwardOfAnotherKind(Whole):
    def forward(self, x):
        return self.readout(self.step(self.initial_state(x), x))


class InPlace(Whole):
    def step(self, state, x):
        new = super().step(state, x)
        state.mul_(0.5)
        return new


class Aliased(Whole):
    def step(self, state, x):
        return state.copy_(super().step(state, x))


class TwoBuffers(Whole):
    """Returns two buffers in turn: neighbouring states differ in storage, every other one does not."""

    def step(self, state, x):
        new = super().step(state, x)
        if not hasattr(self, "kept") or self.kept[0].shape != new.shape or self.kept[0].dtype != new.dtype:
            self.kept = [torch.empty_like(new), torch.empty_like(new)]
        self.kept.reverse()
        return self.kept[0].copy_(new)


class ImageChanged(Whole):
    def step(self, state, x):
        new = super().step(state, x)
        x[:, 0, 0, 0] += 1
        return new


class ReadoutChangesState(Whole):
    def readout(self, state):
        return self.head(state.relu_())


class HiddenCounter(Whole):
    calls = 0

    def step(self, state, x):
        self.calls += 1
        return super().step(state, x) * (1 if self.calls % 7 else 0.9)


class FreezesAfterAWhile(Whole):
    """Restarts its clock at each initial state, and stands still from the eighth step on."""

    clock = 0

    def initial_state(self, x):
        self.clock = 0
        return super().initial_state(x)

    def step(self, state, x):
        self.clock += 1
        return state.clone() if self.clock > 8 else super().step(state, x)


class RemembersTheImage(Whole):
    def initial_state(self, x):
        self.image = x
        return super().initial_state(x)

    def step(self, state, x):
        return super().step(state, self.image)


class RunningStatistics(Whole):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def step(self, state, x):
        self.seen += 1
        return super().step(state, x)


class BatchStatistics(Whole):
    def step(self, state, x):
        new = super().step(state, x)
        return new - new.mean(dim=0, keepdim=True)


class ByPlaceInTheBatch(Whole):
    def initial_state(self, x):
        state = super().initial_state(x)
        return state + torch.arange(len(x)).to(x).view(-1, 1, 1, 1)


class Noise(Whole):
    def step(self, state, x):
        return super().step(state, x) + 1e-3 * torch.randn_like(state)


class Dropout(Whole):
    def readout(self, state):
        return nn.functional.dropout(super().readout(state), 0.5)


class NotANumber(Whole):
    def step(self, state, x):
        new = super().step(state, x)
        return new / (new.amax(dim=(2, 3), keepdim=True) > 0.2)


class Explodes(Whole):
    def step(self, state, x):
        return 1e5 * (state + super().step(state, x))


class Frozen(Whole):
    def step(self, state, x):
        return state.clone()


class FixedPrecision(Whole):
    def step(self, state, x):
        return super().step(state, x).float().to(torch.float32)


class FixedConstant(Whole):
    def step(self, state, x):
        return super().step(state, x) @ torch.eye(state.shape[-1])


class UnregisteredWeights(Whole):
    def __init__(self):
        super().__init__()
        self.scale = torch.randn(4, 1, 1)

    def step(self, state, x):
        return super().step(state, x) * self.scale.to(x)


class RandomUnregistered(UnregisteredWeights):
    made = 0

    def __init__(self):
        super().__init__()
        RandomUnregistered.made += 1
        self.scale = self.scale + RandomUnregistered.made


class SharedWeights(Whole):
    def __init__(self):
        super().__init__()
        self.again = self.mix


class OverspendingInference(Whole):
    def own_inference(self, x, budget):
        state = self.step(self.initial_state(x), x)
        return Inference(state, torch.full((len(x),), budget + 1), torch.zeros(len(x)))


class TotalsOfInference(Whole):
    def own_inference(self, x, budget):
        return Inference(self.step(self.initial_state(x), x), torch.tensor([budget]), torch.zeros(len(x)))


class UnderstatedInference(Whole):
    def own_inference(self, x, budget):
        state = self.initial_state(x)
        for _ in range(10 * budget):
            state = self.step(state, x)
        return Inference(state, torch.full((len(x),), budget), torch.zeros(len(x)))


BROKEN = {
    OneSizeTable: "size-agnostic",
    Square: "size-agnostic",
    AlwaysFails: "runs",
    Exits: "runs",
    OneImage: "shapes",
    GrowingState: "shapes",
    WrongReadout: "shapes",
    OwnForward: "trajectory",
    ForwardOfAnotherKind: "deterministic",
    InPlace: "arguments unmodified",
    Aliased: "distinct storage",
    TwoBuffers: "distinct storage",
    ImageChanged: "arguments unmodified",
    ReadoutChangesState: "arguments unmodified",
    HiddenCounter: "no memory",
    FreezesAfterAWhile: "no memory",
    RemembersTheImage: "no memory",
    RunningStatistics: "no memory",
    BatchStatistics: "batch-independent",
    ByPlaceInTheBatch: "batch-independent",
    Noise: "deterministic",
    Dropout: "deterministic",
    NotANumber: "finite",
    Explodes: "finite",
    Frozen: "states move",
    FixedPrecision: "precision",
    FixedConstant: "precision",
    RandomUnregistered: "reload",
    SharedWeights: "reload",
    OverspendingInference: "own inference",
    TotalsOfInference: "own inference",
    UnderstatedInference: "own inference",
}


def test_the_whole_one_is_whole():
    """What all broken solvers are made from has no finding."""
    assert examine(Whole) == []


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_each_broken_solver_is_found(kind):
    """The check that a solver breaks is among its findings, with what was seen and a likely cause in one line."""
    findings = {finding.check: finding for finding in examine(kind)}
    assert BROKEN[kind] in findings
    line = str(findings[BROKEN[kind]])
    assert line.startswith(f"{BROKEN[kind]}: ")
    assert "; likely cause: " in line
    assert "\n" not in line


def test_what_fails_everywhere_is_said_with_its_place():
    """A plain mistake is no matter of size: one finding, with the error and the line of the solver's own code."""
    (finding,) = examine(AlwaysFails)
    assert finding.seen.startswith("its code failed at every size: RuntimeError: boom (test_doctor.py, line ")


def test_what_fails_in_another_precision_is_said_with_its_place():
    """A constant of fixed type: the error of the multiplication, and the line of the solver's own code."""
    (finding,) = examine(FixedConstant)
    assert finding.seen.startswith("cast to float64, its code failed: RuntimeError: expected m")
    assert "(test_doctor.py, line " in finding.seen


@pytest.mark.parametrize("kind", [BatchStatistics, Noise, Frozen, OverspendingInference, RandomUnregistered])
def test_findings_blame_nothing_else(kind):
    """A solver broken in one way alone has that finding alone."""
    assert {finding.check for finding in examine(kind)} == {BROKEN[kind]}


@pytest.mark.parametrize("target", SHIPPED)
def test_everything_shipped_is_whole(target):
    """Every shipped solver and algorithm keeps the contract."""
    assert examine(lambda: load(target)) == []


@pytest.mark.parametrize(
    "build",
    [
        lambda: DTNet(8, recall=False),
        lambda: ITNet(8),
        lambda: PINet(8),
        lambda: DTL(8),
        lambda: FFNet(8, 3),
        lambda: PlainCNN(8, 4),
    ],
    ids=["dt_net without recall", "it_net", "pi_net", "dt_l", "ff_net", "plain_cnn"],
)
def test_every_builder_makes_a_whole_solver(build):
    """Every architecture with fresh weights keeps the contract."""
    assert examine(build) == []


class Counts(DeadEndFilling):
    """Keeps whole numbers, and answers in the precision that it is cast to."""

    def __init__(self):
        super().__init__()
        self.register_buffer("one", torch.ones(1))

    def initial_state(self, x):
        return super().initial_state(x).to(torch.int64)

    def step(self, state, x):
        return super().step(state.to(x.dtype), x).to(torch.int64)

    def readout(self, state):
        return super().readout(state * self.one)


class Marks(Counts):
    """Keeps bits."""

    def initial_state(self, x):
        return super().initial_state(x).bool()

    def step(self, state, x):
        return super().step(state, x).bool()


@pytest.mark.parametrize("kind", [Counts, Marks])
def test_a_state_may_be_of_whole_numbers(kind):
    """A state is any tensor; the precision is that of the logits."""
    assert examine(kind) == []


PLUGIN = """
from tests.models.test_doctor import Frozen, Whole
"""


def test_the_verb_says_and_exits(tmp_path, capsys):
    """0 and a sentence where the contract is kept, 1 and a line a finding where it is broken, 2 for no solver."""
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    assert run(["doctor", f"{path}:Whole"]) == 0
    assert "keeps the contract" in capsys.readouterr().out
    assert run(["doctor", f"{path}:Frozen"]) == 1
    assert capsys.readouterr().out.startswith("states move: the first step changed no maze's state; likely cause: ")
    assert run(["doctor", "no-such-solver"]) == 2
