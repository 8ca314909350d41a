"""Records: what an evaluation leaves behind, as evidence. A folder with ``record.json`` and ``mazes.parquet``.

Records are data: reading one runs nothing. The summary states the sha256 of the per-maze table and of itself, so an
altered record is noticed.
"""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from extramaze.mazes import InputError
from extramaze.mazes.describe import COLUMNS, COUNTS
from extramaze.mazes.files import make_folder, read_bytes, write_atomically
from extramaze.models.schema import Strict, check_model
from extramaze.parquet import open_table
from extramaze.plan import Plan
from extramaze.scoring import clopper_pearson_high, wilson
from extramaze.suites import Suite

SCHEMA = "extramaze-record-2"
SUMMARY, TABLE = "record.json", "mazes.parquet"
MAX_BYTES = 256 * 2**20
KINDS = ("exact", "valid", "optimal")

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
    "audit_agrees": pl.Boolean,  # the answer was the same as when it would have been retired; null: not audited
    "evaluations": pl.Int32,  # of the step, up to the last rung; null: answers that were handed in
    "limit": pl.String,  # null: not watched
    "period": pl.Int32,
    "residual": pl.Float64,
    "limit_right": pl.Boolean,  # optimal at the watched trajectory's last iterate
}


class Tally(Strict):
    """A share with Wilson's 95 % interval."""

    right: int = Field(ge=0)
    share: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)

    @classmethod
    def of(cls, right: int, count: int) -> "Tally":
        """Count ``right`` of ``count``."""
        low, high = wilson(right, count)
        return cls(right=right, share=right / count, low=low, high=high)


class Rung(Strict):
    """Scores after a number of iterations."""

    iterations: int
    exact: Tally
    valid: Tally
    optimal: Tally


class Audit(Strict):
    """Retired mazes that ran to the end all the same: how many, how many then answered otherwise at some rung, and the
    upper end of Clopper and Pearson's one-sided 95 % interval (Biometrika 1934) of their share.
    """

    audited: int = Field(ge=0)
    disagree: int = Field(ge=0)
    high: float = Field(ge=0, le=1)

    @classmethod
    def of(cls, disagree: int, audited: int) -> "Audit":
        """Count ``disagree`` of ``audited``; nothing is known where none was audited."""
        return cls(audited=audited, disagree=disagree, high=clopper_pearson_high(disagree, audited))


class CellResult(Strict):
    """One cell's mazes and scores.

    drawn, rejected_split, rejected_endpoints, rejected_path: attempts at its mazes, and why some were not kept.
    acceptance: the share kept of those in the split; below 1 the mazes are a filtered population. layouts: distinct
    ones up to symmetry. means: of every measure of the mazes.
    failures: wrong answers at the last rung by kind. overthought: right at an earlier rung, wrong at the last.
    as_dead_end_filling: answers at the last rung equal to dead-end filling's. audit: None where none was retired.
    mean_evaluations: of the step, a maze. batch: the fewest mazes computed together, less than the block where a GPU's
    memory did not suffice.
    """

    name: str
    axis: str
    spec: str
    n: int = Field(ge=1)
    mazes_sha256: str
    drawn: int = Field(ge=1)
    rejected_split: int = Field(ge=0)
    rejected_endpoints: int = Field(ge=0)
    rejected_path: int = Field(ge=0)
    acceptance: float = Field(ge=0, le=1)
    layouts: int = Field(ge=1)
    means: dict[str, float]
    rungs: tuple[Rung, ...] = Field(min_length=1)
    median_first_right: float | None
    failures: dict[str, int]
    overthought: Tally
    as_dead_end_filling: Tally
    audit: Audit | None
    mean_evaluations: float | None
    batch: int = Field(ge=1)


class LimitCount(Strict):
    """Watched trajectories with one limit, by whether they ended on an optimal answer."""

    limit: str
    right: int = Field(ge=0)
    wrong: int = Field(ge=0)


class LimitResult(Strict):
    """What the raw iterates of one cell's watched mazes did, in float64. ``periods``: trajectories by cycle length."""

    cell: str
    n: int
    burn_in: int
    window: int
    counts: tuple[LimitCount, ...]
    periods: dict[int, int]


class Run(Strict):
    """When and how an evaluation was run; the only part that differs between two runs of one plan.

    seconds: wall-clock of the run that finished it; a resumed one read back what was done before.
    """

    finished: str
    seconds: float
    command: str


class Summary(Strict):
    """The summary of a record (``record.json``)."""

    schema_: Literal["extramaze-record-2"] = Field(alias="schema")
    plan: Plan
    cells: tuple[CellResult, ...]
    limits: tuple[LimitResult, ...]
    table_sha256: str
    run: Run
    sha256: str


@dataclass(frozen=True, eq=False)
class Record:
    """An evaluation's summary and its per-maze table (columns: PER_MAZE), with the table's bytes as sealed."""

    summary: Summary
    mazes: pl.DataFrame
    table: bytes

    @classmethod
    def seal(
        cls, plan: Plan, cells: list[CellResult], limits: list[LimitResult], mazes: pl.DataFrame, run: Run
    ) -> "Record":
        """Put a record together and state its digests."""
        buffer = io.BytesIO()
        mazes.write_parquet(buffer, compression="zstd", statistics=False)
        table = buffer.getvalue()
        content = {
            "schema": SCHEMA,
            "plan": plan.model_dump(mode="json"),
            "cells": [cell.model_dump(mode="json") for cell in cells],
            "limits": [limit.model_dump(mode="json") for limit in limits],
            "table_sha256": hashlib.sha256(table).hexdigest(),
            "run": run.model_dump(mode="json"),
        }
        return cls(Summary.model_validate({**content, "sha256": content_sha256(content)}), mazes, table)

    def write(self, folder: Path) -> None:
        """Write the two files, each atomically, the summary last."""
        make_folder(folder)
        write_atomically(folder / TABLE, self.table)
        content = self.summary.model_dump(mode="json", by_alias=True)
        write_atomically(folder / SUMMARY, (json.dumps(content, indent=1) + "\n").encode())


def content_sha256(content: Mapping[str, Any]) -> str:
    """Hash the content of a record.json, all but the stated digest: of what was written, not of what a reader knows."""
    stated = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_record(folder: Path) -> Record:
    """Read a record. Raises InputError where it is unreadable, altered, of another schema, or not of one piece."""
    try:
        content = json.loads(read_bytes(folder / SUMMARY, MAX_BYTES))
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{folder / SUMMARY}: not readable as JSON: {problem}") from problem
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, str) and schema != SCHEMA:
        raise InputError(
            f"{folder / SUMMARY}: of the schema {schema[:40]}, this version reads {SCHEMA}; evaluate again"
        )
    summary = check_model(Summary, content, str(folder / SUMMARY))
    if content_sha256(content) != summary.sha256:
        raise InputError(f"{folder / SUMMARY}: altered since it was written (its sha256 differs); evaluate again")
    table = read_bytes(folder / TABLE, MAX_BYTES)
    if hashlib.sha256(table).hexdigest() != summary.table_sha256:
        raise InputError(f"{folder / TABLE}: altered or not this record's (its sha256 differs); evaluate again")
    cells = summary.plan.cells
    try:
        mazes = open_table(
            table, sum(cell.mazes for cell in cells), max((len(cell.rungs) for cell in cells), default=0)
        )
    except InputError as problem:
        raise InputError(f"{folder / TABLE}: {problem}; evaluate again") from problem
    if any(mazes.schema.get(name) != kind for name, kind in PER_MAZE.items()):
        found = ", ".join(f"{name} {kind}" for name, kind in mazes.schema.items())
        raise InputError(f"{folder / TABLE}: expected the columns {', '.join(PER_MAZE)}; got {found}")
    record = Record(summary, mazes, table)
    contradiction = inconsistency(record)
    if contradiction:
        raise InputError(f"{folder}: the record contradicts itself: {contradiction}; evaluate again")
    return record


def inconsistency(record: Record) -> str | None:
    """Say where a record's summary, plan and rows contradict one another; None where they do not."""
    plan, summary = record.summary.plan, record.summary
    if plan.suite.digest() != plan.suite_sha256:
        return "the suite is not the one whose sha256 is stated"
    chosen = plan.part.cells if plan.part else ()
    suites = [cell.name for cell in plan.suite.cells if not chosen or cell.name in chosen]
    if suites != [planned.name for planned in plan.cells]:
        return "its cells are not those of the suite"
    if [(planned.name, planned.mazes) for planned in plan.cells] != [(cell.name, cell.n) for cell in summary.cells]:
        return "its cells are not those of the plan"
    for (cell, planned), result in zip(plan.pairs(), summary.cells, strict=True):
        rows = record.mazes.filter(pl.col("cell") == cell.name)
        if (cell.axis, cell.spec) != (result.axis, result.spec) or rows["index"].to_list() != list(range(result.n)):
            return f"{cell.name}: its rows are not those of the plan"
        if planned.rungs != tuple(rung.iterations for rung in result.rungs):
            return f"{cell.name}: its rungs are not those of the plan"
        if tally_rungs(rows, planned.rungs) != result.rungs:
            return f"{cell.name}: its scores are not those of its rows"
        if any(getattr(result, name) != value for name, value in tally_answers(rows, plan.retire).items()):
            return f"{cell.name}: its counts are not those of its rows"
    if len(record.mazes) != sum(cell.n for cell in summary.cells):
        return "there are rows of no cell"
    watched = [c.name for c in plan.cells if c.watched]
    if tuple(tally_limits(record.mazes, name, plan.suite) for name in watched) != summary.limits:
        return "its limits are not those of its rows"
    return None


def tally_rungs(rows: pl.DataFrame, rungs: tuple[int, ...]) -> tuple[Rung, ...]:
    """Count right answers of one cell's rows at every rung."""
    counts = {kind: np.array(rows[kind].to_list(), dtype=int).reshape(len(rows), -1).sum(axis=0) for kind in KINDS}
    if any(len(count) != len(rungs) for count in counts.values()):
        return ()
    return tuple(
        Rung(iterations=rung, **{kind: Tally.of(int(counts[kind][r]), len(rows)) for kind in KINDS})
        for r, rung in enumerate(rungs)
    )


def tally_answers(rows: pl.DataFrame, retire: bool) -> dict[str, Any]:
    """Count what one cell's rows say beside the rungs, by the names of CellResult's fields."""
    found, right = rows["first_right"].is_not_null(), rows["optimal"].list.last()
    audited = rows["audit_agrees"].drop_nulls()
    evaluations = rows["evaluations"].drop_nulls()
    return {
        "means": {name: float(rows[name].to_numpy().mean()) for name in COLUMNS},
        "failures": dict(sorted(Counter(rows["failure"].drop_nulls()).items())),
        "median_first_right": rows["first_right"].median(),
        "overthought": Tally.of(int((found & ~right).sum()), len(rows)),
        "as_dead_end_filling": Tally.of(int(rows["as_dead_end_filling"].sum()), len(rows)),
        "audit": Audit.of(int((~audited).sum()), len(audited)) if retire else None,
        "mean_evaluations": float(evaluations.to_numpy().mean()) if len(evaluations) else None,
    }


def tally_limits(mazes: pl.DataFrame, cell: str, suite: Suite) -> LimitResult:
    """Count the limits of one cell's watched mazes, by whether they ended on an optimal answer."""
    seen = mazes.filter((pl.col("cell") == cell) & pl.col("limit").is_not_null())
    right = Counter(seen.filter(pl.col("limit_right"))["limit"])
    wrong = Counter(seen.filter(~pl.col("limit_right"))["limit"])
    return LimitResult(
        cell=cell,
        n=len(seen),
        burn_in=suite.limits.burn_in,
        window=suite.limits.window,
        counts=tuple(LimitCount(limit=name, right=right[name], wrong=wrong[name]) for name in sorted(right | wrong)),
        periods=dict(sorted(Counter(seen.filter(pl.col("limit") == "cycle")["period"]).items())),
    )
