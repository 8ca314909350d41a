"""Which solver it is: its name, its weights and its code, as a record states them."""

import hashlib
import inspect
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.parameter import is_lazy

from extramaze.core.checked import Count, Digest, OneLine, Strict, check_model, differing
from extramaze.core.errors import InputError
from extramaze.models.contract import MAX_NOTES, NAME_PATTERN, IterativeSolver, card_of, count_parameters


class SolverInfo(Strict):
    """Who is evaluated. ``code_sha256``: of the files of a foreign solver's class and
    of the factory that made it, where they do not come with extramaze."""

    name: str = Field(pattern=f"^{NAME_PATTERN}$")
    recipe: str = Field(pattern=f"^{NAME_PATTERN}$")
    seed: Count | None
    weights_sha256: Digest | None
    code_sha256: Digest | None
    parameters: Count
    notes: tuple[OneLine, ...] = Field(max_length=MAX_NOTES)


def refuse_other_solver(solver: IterativeSolver, stated: SolverInfo) -> None:
    """Raise InputError, naming what differs, unless it is the solver that a record states."""
    differs = solver_differences(solver, stated)
    if differs:
        raise InputError(f"not the solver of the record ({'; '.join(differs)}); give the one that made it")


def solver_differences(solver: IterativeSolver, stated: SolverInfo) -> list[str]:
    """Say what tells a solver from the one that a record states; nothing where it is the same."""
    here = solver_info(solver)
    return [
        f"{key}: {getattr(stated, key)} in the record, {getattr(here, key)} here" for key in differing(here, stated)
    ]


def solver_info(solver: IterativeSolver) -> SolverInfo:
    """Return what tells a solver from others. Raises InputError for a card that no record can hold."""
    card = card_of(solver)
    stated = {
        "name": card.name,
        "recipe": card.recipe,
        "seed": card.seed,
        "weights_sha256": card.weights_sha256 or state_sha256(solver.state_dict()),
        "code_sha256": _code_sha256(solver),
        "parameters": count_parameters(solver),
        "notes": card.notes,
    }
    return check_model(SolverInfo, stated, "the solver's card")


def state_sha256(state: Mapping[str, Tensor]) -> str | None:
    """Hash weights and buffers by name, whatever file they come from; None where there are none."""
    digest = hashlib.sha256()
    for name in sorted(state):
        _refuse_other_than_numbers(name, state[name])
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest() if state else None


def _refuse_other_than_numbers(name: str, value: object) -> None:
    """Raise InputError for an entry of a ``state_dict`` that does not hold its own numbers in plain sight."""
    if not isinstance(value, Tensor):
        kind = f"a {type(value).__name__}, as quantised layers have it"
    elif is_lazy(value):
        kind = "not made before a first call; call the layer once where the solver is made"
    elif value.device.type == "meta":
        kind = "on the device meta, without numbers; load its weights where the solver is made"
    elif value.layout != torch.strided or value.is_quantized:
        kind = "sparse or quantised"
    else:
        return
    raise InputError(f"the solver's weights must be plain tensors that hold their numbers: {name} is {kind}")


def _code_sha256(solver: IterativeSolver) -> str | None:
    """Hash the source files of a solver's class and factory; None for extramaze's own, whose version says it."""
    kind, files = type(solver), [] if solver.factory_file is None else [solver.factory_file]
    if kind.__module__.split(".")[0] != "extramaze":
        with suppress(OSError, TypeError):  # typed into an interpreter: there is no file
            files.insert(0, inspect.getfile(kind))
    contents = []
    for path in dict.fromkeys(Path(file).resolve() for file in files):
        with suppress(OSError):  # within an archive
            contents.append(path.read_bytes())
    return hashlib.sha256(b"".join(contents)).hexdigest() if contents else None
