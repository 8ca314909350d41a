"""Solvers as people write them, right and wrong, each in one way: a function of no arguments makes each.

KEPT are correct: ``doctor`` keeps them and ``evaluate`` runs them. REFUSED cannot be evaluated: ``doctor`` begins with
the line that ``evaluate`` ends with. DISTRUSTED can be evaluated, and break the contract all the same.
"""

import threading
import time

import torch
from torch import nn

from extramaze.models import IterativeSolver, SolverCard
from extramaze.models.contract import Inference


class Plain(IterativeSolver):
    """Keeps the contract; every other solver differs from it in one way."""

    def __init__(self, width=8):
        super().__init__()
        torch.manual_seed(0)
        self.enter = nn.Conv2d(3, width, 3, padding=1)
        self.mix = nn.Conv2d(width + 3, width, 3, padding=1)
        self.head = nn.Conv2d(width, 2, 1)

    def initial_state(self, x):
        return torch.tanh(self.enter(x))

    def step(self, state, x):
        return torch.tanh(self.mix(torch.cat([state, x], 1)))

    def readout(self, state):
        return self.head(state)


class Half(Plain):
    def __init__(self):
        super().__init__()
        self.half()


class BFloat16(Plain):
    def __init__(self):
        super().__init__()
        self.bfloat16()


class Double(Plain):
    def __init__(self):
        super().__init__()
        self.double()


class MixedPrecision(Plain):
    """Some layers are kept in double, as people do for sensitive ones."""

    def __init__(self):
        super().__init__()
        self.head.double()


class NoParameters(IterativeSolver):
    def initial_state(self, x):
        return x.sum(1, keepdim=True) * 0.5

    def step(self, state, x):
        return nn.functional.avg_pool2d(state, 3, 1, 1) * x.amax(1, keepdim=True)

    def readout(self, state):
        return torch.cat([state, 1 - state], 1)


class LinearReadout(Plain):
    def __init__(self):
        super().__init__(32)
        self.head = nn.Linear(32, 2)

    def readout(self, state):
        return self.head(state.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LinearReadoutTransposed(LinearReadout):
    def readout(self, state):
        return self.head(state.movedim(1, -1)).movedim(-1, 1).contiguous()


class LinearStep(Plain):
    """A layer over channels within the step, and a state that lies channels last."""

    def __init__(self):
        super().__init__(16)
        self.mix = nn.Linear(16 + 3, 16)

    def step(self, state, x):
        near = nn.functional.avg_pool2d(torch.cat([state, x], 1), 3, 1, 1)
        return torch.tanh(self.mix(near.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


class AttentionStep(Plain):
    def __init__(self):
        super().__init__(16)
        self.attend = nn.MultiheadAttention(16, 2, batch_first=True)

    def step(self, state, x):
        new = super().step(state, x)
        tokens = nn.functional.adaptive_avg_pool2d(new, 4).flatten(2).mT
        return torch.tanh(new + self.attend(tokens, tokens, tokens)[0].mean(1)[:, :, None, None])


class LayerNormStep(Plain):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(8)

    def step(self, state, x):
        return self.norm(super().step(state, x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class FlatState(Plain):
    """A state (B, N) of which readout knows the shape."""

    def initial_state(self, x):
        return torch.cat([x.flatten(1), super().initial_state(x).flatten(1)], 1)

    def step(self, state, x):
        hidden = state[:, x[0].numel() :].reshape(len(x), 8, *x.shape[2:])
        return torch.cat([x.flatten(1), super().step(hidden, x).flatten(1)], 1)

    def readout(self, state):
        side = round((state.shape[1] // 11) ** 0.5)
        if side * side * 11 != state.shape[1]:
            side = next(n for n in range(side, 0, -1) if state.shape[1] % (11 * n) == 0)
        hidden = state[:, state.shape[1] // 11 * 3 :]
        return self.head(hidden.reshape(len(state), 8, side, -1))


class WholeNumbers(NoParameters):
    """Distances in whole numbers: those of a breadth-first search."""

    def initial_state(self, x):
        return (x[:, :1] > x[:, 1:2]).to(torch.int64)

    def step(self, state, x):
        near = nn.functional.max_pool2d(state.to(x.dtype), 3, 1, 1).to(torch.int64)
        return torch.maximum(state, near * (x.amax(1, keepdim=True) > 0))

    def readout(self, state):
        seen = state.to(torch.get_default_dtype())
        return torch.cat([1 - seen, seen], 1)


class Bits(WholeNumbers):
    def initial_state(self, x):
        return super().initial_state(x).bool()

    def step(self, state, x):
        return super().step(state.long(), x).bool()


class Codes(Plain):
    """A state of code numbers, looked up in a table that holds eight."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(8, 8)

    def initial_state(self, x):
        return super().initial_state(x).argmax(1)

    def step(self, state, x):
        return super().step(self.table(state).permute(0, 3, 1, 2), x).argmax(1)

    def readout(self, state):
        return self.head(self.table(state).permute(0, 3, 1, 2))


class RestsByItself(NoParameters):
    """Returns its argument once nothing changes any more."""

    def initial_state(self, x):
        return (x[:, :1] > x[:, 1:2]).to(x.dtype)

    def step(self, state, x):
        new = nn.functional.max_pool2d(state, 3, 1, 1) * x.amax(1, keepdim=True)
        return state if torch.equal(new, state) else new


class RestsAsAView(RestsByItself):
    def step(self, state, x):
        return super().step(state, x)[:]


class Expanded(Plain):
    """One number a maze, seen as an image."""

    def initial_state(self, x):
        return super().initial_state(x).mean((2, 3), keepdim=True).expand(-1, -1, *x.shape[2:])

    def step(self, state, x):
        return super().step(state, x).mean((2, 3), keepdim=True).expand_as(state)


class SliceOfMore(Plain):
    def initial_state(self, x):
        return torch.tanh(torch.cat([self.enter(x), x], 1))[:, :8]

    def step(self, state, x):
        return torch.cat([x, super().step(state, x)], 1)[:, 3:]


class EveryOther(Plain):
    def readout(self, state):
        return super().readout(state).repeat_interleave(2, 1)[:, ::2]


class ChannelsLast(Plain):
    def __init__(self):
        super().__init__()
        self.to(memory_format=torch.channels_last)

    def step(self, state, x):
        return super().step(state, x).contiguous(memory_format=torch.channels_last)


class Labelled(torch.Tensor):
    """A tensor of another type, as libraries of images have it."""


class SubclassOfTensor(Plain):
    def initial_state(self, x):
        return super().initial_state(x).as_subclass(Labelled)

    def step(self, state, x):
        return super().step(state, x).as_subclass(Labelled)


class ParameterAsState(Plain):
    def __init__(self):
        super().__init__()
        self.begin = nn.Parameter(torch.randn(1, 8, 1, 1))

    def initial_state(self, x):
        return self.begin.expand(len(x), -1, *x.shape[2:])


class WithGradients(Plain):
    """Turns gradients on, and leaves them on what it returns."""

    def step(self, state, x):
        with torch.enable_grad():
            return super().step(state, x)

    def readout(self, state):
        with torch.enable_grad():
            return super().readout(state)


class FrozenParameters(Plain):
    def __init__(self):
        super().__init__()
        self.requires_grad_(False)


class BatchNormEvaluating(Plain):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(8)

    def step(self, state, x):
        return self.norm(super().step(state, x))


class DropoutInTraining(Plain):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout2d(0.5)

    def step(self, state, x):
        return self.drop(super().step(state, x))


class CachedGrid(Plain):
    """Keeps a table of coordinates for each size, which changes no answer."""

    def __init__(self):
        super().__init__()
        self.grids = {}

    def initial_state(self, x):
        key = (*x.shape[2:], x.dtype)
        if key not in self.grids:
            self.grids[key] = torch.linspace(0, 1, x.shape[3]).to(x)
        return super().initial_state(x) + self.grids[key]


class DataParallelInside(Plain):
    def __init__(self):
        super().__init__()
        self.mix = nn.DataParallel(self.mix)


class CompiledInside(Plain):
    def __init__(self):
        super().__init__()
        self.mix = torch.compile(self.mix, backend="eager", dynamic=True)


class ScriptedInside(Plain):
    def __init__(self):
        super().__init__()
        self.mix = torch.jit.script(self.mix)


class WeightNormed(Plain):
    def __init__(self):
        super().__init__()
        self.mix = nn.utils.parametrizations.weight_norm(self.mix)


class SpectralNormed(Plain):
    def __init__(self):
        super().__init__()
        self.mix = nn.utils.parametrizations.spectral_norm(self.mix)


class ComplexWeights(Plain):
    def __init__(self):
        super().__init__()
        self.turn = nn.Parameter(torch.randn(8, 1, 1, dtype=torch.complex64))

    def step(self, state, x):
        seen = torch.fft.fft2(super().step(state, x)) * self.turn
        return torch.tanh(torch.fft.ifft2(seen).real)


class Prints(Plain):
    def step(self, state, x):
        print("a step")
        return super().step(state, x)


class Slow(Plain):
    def step(self, state, x):
        time.sleep(0.001)
        return super().step(state, x)


class SeesTheImageAsState(NoParameters):
    def initial_state(self, x):
        return x

    def step(self, state, x):
        return 0.5 * (state + nn.functional.avg_pool2d(state, 3, 1, 1)) * x.amax(1, keepdim=True)

    def readout(self, state):
        return state[:, 1:]


class LongName(Plain):
    card = SolverCard(name="n" * 64, recipe="r" * 64, notes=("a note",))


# --- cannot be evaluated


class ComplexState(Plain):
    def initial_state(self, x):
        return torch.complex(super().initial_state(x), super().initial_state(x))

    def step(self, state, x):
        new = super().step(state.real, x)
        return torch.complex(new, new)

    def readout(self, state):
        return self.head(state.real)


class Meta(Plain):
    def __init__(self):
        with torch.device("meta"):
            super().__init__()


class TupleState(Plain):
    def initial_state(self, x):
        return super().initial_state(x), x

    def step(self, state, x):
        return super().step(state[0], x), x

    def readout(self, state):
        return super().readout(state[0])


class TupleOfNumbers(TupleState):
    def initial_state(self, x):
        return x, len(x)


class ListFromStep(Plain):
    def step(self, state, x):
        return [super().step(state, x)]


class NothingFromStep(Plain):
    def step(self, state, x):
        super().step(state, x)


class EmptyState(Plain):
    def initial_state(self, x):
        return x.new_zeros(len(x), 0)

    def step(self, state, x):
        return state.clone()

    def readout(self, state):
        return state.new_zeros(len(state), 2, 11, 11)


class ScalarState(Plain):
    def initial_state(self, x):
        return x.mean()


class OneImage(Plain):
    def initial_state(self, x):
        return super().initial_state(x)[:1]


class GrowingChannels(Plain):
    def step(self, state, x):
        return torch.cat([state, super().step(state[:, :8], x)], 1)

    def readout(self, state):
        return super().readout(state[:, :8])


class ShrinkingBatch(Plain):
    def step(self, state, x):
        return super().step(state, x)[:-1]


class PromotesToDouble(Plain):
    def initial_state(self, x):
        return super().initial_state(x).float()

    def step(self, state, x):
        return super().step(state.to(x.dtype), x).double()

    def readout(self, state):
        return super().readout(state.to(self.head.weight.dtype))


class ReadoutOfOneChannel(Plain):
    def readout(self, state):
        return super().readout(state)[:, 1:]


class ReadoutWithoutChannels(Plain):
    def readout(self, state):
        return super().readout(state)[:, 1]


class ReadoutOfPooled(Plain):
    def readout(self, state):
        return nn.functional.avg_pool2d(super().readout(state), 2)


class ReadoutOfNumpy(Plain):
    def readout(self, state):
        return super().readout(state).cpu().numpy()


class ReadoutOfBits(Plain):
    def readout(self, state):
        return super().readout(state) > 0


class ReadoutComplex(Plain):
    def readout(self, state):
        return super().readout(state) + 0j


class InPlace(Plain):
    def step(self, state, x):
        return state.copy_(super().step(state, x))


class InPlaceBeside(Plain):
    def step(self, state, x):
        new = super().step(state, x)
        state.mul_(0.5)
        return new


class InPlaceLater(Plain):
    """Works in place from the second step on: the first goes from three numbers to eight."""

    def step(self, state, x):
        new = super().step(state, x)
        if bool((state.abs() < 0.05).any()) and not hasattr(self, "begun"):
            self.begun = True
            return new
        return state.copy_(new)


class KeptBuffer(Plain):
    def step(self, state, x):
        new = super().step(state, x)
        if not hasattr(self, "kept") or self.kept.shape != new.shape or self.kept.dtype != new.dtype:
            self.kept = torch.empty_like(new)
        return self.kept.copy_(new)


class ChangesTheImage(Plain):
    def step(self, state, x):
        new = super().step(state, x)
        x.mul_(0.5)
        return new


class Gradients(Plain):
    """Descends an energy by torch's gradients, which inference has switched off."""

    def step(self, state, x):
        state = state.detach().requires_grad_()
        return state - torch.autograd.grad(self.head(state).square().sum(), state)[0]


class GradientsInside(Plain):
    """Descends an energy by gradients, and asks torch for them as it may."""

    def step(self, state, x):
        with torch.inference_mode(False), torch.enable_grad():
            state, x = state.clone().requires_grad_(), x.clone()
            energy = (state - Plain.step(self, state, x)).square().sum()
            return state.detach() - 0.1 * torch.autograd.grad(energy, state)[0]


class Stop(BaseException):
    """What people raise to be sure that nobody catches it."""


class StopsAll(Plain):
    def step(self, state, x):
        raise Stop("now")


class GivesUp(Plain):
    def readout(self, state):
        raise GeneratorExit


class Raises(Plain):
    def step(self, state, x):
        raise RuntimeError("boom\nand a second line")


class RaisesNothing(Plain):
    def step(self, state, x):
        raise ValueError


class Exits(Plain):
    def readout(self, state):
        raise SystemExit(0)


class Interrupted(Plain):
    def initial_state(self, x):
        raise StopIteration("nothing left")


class Locked(Plain):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


class ComputedAttribute(Plain):
    def __init__(self):
        super().__init__()
        self.double_weight = self.head.weight * 2


class Quantised(LinearReadout):
    def __init__(self):
        super().__init__()
        self.head = torch.ao.quantization.quantize_dynamic(nn.Sequential(self.head), {nn.Linear})


class BrokenStateDict(Plain):
    def state_dict(self, *args, **kwargs):
        raise RuntimeError("no weights for you")


class WrongBudget(NoParameters):
    def step_budget(self, height, width):
        return height / width


class FailingBudget(NoParameters):
    def step_budget(self, height, width):
        raise KeyError(height)


class SparseState(Plain):
    def initial_state(self, x):
        return super().initial_state(x).to_sparse()


class FixedFloat(Plain):
    """Runs in float32 alone; iterates are watched in float64."""

    def step(self, state, x):
        return super().step(state, x) * torch.eye(1)[0, 0] @ torch.eye(state.shape[-1])


class LazyWeights(Plain):
    def __init__(self):
        super().__init__()
        self.head = nn.LazyConv2d(2, 1)


def in_parallel():
    return nn.DataParallel(Plain())


def compiled():
    return torch.compile(Plain(), backend="eager")


def scripted():
    return torch.jit.script(Plain().mix)


# --- can be evaluated, and break the contract


class BatchNormTraining(Plain):
    def step(self, state, x):
        return nn.functional.batch_norm(super().step(state, x), None, None, training=True)


class RandomSteps(Plain):
    def step(self, state, x):
        return super().step(state, x) + 0.01 * torch.randn_like(state)


class ReadoutNaN(Plain):
    def readout(self, state):
        return super().readout(state) / 0.0 * 0.0


class ReadoutNaNAtTimes(Plain):
    def readout(self, state):
        logits = super().readout(state)
        return torch.where(state[:, :2] > 0.1, logits, torch.nan)


class ReadoutInfinite(Plain):
    def readout(self, state):
        return super().readout(state) * torch.inf


class StateNaN(Plain):
    def step(self, state, x):
        return super().step(state, x) * torch.nan


class StateInfinite(Plain):
    def step(self, state, x):
        return super().step(state, x) / 0


class Explodes(Plain):
    def step(self, state, x):
        return 1e5 * (state + super().step(state, x))


class Memory(Plain):
    calls = 0

    def step(self, state, x):
        self.calls += 1
        return super().step(state, x) * (1 if self.calls % 5 else 0.9)


class Overspends(Plain):
    def own_inference(self, x, budget):
        return Inference(self.initial_state(x), torch.full((len(x),), budget + 1), torch.zeros(len(x)))


KEPT = (
    Plain,
    TupleState,
    Half,
    BFloat16,
    Double,
    MixedPrecision,
    NoParameters,
    LinearReadout,
    LinearReadoutTransposed,
    LinearStep,
    AttentionStep,
    LayerNormStep,
    FlatState,
    WholeNumbers,
    Bits,
    Codes,
    RestsByItself,
    RestsAsAView,
    Expanded,
    SliceOfMore,
    EveryOther,
    ChannelsLast,
    SubclassOfTensor,
    ParameterAsState,
    WithGradients,
    GradientsInside,
    FrozenParameters,
    BatchNormEvaluating,
    DropoutInTraining,
    CachedGrid,
    DataParallelInside,
    CompiledInside,
    ScriptedInside,
    WeightNormed,
    SpectralNormed,
    ComplexWeights,
    Prints,
    Slow,
    SeesTheImageAsState,
    LongName,
)

REFUSED = (
    ComplexState,
    Meta,
    TupleOfNumbers,
    ListFromStep,
    NothingFromStep,
    EmptyState,
    ScalarState,
    OneImage,
    GrowingChannels,
    ShrinkingBatch,
    PromotesToDouble,
    ReadoutOfOneChannel,
    ReadoutWithoutChannels,
    ReadoutOfPooled,
    ReadoutOfNumpy,
    ReadoutOfBits,
    ReadoutComplex,
    InPlace,
    InPlaceBeside,
    InPlaceLater,
    KeptBuffer,
    ChangesTheImage,
    Gradients,
    Raises,
    RaisesNothing,
    Exits,
    StopsAll,
    GivesUp,
    Interrupted,
    Locked,
    ComputedAttribute,
    Quantised,
    BrokenStateDict,
    WrongBudget,
    FailingBudget,
    SparseState,
    FixedFloat,
    LazyWeights,
    in_parallel,
    compiled,
    scripted,
)

DISTRUSTED = (
    BatchNormTraining,
    RandomSteps,
    ReadoutNaN,
    ReadoutNaNAtTimes,
    ReadoutInfinite,
    StateNaN,
    StateInfinite,
    Explodes,
    Memory,
    Overspends,
)
