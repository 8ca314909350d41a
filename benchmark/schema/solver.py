"""Which solver it is, as a record states it."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from extramaze.core.checked import Count, Digest, OneLine, Strict, differing
from extramaze.core.display import NAME_PATTERN

MAX_NOTES = 20  # of a solver, each a line
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
