"""Which records may stand on one board, and which of them are seeds of one recipe."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from extramaze.blocks.plan import ARITHMETIC
from extramaze.core.errors import InputError
from extramaze.records import Record


def comparable(records: Iterable[Record]) -> list[list[Record]]:
    """Group records by what may be compared: whole ones first, then by suite, mazes, contracts and arithmetic."""
    groups: dict[tuple, list[Record]] = defaultdict(list)
    for record in records:
        plan = record.summary.plan
        mazes = tuple(cell.mazes_sha256 for cell in record.summary.cells)
        versions = tuple(sorted(plan.contracts.items()))
        suite = (plan.part is not None, plan.suite.name, plan.suite_sha256, str(plan.part))
        arithmetic = tuple(getattr(plan, name) for name in ARITHMETIC)
        groups[(*suite, mazes, versions, *arithmetic)].append(record)
    return [groups[key] for key in sorted(groups)]


def seeds_by_recipe(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Gather records that may be compared by recipe, in the order of their seeds.

    Raises InputError where two records of one recipe are of the same seed or the same weights.
    """
    by_recipe: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_recipe[record.summary.plan.solver.recipe].append(record)
    for recipe, seeds in by_recipe.items():
        seeds.sort(key=lambda record: record.summary.plan.solver.seed or 0)
        solvers = [record.summary.plan.solver for record in seeds]
        for kind, values in (
            ("seed", [str(solver.seed) for solver in solvers]),
            ("weights", [solver.weights_sha256 or "none" for solver in solvers]),
        ):
            (value, count), *_ = Counter(values).most_common(1)
            if count > 1:
                places = [str(record.folder or record.summary.plan.solver.name) for record in seeds]
                both = " and ".join(place for place, found in zip(places, values, strict=True) if found == value)
                suite = seeds[0].summary.plan.suite.name
                raise InputError(f"{recipe} on {suite}: {both} have one {kind}, {value[:12]}; keep one of them")
    return dict(by_recipe)
