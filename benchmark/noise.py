"""The noise floor: how many answers of one solver change with what should not matter, the block's size and precision.

A difference between two solvers that is no larger than this is no difference.
"""

from dataclasses import dataclass

import polars as pl

from extramaze.evaluation import Evaluation, make_evaluation
from extramaze.models.contract import IterativeSolver
from extramaze.plan import Part, Precision
from extramaze.suites import Suite


@dataclass(frozen=True)
class Noise:
    """One cell: its mazes, and how many are right in one run and wrong in the other, at the last rung.

    block: with blocks of half the size. dtype: in float64.
    """

    cell: str
    mazes: int
    block: int
    dtype: int


def noise_floor(
    solver: IterativeSolver, suite: Suite, device: str, part: Part | None, quiet: bool = False
) -> list[Noise]:
    """Evaluate a solver three times: as always, with blocks of another size, and in float64. Raises InputError."""
    usual, double = (_unwatched(solver, suite, device, part, dtype) for dtype in ("float32", "float64"))
    cells = tuple(c.model_copy(update={"block": c.block // 2 or 2}) for c in usual.plan.cells)
    halved = Evaluation(solver, usual.plan.model_copy(update={"cells": cells}), usual.device)
    base, *others = (_right(evaluation, quiet) for evaluation in (usual, halved, double))
    changed = [
        (base["right"] != other["right"]).alias(name) for name, other in zip(("block", "dtype"), others, strict=True)
    ]
    table = base.with_columns(changed).group_by("cell", maintain_order=True)
    sums = table.agg(pl.len().alias("mazes"), pl.col("block").sum(), pl.col("dtype").sum())
    return [Noise(row["cell"], row["mazes"], row["block"], row["dtype"]) for row in sums.iter_rows(named=True)]


def _unwatched(solver: IterativeSolver, suite: Suite, device: str, part: Part | None, dtype: Precision) -> Evaluation:
    bare = suite.model_copy(update={"limits": suite.limits.model_copy(update={"cells": ()})})
    return make_evaluation(solver, bare, device, part, dtype)


def _right(evaluation: Evaluation, quiet: bool) -> pl.DataFrame:
    rows = evaluation.run(None, quiet).mazes
    return rows.select("cell", pl.col("optimal").list.last().alias("right"))
