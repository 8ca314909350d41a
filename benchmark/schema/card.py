"""Cards: who made a solver, what it was trained on, and what was found when it was submitted.

``card.yaml`` is what a person writes. ``card.json`` is the sealed card of a submission's folder: that statement, what
was gathered, and the sha256 of every file of the folder. Reading either runs nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from extramaze.core.checked import Digest, Strict, check_data, check_model, one_line, parse_yaml
from extramaze.core.display import NAME_PATTERN
from extramaze.core.errors import InputError
from extramaze.core.files import read_bytes, read_inside, write_atomically
from extramaze.core.json_files import load_json
from extramaze.core.names import MEMBER
from extramaze.core.sealed import content_sha256, sealed_bytes
from extramaze.schema.solver import TrainedOn as TrainedOn
from extramaze.schema.training import MAX_WEIGHTS

SCHEMA = "extramaze-card-1"
CARD = "card.json"
VERIFICATION = "verification.json"  # beside a record: where older versions wrote what this one does not believe
UNFILLED = "FILL IN"  # how the template begins what its reader has to write
MAX_CARD_BYTES = 2**20
MAX_FILES = 200
NONE = "none"


def _filled_in(text: str) -> str:
    if text.upper().startswith(UNFILLED):
        raise ValueError(f"still to be filled in, got {text!r}")
    return one_line(text)


OneLine = Annotated[str, AfterValidator(_filled_in)]
FileName = Annotated[str, Field(pattern=MEMBER)]


class Statement(Strict):
    """What a person states (``card.yaml``). paper, code, external_data: ``none`` where there is none.

    training: may be left out for a folder that ``extramaze train`` wrote, whose recipe says it.
    external_data: whatever else was learned from: other mazes, pretrained weights, a language model.
    """

    authors: tuple[OneLine, ...] = Field(min_length=1, max_length=100)
    paper: OneLine = NONE
    code: OneLine = NONE
    license: OneLine
    training: TrainedOn | None = None
    external_data: OneLine
    notes: tuple[OneLine, ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _accounted_for(self) -> "Statement":
        if self.training and self.training.mazes and not self.training.specs and self.external_data == NONE:
            raise ValueError("training: mazes without specs were made elsewhere; say where in external_data")
        return self


class Overlap(Strict):
    """How many of the suite's mazes have a wall layout, up to symmetry, that was trained on.

    known: ``by construction`` (another split), ``counted`` on files of training mazes, or ``unknown``, and then shared
    is None. training_mazes, training_sha256: of the files counted on. why: in words.
    """

    known: Literal["by construction", "counted", "unknown"]
    tested: int = Field(ge=1)
    shared: int | None = Field(ge=0)
    training_mazes: int | None = Field(ge=0)
    training_sha256: tuple[Digest, ...] = Field(max_length=100)
    why: OneLine

    @model_validator(mode="after")
    def _consistent(self) -> "Overlap":
        if (self.known == "unknown") != (self.shared is None):
            raise ValueError("a number is shared where it is known, and none where it is not")
        if self.shared is not None and self.shared > (self.tested if self.known == "counted" else 0):
            raise ValueError(f"{self.shared} of {self.tested} mazes cannot be shared {self.known}")
        if (self.known == "counted") != (self.training_mazes is not None):
            raise ValueError("training_mazes goes with what was counted")
        return self

    def __str__(self) -> str:
        found = "unknown" if self.shared is None else f"{self.shared:,} of {self.tested:,} tested mazes"
        return f"{found} ({self.why})"


class Who(Strict):
    """The solver, as its record states it."""

    name: str = Field(pattern=f"^{NAME_PATTERN}$")
    recipe: str = Field(pattern=f"^{NAME_PATTERN}$")
    seed: int | None = Field(ge=0)
    parameters: int = Field(ge=0)


class Source(Strict):
    """Where the solver's code is.

    kind: ``file`` (beside the card), ``installed`` (a package), ``trained`` (a recipe beside the card), ``shipped``.
    target: what ``extramaze.models.load`` is given, with files named as in the folder. distribution: of a package.
    """

    kind: Literal["file", "installed", "trained", "shipped"]
    target: str = Field(pattern=r"^[\w.@+-]+(:[\w.]+)?$", max_length=200)
    distribution: OneLine | None


class FileEntry(Strict):
    """One file of the folder."""

    bytes: int = Field(ge=0, le=MAX_WEIGHTS)
    sha256: Digest


class Card(Strict):
    """The sealed card of a submission (``card.json``).

    training: as stated, or read off the recipe. doctor: what the check of the contract said. files: of the folder, by
    name, all but the card. sha256: of the rest of the card.
    """

    schema_: Literal["extramaze-card-1"] = Field(alias="schema")
    statement: Statement
    training: TrainedOn
    solver: Who
    source: Source
    overlap: Overlap
    doctor: OneLine
    device: OneLine
    system: OneLine
    packages: dict[OneLine, OneLine] = Field(max_length=50)
    files: dict[FileName, FileEntry] = Field(min_length=1, max_length=MAX_FILES)
    record_sha256: Digest
    sha256: Digest

    @classmethod
    def seal(cls, **content: Any) -> "Card":
        """Put a card together and state its digest. Raises InputError for what no card may hold."""
        whole = check_model(cls, {"schema": SCHEMA, **content, "sha256": "0" * 64}, "a card")
        dumped = whole.model_dump(mode="json", by_alias=True)
        return whole.model_copy(update={"sha256": content_sha256(dumped)})

    def write(self, folder: Path) -> None:
        """Write the card into its folder, atomically."""
        write_atomically(folder / CARD, sealed_bytes(self.model_dump(mode="json", by_alias=True)))


def read_statement(path: Path) -> Statement:
    """Read a ``card.yaml``. Raises InputError listing every problem with its key."""
    if not path.exists():
        raise InputError(f"there is no card {path}; extramaze submit new NAME writes one to fill in")
    return parse_yaml(Statement, read_bytes(path, MAX_CARD_BYTES), str(path))


def read_card(folder: Path) -> Card:
    """Read a submission's sealed card. Raises InputError where it is unreadable, altered, or of another schema."""
    path = folder / CARD
    content = load_json(read_inside(folder, CARD, MAX_CARD_BYTES), str(path))
    card = check_data(Card, content, str(path))
    if not isinstance(content, Mapping) or content_sha256(content) != card.sha256:
        raise InputError(f"{path}: altered since it was written (its sha256 differs); submit again")
    return card
