"""One recipe with the records of all its training seeds, as findings read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from extramaze.findings.variants import is_retrained
from extramaze.leaderboard.notes import marks
from extramaze.records import Record

OWN_INFERENCE = "pi-net"  # the family that is published with an inference of its own, a root finder


@dataclass(frozen=True, eq=False)
class Entrant:
    """One recipe with the records of its seeds, in their order; all of one mode."""

    recipe: str
    records: tuple[Record, ...]

    @property
    def trained(self) -> bool:
        """Whether it has training seeds: an algorithm has none, and of answers made elsewhere none are known."""
        return self.records[0].summary.plan.solver.parameters > 0

    @property
    def handed_in(self) -> bool:
        """Whether its answers were made elsewhere."""
        return self.records[0].summary.plan.mode == "predictions"

    @property
    def own(self) -> bool:
        """Whether it answers by an inference of its own rather than by the plain iteration."""
        return self.records[0].summary.plan.mode == "own"

    @property
    def name(self) -> str:
        """The recipe, and by which inference it answers where it has one of its own."""
        return f"{self.recipe} ({self.inference})" if self.inference else self.recipe

    @property
    def inference(self) -> str:
        """By which inference it answers; nothing where there is but one."""
        if self.own:
            return "own inference"
        return "plain iteration" if self.recipe.startswith(OWN_INFERENCE) else ""

    @property
    def retrained(self) -> bool:
        """Whether it was trained or tuned on mazes with cycles (finding 5)."""
        return is_retrained(self.records[0].summary.plan.solver)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The training seeds."""
        return tuple(r.summary.plan.solver.seed or 0 for r in self.records) if self.trained else ()

    @cached_property
    def marks(self) -> dict[int, str]:
        """The seeds that training left short on mazes like their own (``leaderboard.notes.marks``), and by how much.

        What a retrained recipe is short of is its own mazes, those with cycles.
        """
        return marks(self.records)

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

    def all_watched(self) -> list[pl.DataFrame]:
        """Return each seed's watched rows of all cells; [] where none were watched."""
        cells = [self.watched(cell) for cell in self.watched_cells]
        return [pl.concat(rows) for rows in zip(*cells, strict=True)]

    def rungs(self, cell: str) -> tuple[int, ...]:
        """Return the iterations of a cell's rungs."""
        (found,) = (c for c in self.records[0].summary.cells if c.name == cell)
        return tuple(rung.iterations for rung in found.rungs)

    def noise(self, cells: Iterable[str]) -> float | None:
        """Return the share of the cells' mazes that rounding alone turns; None if no seed's record says."""
        wanted = set(cells)
        found = [noise for record in self.records for noise in record.summary.noise if noise.cell in wanted]
        return sum(noise.either for noise in found) / sum(noise.mazes for noise in found) if found else None
