"""Records: what an evaluation leaves behind, as evidence. A folder with ``record.json`` and ``mazes.parquet``.

Records are data: reading one runs nothing. The summary states the sha256 of the per-maze table and of itself, so an
altered record is noticed.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import polars as pl

from extramaze.core.checked import check_data
from extramaze.core.errors import InputError
from extramaze.core.files import make_folder, read_bytes, read_inside, remove_file, replace_file, write_atomically
from extramaze.core.forks import begin_threads
from extramaze.core.json_files import load_json
from extramaze.core.sealed import content_sha256, sealed_bytes
from extramaze.records.parquet import open_table
from extramaze.records.row_problems import row_problems
from extramaze.records.summary_problems import arithmetic_problems, outline_problems
from extramaze.records.tallies import tally_odds
from extramaze.schema.plan import PLAN, Plan, shard_of
from extramaze.schema.record import SCHEMA, CellNoise, CellResult, LimitResult, RunInfo, Summary, widest_list

SUMMARY, TABLE = "record.json", "mazes.parquet"
NEXT = ".mazes.next.parquet"  # the table of a summary that is about to take another's place, or just took it
Place = tuple[str, int]  # of one maze in a record: its cell's name, and its index
MAX_BYTES = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Record:
    """An evaluation's summary and its per-maze table (columns: PER_MAZE), with the table's bytes as sealed.

    folder: where it was read from.
    """

    summary: Summary
    mazes: pl.DataFrame
    table: bytes
    folder: Path | None = None

    @classmethod
    def seal(
        cls,
        plan: Plan,
        cells: Sequence[CellResult],
        limits: Sequence[LimitResult],
        mazes: pl.DataFrame,
        run: RunInfo,
        noise: Sequence[CellNoise] = (),
    ) -> "Record":
        """Put a record together and state its digests."""
        begin_threads("writing a record")
        buffer = io.BytesIO()
        mazes.write_parquet(buffer, compression="zstd", statistics=False)
        table = buffer.getvalue()
        content = {
            "schema": SCHEMA,
            "plan": plan.model_dump(mode="json"),
            "cells": [cell.model_dump(mode="json") for cell in cells],
            "limits": [limit.model_dump(mode="json") for limit in limits],
            "odds": [odds.model_dump(mode="json") for odds in tally_odds(limits)],
            "noise": [cell.model_dump(mode="json") for cell in noise],
            "table_sha256": hashlib.sha256(table).hexdigest(),
            "run": run.model_dump(mode="json"),
        }
        return cls(Summary.model_validate({**content, "sha256": content_sha256(content)}), mazes, table)

    def with_noise(self, noise: Sequence[CellNoise]) -> "Record":
        """Return the same record, with its noise floor."""
        old = self.summary
        return Record.seal(old.plan, old.cells, old.limits, self.mazes, old.run, noise)

    def write(self, folder: Path) -> None:
        """Write the two files, each atomically, the summary last; over another record too, of which none is half read.

        Raises InputError for a record that could not be read again; what is in the folder stays then.
        """
        self.check(folder)
        make_folder(folder)
        over = (folder / SUMMARY).exists()
        write_atomically(folder / (NEXT if over else TABLE), self.table)
        write_atomically(folder / SUMMARY, self.contents()[SUMMARY])
        settle_table(folder)

    def check(self, folder: Path) -> None:
        """Raise InputError, naming the folder it is to be written into, for a record that could not be read again."""
        contradiction = _inconsistency(self)
        if contradiction:
            raise InputError(f"{folder}: the record contradicts itself and is not written: {contradiction}")
        unreadable = _unreadable(self)
        if unreadable:
            raise InputError(f"{folder}: the record could not be read again and is not written: {unreadable}")

    def contents(self) -> dict[str, bytes]:
        """Return the files of the record's folder."""
        return {TABLE: self.table, SUMMARY: sealed_bytes(self.summary.model_dump(mode="json", by_alias=True))}


def table_of(folder: Path, sha256: str) -> bytes | None:
    """Return the table of a sha256 that a killed writer of a second record left under its first name; None: no such."""
    if not (folder / NEXT).exists():
        return None
    try:
        content = read_inside(folder, NEXT, MAX_BYTES)
    except InputError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def settle_table(folder: Path) -> None:
    """End what a killed writer of a second record began; only for the process that holds the folder."""
    if not (folder / NEXT).exists():
        return
    stated = load_json(read_bytes(folder / SUMMARY, MAX_BYTES), str(folder / SUMMARY))["table_sha256"]
    if table_of(folder, stated) is None:
        remove_file(folder / NEXT)  # the summary that it belongs to was not written
    else:
        replace_file(folder / NEXT, folder / TABLE)


def _unreadable(record: Record) -> str | None:
    """Say why the table could not be opened again; None where it can."""
    cells = record.summary.plan.cells
    try:
        open_table(record.table, sum(cell.mazes for cell in cells), widest_list(cells))
    except InputError as problem:
        return str(problem)
    return None


def read_record(folder: str | Path) -> Record:
    """Read a record. Raises InputError where it is unreadable, altered, of another schema, or not of one piece."""
    folder = Path(folder)
    if not (folder / SUMMARY).exists():
        raise InputError(_no_record(folder))
    content = load_json(read_bytes(folder / SUMMARY, MAX_BYTES), str(folder / SUMMARY))
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, str) and schema != SCHEMA:
        raise InputError(
            f"{folder / SUMMARY}: of the schema {schema[:40]}, this version reads {SCHEMA}; evaluate again"
        )
    summary = check_data(Summary, content, str(folder / SUMMARY))
    if content_sha256(content) != summary.sha256:
        raise InputError(f"{folder / SUMMARY}: altered since it was written (its sha256 differs); evaluate again")
    table = table_of(folder, summary.table_sha256) or read_bytes(folder / TABLE, MAX_BYTES)
    if hashlib.sha256(table).hexdigest() != summary.table_sha256:
        raise InputError(f"{folder / TABLE}: altered or not this record's (its sha256 differs); evaluate again")
    cells = summary.plan.cells
    try:
        mazes = open_table(table, sum(cell.mazes for cell in cells), widest_list(cells))
    except InputError as problem:
        raise InputError(f"{folder / TABLE}: {problem}; evaluate again") from problem
    record = Record(summary, mazes, table, folder)
    contradiction = _inconsistency(record)
    if contradiction:
        raise InputError(f"{folder}: the record contradicts itself: {contradiction}; evaluate again")
    return record


def _no_record(folder: Path) -> str:
    """Say what a folder without a record is, and what to do."""
    if not (folder / PLAN).exists():
        return f"{folder} holds no record ({SUMMARY}); give a folder that extramaze evaluate wrote"
    shard = shard_of(folder)
    if shard not in (None, "1/1"):
        return f"{folder} is shard {shard} of an evaluation; put all of them together with extramaze gather"
    return f"{folder} holds an unfinished evaluation; give the same extramaze evaluate again, it goes on where it was"


def _inconsistency(record: Record) -> str | None:
    """Say where a record's summary, plan and rows contradict one another; None where they do not."""
    summary, plan = record.summary, record.summary.plan
    if plan.suite.digest() != plan.suite_sha256:
        return "the suite is not the one whose sha256 is stated"
    found = chain(outline_problems(summary), arithmetic_problems(plan), row_problems(summary, record.mazes))
    return next(found, None)
