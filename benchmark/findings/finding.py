"""What one finding is on one suite: claims with their verdicts, and the tables and notes beside them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure, number
from extramaze.findings.verdicts import Verdict

STUDY = "Knutson et al., arXiv 2410.03020"
NEW = "new here: no figure is published"
NOTHING = "–"


@dataclass(frozen=True)
class Claim:
    """One sentence that can be wrong, who says so, by which rule it is judged here, and the verdict.

    headline: one of the statements by which the study is known; these are adjusted for their number.
    """

    text: str
    source: str
    rule: str
    verdict: Verdict
    headline: bool = False


@dataclass(frozen=True)
class Table:
    """A table with a title, and one sentence that says what to see in it."""

    title: str
    reading: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Finding:
    """A finding on one suite. The claims' texts and rules are the same on every suite; ``used``: whose records.

    late: of suites with as many seeds, the one that watches iterates latest stands for its claims.
    """

    title: str
    claims: tuple[Claim, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    used: tuple[Entrant, ...]
    late: bool = False


def shown(figure: Figure | None) -> str:
    """Write a figure in a table: percent and the half-width of its interval, of two seeds the value of each.

    Odds and open shares have the interval itself.
    """
    if figure is None:
        return NOTHING
    if figure.unit == "odds":
        return f"{number(figure.value, 'odds')} ({figure.interval})"
    if figure.upto is not None:
        return f"{figure.middle.removesuffix('%')} ({figure.interval})"
    if len(figure.each) == 2:
        return f"{100 * figure.value:.1f} ({', '.join(f'{100 * value:.1f}' for value, _ in figure.each)})"
    return f"{100 * figure.value:.1f} ± {100 * figure.half:.1f}"


def who(entrant: Entrant, suite: str = "") -> str:
    """Write a recipe with its number of seeds, and of marked ones; and the suite."""
    on = f", {suite}" if suite else ""
    if not entrant.trained:
        return f"{entrant.recipe} ({'answers made elsewhere' if entrant.handed_in else 'algorithm'}{on})"
    count, marked = len(entrant.seeds), len(entrant.marks)
    mark = "" if not marked else ", marked" if marked == count else f", {marked} marked"
    inference = f", {entrant.inference}" if entrant.inference else ""
    return f"{entrant.recipe}{inference} ({count} seed{'s' if count != 1 else ''}{mark}{on})"


def table(title: str, reading: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Table]:
    """Make a table; none where it has no rows."""
    return [Table(title, reading, tuple(header), tuple(tuple(row) for row in rows))] if rows else []


def noise_note(entrants: Sequence[Entrant], cells: Sequence[str]) -> list[str]:
    """Say how many answers rounding alone turns in some cells, where a record says so."""
    alike: dict[str, list[str]] = defaultdict(list)
    for entrant in entrants:
        if (noise := entrant.noise(cells)) is not None:
            alike[f"{noise:.2%}"].append(entrant.recipe)
    if not alike:
        return []
    said = "; ".join(f"{share} for {', '.join(recipes)}" for share, recipes in alike.items())
    return [f"Rounding alone (another block size, float64) turns this share of the answers in these cells: {said}."]
