"""The contract every iterating solver keeps, and that the harness relies on.

A solver turns an image into a state, improves the state one pure step at a time, and reads an answer off it at any
time. The harness owns the loop: how long to iterate, where to read, what to keep.
"""

import inspect
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from torch import Tensor, nn

from extramaze.core.checked import one_line
from extramaze.core.display import NAME_PATTERN as NAME_PATTERN
from extramaze.core.errors import InputError
from extramaze.schema.solver import MAX_NOTES, Blended, Imported, Trained

if TYPE_CHECKING:
    from extramaze.models.foreign.origin import Origin
    from extramaze.models.symmetry import Symmetry

State: TypeAlias = Any  # a tensor (B, …), or tuples, lists and dicts of such in one another


@dataclass(frozen=True)
class SolverCard:
    """Who a solver is, as results state it.

    name: what leaderboards show, ``dt-net-thin@0`` for a trained seed. recipe: what all seeds of a row share.
    scale: the raster it was made for (1 or 2), None for any. weights_sha256: of the weights file, None without one.
    notes: sentences a reader of its results should see, each one line of up to 500 printable characters.
    provenance: where its weights come from; None where nobody says.
    """

    name: str
    recipe: str
    seed: int | None = None
    scale: int | None = None
    weights_sha256: str | None = None
    notes: tuple[str, ...] = field(default=())
    provenance: Trained | Blended | Imported | None = None

    def __post_init__(self) -> None:
        for kind, text in (("name", self.name), ("recipe", self.recipe)):
            if not re.fullmatch(NAME_PATTERN, str(text)):
                raise InputError(f"a solver's {kind} is up to 64 letters, digits and ._@+-, got {text!r}")
        if self.seed is not None and not (isinstance(self.seed, int) and self.seed >= 0):
            raise InputError(f"a solver's seed is an integer of at least 0 or None, got {self.seed!r}")
        self._check_notes()
        if not isinstance(self.provenance, Trained | Blended | Imported | None):
            raise InputError(
                "a solver's provenance is None, or one of Trained, Blended and Imported of extramaze.schema.solver, "
                f"got {type(self.provenance).__name__}"
            )

    def _check_notes(self) -> None:
        notes = self.notes
        if not (isinstance(notes, tuple) and len(notes) <= MAX_NOTES and all(isinstance(note, str) for note in notes)):
            raise InputError(f"a solver's notes are a tuple of up to {MAX_NOTES} sentences, got {notes!r}")
        for note in notes:
            try:
                one_line(note)
            except ValueError as problem:
                raise InputError(
                    f"a solver's note: {problem}; leave out line breaks and control characters"
                ) from problem


@dataclass(frozen=True, eq=False)
class Inference:
    """What a solver's own inference found for B mazes.

    state: to be read by ``readout``. evaluations: of ``step``, or of what costs as much, int64 (B,), each at most the
    budget. residual: ‖step(z) − z‖ relative to ‖step(z)‖ or the like, (B,), NaN where the solver has none.
    """

    state: State
    evaluations: Tensor
    residual: Tensor


class IterativeSolver(nn.Module, ABC):
    """A solver that iterates. Shapes: B mazes in a batch, H×W pixels; ``x`` is float (B, 3, H, W), 0 or 1.

    ``step`` must be a pure function: it returns a new state, changes neither argument, keeps nothing between calls, and
    treats the mazes of a batch independently; at rest it may return its argument. The state is any tensor of real
    numbers whose first dimension is the batch, or tuples, lists and dicts of such in one another, and every step keeps
    its form, shapes and types.

    single_pass: True where the first step already gives the answer and later ones repeat it (a feed-forward network);
    such a solver has no limits to report. factory_file: set by ``load``: the file of the factory that made it.
    origin: set by ``load`` too: all files of the code that made it, and how that code is called.
    """

    card: SolverCard | None = None
    single_pass: bool = False
    factory_file: str | None = None
    origin: "Origin | None" = None

    @abstractmethod
    def initial_state(self, x: Tensor) -> State:
        """Return the state before the first iteration."""

    @abstractmethod
    def step(self, state: State, x: Tensor) -> State:
        """Return the state one iteration later."""

    @abstractmethod
    def readout(self, *state_or_state_and_x: Any, **_: Any) -> Tensor:
        """Read logits (B, 2, H, W) off a state: channel 1 against channel 0 says whether a pixel is on the path.

        Written ``readout(self, state)``, or ``readout(self, state, x)`` where it looks at the image again.
        """

    def step_budget(self, height: int, width: int) -> int | None:  # noqa: ARG002
        """Return the iterations a solver needs on an H×W image to be sure to have finished; None for the suite's.

        For algorithms, whose work on a maze is known in advance; a solver with weights gets the suite's all the same.
        """
        return None

    def own_inference(self, x: Tensor, budget: int) -> Inference | None:  # noqa: ARG002
        """Answer in the solver's own way (a root finder, a halting rule), or return None where it has none.

        budget: evaluations of ``step`` that each maze may use at most. Free running remains every solver's common mode.
        """
        return None

    def symmetry(self) -> "Symmetry | None":
        """Say which of its units can be permuted and scaled, for aligning networks of its kind; None: nothing said."""
        return None

    def forward(self, x: Tensor, iterations: int) -> Tensor:
        """Run the plain iteration from the initial state and read the logits (B, 2, H, W). Raises InputError."""
        if iterations < 0:
            raise InputError(f"iterations must be at least 0, got {iterations}")
        state = self.initial_state(x)
        for _ in range(iterations):
            state = self.step(state, x)
        return read(self, state, x)


def read(solver: IterativeSolver, state: State, x: Tensor) -> Tensor:
    """Call a solver's ``readout``, with the image where it takes one."""
    return solver.readout(state, x) if wants_image(solver) else solver.readout(state)


def wants_image(solver: IterativeSolver) -> bool:
    """Whether ``readout`` takes the image beside the state: an argument named x, or a second one that it needs."""
    try:
        taken = list(inspect.signature(solver.readout).parameters.values())
    except (ValueError, TypeError):  # code that does not say what it takes
        return False
    second = taken[1:2]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(one.kind in positional and (one.name == "x" or one.default is one.empty) for one in second)


def card_of(solver: IterativeSolver) -> SolverCard:
    """Return the solver's card, or a plain one made from its class."""
    if solver.card is not None:
        return solver.card
    name = type(solver).__name__
    return SolverCard(name=name, recipe=name)


def count_parameters(solver: nn.Module) -> int:
    """Count the numbers in all parameters of a module."""
    return sum(parameter.numel() for parameter in solver.parameters())


def open_pixels(x: Tensor) -> Tensor:
    """Tell which pixels are not wall: (B, 3, H, W) → bool (B, H, W)."""
    return x.amax(dim=1) > 0


def answer(logits: Tensor, x: Tensor) -> Tensor:
    """Return the predicted path: the larger of two channels, masked to open pixels. bool (B, H, W).

    The rule of Knutson et al. (arXiv 2410.03020). A pixel whose logits are not numbers is not on the path.
    """
    return (logits[:, 1] > logits[:, 0]) & open_pixels(x)
