"""The noise floor: how many mazes change with what should not matter, the block's size and the precision.

A difference between two solvers that is no larger than this is no difference.
"""

from pathlib import Path

import polars as pl

from extramaze.blocks.identity import refuse_other_solver
from extramaze.blocks.planning import device_of_its_kind
from extramaze.core.errors import InputError
from extramaze.core.files import hold, remove_temporary
from extramaze.evaluation.evaluate import Evaluation, make_evaluation
from extramaze.models.contract import IterativeSolver
from extramaze.records import Record, read_record, settle_files
from extramaze.schema.card import CARD
from extramaze.schema.plan import Mode, Part, Precision, make_part
from extramaze.schema.record import CellNoise
from extramaze.schema.suite import Suite
from extramaze.verification.verification import carry_over

MAZES = 64  # of each cell: float64 costs a CPU up to ten times as much


def add_noise(folder: Path, solver: IterativeSolver, device: str | None = None, quiet: bool = False) -> Record:
    """Measure the noise floor of a folder's record, made by ``solver``, and write it into the record.

    A record that states one stays as it is; a verification stays one of the record. device: default the kind that the
    record was made on. Raises InputError for another kind, another solver, answers that are not of float32 or not of
    every maze, and a submission.
    """
    with hold(folder):
        old = read_record(folder)
        remove_temporary(folder)
        settle_files(folder)
        if old.summary.noise:
            return old
        if (folder / CARD).exists():
            raise InputError(f"{folder} is a submission, which its card seals; submit a record that has a noise floor")
        plan = old.summary.plan
        refuse_other_solver(solver, plan.solver)
        if plan.dtype != "float32" or plan.tf32:
            raise InputError(f"{folder}: a noise floor is of float32 answers to every maze, and these are not")
        place = str(device_of_its_kind(plan, device))
        new = old.changed(noise=noise_floor(solver, plan.suite, place, plan.part, quiet, plan.mode))
        carry_over(folder, old, new)  # first: a floor is measured alike after a kill, and the record is the same then
        new.write(folder)
    return new


def noise_floor(
    solver: IterativeSolver,
    suite: Suite,
    device: str,
    part: Part | None = None,
    quiet: bool = False,
    mode: Mode = "free-running",
) -> list[CellNoise]:
    """Evaluate a solver three times: as always, with blocks of another size, and in float64.

    On the first MAZES mazes of each cell of the suite, or of the part. Raises InputError.
    """
    most = min(MAZES, part.mazes) if part else MAZES
    few = make_part(most, most, part.cells if part else ())
    usual, double = (_unwatched(solver, suite, device, few, dtype, mode) for dtype in ("float32", "float64"))
    other_blocks = Evaluation(solver, usual.plan.with_other_blocks(), usual.device)
    base, *others = (_right(evaluation, quiet) for evaluation in (usual, other_blocks, double))
    block, dtype = (base["right"] != other["right"] for other in others)
    table = base.with_columns(block=block, dtype=dtype, either=block | dtype).group_by("cell", maintain_order=True)
    sums = table.agg(pl.len().alias("mazes"), pl.col("block", "dtype", "either").sum())
    return [CellNoise(**row) for row in sums.iter_rows(named=True)]


def _unwatched(
    solver: IterativeSolver, suite: Suite, device: str, part: Part, dtype: Precision, mode: Mode
) -> Evaluation:
    bare = suite.model_copy(update={"limits": suite.limits.model_copy(update={"cells": ()})})
    return make_evaluation(solver, bare, device, part, dtype, mode)


def _right(evaluation: Evaluation, quiet: bool) -> pl.DataFrame:
    rows = evaluation.run(None, quiet).mazes
    return rows.select("cell", pl.col("optimal").list.last().alias("right"))
