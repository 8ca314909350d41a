"""What one finding is on one suite: claims with their verdicts, and the tables and notes beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from extramaze.findings.figures import Figure, number
from extramaze.findings.pools import Entrant
from extramaze.findings.verdicts import Verdict

STUDY = "Knutson et al., arXiv 2410.03020"
NEW = "new here: no figure is published"
NOTHING = "–"


@dataclass(frozen=True)
class Claim:
    """One sentence that can be wrong, who says so, by which rule it is judged here, and the verdict."""

    text: str
    source: str
    rule: str
    verdict: Verdict


@dataclass(frozen=True)
class Table:
    """A table with a title of one sentence."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Finding:
    """A finding on one suite. The claims' texts and rules are the same on every suite; ``recipes``: whose records."""

    title: str
    claims: tuple[Claim, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    recipes: tuple[str, ...]


def shown(figure: Figure | None) -> str:
    """Write a figure in a table: percent (or odds) and the half-width of its interval."""
    if figure is None:
        return NOTHING
    if figure.unit == "odds":
        return f"{number(figure.value, 'odds')} ({figure.interval})"
    return f"{100 * figure.value:.1f} ± {100 * figure.half:.1f}"


def who(entrant: Entrant) -> str:
    """Write a recipe with its number of seeds."""
    if not entrant.trained:
        return f"{entrant.recipe} (algorithm)"
    return f"{entrant.recipe} ({len(entrant.seeds)} seed{'s' if len(entrant.seeds) != 1 else ''})"


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Table]:
    """Make a table; none where it has no rows."""
    return [Table(title, tuple(header), tuple(tuple(row) for row in rows))] if rows else []


def noise_note(entrants: Sequence[Entrant], cells: Sequence[str]) -> str:
    """Say how many answers rounding alone turns in some cells, where a record says so."""
    found = [(e.recipe, noise) for e in entrants if (noise := e.noise(cells)) is not None]
    if not found:
        return "How many answers rounding alone turns is in none of these records (`extramaze evaluate --noise-floor`)."
    said = ", ".join(f"{noise:.2%} for {recipe}" for recipe, noise in found)
    return f"Rounding alone (another block size, float64) turns this share of the answers in these cells: {said}."
