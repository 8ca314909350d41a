"""Findings as Markdown: short answers, every claim in one table, how to read them, then claim by claim."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from extramaze.findings.answers import in_short
from extramaze.findings.commands import commands
from extramaze.findings.finding import Finding, Table
from extramaze.findings.opening import how_to_read, introduction, solvers
from extramaze.findings.pools import Pool
from extramaze.findings.standing import by_raster, deciding, evidence
from extramaze.findings.together import together
from extramaze.findings.verdicts import Verdict, Word
from extramaze.tables import layout

ANEW = (
    "These make such records anew. Weights come out the same on the same hardware with as many threads, and otherwise "
    "much alike; each record holds the command that made it. Shipped rows are run again by "
    "`extramaze verify results/SUITE/SOLVER@SEED --mazes 60`."
)


def document(pools: Sequence[Pool], found: Sequence[Sequence[Finding]], command: str) -> str:
    """Write findings: for each pool all of them, in one order. command: what this text is made by."""
    parts = ["# Findings", introduction(pools, command), *in_short(pools), *_summary(pools, found)]
    parts += [*together(pools, found), *how_to_read(pools)]
    parts += ["## The solvers", *_tables(pools[0], solvers(pools[0]))]
    for pool in pools[1:]:
        parts += _folded(pool, solvers(pool))
    for place, each in enumerate(zip(*found, strict=True), start=1):
        parts += _section(place, pools, each)
    parts += ["## Commands", ANEW, f"```sh\n{commands(pools)}\n```"]
    return "\n\n".join(parts) + "\n"


def _summary(pools: Sequence[Pool], found: Sequence[Sequence[Finding]]) -> Iterator[str]:
    """Write every claim that anything is known of in a line of a table, and name the others."""
    yield "## Every claim"
    lines, untested = [], []
    for place, each in enumerate(zip(*found, strict=True), start=1):
        for claims in zip(*(finding.claims for finding in each), strict=True):
            told = evidence(pools, each, claims)
            standing = by_raster(told, pools) if each[0].late else deciding(told)
            if told:
                cells = zip(*(line for one in standing for line in _lines(*one)), strict=True)
                lines.append([str(place), claims[0].text, *("<br>".join(cell) for cell in cells)])
            else:
                untested.append(f"{claims[0].text} ({place})")
    yield "\n".join(layout(["", "claim", "verdict", "figure", "asked", "suite"], lines, markdown=True))
    if untested:
        yield f"Not tested, for want of records: {'; '.join(untested)}."


def _lines(suite: str, verdict: Verdict) -> list[tuple[str, ...]]:
    """Write what stands for a claim, a line; below one that is joined of parts, each of these."""
    if not verdict.parts:
        return [_cells(suite, verdict)]
    word, *_ = _cells(suite, replace(verdict, doubt=""))
    parts = ((label, _cells(suite, part)) for label, part in verdict.parts)
    return [(word, "", "", suite), *((f"{label}: {said}", *rest[:-1], "") for label, (said, *rest) in parts)]


def _cells(suite: str, verdict: Verdict) -> tuple[str, ...]:
    figure = verdict.figure
    said = str(verdict.word) if verdict.word == Word.UNDECIDED else f"**{verdict.word}**"
    why = f": {verdict.doubt}" if verdict.doubt else ""
    return f"{said}{why}", f"{figure.middle} ({figure.interval})" if figure else "", verdict.asked, suite


def _section(place: int, pools: Sequence[Pool], each: Sequence[Finding]) -> Iterator[str]:
    yield f"## {place}. {each[0].title}"
    before = ""
    for claims in zip(*(finding.claims for finding in each), strict=True):
        seen = any(claim.verdict.figure for claim in claims)
        verdicts = [
            line
            for pool, claim in zip(pools, claims, strict=True)
            if claim.verdict.figure or not seen
            for line in _verdict_lines(pool.suite.name, claim.verdict)
        ]
        rule = "as for the claim before" if claims[0].rule == before else claims[0].rule
        yield f"**{claims[0].text}.** *{claims[0].source}.* Rule: {rule}."
        yield "\n".join(verdicts)
        before = claims[0].rule
    shown = [(pool, finding.tables) for pool, finding in zip(pools, each, strict=True) if finding.tables]
    for pool, tables in shown[:1]:
        yield from _tables(pool, tables)
    for pool, tables in shown[1:]:
        yield from _folded(pool, tables)
    yield from _notes(pools, each)
    used = [
        f"{pool.suite.name} ({len(f.used)} solver{'s' if len(f.used) > 1 else ''})"
        for pool, f in zip(pools, each, strict=True)
        if f.used
    ]
    if used:
        yield f"Written by `extramaze findings` from records of {', '.join(used)}: [commands](#commands)."


def _verdict_lines(suite: str, verdict: Verdict) -> list[str]:
    """Write a suite's verdict and its reason; of one that is joined of parts, each of these below it."""
    parts = [f"  - {label}: **{part.word}**: {part.why}." for label, part in verdict.parts]
    return [f"- {suite}: **{verdict.word}**: {verdict.why}{':' if parts else '.'}", *parts]


def _notes(pools: Sequence[Pool], each: Sequence[Finding]) -> Iterator[str]:
    """Write the notes of a finding; one that not all suites share says whose it is."""
    by_note: dict[str, list[str]] = {}
    for pool, finding in zip(pools, each, strict=True):
        for note in finding.notes:
            by_note.setdefault(note, []).append(pool.suite.name)
    lines = [
        f"- {note}" if len(suites) == len(pools) or suites[0] in note else f"- {', '.join(suites)}: {note}"
        for note, suites in by_note.items()
    ]
    if lines:
        yield "\n".join(lines)


def _folded(pool: Pool, tables: Sequence[Table]) -> Iterator[str]:
    if tables:
        yield f"<details><summary>{pool.suite.name}: {'; '.join(table.title for table in tables)}</summary>"
        yield from _tables(pool, tables)
        yield "</details>"


def _tables(pool: Pool, tables: Sequence[Table]) -> Iterator[str]:
    for table in tables:
        yield f"*{pool.suite.name}.* **{table.title}.** {table.reading}"
        yield "\n".join(layout(list(table.header), [list(row) for row in table.rows], markdown=True))
