"""Tell which solver it is: its name, its weights and its code, as a record states them."""

import hashlib
import inspect
from collections.abc import Mapping
from contextlib import suppress

from extramaze.core.checked import check_model
from extramaze.core.errors import InputError
from extramaze.core.paths import real
from extramaze.models.contract import IterativeSolver, card_of, count_parameters
from extramaze.models.foreign.origin import covered_files
from extramaze.models.weight_files import state_sha256
from extramaze.schema.solver import SolverInfo, differences


def refuse_other_solver(solver: IterativeSolver, stated: SolverInfo) -> None:
    """Raise InputError, naming what differs, unless it is the solver that a record states."""
    differs = solver_differences(solver, stated)
    if differs:
        raise InputError(f"not the solver of the record ({'; '.join(differs)}); give the one that made it")


def solver_differences(solver: IterativeSolver, stated: SolverInfo) -> list[str]:
    """Say what tells a solver from the one that a record states; nothing where it is the same.

    Records of before files were stated hashed those of class and factory alone.
    """
    here = solver_info(solver)
    if not stated.files and here.files and stated.code_sha256 == _hashed_formerly(solver):
        here = here.model_copy(update={"files": {}, "code_sha256": stated.code_sha256})
    return differences(here, stated)


def solver_info(solver: IterativeSolver) -> SolverInfo:
    """Return what tells a solver from others. Raises InputError for a card that no record can hold."""
    card = card_of(solver)
    files = covered_files(solver)
    stated = {
        "name": card.name,
        "recipe": card.recipe,
        "seed": card.seed,
        "weights_sha256": card.weights_sha256 or state_sha256(solver.state_dict()),
        "code_sha256": _code_sha256(files),
        "files": files,
        "parameters": count_parameters(solver),
        "provenance": card.provenance,
        "notes": card.notes,
    }
    return check_model(SolverInfo, stated, "the solver's card")


def _code_sha256(files: Mapping[str, str]) -> str | None:
    """Hash the digests of files; of a single one it is its own."""
    if len(files) <= 1:
        return next(iter(files.values()), None)
    return hashlib.sha256("".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()).hexdigest()


def _hashed_formerly(solver: IterativeSolver) -> str | None:
    """Hash the files of a solver's class and factory, as records did before they stated each file."""
    kind, files = type(solver), [] if solver.factory_file is None else [solver.factory_file]
    if kind.__module__.partition(".")[0] != "extramaze":
        with suppress(OSError, TypeError):  # typed into an interpreter: there is no file
            files.insert(0, inspect.getfile(kind))
    contents = []
    for path in dict.fromkeys(real(file) for file in files):
        with suppress(OSError):  # within an archive
            contents.append(path.read_bytes())
    return hashlib.sha256(b"".join(contents)).hexdigest() if contents else None
