"""The records that findings are drawn from: one pool a suite, of what may be compared; a recipe with all its seeds."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from extramaze.leaderboard import comparable, seeds_by_recipe
from extramaze.mazes import InputError, MazeSpec
from extramaze.records import Record
from extramaze.suites import Cell, Suite

ORDER = ("paper-v1", "laptop-v1", "smoke-v1")  # suites as they are shown; others after these
SCALES = {1: "thin", 2: "e2h"}
FAMILIES = {"dt-net": "DT-Net", "it-net": "IT-Net", "pi-net": "PI-Net"}
RETRAINED = re.compile(r"(dt|it)-net-(thin|e2h)-(p\d+|tuned-\w+)")
DEFAULTS: dict[str, Any] = {"size": 9, "start": "deadend", "percolation": 0.0, "cycles": 0}


@dataclass(frozen=True, eq=False)
class Entrant:
    """One recipe with the records of its seeds, in their order."""

    recipe: str
    records: tuple[Record, ...]

    @property
    def trained(self) -> bool:
        """Whether it has seeds: an algorithm does not."""
        return self.records[0].summary.plan.solver.parameters > 0

    @property
    def seeds(self) -> tuple[int, ...]:
        """The training seeds."""
        return tuple(r.summary.plan.solver.seed or 0 for r in self.records) if self.trained else ()

    @cached_property
    def tables(self) -> list[dict[str, pl.DataFrame]]:
        """The per-maze rows of each seed by cell."""
        return [
            {str(key): rows for (key,), rows in record.mazes.partition_by("cell", as_dict=True).items()}
            for record in self.records
        ]

    def right(self, cell: str, kind: str = "optimal", rung: int = -1) -> np.ndarray:
        """Return which mazes of a cell are right at a rung, float (S, N)."""
        return np.stack([table[cell][kind].list.get(rung).to_numpy().astype(float) for table in self.tables])

    def column(self, cell: str, name: str) -> np.ndarray:
        """Return a column of a cell's rows, (S, N)."""
        return np.stack([table[cell][name].to_numpy() for table in self.tables])

    def watched(self, cell: str) -> list[pl.DataFrame]:
        """Return each seed's rows of a cell whose iterates were watched."""
        return [table[cell].filter(pl.col("limit").is_not_null()) for table in self.tables]

    @property
    def watched_cells(self) -> list[str]:
        """The cells in which iterates were watched."""
        return [result.cell for result in self.records[0].summary.limits if result.n]

    def rungs(self, cell: str) -> tuple[int, ...]:
        """Return the iterations of a cell's rungs."""
        (found,) = (c for c in self.records[0].summary.cells if c.name == cell)
        return tuple(rung.iterations for rung in found.rungs)

    def noise(self, cells: Iterable[str]) -> float | None:
        """Return the share of the cells' mazes that rounding alone turns, over all seeds that say; None if none "
        "does."""
        wanted = set(cells)
        found = [noise for record in self.records for noise in record.summary.noise if noise.cell in wanted]
        return sum(noise.either for noise in found) / sum(noise.mazes for noise in found) if found else None


@dataclass(frozen=True, eq=False)
class Pool:
    """One suite's records that may be compared, by recipe; ``left_out``: others of the same suite, and how they differ.

    cells: those that were run.
    """

    suite: Suite
    cells: tuple[Cell, ...]
    entrants: tuple[Entrant, ...]
    left_out: tuple[str, ...]

    def get(self, recipe: str) -> Entrant | None:
        """Return a recipe's entrant, None where there is no record of it."""
        return next((entrant for entrant in self.entrants if entrant.recipe == recipe), None)

    def named(self, family: str, variant: str = "") -> Entrant | None:
        """Return a family's recipe on this suite's rasters, such as dt-net → dt-net-thin."""
        return self.get(self.recipe(family, variant))

    def recipe(self, family: str, variant: str = "") -> str:
        """Return the recipe's name of a family on this suite's rasters."""
        return f"{family}-{SCALES[self.suite.scale]}{variant}"

    @property
    def plain(self) -> list[Entrant]:
        """Entrants that are not retrained or fine-tuned on cycles (finding 5 has these)."""
        return [entrant for entrant in self.entrants if not RETRAINED.fullmatch(entrant.recipe)]

    @property
    def networks(self) -> list[Entrant]:
        """Plain entrants that are trained."""
        return [entrant for entrant in self.plain if entrant.trained]

    def ladder(self, field: str) -> dict[Any, str]:
        """Return cells that differ in one field of their specification alone: its value → the cell, rising.

        The longest such ladder, the suite's first where several are; {} where there is none of two cells.
        """
        groups: dict[MazeSpec, dict[Any, str]] = {}
        for cell in self.cells:
            spec = cell.maze_spec
            base = replace(spec, **{field: DEFAULTS[field]})
            groups.setdefault(base, {})[getattr(spec, field)] = cell.name
        longest = max(groups.values(), key=len)
        rank = {"deadend": 1, "any": 9}
        ordered = sorted(longest.items(), key=lambda item: rank.get(item[0], item[0]))
        return dict(ordered) if len(longest) > 1 else {}

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
    return [_pool(groups) for _, groups in sorted(by_suite.items(), key=lambda i: (rank.get(i[0], len(rank)), i[0]))]


def _pool(groups: list[list[Record]]) -> Pool:
    free = [group for group in groups if group[0].summary.plan.mode == "free-running"]
    chosen = max(free or groups, key=lambda group: (group[0].summary.plan.part is None, len(group)))
    plan = chosen[0].summary.plan
    entrants = tuple(Entrant(name, tuple(found)) for name, found in sorted(seeds_by_recipe(chosen).items()))
    others = [record for group in groups if group is not chosen for record in group]
    return Pool(plan.suite, tuple(cell for cell, _ in plan.pairs()), entrants, tuple(_difference(o) for o in others))


def _difference(record: Record) -> str:
    plan = record.summary.plan
    part = f", {plan.part}" if plan.part else ""
    return f"{plan.solver.name} ({plan.mode}, {plan.dtype}{', retired' if plan.retire else ''}{part})"
