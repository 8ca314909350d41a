"""Which solver it is: its name, its weights and its code, as a record states them."""

import hashlib
import inspect
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from extramaze.core.checked import Count, Digest, OneLine, Strict, check_model, differing
from extramaze.core.errors import InputError
from extramaze.models.contract import MAX_NOTES, NAME_PATTERN, IterativeSolver, card_of, count_parameters
from extramaze.models.foreign.origin import covered_files
from extramaze.models.weight_files import state_sha256

MAX_FILES = 10_000


class SolverInfo(Strict):
    """Who is evaluated.

    code_sha256: of all files of a foreign solver's code, None for extramaze's own, whose version says it: of the file,
    where there is one; of more, of the lines ``sha256  name`` that sha256sum prints, in the order of their names.
    files: the sha256 of each by name, left out where there is none.
    """

    name: str = Field(pattern=f"^{NAME_PATTERN}$")
    recipe: str = Field(pattern=f"^{NAME_PATTERN}$")
    seed: Count | None
    weights_sha256: Digest | None
    code_sha256: Digest | None
    files: dict[str, Digest] = Field(default={}, max_length=MAX_FILES)
    parameters: Count
    notes: tuple[OneLine, ...] = Field(max_length=MAX_NOTES)

    @model_serializer(mode="wrap")
    def _without_no_files(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        return content if self.files else {key: value for key, value in content.items() if key != "files"}


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


def differences(here: SolverInfo, stated: SolverInfo) -> list[str]:
    """Say what tells two solvers apart, the files that changed by name."""
    files = _files_that_differ(here.files, stated.files) if stated.files else []
    return [
        f"{key}: {', '.join(files)}"
        if key == "files"
        else f"{key}: {getattr(stated, key)} in the record, {getattr(here, key)} here"
        for key in differing(here, stated)
        if key != "files" or files
    ]


def _files_that_differ(here: Mapping[str, str], stated: Mapping[str, str]) -> list[str]:
    """Name the files that are another, new or gone."""
    return [
        f"{name} {'changed' if name in here and name in stated else 'is new' if name in here else 'is not there'}"
        for name in sorted(here.keys() | stated.keys())
        if here.get(name) != stated.get(name)
    ]


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
    for path in dict.fromkeys(Path(file).resolve() for file in files):
        with suppress(OSError):  # within an archive
            contents.append(path.read_bytes())
    return hashlib.sha256(b"".join(contents)).hexdigest() if contents else None
