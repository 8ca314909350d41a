"""The records that findings are drawn from: one pool a suite, of what may be compared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from extramaze.core.errors import InputError
from extramaze.findings.entrants import Entrant
from extramaze.leaderboard.grouping import comparable, seeds_by_recipe
from extramaze.records import Record
from extramaze.schema.plan import ARITHMETIC, Plan
from extramaze.schema.suite import Cell, Suite

ORDER = ("paper-v1", "laptop-v1", "limits-v1", "smoke-v1")  # suites as they are shown; others after these
SMALL, LARGE = "smoke-v1", "laptop-v1"  # the first asks less of the same: solvers of both have tables in the second
SCALES = {1: "thin", 2: "e2h"}
FAMILIES = {"dt-net": "DT-Net", "it-net": "IT-Net", "pi-net": "PI-Net"}
FREE = "free-running"


@dataclass(frozen=True, eq=False)
class Pool:
    """One suite's records that may be compared, by recipe; ``left_out``: others of the same suite, and how they differ.

    cells: those that were run. own: the same solvers run by an inference of their own. elsewhere: recipes (and whether
    by their own inference) whose tables stand under a larger suite.
    """

    suite: Suite
    cells: tuple[Cell, ...]
    entrants: tuple[Entrant, ...]
    own: tuple[Entrant, ...]
    left_out: tuple[str, ...]
    elsewhere: frozenset[tuple[str, bool]] = frozenset()

    def get(self, recipe: str) -> Entrant | None:
        """Return a recipe's entrant, None where there is no record of it."""
        return next((entrant for entrant in self.entrants if entrant.recipe == recipe), None)

    def named(self, family: str, variant: str = "") -> Entrant | None:
        """Return a family's recipe on this suite's rasters, such as dt-net → dt-net-thin."""
        return self.get(self.recipe(family, variant))

    def answering(self, family: str) -> Entrant | None:
        """Return the entrant by which a family's accuracy is judged: its own inference where that was run."""
        name = self.recipe(family)
        return next((entrant for entrant in self.own if entrant.recipe == name), self.named(family))

    def recipe(self, family: str, variant: str = "") -> str:
        """Return the recipe's name of a family on this suite's rasters."""
        return f"{family}-{SCALES[self.suite.scale]}{variant}"

    def families(self, entrants: Iterable[Entrant]) -> list[Entrant]:
        """Return those that are a family's plain recipe."""
        names = [self.recipe(family) for family in FAMILIES]
        return [entrant for entrant in entrants if entrant.recipe in names]

    def count(self, cell: str) -> int:
        """Return how many mazes of a cell were run."""
        return self.entrants[0].right(cell).shape[1]

    @property
    def plain(self) -> list[Entrant]:
        """Entrants that are not retrained or fine-tuned on cycles (finding 5 has these)."""
        return [entrant for entrant in self.entrants if not entrant.retrained]

    @property
    def answerers(self) -> list[Entrant]:
        """Plain entrants, each followed by itself under its own inference."""
        return sorted([*self.plain, *self.own], key=lambda entrant: (entrant.recipe, entrant.own))

    @property
    def networks(self) -> list[Entrant]:
        """Plain entrants that are trained."""
        return [entrant for entrant in self.plain if entrant.trained]

    def in_tables(self, entrants: Iterable[Entrant]) -> list[Entrant]:
        """Return those whose rows stand in this suite's tables."""
        return [entrant for entrant in entrants if (entrant.recipe, entrant.own) not in self.elsewhere]

    def ladder(self, field: str) -> dict[Any, str]:
        """Return cells that differ in one field of their specification alone: its value → the cell, rising.

        The longest such ladder, the suite's first where several are; {} where there is none of two cells.
        """
        groups: dict[tuple, dict[Any, str]] = {}
        for cell in self.cells:
            spec = vars(cell.maze_spec)
            rest = tuple(value for name, value in spec.items() if name != field)
            groups.setdefault(rest, {})[spec[field]] = cell.name
        longest = max(groups.values(), key=len)
        rank = {"deadend": 1, "any": 9}
        ordered = sorted(longest.items(), key=lambda item: rank.get(item[0], item[0]))
        return dict(ordered) if len(longest) > 1 else {}

    def starts_anywhere(self, cell: str) -> bool:
        """Whether the mazes of a cell need not start in a dead end."""
        return any(found.maze_spec.start == "any" for found in self.cells if found.name == cell)

    def axis(self, name: str) -> list[str]:
        """Return the cells of an axis."""
        return [cell.name for cell in self.cells if cell.axis == name]


def make_pools(records: Sequence[Record], partial: bool = False) -> list[Pool]:
    """Gather records into one pool a suite: the largest group that may be compared; the rest is named.

    partial: use parts of suites too. Raises InputError where nothing is left, or for two records of one seed.
    """
    whole = [record for record in records if partial or record.summary.plan.part is None]
    if not whole:
        raise InputError(
            f"none of the {len(records)} records is of a whole suite; evaluate without --limit, --cells and --budget, "
            "or try with --partial"
        )
    by_suite: dict[str, list[list[Record]]] = {}
    for group in comparable(whole):
        by_suite.setdefault(group[0].summary.plan.suite.name, []).append(group)
    rank = {name: place for place, name in enumerate(ORDER)}
    ordered = sorted(by_suite.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0]))
    pools = {name: _pool(groups) for name, groups in ordered}
    if SMALL in pools and LARGE in pools:
        pools[SMALL] = replace(pools[SMALL], elsewhere=_elsewhere(pools[SMALL], pools[LARGE]))
    return list(pools.values())


def _elsewhere(small: Pool, large: Pool) -> frozenset[tuple[str, bool]]:
    """Return what the larger suite has with at least as many seeds."""
    seeds = {(entrant.recipe, entrant.own): len(entrant.seeds) for entrant in large.answerers}
    keys = ((entrant.recipe, entrant.own, len(entrant.seeds)) for entrant in small.answerers)
    return frozenset((recipe, own) for recipe, own, count in keys if seeds.get((recipe, own), -1) >= count)


def _pool(groups: list[list[Record]]) -> Pool:
    free = [group for group in groups if group[0].summary.plan.mode == FREE]
    chosen = max(free or groups, key=lambda group: (group[0].summary.plan.part is None, len(group)))
    plan = chosen[0].summary.plan
    own = [g for g in groups if g is not chosen and g[0].summary.plan.mode == "own" and _alike(g[0], chosen[0])]
    others = [record for group in groups if group is not chosen and group not in own for record in group]
    return Pool(
        plan.suite,
        tuple(cell for cell, _ in plan.pairs()),
        _entrants(chosen),
        tuple(entrant for group in own for entrant in _entrants(group)),
        tuple(_difference(o) for o in others),
    )


def _alike(first: Record, second: Record) -> bool:
    """Whether two records are of the same mazes in the same arithmetic, whatever their modes."""

    def key(plan: Plan) -> tuple:
        arithmetic = [getattr(plan, name) for name in ARITHMETIC if name != "mode"]
        return plan.suite_sha256, plan.part, plan.contracts, arithmetic

    mazes = ([cell.mazes_sha256 for cell in record.summary.cells] for record in (first, second))
    return key(first.summary.plan) == key(second.summary.plan) and next(mazes) == next(mazes)


def _entrants(records: list[Record]) -> tuple[Entrant, ...]:
    return tuple(Entrant(name, tuple(found)) for name, found in sorted(seeds_by_recipe(records).items()))


def _difference(record: Record) -> str:
    plan = record.summary.plan
    part = f", {plan.part}" if plan.part else ""
    return f"{plan.solver.name} ({plan.mode}, {plan.dtype}{part})"
