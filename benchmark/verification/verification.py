"""Verifications: what came out when somebody ran a record again.

It is the word of whoever ran it, so it lies apart from what it speaks of: ``results/verifications/SUITE/SOLVER.json``,
where maintainers write, and names its record by sha256. One that lies beside a record, or comes with a submission, is
the word of whoever made that, and nobody reads it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator
from scipy.special import betainc

from extramaze.alike import alike
from extramaze.core.checked import Digest, Instant, OneLine, Strict, try_data
from extramaze.core.errors import InputError
from extramaze.core.files import make_folder, read_inside, write_alone
from extramaze.core.paths import real
from extramaze.core.sealed import content_sha256, parse_sealed, sealed_bytes
from extramaze.records import SUMMARY, Record
from extramaze.schema.card import CARD
from extramaze.schema.plan import Plan
from extramaze.statistics import share_at_most

SCHEMA = "extramaze-verification-1"
VERIFICATIONS = "verifications"  # beside the suites that records lie in; holds SUITE/SOLVER.json
MAX_VERIFICATION_BYTES = 2**20
MAX_NAMED = 100  # disagreements that are named
LOPSIDED = 1e-3  # p-value below which rounding does not explain that a record errs in its own favour


class Disagreement(Strict):
    """One maze that came out otherwise. what: ``answers`` or ``limit``. rounding: it changes by itself as well."""

    cell: OneLine
    index: int = Field(ge=0, le=10**9)
    what: Literal["answers", "limit"]
    rounding: bool

    def __str__(self) -> str:
        return f"{self.cell} #{self.index}: {self.what} differ{' within rounding' if self.rounding else ''}"


class Verification(Strict):
    """One record, run again.

    record_sha256: of the record's summary. drawn: mazes drawn at random, by ``seed``; all of them without one.
    mazes: of the record. compared: those whose answers were held against the record's: drawn ones and the others of
    their blocks. disagree: of the drawn, those with other answers (exact, valid or optimal, at any rung); rounding: of
    these, those that change by themselves in other blocks, in float64 or from a nudged start. beside: other mazes of
    the same blocks that disagree beyond rounding. favourable: of those within rounding, right in the record at the
    last rung and wrong now; unfavourable: the reverse. watched, limits_disagree, limits_rounding: the same for limits
    of watched mazes. high: upper end of the one-sided 95 % interval (Clopper and Pearson) of the share of all mazes
    that disagree beyond rounding; the share itself where all were run. named: up to 100 disagreements.
    """

    schema_: Literal["extramaze-verification-1"] = Field(alias="schema")
    record_sha256: Digest
    finished: Instant
    device: OneLine
    packages: dict[OneLine, OneLine] = Field(max_length=50)
    seed: int | None = Field(ge=0, lt=2**64)
    mazes: int = Field(ge=1, le=10**9)
    drawn: int = Field(ge=1, le=10**9)
    compared: int = Field(ge=1, le=10**9)
    disagree: int = Field(ge=0)
    rounding: int = Field(ge=0)
    beside: int = Field(ge=0)
    favourable: int = Field(ge=0)
    unfavourable: int = Field(ge=0)
    watched: int = Field(ge=0, le=10**9)
    limits_disagree: int = Field(ge=0)
    limits_rounding: int = Field(ge=0)
    high: float = Field(ge=0, le=1)
    named: tuple[Disagreement, ...] = Field(max_length=MAX_NAMED)
    sha256: Digest

    @model_validator(mode="after")
    def _adds_up(self) -> "Verification":
        if not (self.rounding <= self.disagree <= self.drawn <= self.compared <= self.mazes):
            raise ValueError("rounding ≤ disagree ≤ drawn ≤ compared ≤ mazes does not hold")
        if not self.limits_rounding <= self.limits_disagree <= self.watched <= self.mazes:
            raise ValueError("limits_rounding ≤ limits_disagree ≤ watched ≤ mazes does not hold")
        if self.beside + self.drawn > self.compared or self.favourable + self.unfavourable > self.compared:
            raise ValueError("more mazes disagree than were compared")
        if self.seed is None and self.drawn != self.mazes:
            raise ValueError("a part of the mazes is drawn by a seed")
        if not alike(self.high, upper_bound(self.disagree - self.rounding, self.drawn, self.mazes)):
            raise ValueError("high is not the bound that the counts give")
        return self

    @property
    def whole(self) -> bool:
        """Whether every maze was run again."""
        return self.drawn == self.mazes

    @property
    def reproduced(self) -> bool:
        """Whether nothing disagreed but what rounding explains."""
        beyond = self.disagree - self.rounding + self.beside + self.limits_disagree - self.limits_rounding
        return beyond == 0 and not self.lopsided

    @property
    def lopsided(self) -> bool:
        """Whether the record errs in its own favour more than rounding, which knows no side, would (sign test)."""
        good, changed = self.favourable, self.favourable + self.unfavourable
        return good > 0 and bool(betainc(good, changed - good + 1, 0.5) < LOPSIDED)  # the chance of so many, or more

    def sentence(self) -> str:
        """Say what this establishes, and what it does not."""
        beyond = self.disagree - self.rounding
        again = (
            f"all {self.mazes:,} mazes" if self.whole else f"{self.drawn:,} of {self.mazes:,} mazes, drawn at random,"
        )
        text = f"{again} run again: {beyond:,} differ from the record"
        if self.rounding:
            text += f", and {self.rounding:,} more within rounding: they change by themselves as well"
        if not self.whole:
            text += f"; at 95 % confidence at most {self.high:.1%} of the record's mazes differ beyond rounding"
            others = self.compared - self.drawn
            text += f". Of {others:,} more that shared their blocks {self.beside:,} differ" if others else ""
        if self.watched:
            limits = self.limits_disagree - self.limits_rounding
            text += f". Of {self.watched:,} watched trajectories {limits:,} have another limit"
            text += f", and {self.limits_rounding:,} more within rounding" if self.limits_rounding else ""
        elif not self.whole:
            text += ". Limits were not looked at"
        if self.lopsided:
            text += f". Of the answers that rounding changes the record has {self.favourable} right and "
            text += f"{self.unfavourable} wrong that are not now: chance does not favour one side so"
        return text

    @classmethod
    def seal(cls, **content: Any) -> "Verification":
        """Put a verification together, with its bound and its digest."""
        high = upper_bound(content["disagree"] - content["rounding"], content["drawn"], content["mazes"])
        whole = cls.model_validate({"schema": SCHEMA, **content, "high": high, "sha256": "0" * 64})
        digest = content_sha256(whole.model_dump(mode="json", by_alias=True))
        return whole.model_copy(update={"sha256": digest})

    def of(self, record_sha256: str) -> "Verification":
        """Return the same, of a record with the same answers and another sha256."""
        content = self.model_dump(exclude={"schema_", "high", "sha256"})
        return Verification.seal(**{**content, "record_sha256": record_sha256})

    def write(self, path: Path) -> None:
        """Write it to a file, atomically."""
        make_folder(path.parent)
        write_alone(path, sealed_bytes(self.model_dump(mode="json", by_alias=True)))


def home(folder: Path) -> Path | None:
    """Return where the verification of a record at FOLDER/SUITE/SOLVER belongs, FOLDER/verifications, if it exists."""
    beside = real(folder).parent.parent / VERIFICATIONS
    return beside if beside.is_dir() else None


def file_of(plan: Plan, root: Path) -> Path:
    """Return the file, in a folder of verifications, for the one of a record with this plan."""
    unusual = {
        plan.mode: plan.mode != "free-running",
        plan.dtype: plan.dtype != "float32",
        "tf32": plan.tf32,
        "partial": plan.part is not None,
    }
    name = "-".join([plan.solver.name, *(word for word, yes in unusual.items() if yes)])
    return root / plan.suite.name / f"{name}.json"


def refuse_own_word(root: Path) -> None:
    """Raise InputError for a folder of verifications within a record's or a submission's own folder."""
    for place in (real(root), *real(root).parents):
        if (place / SUMMARY).exists() or (place / CARD).exists():
            raise InputError(
                f"{root} lies within {place}, which would vouch for itself; verifications lie in a folder of their own"
            )


def keep(found: Verification, path: Path) -> bool:
    """Write a verification, unless the file says the same of more mazes already; return whether it was written."""
    there, wrong = read_verification(path) if path.exists() else (None, [])
    same = there is not None and not wrong and there.record_sha256 == found.record_sha256
    if same and there is not None and there.drawn > found.drawn and there.reproduced == found.reproduced:
        return False
    found.write(path)
    return True


def carry_over(folder: Path, old: Record, new: Record) -> None:
    """Name the record that takes an old one's place in the verification of that; of the same answers, to be sure.

    One that looked at limits is of the new record only where the rows are the same ones.
    """
    root = home(folder)
    for path in _files(root) if root is not None else ():
        found, wrong = read_verification(path)
        if found is None or wrong or found.record_sha256 != old.sha256:
            continue
        if not found.watched or new.mazes.equals(old.mazes):
            found.of(new.sha256).write(path)


def outdated(folder: Path, record: Record) -> Path | None:
    """Return the file where a record's verification belongs, if one lies there that is sound of some other record."""
    root = home(folder)
    path = None if root is None else file_of(record.summary.plan, root)
    if path is None or not path.exists():
        return None
    found, _ = read_verification(path)
    return path if found is None or found.record_sha256 != record.sha256 else None


def upper_bound(disagree: int, drawn: int, mazes: int) -> float:
    """Bound the share of all mazes that disagree, from a random sample; it is known where all were run."""
    return disagree / mazes if drawn == mazes else share_at_most(disagree, drawn)


def read_verification(path: Path) -> tuple[Verification | None, list[str]]:
    """Read a verification, and list what is wrong with it by itself; None where it cannot be read, or is a link."""
    try:
        if path.parent.is_symlink():
            raise InputError(f"{path.parent}: a link; put the verifications themselves there")
        parsed, wrong = parse_sealed(read_inside(path.parent, path.name, MAX_VERIFICATION_BYTES), path.name)
    except InputError as problem:
        return None, [str(problem)]
    if parsed is None:
        return None, wrong
    found, problems = try_data(Verification, parsed)
    return found, [*wrong, *(f"{path.name}: {problem}" for problem in problems)]


def read_verifications(*roots: Path) -> dict[str, Verification]:
    """Read the sound verifications of some folders, by the sha256 of the records that they name.

    Of two of one record the one that says worse of it counts, then the one that looked at more.
    """
    read = [read_verification(path) for root in roots for path in _files(root)]
    sound = [found for found, wrong in read if found is not None and not wrong]
    ordered = sorted(sound, key=lambda one: (not one.reproduced, one.drawn))
    return {one.record_sha256: one for one in ordered}


def verification_problems(root: Path, suite: str = "*") -> Iterator[str]:
    """Name everything that is wrong with a folder's verifications, each by itself. suite: those of one alone."""
    for path in _files(root, suite):
        yield from read_verification(path)[1]


def _files(root: Path, suite: str = "*") -> list[Path]:
    return sorted(path for path in root.glob("*/*.json") if suite in ("*", path.parent.name))
