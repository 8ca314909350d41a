"""Check that a solver keeps the contract, and say what probably broke it where it does not.

What is checked is in ``extramaze.models.contract_checks``. A breach is a broken contract; a solver that keeps it has
none.
"""

from collections.abc import Callable, Iterator

import torch
from safetensors.torch import load as read_safetensors
from safetensors.torch import save as write_safetensors
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.core.forks import begin_threads
from extramaze.core.progress import progress_bar
from extramaze.models.calling import begin, in_precision, next_state, read_logits
from extramaze.models.contract import IterativeSolver, read
from extramaze.models.contract_checks import (
    CHECKS,
    OBLONG,
    SIZES,
    Breach,
    check_noise,
    images,
    one_line,
)
from extramaze.models.devices import reference_arithmetic
from extramaze.models.foreign.failures import as_exception
from extramaze.models.foreign.origin import unchanged_by

Make = Callable[[], IterativeSolver]
SIZE_AGNOSTIC = "size-agnostic"
RELOADED = 1e-4  # relative, of float32: rounding may depend on where weights lie


def examine(make: Make, quiet: bool = True) -> list[Breach]:
    """Check a solver; ``make`` builds it anew each time, as ``lambda: load(target)`` does.

    Returns at most one breach for each check. Where the solver does not run at every size, returns wrong shapes, or
    draws random numbers, no other check means anything, and that is all it returns. Raises InputError where the solver
    cannot be built. quiet: show no progress.
    """
    begin_threads("checking a solver")
    solver = built(make)
    with torch.random.fork_rng(devices=[]), reference_arithmetic():
        with unchanged_by(solver):
            breaches = _shape_breaches(solver)
            breaches = breaches or _guarded("deterministic", check_noise(solver))
            runs = not breaches
            if runs:
                bar = progress_bar(CHECKS.items(), desc="checking", unit="check", quiet=quiet, brief=True)
                for name, check in bar:
                    breaches += _guarded(name, check(solver))
        if runs:  # it is found by its path again, in the folder that was the caller's
            breaches += _reload(solver, make)
    return list({breach.check: breach for breach in reversed(breaches)}.values())[::-1]


def built(make: Make) -> IterativeSolver:
    """Build a solver as evaluation runs it, in float32, outside inference mode, which would mark its weights."""
    with torch.inference_mode(False):
        return in_precision(make(), torch.float32)


def _guarded(name: str, check: Iterator[Breach]) -> list[Breach]:
    """Turn a failure of the solver's code during a check into a breach."""
    found: list[Breach] = []
    try:
        with as_exception():
            found += check
    except Exception as problem:
        seen = f"its code failed: {one_line(problem)}"
        cause = "a forward() of its own, something kept from an earlier call, or from another batch or size"
        found.append(Breach(name, seen, cause))
    return found


def _shape_breaches(solver: IterativeSolver) -> list[Breach]:
    """Any size of maze is solved, and shapes are as stated; what fails at every size is no matter of size."""
    shapes = [*((size, 0) for size in SIZES), OBLONG]
    found = [_runs_at(solver, *shape) for shape in shapes]
    if all(each and each[0].check == SIZE_AGNOSTIC for each in found):
        seen = found[0][0].seen.partition(" its code failed: ")[2]
        return [Breach("runs", f"its code failed at every size: {seen}", "a mistake in initial_state, step or readout")]
    return [breach for each in found for breach in each]


def _runs_at(solver: IterativeSolver, size: int, width: int) -> list[Breach]:
    """Find whether it runs at one size, and whether shapes are as stated."""
    x = images(solver, size, width=width)
    try:
        with as_exception():
            return list(_shapes(solver, x))
    except Exception as problem:
        name = f"size {size}, width {width}" if width else f"size {size}"
        seen = f"at {name} ({x.shape[-2]}×{x.shape[-1]} pixels) its code failed: {one_line(problem)}"
        return [Breach(SIZE_AGNOSTIC, seen, "a layer or a table of positions made for one size, or for squares")]


def _shapes(solver: IterativeSolver, x: Tensor) -> Iterator[Breach]:
    """Shapes are as stated. (What a step does to its arguments is ``check_storage``'s to find.)"""
    try:
        state = begin(solver, x.clone())
        read_logits(solver, next_state(solver, state, x.clone()), x)
    except InputError as problem:
        cause = "padding, channels or a batch that differ between initial_state, step and readout"
        yield Breach("shapes", str(problem), cause)


def _reload(solver: IterativeSolver, make: Make) -> Iterator[Breach]:
    """Weights written as safetensors and read into a solver built anew give the same bits."""
    cause = "weights that are no parameter or buffer, shared between two names, or missing from state_dict"
    x = images(solver, SIZES[0])
    try:
        content = write_safetensors({name: value.contiguous() for name, value in solver.state_dict().items()})
        fresh = built(make)
        blank = {name: torch.zeros_like(value) for name, value in fresh.state_dict().items()}
        fresh.load_state_dict(blank)
        fresh.load_state_dict(read_safetensors(content))
        with unchanged_by(solver):
            apart = _apart(fresh, solver, x)
    except Exception as problem:
        yield Breach("reload", f"safetensors: {one_line(problem)}", cause)
        return
    if not apart <= RELOADED:
        yield Breach("reload", f"read back from safetensors it answers otherwise, by {apart:.1e}", cause)


def _apart(one: IterativeSolver, two: IterativeSolver, x: Tensor) -> float:
    """Return how far two solvers are apart in a first state, a step from it and what is read off that, relatively."""
    start = two.initial_state(x)
    state = two.step(start, x)
    pairs = [
        (one.initial_state(x), start),
        (one.step(start, x), state),
        (read(one, state, x), read(two, state, x)),
    ]
    return max(float((a.double() - b.double()).abs().max() / b.double().abs().max().clamp(min=1)) for a, b in pairs)
