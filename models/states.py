"""States of several tensors, as one: what dynamics, root finders and training compute with.

A state may be a tensor, or tuples, lists and dicts of tensors in one another, the batch first in each. Tensors are laid
side by side in a fixed order, dicts by their sorted keys, into one (B, n) of numbers, once a step; a solver of one
tensor is served as it is, its state untouched.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.models.contract import Inference, IterativeSolver, State, read
from extramaze.models.foreign.libraries import OURS

EXACT_BITS = 16  # integers of so many bits are exact among float32 numbers; of more, among float64


def is_nested(state: object) -> bool:
    """Whether a state consists of several tensors, or of one in a container."""
    return isinstance(state, tuple | list | dict)


def parts(state: State, place: str = "state") -> Iterator[tuple[str, Any]]:
    """Yield what a state consists of, with its place in it such as ``state['h'][1]``, in the fixed order."""
    if isinstance(state, dict):
        for key in sorted(state, key=str):
            yield from parts(state[key], f"{place}[{key!r}]")
    elif isinstance(state, tuple | list):
        for number, part in enumerate(state):
            yield from parts(part, f"{place}[{number}]")
    else:
        yield place, state


def mapped(function: Callable[..., Any], state: State, *others: State) -> State:
    """Apply a function to each tensor of a state, and to those at the same places of others."""
    if isinstance(state, dict):
        return {key: mapped(function, part, *(other[key] for other in others)) for key, part in state.items()}
    if isinstance(state, tuple | list):
        made = [mapped(function, *those) for those in zip(state, *others, strict=True)]
        return _container(state, made)
    return function(state, *others)


def _placed(values: Mapping[str, Tensor], like: State, place: str = "state") -> State:
    """Put tensors to their places in a state of some form."""
    if isinstance(like, dict):
        return {key: _placed(values, part, f"{place}[{key!r}]") for key, part in like.items()}
    if isinstance(like, tuple | list):
        made = [_placed(values, part, f"{place}[{number}]") for number, part in enumerate(like)]
        return _container(like, made)
    return values[place]


def _container(like: Any, made: list[Any]) -> Any:
    """Make a tuple or list as another is; a named tuple takes its values singly."""
    return type(like)(*made) if hasattr(like, "_fields") else type(like)(made)


@dataclass(frozen=True)
class Part:
    """One tensor of a state: where it is in it, and its shape and type for each maze."""

    place: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def size(self) -> int:
        """How many numbers of a maze it holds."""
        return torch.Size(self.shape).numel()


@dataclass(frozen=True, eq=False)
class Form:
    """How the tensors of a state lie side by side in (B, n). example: its containers, None in each place."""

    parts: tuple[Part, ...]
    dtype: torch.dtype
    example: State

    @classmethod
    def of(cls, state: State, x: Tensor, name: str) -> "Form":
        """Look at a state, which method ``name`` returned for images x. Raises InputError for what is none."""
        found = list(parts(state))
        for place, part in found:
            _check(part, place, x, name)
        if not sum(part.numel() for _, part in found):
            raise InputError(f"{name} must return a state that holds numbers, got an empty {type(state).__name__}")
        those = tuple(Part(place, tuple(part.shape[1:]), _kind(part, x)) for place, part in found)
        return cls(those, _common([part.dtype for part in those]), mapped(lambda _: None, state))

    @property
    def has_whole_numbers(self) -> bool:
        """Whether some part counts, so that other numbers than its own may mean nothing."""
        return not all(part.dtype.is_floating_point for part in self.parts)

    def flat(self, state: State, x: Tensor, name: str) -> Tensor:
        """Lay a state's tensors side by side: (B, n). Raises InputError for a state of another form."""
        found = list(parts(state))
        self._compare(found, x, name)
        return torch.cat([part.reshape(len(x), -1).to(self.dtype) for _, part in found], dim=1)

    def nested(self, flat: Tensor) -> State:
        """Take (B, n) apart again; the tensors are views of it where their types allow."""
        pieces = torch.split(flat, [part.size for part in self.parts], dim=1)
        found = {
            part.place: piece.reshape(len(piece), *part.shape).to(part.dtype)
            for part, piece in zip(self.parts, pieces, strict=True)
        }
        return _placed(found, self.example)

    def _compare(self, found: list[tuple[str, Any]], x: Tensor, name: str) -> None:
        places, ours = [place for place, _ in found], [part.place for part in self.parts]
        if places != ours:
            other = sorted(set(places) ^ set(ours)) or places
            raise InputError(f"{name} must return the parts that initial_state returned; {other[0]} is new or missing")
        for part, (place, value) in zip(self.parts, found, strict=True):
            _check(value, place, x, name)
            if (tuple(value.shape[1:]), _kind(value, x)) != (part.shape, part.dtype):
                raise InputError(
                    f"{name} must keep the shape and type of {place}, {_described(part.shape, part.dtype)}; got "
                    f"{_described(tuple(value.shape[1:]), value.dtype)}"
                )


def _check(part: Any, place: str, x: Tensor, name: str) -> None:
    if not isinstance(part, Tensor) or part.shape[:1] != x.shape[:1]:
        what = f"of type {type(part).__name__}"
        if isinstance(part, Tensor):
            what = f"{_described(tuple(part.shape), part.dtype, '')}, of {len(x)} images"
        raise InputError(
            f"{name} must return a tensor whose first dimension is the batch, (B, …), or tuples, lists and dicts of "
            f"such; {place} is {what}"
        )
    if part.is_complex() or part.layout != torch.strided or part.is_quantized:
        raise InputError(f"{name} must return plain tensors of real numbers; {place} is not one")


def _kind(part: Tensor, x: Tensor) -> torch.dtype:
    """Return the type that a tensor keeps between steps: under autocast, floating-point numbers are as the images'."""
    return x.dtype if part.is_floating_point() and torch.is_autocast_enabled(x.device.type) else part.dtype


def _common(kinds: list[torch.dtype]) -> torch.dtype:
    """Return a type in which numbers of all these types are exact, integers up to 2^53."""
    common = kinds[0]
    for kind in kinds[1:]:
        common = torch.promote_types(common, kind)
    wide = any(not kind.is_floating_point and kind.itemsize * 8 > EXACT_BITS for kind in kinds)
    return torch.float64 if common.is_floating_point and wide else common


def _described(shape: tuple[int, ...], dtype: torch.dtype, batch: str = "B, ") -> str:
    return f"{str(dtype).removeprefix('torch.')} ({batch}{', '.join(map(str, shape))})"


class OneTensor(IterativeSolver):
    """A solver whose states are one tensor each, whatever those of the ``solver`` in it are."""

    def __init__(self, solver: IterativeSolver) -> None:
        super().__init__()
        self.solver = solver
        self.card, self.single_pass = solver.card, solver.single_pass
        self.factory_file, self.origin = solver.factory_file, solver.origin
        self.training = solver.training
        self._forms: dict[Any, Form] = {}

    def form(self, x: Tensor) -> Form | None:
        """Return how states for images like x are laid out; None where they are one tensor, or were not seen yet."""
        return self._forms.get(self._key(x))

    def initial_state(self, x: Tensor) -> Tensor:
        """Begin as the solver does."""
        return self._flat(self.solver.initial_state(x), x, "initial_state", new=True)

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Make the solver's step."""
        return self._flat(self.solver.step(self._nested(state, x), x), x, "step")

    def readout(self, state: Tensor, x: Tensor) -> Tensor:
        """Read what the solver does."""
        return read(self.solver, self._nested(state, x), x)

    def step_budget(self, height: int, width: int) -> int | None:
        """Return the solver's."""
        return self.solver.step_budget(height, width)

    def own_inference(self, x: Tensor, budget: int) -> Inference | None:
        """Infer as the solver does."""
        found = self.solver.own_inference(x, budget)
        if not isinstance(found, Inference) or not is_nested(found.state):
            return found
        state = self._flat(found.state, x, "own_inference", new=True)
        return Inference(state, found.evaluations, found.residual)

    def forward(self, x: Tensor, iterations: int) -> Tensor:
        """Run the solver's own."""
        return self.solver(x, iterations)

    def _key(self, x: Tensor) -> tuple[Any, ...]:
        return *x.shape[1:], x.dtype, torch.is_autocast_enabled(x.device.type)

    def _flat(self, state: State, x: Tensor, method: str, new: bool = False) -> Tensor:
        form = self.form(x)
        if form is None and not (new and is_nested(state)):
            return state  # one tensor; anything else is refused by whoever called
        name = f"{type(self.solver).__name__}.{method}"
        if form is None or new:
            form = self._forms[self._key(x)] = Form.of(state, x, name)
        return form.flat(state, x, name)

    def _nested(self, state: Tensor, x: Tensor) -> State:
        form = self.form(x)
        return state if form is None else form.nested(state)


def one_tensor(solver: IterativeSolver) -> IterativeSolver:
    """Return a solver whose states are one tensor, sharing everything with a given one; extramaze's own are so."""
    kind = type(solver)
    if isinstance(solver, OneTensor) or all(map(_is_ours, (solver.initial_state, solver.step))):
        return solver
    alike = type(kind.__name__, (OneTensor,), {"__module__": kind.__module__, "__doc__": kind.__doc__})
    return alike(solver)  # named like the solver's class, by which messages call it


def _is_ours(method: Any) -> bool:
    """Whether a method is written in extramaze, whose solvers' states are one tensor; a compiled one is what it was."""
    return str(getattr(method, "__module__", "")).partition(".")[0] == OURS


def inner(solver: IterativeSolver) -> IterativeSolver:
    """Return the solver itself where another one serves its states as one tensor: its weights have its own names."""
    return solver.solver if isinstance(solver, OneTensor) else solver


def has_whole_numbers(solver: IterativeSolver, x: Tensor) -> bool:
    """Whether a part of the states for images like x counts, among others that do not; once such a state was seen."""
    form = solver.form(x) if isinstance(solver, OneTensor) else None
    return form is not None and form.has_whole_numbers
