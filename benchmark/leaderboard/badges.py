"""Badges: what the verifications of a row's records say together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from extramaze.records import Record
from extramaze.verification.verification import Verification

Verified = Mapping[str, Verification]  # by the sha256 of the record's summary
CLAIMED, REPRODUCED = "claimed", "reproduced"
MOST_OPEN = 0.1  # share of a record's mazes that may still differ under a badge: 29 mazes drawn suffice


@dataclass(frozen=True)
class Standing:
    """What a row's verifications say together.

    badge: ``claimed``, the word of whoever made the records, which may be a forgery without a contradiction in it, or
    ``reproduced``, which none survives. good: how many of its ``records`` were
    run again, on mazes enough for the badge, and came out alike. mazes: run again, of ``of`` in the records. high: the
    share of a record's mazes that may still differ, at 95 % confidence, the largest of its records'; None for a row
    that is only claimed.
    """

    badge: str
    good: int
    records: int
    mazes: int
    of: int
    high: float | None

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.badge} ({self.good} of {self.records} records run again)" if self.good else self.badge
        if self.mazes == self.of:
            return self.badge
        each = "a record's" if self.records > 1 else "them"
        return f"{self.badge} ({self.mazes:,} of {self.of:,} mazes: at most {self.high:.1%} of {each} differ)"


def standing(records: Iterable[Record], verified: Verified) -> Standing:
    """Say whether a row is reproduced.

    Every record of it was run again, whole or on mazes enough for a bound of MOST_OPEN, with nothing beyond rounding.
    """
    whole = {record.sha256: sum(cell.n for cell in record.summary.cells) for record in records}
    total = sum(whole.values())
    found = [verified[sha256] for sha256 in whole if sha256 in verified]
    good = [one for one in found if _believed(one, whole[one.record_sha256])]
    mazes = sum(one.drawn for one in good)
    if len(good) < len(whole):
        return Standing(CLAIMED, len(good), len(whole), mazes, total, None)
    return Standing(REPRODUCED, len(good), len(whole), mazes, total, max(one.high for one in good))


def _believed(found: Verification, mazes: int) -> bool:
    """Whether a verification, of a record with so many mazes, is good enough for the badge."""
    return found.mazes == mazes and found.reproduced and found.high <= MOST_OPEN
