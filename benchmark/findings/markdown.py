"""Findings as Markdown: all verdicts in one table, how to read them, then claim by claim."""

from collections.abc import Iterator, Sequence

from extramaze.findings.commands import commands
from extramaze.findings.finding import Claim, Finding, Table
from extramaze.findings.opening import how_to_read, introduction, solvers
from extramaze.findings.pools import Pool
from extramaze.findings.verdicts import UNDECIDED, Word
from extramaze.tables import layout


def document(pools: Sequence[Pool], found: Sequence[Sequence[Finding]], command: str) -> str:
    """Write findings: for each pool all of them, in one order. command: what this text is made by."""
    parts = ["# Findings", introduction(pools, command), *_summary(pools, found), *how_to_read(pools)]
    parts.append("## The solvers")
    for pool in pools:
        parts += _tables(pool, solvers(pool))
    for place, each in enumerate(zip(*found, strict=True), start=1):
        parts += _section(place, pools, each)
    return "\n\n".join(parts) + "\n"


def _summary(pools: Sequence[Pool], found: Sequence[Sequence[Finding]]) -> Iterator[str]:
    yield "## In one table"
    lines = []
    for place, each in enumerate(zip(*found, strict=True), start=1):
        for claims in zip(*(finding.claims for finding in each), strict=True):
            lines.append([str(place), claims[0].text, *(_word(claim) for claim in claims)])
    yield "\n".join(layout(["", "claim", *(pool.suite.name for pool in pools)], lines, markdown=True))


def _word(claim: Claim) -> str:
    verdict, figure = claim.verdict, claim.verdict.figure
    if figure is None:
        return f"{verdict.word} (no evidence)"
    said = f"{figure.middle} ({figure.interval}); asked {verdict.asked}"
    if verdict.word == Word.NOT_TESTED:
        return f"{verdict.word} ({UNDECIDED}): {said}{'; ' * bool(verdict.doubt)}{verdict.doubt}"
    return f"**{verdict.word}**: {said}"


def _section(place: int, pools: Sequence[Pool], each: Sequence[Finding]) -> Iterator[str]:
    yield f"## {place}. {each[0].title}"
    before = ""
    for claims in zip(*(finding.claims for finding in each), strict=True):
        verdicts = [
            f"- {pool.suite.name}: **{claim.verdict.word}**: {claim.verdict.why}."
            for pool, claim in zip(pools, claims, strict=True)
        ]
        rule = "as for the claim before" if claims[0].rule == before else claims[0].rule
        yield f"**{claims[0].text}.** *{claims[0].source}.* Rule: {rule}."
        yield "\n".join(verdicts)
        before = claims[0].rule
    for pool, finding in zip(pools, each, strict=True):
        yield from _tables(pool, finding.tables)
    notes = dict.fromkeys(f"- {note}" for finding in each for note in finding.notes)
    if notes:
        yield "\n".join(notes)
    used = [finding.used for finding in each]
    yield "<details><summary>Commands that make the records of this finding</summary>"
    yield f"```sh\n{commands(pools, used)}\n```"
    yield "</details>"


def _tables(pool: Pool, tables: Sequence[Table]) -> Iterator[str]:
    for table in tables:
        yield f"*{pool.suite.name}.* **{table.title}.** {table.reading}"
        yield "\n".join(layout(list(table.header), [list(row) for row in table.rows], markdown=True))
