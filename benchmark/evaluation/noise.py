"""The noise floor: how many mazes change with what should not matter, the block's size and the precision.

A difference between two solvers that is no larger than this is no difference.
"""

import polars as pl

from extramaze.blocks.plan import Part, Precision, make_part
from extramaze.evaluation.evaluate import Evaluation, make_evaluation
from extramaze.models.contract import IterativeSolver
from extramaze.records.schema import CellNoise
from extramaze.suites import Suite

MAZES = 64  # of each cell: float64 costs a CPU up to ten times as much


def noise_floor(
    solver: IterativeSolver, suite: Suite, device: str, part: Part | None = None, quiet: bool = False
) -> list[CellNoise]:
    """Evaluate a solver three times: as always, with blocks of another size, and in float64.

    On the first MAZES mazes of each cell of the suite, or of the part. Raises InputError.
    """
    most = min(MAZES, part.mazes) if part else MAZES
    few = make_part(most, most, part.cells if part else ())
    usual, double = (_unwatched(solver, suite, device, few, dtype) for dtype in ("float32", "float64"))
    other_blocks = Evaluation(solver, usual.plan.with_other_blocks(), usual.device)
    base, *others = (_right(evaluation, quiet) for evaluation in (usual, other_blocks, double))
    block, dtype = (base["right"] != other["right"] for other in others)
    table = base.with_columns(block=block, dtype=dtype, either=block | dtype).group_by("cell", maintain_order=True)
    sums = table.agg(pl.len().alias("mazes"), pl.col("block", "dtype", "either").sum())
    return [CellNoise(**row) for row in sums.iter_rows(named=True)]


def _unwatched(solver: IterativeSolver, suite: Suite, device: str, part: Part, dtype: Precision) -> Evaluation:
    bare = suite.model_copy(update={"limits": suite.limits.model_copy(update={"cells": ()})})
    return make_evaluation(solver, bare, device, part, dtype)


def _right(evaluation: Evaluation, quiet: bool) -> pl.DataFrame:
    rows = evaluation.run(None, quiet).mazes
    return rows.select("cell", pl.col("optimal").list.last().alias("right"))
