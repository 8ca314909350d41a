"""The checks that ``extramaze.models.doctor`` makes: each part of the contract, against its plain meaning.

Bit for bit where one machine must give the same bits; in float64 and to rounding where batches of another shape may
round otherwise. A check is a function of a solver, in evaluation mode, that yields what it found broken.
"""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models.calling import in_precision, same_bits
from extramaze.models.contract import Inference, IterativeSolver, card_of, read
from extramaze.models.counting import counting
from extramaze.models.foreign.failures import Ended, as_exception, said

SIZES = (9, 5, 15)  # the usual training size first, one below and one above
OBLONG = (9, 15)  # not every maze is square
MAZES, STEPS = 5, 12  # five: rarely a number of channels by chance
ROUNDING = 1e-9  # relative, of one float64 step: what another batch shape may change, and no dependence between mazes
OWN_BUDGET = 10
NOT_THEIRS = (Path(__file__).parent, Path(torch.__file__).parent)  # folders whose lines are not the solver's own


@dataclass(frozen=True)
class Breach:
    """One broken part of the contract: which check, what was seen, and its likely cause."""

    check: str
    seen: str
    cause: str

    def __str__(self) -> str:
        return f"{self.check}: {self.seen}; likely cause: {self.cause}"


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One trajectory: the image x, the states of T + 1 iterations, and copies of them made as they came."""

    solver: IterativeSolver
    x: Tensor
    states: list[Tensor]
    copies: list[Tensor]


def images(
    solver: IterativeSolver,
    size: int,
    count: int = MAZES,
    dtype: torch.dtype = torch.float32,
    width: int = 0,
) -> Tensor:
    """Draw mazes with cycles, square unless a width is given, in the solver's raster: (count, 3, H, W)."""
    drawn, _ = raster(generate(MazeSpec(size, width=width, percolation=0.1), count), card_of(solver).scale or 1)
    return torch.from_numpy(drawn).to(dtype)


def run(solver: IterativeSolver, x: Tensor, steps: int = STEPS) -> Trajectory:
    """Follow the plain iteration."""
    states = [solver.initial_state(x)]
    copies = [copied(states[0])]
    for _ in range(steps):
        states.append(solver.step(states[-1], x))
        copies.append(copied(states[-1]))
    return Trajectory(solver, x, states, copies)


def copied(state: Tensor) -> Tensor:
    """Copy a state with its layout, on which rounding depends: what is a slice, or repeats itself, stays one."""
    copy = state.clone()
    if copy.stride() == state.stride():
        return copy
    whole = state.as_strided((state.untyped_storage().nbytes() // state.element_size(),), (1,), 0).clone()
    return whole.as_strided(state.shape, state.stride(), state.storage_offset())


def check_trajectory(solver: IterativeSolver) -> Iterator[Breach]:
    """``forward`` is repeated ``step`` and then ``readout``."""
    made = run(solver, images(solver, SIZES[0]))
    if not same_bits(solver(made.x, STEPS), read(solver, copied(made.copies[-1]), made.x)):
        seen = f"forward(x, {STEPS}) is not readout after {STEPS} steps"
        yield Breach("trajectory", seen, "a forward of its own, or memory between steps")


def check_storage(solver: IterativeSolver) -> Iterator[Breach]:
    """Every state has storage of its own and keeps its values; images are left alone."""
    x = images(solver, SIZES[0])
    before = x.clone()
    made = run(solver, x)
    if _shares_storage(made):
        cause = "step changes its argument and returns it, or returns a buffer that it uses again"
        yield Breach("distinct storage", "two states of a trajectory share memory", cause)
    if not torch.equal(x, before):
        yield Breach("arguments unmodified", "the image was changed", "an in-place operation on x")
    elif any(not same_bits(state, kept) for state, kept in zip(made.states, made.copies, strict=True)):
        yield Breach(
            "arguments unmodified", "a state changed after it was returned", "an in-place operation on the state"
        )
    last = copied(made.copies[-1])
    read(solver, last, x)
    if not same_bits(last, made.copies[-1]):
        yield Breach("arguments unmodified", "readout changed the state", "an in-place operation in readout")


def _shares_storage(made: Trajectory) -> bool:
    """Whether two different states of a trajectory have one storage; at rest a step may return its argument."""
    owner: dict[int, int] = {}
    for t, state in enumerate(made.states):
        first = owner.setdefault(state.untyped_storage().data_ptr(), t)
        if not all(same_bits(between, made.copies[first]) for between in made.copies[first + 1 : t + 1]):
            return True
    return False


def check_memory(solver: IterativeSolver) -> Iterator[Breach]:
    """The same call gives the same bits whatever was called before."""
    weights = {name: value.clone() for name, value in solver.state_dict().items()}
    made = run(solver, images(solver, SIZES[0]))
    other = images(solver, SIZES[2])
    for t in reversed(range(STEPS)):
        first = solver.step(copied(made.copies[t]), made.x)
        solver.step(solver.initial_state(other), other)
        again = solver.step(copied(made.copies[t]), made.x)
        if not (same_bits(again, first) and same_bits(first, made.copies[t + 1])):
            cause = "a counter, a cache or an attribute that step writes; what must last belongs in the state"
            yield Breach("no memory", f"the same step at iteration {t} gave another state when repeated", cause)
            return
    if any(not same_bits(value, weights[name]) for name, value in solver.state_dict().items()):
        cause = "running statistics; collect them in training alone"
        yield Breach("no memory", "a buffer changed during evaluation", cause)


def check_noise(solver: IterativeSolver) -> Iterator[Breach]:
    """Random numbers change nothing. (What differs under equal ones too is ``check_memory``'s to find.)"""
    x, results = images(solver, SIZES[0]), []
    with torch.random.fork_rng(devices=[]):
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            results.append(solver(x, STEPS))
    if same_bits(results[0], results[1]) and not same_bits(results[0], results[2]):
        cause = "dropout or noise outside training, or random numbers drawn at each call"
        yield Breach("deterministic", "runs with equal random seeds agree, with others they differ", cause)


def check_finite(solver: IterativeSolver) -> Iterator[Breach]:
    """States and logits are numbers."""
    for size in SIZES:
        made = run(solver, images(solver, size))
        for t, state in enumerate(made.copies):
            if not (torch.isfinite(state).all() and torch.isfinite(read(solver, copied(state), made.x)).all()):
                cause = "a division by zero, a logarithm of zero, or weights that make states grow without bound"
                yield Breach("finite", f"NaN or infinity after {t} iterations at size {size}", cause)
                return


def check_motion(solver: IterativeSolver) -> Iterator[Breach]:
    """The first step changes some maze's state."""
    made = run(solver, images(solver, SIZES[0]), 1)
    if same_bits(made.copies[0], made.copies[1]):
        cause = "states frozen by a test of convergence, or a step that returns a copy of its argument"
        yield Breach("states move", "the first step changed no maze's state", cause)


def check_batch(solver: IterativeSolver) -> Iterator[Breach]:
    """In float64 a maze moves alone as in company, and in any order, to rounding."""
    try:
        exact = _cast(solver, torch.float64)
    except Exception:
        return  # check_precision names it
    made = run(exact, images(solver, SIZES[0], MAZES, torch.float64), 3)
    order = torch.tensor([2, 0, 4, 1, 3])
    for t in range(3):
        scale = made.copies[t + 1].double().abs().max().clamp(min=1)
        alone = exact.step(made.copies[t][2:3].clone(), made.x[2:3])
        turned = exact.step(made.copies[t][order], made.x[order])
        pairs = [(alone, made.copies[t + 1][2:3]), (turned, made.copies[t + 1][order])]
        pairs.append((exact.initial_state(made.x[2:3]), made.copies[0][2:3]))
        logits = read(exact, made.copies[t].clone(), made.x)[2:3]
        pairs.append((read(exact, made.copies[t][2:3].clone(), made.x[2:3]), logits))
        worst = max(float((one.double() - two.double()).abs().max() / scale) for one, two in pairs)
        if not worst <= ROUNDING:
            cause = "statistics over the batch (BatchNorm in training mode, a mean over dim 0), or a maze's place in it"
            seen = f"a maze alone and in a batch differ by {worst:.1e} after one step"
            yield Breach("batch-independent", seen, cause)
            return


def _cast(solver: IterativeSolver, dtype: torch.dtype) -> IterativeSolver:
    """Return a copy of the solver in another precision, of which one step was seen to run."""
    ours = in_precision(solver, dtype)
    x = images(solver, SIZES[0], MAZES, dtype)
    with as_exception():
        read(ours, ours.step(ours.initial_state(x), x), x)
    return ours


def check_precision(solver: IterativeSolver) -> Iterator[Breach]:
    """The module cast to float32 or float64 computes in it."""
    for dtype in (torch.float32, torch.float64):
        name = str(dtype).removeprefix("torch.")
        try:
            ours = _cast(solver, dtype)
        except Exception as problem:
            cause = "a tensor that is no parameter or buffer, or one made without dtype=x.dtype"
            yield Breach("precision", f"cast to {name}, its code failed: {one_line(problem)}", cause)
            return
        made = run(ours, images(solver, SIZES[0], MAZES, dtype), 2)
        floating = {state.dtype for state in made.states if state.is_floating_point()}
        if floating:  # a state of whole numbers does not say in what precision the images were
            floating.add(read(ours, made.copies[-1], made.x).dtype)
        if not floating <= {dtype}:
            others = ", ".join(sorted(str(kind).removeprefix("torch.") for kind in floating - {dtype}))
            cause = "a cast or a constant of fixed type; make tensors with dtype=x.dtype"
            yield Breach("precision", f"cast to {name}, states or logits are {others}", cause)


def check_own_inference(solver: IterativeSolver) -> Iterator[Breach]:
    """A solver's own inference, where it has one, keeps its budget and returns what it should."""
    x = images(solver, SIZES[0])
    watched, steps = counting(solver)
    found = watched.own_inference(x, OWN_BUDGET)
    if found is None:
        return
    cause = "an own_inference that does not return Inference(state, evaluations, residual), each of every maze"
    if not isinstance(found, Inference) or len(found.evaluations) != MAZES or len(found.residual) != MAZES:
        yield Breach("own inference", f"it returned {type(found).__name__}, not one entry a maze", cause)
    elif tuple(read(watched, found.state, x).shape) != (MAZES, 2, *x.shape[2:]):
        yield Breach("own inference", "its state cannot be read out", cause)
    elif int(found.evaluations.max()) > OWN_BUDGET:
        seen = f"{int(found.evaluations.max())} evaluations of a budget of {OWN_BUDGET}"
        yield Breach("own inference", seen, "evaluations before or after its loop that it does not count")
    elif steps.rows > OWN_BUDGET * MAZES:
        seen = f"{steps.rows / MAZES:.1f} evaluations of step a maze of a budget of {OWN_BUDGET}, whatever it states"
        yield Breach("own inference", seen, "a loop that runs on when the budget is spent")


def one_line(problem: Exception) -> str:
    """Say what failed in one line, and where: the deepest line of code that comes with neither extramaze nor torch."""
    raised = (problem.__cause__ if isinstance(problem, Ended) else None) or problem
    places = traceback.extract_tb(raised.__traceback__)
    own = [place for place in places if not any(folder in Path(place.filename).parents for folder in NOT_THEIRS)]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{said(problem)}{where}"


CHECKS: dict[str, Callable[[IterativeSolver], Iterator[Breach]]] = {
    "trajectory": check_trajectory,
    "distinct storage": check_storage,
    "no memory": check_memory,
    "finite": check_finite,
    "states move": check_motion,
    "batch-independent": check_batch,
    "precision": check_precision,
    "own inference": check_own_inference,
}
