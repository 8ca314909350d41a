"""Which solver it is, as a record states it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from extramaze.core.checked import Count, Digest, OneLine, Positive, Strict, differing
from extramaze.core.display import NAME_PATTERN
from extramaze.mazes.spec import MazeSpec

MAX_NOTES = 20  # of a solver, each a line
MAX_FILES = 10_000


GOOD_ACCURACY = 0.99  # optimal, on fresh mazes of the training distribution; a seed below it is ranked, and marked


class TrainedOn(Strict):
    """Mazes of these specifications and this split, so many in all, repeats counted."""

    specs: tuple[str, ...] = Field(default=(), max_length=64)  # empty: made elsewhere, or nothing was trained
    split: Literal["train", "val", "test", "sealed", "none"] = "train"  # none: drawn without one
    mazes: int = Field(ge=0, le=10**15)

    @field_validator("specs")
    @classmethod
    def _canonical(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(MazeSpec.parse(text)) for text in texts)

    @property
    def maze_specs(self) -> tuple[MazeSpec, ...]:
        """The specifications, parsed."""
        return tuple(MazeSpec.parse(text) for text in self.specs)


class Accuracy(Strict):
    """What a solver answered right after its training, of fresh mazes like those of its training."""

    mazes: Positive | None  # how many were asked; None: a record of schema 3, which did not say
    exact: float = Field(ge=0, le=1)  # share answered as the stored path
    optimal: float | None = Field(ge=0, le=1)  # share answered by any shortest path; None: not counted

    @property
    def ranked(self) -> float:
        """The share by which a seed is marked: optimal, where it was counted."""
        return self.exact if self.optimal is None else self.optimal


class Origin(Strict):
    """Another solver whose weights one began with, or was blended from."""

    name: OneLine
    weights_sha256: Digest


class Trained(Strict):
    """Weights that come from a training that is known."""

    kind: Literal["trained"] = "trained"
    on: TrainedOn | None  # None: a record of schema 3, which did not say
    begun_with: Origin | None  # whose weights the training began with; None: with random ones
    accuracy: Accuracy | None


class Blended(Strict):
    """Weights that were made from those of other solvers."""

    kind: Literal["blended"] = "blended"
    method: OneLine
    parents: tuple[Origin, ...] = Field(min_length=1, max_length=100)
    chosen_on: OneLine  # what coefficients were chosen by: mazes of the split val, or by hand


class Imported(Strict):
    """Weights that others published."""

    kind: Literal["imported"] = "imported"
    source: OneLine


Provenance = Annotated[Trained | Blended | Imported, Field(discriminator="kind")]


class SolverInfo(Strict):
    """Who is evaluated.

    code_sha256 is that of the file, where there is one; of more files, of the lines ``sha256  name`` that sha256sum
    prints, in the order of their names.
    """

    name: str = Field(pattern=f"^{NAME_PATTERN}$")
    recipe: str = Field(pattern=f"^{NAME_PATTERN}$")
    seed: Count | None
    weights_sha256: Digest | None
    code_sha256: Digest | None  # of all files of a foreign solver's code; None: extramaze's own, whose version says it
    files: dict[str, Digest] = Field(default={}, max_length=MAX_FILES)  # of that code, by name
    parameters: Count  # numbers in all of them
    provenance: Provenance | None = None  # where its weights come from; None: nobody said, or there are none
    notes: tuple[OneLine, ...] = Field(max_length=MAX_NOTES)

    @property
    def trained(self) -> Trained | None:
        """What is known of its training; None where nothing is, or where there was none."""
        return self.provenance if isinstance(self.provenance, Trained) else None

    @property
    def accuracy(self) -> Accuracy | None:
        """What it answered right after its training; None where that is not known."""
        return self.trained.accuracy if self.trained else None


def differences(here: SolverInfo, stated: SolverInfo) -> list[str]:
    """Say what tells two solvers apart, the files that changed by name; what is not stated tells nothing."""
    files = _files_that_differ(here.files, stated.files) if stated.files else []
    return [
        f"{key}: {', '.join(files)}"
        if key == "files"
        else f"{key}: {getattr(stated, key)} in the record, {getattr(here, key)} here"
        for key in differing(here, stated)
        if (key != "files" or files) and (key != "provenance" or _contradicts(here.provenance, stated.provenance))
    ]


def _contradicts(here: Trained | Blended | Imported | None, stated: Trained | Blended | Imported | None) -> bool:
    """Whether something that is stated of a solver's weights is not so; what was not said contradicts nothing.

    What a record of schema 3 said of a training is too little to be held against it.
    """
    if stated is None or (isinstance(stated, Trained) and stated.on is None):
        return False
    return here is None or _differs(here.model_dump(), stated.model_dump())


def _differs(here: Any, stated: Any) -> bool:
    if isinstance(stated, dict) and isinstance(here, dict):
        return any(_differs(here.get(key), value) for key, value in stated.items())
    return stated is not None and here != stated


def _files_that_differ(here: Mapping[str, str], stated: Mapping[str, str]) -> list[str]:
    """Name the files that are another, new or gone."""
    return [
        f"{name} {'changed' if name in here and name in stated else 'is new' if name in here else 'is not there'}"
        for name in sorted(here.keys() | stated.keys())
        if here.get(name) != stated.get(name)
    ]
