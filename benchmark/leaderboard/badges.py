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

    mazes: run again, of ``of`` in the records. high: the share of a record's mazes that may still differ, at 95 %
    confidence, the largest of its records'; None for a row that is only claimed.
    """

    badge: str
    mazes: int
    of: int
    high: float | None

    def __str__(self) -> str:
        if self.high is None or self.mazes == self.of:
            return self.badge
        return f"{self.badge} ({self.mazes:,} of {self.of:,} mazes: at most {self.high:.1%} differ)"


def standing(records: Iterable[Record], verified: Verified) -> Standing:
    """Say whether a row is reproduced.

    Every record of it was run again, whole or on mazes enough for a bound of MOST_OPEN, with nothing beyond rounding.
    """
    summaries = [record.summary for record in records]
    total = sum(cell.n for summary in summaries for cell in summary.cells)
    found = [verified[summary.sha256] for summary in summaries if summary.sha256 in verified]
    if len(found) < len(summaries) or not all(one.reproduced and one.high <= MOST_OPEN for one in found):
        return Standing(CLAIMED, 0, total, None)
    return Standing(REPRODUCED, sum(one.drawn for one in found), total, max(one.high for one in found))
