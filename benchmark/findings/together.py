"""Which verdicts on the study's headline claims hold together, after Holm's adjustment for how many there are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extramaze.findings.finding import Finding
from extramaze.findings.pools import Pool
from extramaze.findings.verdicts import Verdict, Word
from extramaze.statistics import CONFIDENCE, holm
from extramaze.tables import layout

DECIDED = (Word.CONFIRMED, Word.REFUTED)
TINY = 1e-6  # below which a p-value is not written out


@dataclass(frozen=True)
class Headline:
    """One headline claim on one suite, with the p-value of its verdict adjusted for the whole family."""

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
    """Return the family: every headline claim on every suite that has evidence of it; what is undecided has p = 1."""
    told = [
        (place, claim.text, pool.suite.name, claim.verdict)
        for place, each in enumerate(zip(*found, strict=True), start=1)
        for claims in zip(*(finding.claims for finding in each), strict=True)
        for pool, claim in zip(pools, claims, strict=True)
        if claim.headline and claim.verdict.figure
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
        "The family is every claim by which the study is known (of size, starts, percolation, dead-end filling, "
        "retraining and limits; not the claims that are new here or second-hand), on every suite that has evidence: "
        f"{len(family)} verdicts, of which {len(decided)} decide. p is the level at which the verdict's interval just "
        "reaches its bound; where several figures must all agree, the largest of theirs; where any of several may "
        "refute, the smallest times their number; 1 where nothing is decided. Holm's adjustment: all that hold are "
        f"true together at {CONFIDENCE:.0%} confidence, however they depend on each other. After it "
        f"**{sum(one.stands for one in decided)} of {len(decided)} hold**."
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
