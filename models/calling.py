"""How a solver is called, by evaluation, doctor and pictures alike: what one refuses all refuse, in one sentence.

Each function calls one method and checks what came back. Sizes are written with letters, so that a sentence does not
depend on the mazes in which a fault was met: B mazes in a batch, of H×W pixels.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.models.contract import IterativeSolver, answer, read
from extramaze.models.foreign.failures import as_exception, said
from extramaze.models.foreign.origin import unchanged_by
from extramaze.models.states import one_tensor


@contextmanager
def calling(solver: IterativeSolver, name: str | None = None) -> Iterator[None]:
    """Call a solver's code, blamed for its failures, and leave the process as it was. name: as ``blame`` has it."""
    with blame(solver, name), unchanged_by(solver):
        yield


@contextmanager
def blame(solver: IterativeSolver, name: str | None = None) -> Iterator[None]:
    """Make whatever a solver's code raises one InputError that names it; a failure of extramaze's own stays one.

    name: the card's; by default the class's, since a card can fail too. What it changes in the process stays: training
    goes on with the random numbers that it drew.
    """
    try:
        with as_exception():
            yield
    except InputError:
        raise
    except Exception as problem:
        if type(solver).__module__.split(".")[0] == "extramaze" and solver.factory_file is None:
            raise
        raise InputError(f"solver {name or type(solver).__name__}: its code failed: {said(problem)}") from problem


def in_precision(
    solver: IterativeSolver, dtype: torch.dtype, device: torch.device | str | None = None
) -> IterativeSolver:
    """Return a copy of the solver that computes in ``dtype``, in evaluation mode, whatever precision it was made in.

    Its states are one tensor each, also where the solver's are several.

    Complex weights get the same precision. Raises InputError for a solver that cannot be copied.
    """
    try:
        with as_exception(), _plainly():
            ours = copy.deepcopy(solver)
    except Exception as problem:
        raise InputError(
            f"solver {type(solver).__name__} cannot be copied (copy.deepcopy): {said(problem)}; "
            "keep locks, files and tensors that carry gradients out of its attributes"
        ) from problem
    complex_kind = dtype.to_complex()

    def cast(value: Tensor) -> Tensor:
        kind = dtype if value.is_floating_point() else complex_kind if value.is_complex() else None
        return value.to(device, kind)

    module: Any = ours
    with _plainly():
        module._apply(cast)  # Module.to drops the imaginary part of complex weights
    return one_tensor(ours.eval())


@contextmanager
def _plainly() -> Iterator[None]:
    """Make weights that carry no gradients, and may: those that inference mode makes may not."""
    with torch.inference_mode(False), torch.no_grad():
        yield


def begin(solver: IterativeSolver, x: Tensor) -> Tensor:
    """Return the initial state. Raises InputError for anything but one tensor of real numbers, the batch first."""
    return _state(solver, "initial_state", solver.initial_state(x), x)


def first_step(solver: IterativeSolver, state: Tensor, x: Tensor) -> Tensor:
    """Make one step and see that it was pure. Raises InputError where it was not.

    A step that works in place makes every comparison of states one of a state with itself.
    """
    state_before, x_before = state.clone(), x.clone()
    new = next_state(solver, state, x)
    if not (same_bits(state, state_before) and same_bits(x, x_before)):
        raise InputError(
            f"{type(solver).__name__}.step changed its arguments; return a new state and leave state and x as they were"
        )
    return new.clone() if _share(new, state) else new


def take_step(solver: IterativeSolver, state: Tensor, x: Tensor) -> Tensor:
    """Make one step. Raises InputError where it returned its argument's storage with another state in it.

    Its argument itself is what a solver may return that has come to rest: then a further step changes nothing either.
    """
    new = next_state(solver, state, x)
    if not _share(new, state):
        return new
    new = new.clone()
    if not same_bits(next_state(solver, new.clone(), x), new):
        raise InputError(f"{type(solver).__name__}.step returned its argument's own storage; return a new state")
    return new


def read_logits(solver: IterativeSolver, state: Tensor, x: Tensor) -> Tensor:
    """Read the logits off a state. Raises InputError for anything but floating-point numbers (B, 2, H, W)."""
    logits = read(solver, state, x)
    right = isinstance(logits, Tensor) and logits.shape == (len(x), 2, *x.shape[2:]) and logits.is_floating_point()
    if not right:
        raise InputError(
            f"{type(solver).__name__}.readout must return logits (B, 2, H, W), got {_described(logits, x)}"
        )
    return logits.detach() if logits.requires_grad else logits


def read_answer(solver: IterativeSolver, state: Tensor, x: Tensor) -> Tensor:
    """Read the predicted paths, bool (B, H, W), off a state. Raises InputError as ``read_logits`` does."""
    return answer(read_logits(solver, state, x), x)


def same_bits(one: Tensor, two: Tensor) -> bool:
    """Tell whether two tensors are of one type and hold the same numbers, NaN equal to NaN."""
    alike = one.shape == two.shape and one.dtype == two.dtype
    return alike and bool(((one == two) | (one.isnan() & two.isnan())).all())


def next_state(solver: IterativeSolver, state: Tensor, x: Tensor) -> Tensor:
    """Make one step and check what it returned, not where that lies. Raises InputError for another shape or type."""
    new = _state(solver, "step", solver.step(state, x), x)
    if new.shape != state.shape or new.dtype != state.dtype:
        raise InputError(
            f"{type(solver).__name__}.step must keep the state's shape and type, {_described(state, x)}; "
            f"got {_described(new, x)}"
        )
    return new


def _state(solver: IterativeSolver, method: str, state: object, x: Tensor) -> Tensor:
    """Check a state as it comes from a method; gradients that it carries are left behind."""
    name = f"{type(solver).__name__}.{method}"
    if not isinstance(state, Tensor) or state.shape[:1] != x.shape[:1]:
        raise InputError(
            f"{name} must return a tensor whose first dimension is the batch, (B, …); got {_described(state, x)}"
        )
    if not state.numel():
        raise InputError(f"{name} must return a state that holds numbers, got {_described(state, x)}")
    if state.is_complex() or state.layout != torch.strided or state.is_quantized:
        advice = "; keep real and imaginary parts as channels (torch.view_as_real)" if state.is_complex() else ""
        raise InputError(f"{name} must return a plain tensor of real numbers, got {_described(state, x)}{advice}")
    return state.detach() if state.requires_grad else state


def _share(one: Tensor, two: Tensor) -> bool:
    return one is two or one.untyped_storage().data_ptr() == two.untyped_storage().data_ptr()


def _described(value: object, x: Tensor) -> str:
    """Describe what a method returned: a tensor's sizes, with letters where they are the images', and its type."""
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}" if value is not None else "nothing"
    sizes = [str(size) for size in value.shape]
    if value.shape[:1] == x.shape[:1]:
        sizes[0] = "B"
    if len(sizes) >= 3:
        for place, letter in ((-2, "H"), (-1, "W")):
            sizes[place] = letter if value.shape[place] == x.shape[place] else sizes[place]
    kind = str(value.dtype).removeprefix("torch.")
    layout = "" if value.layout == torch.strided else f"{str(value.layout).removeprefix('torch.')} "
    return f"{layout}{kind} ({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
