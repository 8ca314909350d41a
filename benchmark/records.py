"""Records: what an evaluation leaves behind, as evidence. A folder with ``record.json`` and ``mazes.parquet``.

Records are data: reading one runs nothing. The summary states the sha256 of the per-maze table and of itself, so an
altered record is noticed.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from extramaze.mazes import InputError
from extramaze.mazes.files import make_folder, read_bytes, write_atomically
from extramaze.models.schema import Strict, check_model
from extramaze.scoring import wilson
from extramaze.suites import Suite

SCHEMA = "extramaze-record-1"
SUMMARY, TABLE = "record.json", "mazes.parquet"
MAX_BYTES = 256 * 2**20

PER_MAZE: dict[str, pl.DataType | type[pl.DataType]] = {
    "cell": pl.String,
    "index": pl.UInt32,
    "path_length": pl.Int32,
    "cycles": pl.Int32,
    "n_shortest": pl.Int64,
    "dead_ends": pl.Int32,
    "start_degree": pl.Int8,
    "goal_degree": pl.Int8,
    "exact": pl.List(pl.Boolean),  # one a rung
    "valid": pl.List(pl.Boolean),
    "optimal": pl.List(pl.Boolean),
    "first_right": pl.Int32,  # iterations at the first rung where the answer was optimal; null: at none
    "last_right": pl.Int32,
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


class CellResult(Strict):
    """One cell's mazes and scores. ``block``: mazes computed together. ``means``: of every measure of its mazes."""

    name: str
    axis: str
    spec: str
    n: int = Field(ge=1)
    mazes_sha256: str
    acceptance: float
    means: dict[str, float]
    block: int = Field(ge=1)
    rungs: tuple[Rung, ...] = Field(min_length=1)
    median_first_right: float | None


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


class SolverInfo(Strict):
    """Who was evaluated. ``mode``: how it iterated."""

    name: str
    recipe: str
    seed: int | None
    weights_sha256: str | None
    parameters: int
    mode: Literal["free-running"]
    notes: tuple[str, ...]


class Plan(Strict):
    """Everything that decides the numbers of an evaluation on one machine."""

    suite: Suite
    suite_sha256: str
    partial: str | None
    solver: SolverInfo
    dtype: Literal["float32", "float64"]
    tf32: Literal[False]
    device: str
    blocks: dict[str, int]
    contracts: dict[str, int]
    packages: dict[str, str]


class Run(Strict):
    """When and how an evaluation was run; the only part that differs between two runs of one plan."""

    finished: str
    seconds: float
    command: str


class Summary(Strict):
    """The summary of a record (``record.json``)."""

    schema_: Literal["extramaze-record-1"] = Field(alias="schema")
    plan: Plan
    cells: tuple[CellResult, ...]
    limits: tuple[LimitResult, ...]
    table_sha256: str
    run: Run
    sha256: str

    def computed_sha256(self) -> str:
        """Return the sha256 of everything but the stated one."""
        content = self.model_dump(mode="json", by_alias=True, exclude={"sha256"})
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Record:
    """An evaluation's summary and its per-maze table (columns: PER_MAZE)."""

    summary: Summary
    mazes: pl.DataFrame

    @classmethod
    def seal(
        cls, plan: Plan, cells: list[CellResult], limits: list[LimitResult], mazes: pl.DataFrame, run: Run
    ) -> "Record":
        """Put a record together and state its digests."""
        content = {
            "schema": SCHEMA,
            "plan": plan,
            "cells": tuple(cells),
            "limits": tuple(limits),
            "table_sha256": hashlib.sha256(_parquet(mazes)).hexdigest(),
            "run": run,
            "sha256": "",
        }
        draft = Summary.model_validate(content)
        return cls(draft.model_copy(update={"sha256": draft.computed_sha256()}), mazes)

    def write(self, folder: Path) -> None:
        """Write the two files, each atomically, the summary last."""
        make_folder(folder)
        write_atomically(folder / TABLE, _parquet(self.mazes))
        content = self.summary.model_dump_json(by_alias=True, indent=1)
        write_atomically(folder / SUMMARY, (content + "\n").encode())


def read_record(folder: Path) -> Record:
    """Read and check a record. Raises InputError where it is unreadable, altered or of another schema."""
    try:
        content = json.loads(read_bytes(folder / SUMMARY, MAX_BYTES))
    except ValueError as problem:
        raise InputError(f"{folder / SUMMARY}: not readable as JSON: {problem}") from problem
    summary = check_model(Summary, content, str(folder / SUMMARY))
    if summary.computed_sha256() != summary.sha256:
        raise InputError(f"{folder / SUMMARY}: altered since it was written (its sha256 differs); evaluate again")
    table = read_bytes(folder / TABLE, MAX_BYTES)
    if hashlib.sha256(table).hexdigest() != summary.table_sha256:
        raise InputError(f"{folder / TABLE}: altered or not this record's (its sha256 differs); evaluate again")
    mazes = pl.read_parquet(io.BytesIO(table))
    if dict(mazes.schema) != PER_MAZE:
        raise InputError(
            f"{folder / TABLE}: expected the columns {', '.join(PER_MAZE)}, got {', '.join(mazes.columns)}"
        )
    return Record(summary, mazes)


def _parquet(mazes: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    mazes.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()
