"""Compare two records maze by maze: wins and losses, an exact test, and an interval of the difference."""

from dataclasses import dataclass

from extramaze.core.errors import NotComparable
from extramaze.core.words import tails
from extramaze.records import Record
from extramaze.records.measures import Measure, both_watched, fates_told, optimal, watched, with_fate
from extramaze.schema.plan import ARITHMETIC
from extramaze.statistics import Paired, difference_interval, holm, mcnemar

POOLED = "all"


@dataclass(frozen=True)
class PairedLine:
    """One cell, or all together: the pairs, the difference (first less second) with its 95 % interval, and p-values.

    p_value: exact McNemar. adjusted: Holm's, over the cells of the measure; None for the pooled line, which is one
    test of its own.
    """

    cell: str
    pairs: Paired
    difference: float
    low: float
    high: float
    p_value: float
    adjusted: float | None


@dataclass(frozen=True)
class Compared:
    """One measure of both records: a line a cell, and one of all mazes together."""

    measure: str
    cells: tuple[PairedLine, ...]
    pooled: PairedLine


@dataclass(frozen=True)
class Comparison:
    """Two records on the same mazes.

    noise_floor: the share of mazes whose answer a mere change of rounding turns, as the records state it; None where
    neither does. notes: what else differs between the two. same: whether both are one record.
    """

    first: str
    second: str
    suite: str
    measures: tuple[Compared, ...]
    noise_floor: float | None
    notes: tuple[str, ...]
    same: bool


def compare(first: Record, second: Record) -> Comparison:
    """Compare two records. Raises NotComparable, naming what differs, unless they are of the same mazes and rules."""
    differs = differences(first, second)
    if differs:
        raise NotComparable(f"{' and '.join(names_of(first, second))} are not comparable: {'; '.join(differs)}")
    measures = [_compared(optimal(first), optimal(second))]
    if both_watched(first, second):
        measures += [_compared(with_fate(first, name), with_fate(second, name)) for name in fates_told(first)]
    names = names_of(first, second)
    floors = [floor for floor in (stated_noise(first), stated_noise(second)) if floor is not None]
    return Comparison(
        first=names[0],
        second=names[1],
        suite=first.summary.plan.suite.name,
        measures=tuple(measures),
        noise_floor=max(floors, default=None),
        notes=tuple(circumstances(first, second)),
        same=first.summary == second.summary,
    )


def names_of(first: Record, second: Record) -> tuple[str, str]:
    """Return the names of two records' solvers; where they are one, with the ends of the folders that differ."""
    one, other = (record.summary.plan.solver.name for record in (first, second))
    if one != other:
        return one, other
    known = first.folder is not None and second.folder is not None
    apart = tails(first.folder, second.folder) if known else None  # type: ignore[arg-type]
    return tuple(f"{one} ({end})" for end in apart or ("the first", "the second"))  # type: ignore[return-value]


def differences(first: Record, second: Record) -> list[str]:
    """Name what makes two records answers to different questions; empty where they may be compared."""
    a, b = first.summary.plan, second.summary.plan
    found = []
    if a.suite_sha256 != b.suite_sha256:
        names = f"{a.suite.name} and {b.suite.name}"
        found.append(f"suites {names}" if a.suite.name != b.suite.name else f"two suites called {a.suite.name}")
    if a.part != b.part:
        parts = f"{a.part or 'the whole suite'}, and {b.part or 'the whole suite'}"
        found.append(f"mazes: {parts} (evaluate both with the same --cells, --limit and --budget)")
    for name in sorted(a.contracts.keys() | b.contracts.keys()):
        versions = (a.contracts.get(name, "none"), b.contracts.get(name, "none"))
        if versions[0] != versions[1]:
            found.append(f"version of {name}: {versions[0]} and {versions[1]}")
    if not found:
        pairs = zip(first.summary.cells, second.summary.cells, strict=True)
        found += [f"mazes of {one.name}" for one, other in pairs if one.mazes_sha256 != other.mazes_sha256]
    return found


def circumstances(first: Record, second: Record) -> list[str]:
    """Name what differs in how two records were made, and does not keep them from being compared."""
    a, b = first.summary.plan, second.summary.plan
    recipes = a.solver.recipe, b.solver.recipe
    found = [] if recipes[0] == recipes[1] else [f"recipe: {recipes[0]} and {recipes[1]}"]
    made = (*ARITHMETIC, "device") if recipes[0] != recipes[1] else (*ARITHMETIC, "device", "iteration")
    found += [
        f"{name}: {getattr(a, name)} and {getattr(b, name)}" for name in made if getattr(a, name) != getattr(b, name)
    ]
    for name in sorted(a.packages.keys() & b.packages.keys()):
        if a.packages[name] != b.packages[name]:
            found.append(f"{name} {a.packages[name]} and {b.packages[name]}")
    if len(watched(first)) != len(watched(second)):
        found.append(f"iterates watched: {len(watched(first))} and {len(watched(second))}")
    return found


def stated_noise(record: Record) -> float | None:
    """Return the share of mazes that a mere change of rounding turns, where a record states it."""
    noise = record.summary.noise
    return sum(cell.either for cell in noise) / sum(cell.mazes for cell in noise) if noise else None


def _compared(first: Measure, second: Measure) -> Compared:
    pairs = {cell: Paired.of(first.cells[cell][1], second.cells[cell][1]) for cell in first.cells}
    adjusted = holm([mcnemar(pair) for pair in pairs.values()])
    lines = tuple(_line(cell, pairs[cell], value) for cell, value in zip(pairs, adjusted, strict=True))
    return Compared(first.name, lines, _line(POOLED, Paired.of(first.pooled, second.pooled), None))


def _line(cell: str, pairs: Paired, adjusted: float | None) -> PairedLine:
    low, high = difference_interval(pairs)
    return PairedLine(cell, pairs, pairs.difference, low, high, mcnemar(pairs), adjusted)
