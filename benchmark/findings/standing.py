"""Which suites' verdicts stand for a claim that several have evidence of."""

from collections.abc import Sequence

from extramaze.findings.finding import Claim, Finding
from extramaze.findings.pools import SCALES, Pool
from extramaze.findings.verdicts import Verdict, Word

Told = tuple[str, Verdict]  # a suite's name, and its verdict


def evidence(pools: Sequence[Pool], each: Sequence[Finding], claims: Sequence[Claim]) -> list[Told]:
    """Return the verdicts on one claim of all suites with evidence: as suites stand, limits by who watches latest."""
    told = [(pool, claim.verdict) for pool, claim in zip(pools, claims, strict=True) if claim.verdict.figure]
    if each[0].late:
        told.sort(key=lambda one: -one[0].suite.limits.burn_in)
    return [(pool.suite.name, verdict) for pool, verdict in told]


def by_raster(told: Sequence[Told], pools: Sequence[Pool]) -> list[Told]:
    """Choose what stands for a claim on each raster, side by side; the suite's name with its raster."""
    rasters = {pool.suite.name: SCALES[pool.suite.scale] for pool in pools}
    kinds = dict.fromkeys(rasters[name] for name, _ in told)
    each = (deciding([one for one in told if rasters[one[0]] == kind]) for kind in kinds)
    return [(f"{name} ({rasters[name]})", verdict) for chosen in each for name, verdict in chosen]


def deciding(told: Sequence[Told]) -> list[Told]:
    """Choose what stands for a claim: the suite with the most seeds, and any that decides otherwise than it does."""
    if not told:
        return []
    first, *others = sorted(told, key=lambda one: -_seeds(one[1]))
    chosen = {first[1].word: first}
    for other in others:
        if other[1].word != Word.UNDECIDED:
            chosen.setdefault(other[1].word, other)
    return list(chosen.values())


def _seeds(verdict: Verdict) -> int:
    return verdict.figure.seeds if verdict.figure else 0
