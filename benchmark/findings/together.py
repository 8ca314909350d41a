"""Which verdicts on the study's headline claims hold together, after Holm's adjustment for how many there are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extramaze.findings.finding import Finding
from extramaze.findings.pools import Pool
from extramaze.findings.standing import deciding, evidence
from extramaze.findings.verdicts import Verdict, Word
from extramaze.statistics import CONFIDENCE, holm
from extramaze.tables import layout

DECIDED = (Word.CONFIRMED, Word.REFUTED)
TINY = 1e-6  # below which a p-value is not written out


@dataclass(frozen=True)
class Headline:
    """One headline claim by the suite that stands for it first, with its p-value adjusted for the whole family."""

    place: int
    text: str
    suite: str
    verdict: Verdict
    adjusted: float

    @property
    def stands(self) -> bool:
        """Whether it is decided also together with all others."""
        return self.adjusted < 1 - CONFIDENCE


def headlines(pools: Sequence[Pool], found: Sequence[Sequence[Finding]]) -> list[Headline]:
    """Return the family: every headline claim with evidence, by one suite each; what is undecided has p = 1.

    The suite is chosen by its seeds alone, and not by what it decides.
    """
    told = [
        (place, claims[0].text, *deciding(suites)[0])
        for place, each in enumerate(zip(*found, strict=True), start=1)
        for claims in zip(*(finding.claims for finding in each), strict=True)
        if claims[0].headline and (suites := evidence(pools, each, claims))
    ]
    adjusted = holm([verdict.p for *_, verdict in told])
    return [Headline(*one, p) for one, p in zip(told, adjusted, strict=True)]


def together(pools: Sequence[Pool], found: Sequence[Sequence[Finding]]) -> Iterator[str]:
    """Write the section; none where no headline claim is decided."""
    family = headlines(pools, found)
    decided = [one for one in family if one.verdict.word in DECIDED]
    if not decided:
        return
    yield "## Which headline claims hold together"
    yield (
        "The family is the claims by which the study is known (of size, starts, percolation, dead-end filling, "
        "retraining and limits; not those that are new here or second-hand), each by the suite that stands first in "
        f"the table above, which its number of seeds chooses: {len(family)} verdicts, of which {len(decided)} decide. "
        "p is the level at which the interval just reaches its bound; where several figures must all agree, the "
        "largest of theirs; where any of several may refute, the smallest times their number; 1 where nothing is "
        f"decided. After Holm's adjustment all that hold are true together at {CONFIDENCE:.0%} confidence, however "
        f"they depend on each other: **{sum(one.stands for one in decided)} of {len(decided)} hold**. Verdicts of "
        "other suites are of the same seeds or of fewer, and are each for itself alone."
    )
    rows = [
        [
            str(one.place),
            one.text,
            one.suite,
            f"**{one.verdict.word}**",
            _p(one.verdict.p),
            _p(one.adjusted),
            "holds" if one.stands else "does not hold",
        ]
        for one in decided
    ]
    yield "\n".join(layout(["", "claim", "suite", "verdict", "p", "adjusted", "together"], rows, markdown=True))


def _p(value: float) -> str:
    return f"< {TINY:.0e}".replace("e-0", "e-") if value < TINY else f"{value:.2g}"
