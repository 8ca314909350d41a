"""What a record consists of: the columns of its per-maze table, and the checked schema of its summary."""

from collections.abc import Iterable
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from extramaze.core.checked import CommandLine, Count, Digest, Growing, Instant, OneLine, Positive, Strict
from extramaze.dynamics.limits import Limit
from extramaze.mazes.description import COUNTS
from extramaze.schema.plan import CellPlan, Plan
from extramaze.schema.suite import Suite

SCHEMA = "extramaze-record-4"

PER_MAZE: dict[str, pl.DataType | type[pl.DataType]] = {
    "cell": pl.String,
    "index": pl.UInt32,
    **dict.fromkeys(COUNTS, pl.Int64),
    "tortuosity": pl.Float64,
    "exact": pl.List(pl.Boolean),  # one a rung
    "valid": pl.List(pl.Boolean),
    "optimal": pl.List(pl.Boolean),
    "first_right": pl.Int32,  # iterations at the first rung where the answer was optimal; null: at none
    "last_right": pl.Int32,
    "failure": pl.String,  # at the last rung; null: optimal
    "as_dead_end_filling": pl.Boolean,  # the answer at the last rung is dead-end filling's
    "evaluations": pl.Int32,  # of the step, up to the last rung; null: answers that were handed in
    "limit": pl.String,  # null: not watched
    "period": pl.Int32,
    "residual": pl.Float64,
    "limit_right": pl.Boolean,  # optimal at the watched trajectory's last iterate
    "exponent": pl.Float64,  # the largest Lyapunov exponent, nats a step; null: not estimated
    "exponent_error": pl.Float64,
    "betti": pl.List(pl.Int32),  # B0 and B1; null: not watched, diverged or drifting
    "study_betti": pl.List(pl.Int32),
    "latent_motion": pl.Float64,  # root mean square over the numbers of a state, largest within a window of the limit
    "logit_motion": pl.Float64,
    "flipping": pl.Float64,  # share of open pixels whose prediction changes within a window of the limit
    "alignment": pl.Float64,  # cosine of limits from different initial states, their mean; null: not measured
    "depends": pl.Boolean,  # the answer is another one from another initial state
}

STUDY_FLOAT32_BETTI = "study_float32_betti"


def columns_of(suite: Suite) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Return the columns of a suite's per-maze tables: those of all, and those that it asks for."""
    return PER_MAZE | ({STUDY_FLOAT32_BETTI: pl.List(pl.Int32)} if suite.limits.rules else {})


class Tally(Strict):
    """A share with Wilson's 95 % interval."""

    right: Count
    share: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


class Rung(Strict):
    """Scores after a number of iterations."""

    iterations: Positive
    exact: Tally
    valid: Tally
    optimal: Tally


class CellResult(Strict):
    """One cell's mazes and scores.

    drawn, rejected_split, rejected_endpoints, rejected_path: attempts at its mazes, and why some were not kept.
    acceptance: the share kept of those in the split; below 1 the mazes are a filtered population. layouts: distinct
    ones up to symmetry. means: of every measure of the mazes.
    failures: wrong answers at the last rung by kind. overthought: right at an earlier rung, wrong at the last.
    as_dead_end_filling: answers at the last rung equal to dead-end filling's.
    mean_evaluations: of the step, a maze. batch: the fewest mazes computed together, less than the block where a GPU's
    memory did not suffice.
    """

    name: OneLine
    axis: OneLine
    spec: OneLine
    n: Positive
    mazes_sha256: Digest
    drawn: Positive
    rejected_split: Count
    rejected_endpoints: Count
    rejected_path: Count
    acceptance: float = Field(ge=0, le=1)
    layouts: Positive
    means: dict[OneLine, float]
    rungs: tuple[Rung, ...] = Field(min_length=1)
    median_first_right: float | None
    failures: dict[OneLine, Count]
    overthought: Tally
    as_dead_end_filling: Tally
    mean_evaluations: float | None
    batch: Positive


class LimitCount(Strict):
    """Watched trajectories with one limit: right and wrong, by whether they ended on an optimal answer.

    flips: those whose prediction changes within a window of the limit. depends: those whose answer is another one from
    another initial state; None where that was not measured.
    """

    limit: Limit
    right: Count
    wrong: Count
    flips: Count
    depends: Count | None


class LimitResult(Growing):
    """What the raw iterates of one cell's watched mazes did.

    periods: trajectories by cycle length. betti, study_betti: trajectories by Betti numbers ("B0,B1"), by our rule and
    by that of arXiv 2410.03020; study_float32_betti: by its procedure in float32, None where the suite does not ask.
    alignment: mean cosine of limits from different initial states, None if not measured.
    """

    cell: OneLine
    n: Count
    burn_in: Count
    window: Count
    counts: tuple[LimitCount, ...]
    periods: dict[Positive, Count]
    betti: dict[OneLine, Count]
    study_betti: dict[OneLine, Count]
    alignment: float | None
    study_float32_betti: dict[OneLine, Count] | None = None

    added: ClassVar[tuple[str, ...]] = (STUDY_FLOAT32_BETTI,)


class LimitOdds(Strict):
    """One limit against the rest, over all watched cells as strata: the odds of being right (Mantel & Haenszel, 1959).

    ratio: with the limit, divided by without it; low, high: its 95 % interval; None: beyond every bound, or, for the
    ratio, without value. p: exact, two-sided. informative: cells that have both limits and both outcomes. exact: the
    interval is the exact conditional one.
    """

    limit: Limit
    ratio: float | None
    low: float = Field(ge=0)
    high: float | None
    p: float = Field(ge=0, le=1)
    informative: Count
    exact: bool


class CellNoise(Strict):
    """One cell's noise floor: of ``mazes``, how many change from right to wrong or back by rounding alone.

    block: with blocks of another size. dtype: in float64. either: in one of the two.
    """

    cell: OneLine
    mazes: Positive
    block: Count
    dtype: Count
    either: Count


class RunInfo(Strict):
    """When and how an evaluation was run; the only part that differs between two runs of one plan.

    seconds: wall-clock of the run that finished it; a resumed one read back what was done before. peak_memory_bytes:
    the most held meanwhile (on a GPU: allocated there); None where the system does not tell, and of gathered shards.
    """

    finished: Instant
    seconds: float
    command: CommandLine
    peak_memory_bytes: Count | None


class MadeAs(Strict):
    """What a record was before it was brought to this schema."""

    schema_: OneLine = Field(alias="schema")
    sha256: Digest


class Summary(Strict):
    """The summary of a record (``record.json``)."""

    schema_: Literal["extramaze-record-4"] = Field(alias="schema")
    made_as: MadeAs | None  # None: in this schema
    plan: Plan
    cells: tuple[CellResult, ...]
    limits: tuple[LimitResult, ...]
    odds: tuple[LimitOdds, ...]
    noise: tuple[CellNoise, ...]  # empty unless it was asked for
    table_sha256: Digest  # of the per-maze rows
    answers_sha256: Digest | None  # of the answers at the last rung; None: they were not kept
    run: RunInfo
    sha256: Digest  # of all the rest of this summary


def widest_list(cells: Iterable[CellPlan]) -> int:
    """Return the most values that a row of a per-maze table has in one column: one a rung, or two Betti numbers."""
    return max((2, *(len(cell.rungs) for cell in cells)))
