"""What a check found: an outcome for each thing checked, and one for all of it."""

from dataclasses import dataclass
from enum import StrEnum

from extramaze.core.errors import InputError
from extramaze.statistics import Paired


class Outcome(StrEnum):
    """What a check found."""

    IMPROVED = "improved"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    REGRESSED = "regressed"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True)
class Margins:
    """How much worse still counts as equal.

    accuracy: share of optimal answers. convergence: share of watched trajectories; wider, because fewer are watched.
    work: relative rise of function evaluations and of peak memory.
    """

    accuracy: float = 0.02
    convergence: float = 0.1
    work: float = 0.1

    def __post_init__(self) -> None:
        for name in ("accuracy", "convergence", "work"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"the margin of {name} is between 0 and 1, both left out; got {getattr(self, name)}")


@dataclass(frozen=True)
class Checked:
    """One thing checked. ``primary`` ones decide whether a check is inconclusive or improved; any may be regressed.

    verdict: None for what is shown and never gated. was, now: of the baseline and the record. pairs: wins are mazes
    that got better. low, high: 95 % interval of the difference. p_value: adjusted by Holm. smallest_drop: what the
    test would have found with probability 0.8, at the strictest level of the adjustment.
    """

    name: str
    verdict: Outcome | None
    primary: bool
    was: float
    now: float
    sentence: str
    pairs: Paired | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    smallest_drop: float | None = None


@dataclass(frozen=True)
class Change:
    """A maze whose answer, or whose limit, is another than the baseline's. worse: as the gate counts it."""

    cell: str
    index: int
    measure: str
    worse: bool
    command: str


@dataclass(frozen=True)
class Report:
    """The outcome of a check. differs: why the two are not comparable; notes: what differs besides."""

    verdict: Outcome
    record: str
    suite: str
    baseline: str
    accepted: str
    reason: str
    margins: Margins
    findings: tuple[Checked, ...]
    changes: tuple[Change, ...]
    differs: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def unsure(self) -> bool:
        """Whether mazes changed, too few to say which way: what ``--strict`` fails."""
        return self.verdict == Outcome.INCONCLUSIVE and bool(self.changes)
