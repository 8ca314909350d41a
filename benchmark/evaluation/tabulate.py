"""Turn the finished blocks of one cell into its summary and its per-maze rows."""

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from extramaze.blocks.block import BlockScores
from extramaze.blocks.watching import UNKNOWN, BlockLimits
from extramaze.mazes import describe, generate, layout_hashes
from extramaze.mazes.description import COLUMNS
from extramaze.mazes.scores import KINDS, Failure
from extramaze.records.tallies import first_and_last, tally_answers, tally_limits, tally_rungs
from extramaze.schema.plan import CellPlan
from extramaze.schema.record import PER_MAZE, STUDY_FLOAT32_BETTI, CellResult, LimitResult, columns_of
from extramaze.schema.suite import Cell, Suite


@dataclass(frozen=True)
class CellTable:
    """One cell's result, and its per-maze rows."""

    result: CellResult
    limits: LimitResult | None  # None where it is not watched
    rows: pl.DataFrame
    answers: np.ndarray  # at the last rung, packed: uint8 (N, bytes)


def tabulate(
    suite: Suite, cell: Cell, plan: CellPlan, scores: list[BlockScores], watched: list[BlockLimits]
) -> CellTable:
    """Tabulate a cell from its blocks in order, the fillers of the last one left out."""
    count = plan.mazes
    mazes = generate(cell.maze_spec, count, split=suite.split)
    drawn = mazes.generation
    assert drawn is not None
    description = describe(mazes)
    answered = answer_columns(scores, count)
    right = np.concatenate([block.optimal for block in scores], axis=1)[:, :count].T
    first, last = first_and_last(right, np.array(plan.rungs))
    evaluations = np.concatenate([block.evaluations for block in scores])[:count].tolist()
    columns = {
        "cell": [cell.name] * count,
        "index": np.arange(count),
        **{name: getattr(description, name) for name in COLUMNS},
        **{name: answered[name] for name in answered.columns},
        "first_right": [int(value) or None for value in first],
        "last_right": [int(value) or None for value in last],
        "evaluations": [None if steps < 0 else int(steps) for steps in evaluations],
        **limit_columns(watched, plan.watched, count, suite),
    }
    rows = pl.DataFrame(columns, schema=columns_of(suite), strict=False)
    result = CellResult(
        name=cell.name,
        axis=cell.axis,
        spec=cell.spec,
        n=count,
        mazes_sha256=mazes.digest(),
        drawn=drawn.drawn,
        rejected_split=drawn.rejected_split,
        rejected_endpoints=drawn.rejected_endpoints,
        rejected_path=drawn.rejected_path,
        acceptance=drawn.acceptance,
        layouts=len(set(layout_hashes(mazes.connections).tolist())),
        rungs=tally_rungs(rows, plan.rungs),
        batch=min(int(block.batch[0]) for block in scores),
        **tally_answers(rows),
    )
    answers = np.concatenate([block.answer for block in scores])[:count]
    return CellTable(result, tally_limits(rows, cell.name, suite) if plan.watched else None, rows, answers)


def answer_columns(scores: list[BlockScores], count: int) -> pl.DataFrame:
    """Join blocks of answers into the columns that score them, of the first ``count`` mazes, a row each."""
    right = {kind: np.concatenate([getattr(block, kind) for block in scores], axis=1)[:, :count].T for kind in KINDS}
    failures = np.concatenate([block.failure for block in scores])[:count].tolist()
    columns = {
        **{kind: right[kind].tolist() for kind in KINDS},
        "failure": [None if failure == Failure.NONE else failure for failure in failures],
        "as_dead_end_filling": np.concatenate([block.filling for block in scores])[:count],
    }
    return pl.DataFrame(columns, schema={name: PER_MAZE[name] for name in columns}, strict=False)


def limit_columns(watched: list[BlockLimits], seen: int, mazes: int, suite: Suite) -> dict[str, list]:
    """Join watched blocks into columns, null for the mazes that were not watched and for what was not measured."""
    names = {column: column for column in columns_of(suite) if column in {field.name for field in fields(BlockLimits)}}
    names["limit_right"] = "right"
    nulls = [None] * (mazes - seen)
    columns = {
        column: [value for block in watched for value in getattr(block, name).tolist()][:seen] + nulls
        for column, name in names.items()
    }
    for column in ("exponent", "exponent_error", "alignment"):
        columns[column] = [None if value is None or np.isnan(value) else value for value in columns[column]]
    for column in columns.keys() & {"betti", "study_betti", STUDY_FLOAT32_BETTI}:
        columns[column] = [None if pair is None or pair[0] < 0 else pair for pair in columns[column]]
    columns["depends"] = [None if value in (None, UNKNOWN) else bool(value) for value in columns["depends"]]
    return columns
