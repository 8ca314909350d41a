"""Records: what an evaluation leaves behind, as evidence, in a folder of their own.

``record.json`` is the summary, ``mazes.parquet`` the per-maze table, ``answers.npz`` the answers where they were kept.
Records are data: reading one runs nothing. The summary states the sha256 of the other files and of itself, so an
altered record is noticed.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from extramaze.core.checked import check_data
from extramaze.core.errors import InputError
from extramaze.core.files import make_folder, read_bytes, read_inside, remove_file, replace_file, write_atomically
from extramaze.core.forks import begin_threads
from extramaze.core.json_files import load_json
from extramaze.core.remembered import is_remembered, remember
from extramaze.core.sealed import content_sha256, sealed_bytes
from extramaze.records.answers import Packed, read_answers
from extramaze.records.checked_once import record_key
from extramaze.records.parquet import open_table
from extramaze.records.row_problems import row_problems
from extramaze.records.summary_problems import arithmetic_problems, outline_problems
from extramaze.records.tallies import tally_odds
from extramaze.schema.migrations import table_of_today, up_to_date
from extramaze.schema.plan import PLAN, Plan, shard_of
from extramaze.schema.record import (
    SCHEMA,
    CellNoise,
    CellResult,
    LimitResult,
    MadeAs,
    RunInfo,
    Summary,
    columns_of,
    widest_list,
)
from extramaze.schema.suite import Suite
from extramaze.schema.unknown import known_part

SUMMARY, TABLE, ANSWERS = "record.json", "mazes.parquet", "answers.npz"
NEXT = {  # files of a summary that is about to take another's place, or just took it
    TABLE: ".mazes.next.parquet",
    ANSWERS: ".answers.next.npz",
}
STATED = {TABLE: "table_sha256", ANSWERS: "answers_sha256"}  # where the summary says which content they have
FILES = (*NEXT, *NEXT.values(), SUMMARY)  # all that lies in a record's folder, finished or not
Place = tuple[str, int]  # of one maze in a record: its cell's name, and its index
MAX_BYTES = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Record:
    """An evaluation's summary and its per-maze table, with the bytes of its files as sealed."""

    summary: Summary
    mazes: pl.DataFrame  # columns_of its suite
    table: bytes
    answers: bytes | None = None  # content of ANSWERS; None: they were not kept
    folder: Path | None = None  # where it was read from
    read_as: str | None = None  # the sha256 of the summary that was read, where it was of an older schema
    unread: tuple[str, ...] = ()  # keys and columns of the files that nobody here knows, and that were left out

    @property
    def sha256(self) -> str:
        """The digest by which verifications and cards name the record: of the summary as it lies on disk."""
        return self.read_as or self.summary.sha256

    @classmethod
    def seal(
        cls,
        plan: Plan,
        cells: Sequence[CellResult],
        limits: Sequence[LimitResult],
        mazes: pl.DataFrame,
        run: RunInfo,
        noise: Sequence[CellNoise] = (),
        answers: bytes | None = None,
        made_as: MadeAs | None = None,
    ) -> "Record":
        """Put a record together and state its digests."""
        begin_threads("writing a record")
        buffer = io.BytesIO()
        mazes.write_parquet(buffer, compression="zstd", statistics=False)
        table = buffer.getvalue()
        content = {
            "schema": SCHEMA,
            "made_as": made_as.model_dump(mode="json", by_alias=True) if made_as else None,
            "plan": plan.model_dump(mode="json"),
            "cells": [cell.model_dump(mode="json") for cell in cells],
            "limits": [limit.model_dump(mode="json") for limit in limits],
            "odds": [odds.model_dump(mode="json") for odds in tally_odds(limits)],
            "noise": [cell.model_dump(mode="json") for cell in noise],
            "table_sha256": hashlib.sha256(table).hexdigest(),
            "answers_sha256": None if answers is None else hashlib.sha256(answers).hexdigest(),
            "run": run.model_dump(mode="json"),
        }
        return cls(Summary.model_validate({**content, "sha256": content_sha256(content)}), mazes, table, answers)

    def changed(self, **parts: Any) -> "Record":
        """Return the same record with other parts, by the names of the arguments of ``seal``."""
        old = self.summary
        kept = {name: getattr(old, name) for name in ("plan", "cells", "limits", "run", "noise", "made_as")}
        return Record.seal(**{**kept, "mazes": self.mazes, "answers": self.answers, **parts})

    def packed_answers(self) -> Packed | None:
        """Return the answers at the last rung, packed, by cell (``extramaze.records.answers``); None: not kept.

        Raises InputError for answers to other mazes than the record's.
        """
        if self.answers is None:
            return None
        return read_answers(self.answers, self.summary.plan, str((self.folder or Path()) / ANSWERS))

    def write(self, folder: Path) -> None:
        """Write the files, each atomically, the summary last; over another record too, of which none is half read.

        Raises InputError for a record that could not be read again; what is in the folder stays then.
        """
        self.check(folder)
        make_folder(folder)
        over = (folder / SUMMARY).exists()
        for name, content in self.contents().items():
            write_atomically(folder / (NEXT[name] if over and name != SUMMARY else name), content)
        settle_files(folder)

    def check(self, folder: Path) -> None:
        """Raise InputError, naming the folder it is to be written into, for a record that could not be read again."""
        contradiction = _inconsistency(self)
        if contradiction:
            raise InputError(f"{folder}: the record contradicts itself and is not written: {contradiction}")
        unreadable = _unreadable(self)
        if unreadable:
            raise InputError(f"{folder}: the record could not be read again and is not written: {unreadable}")

    def contents(self) -> dict[str, bytes]:
        """Return the files of the record's folder, the summary last."""
        summary = sealed_bytes(self.summary.model_dump(mode="json", by_alias=True))
        answers = {} if self.answers is None else {ANSWERS: self.answers}
        return {TABLE: self.table, **answers, SUMMARY: summary}


def waiting(folder: Path, name: str, sha256: str) -> bytes | None:
    """Return the content of a sha256 that a killed writer of a second record left under its first name, or None."""
    if not (folder / NEXT[name]).exists():
        return None
    try:
        content = read_inside(folder, NEXT[name], MAX_BYTES)
    except InputError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def settle_files(folder: Path) -> None:
    """End what a killed writer of a second record began; only for the process that holds the folder."""
    if not any((folder / name).exists() for name in (ANSWERS, *NEXT.values())):
        return
    content = load_json(read_bytes(folder / SUMMARY, MAX_BYTES), str(folder / SUMMARY))
    for name, key in STATED.items():
        stated = content.get(key)
        if stated is None:  # answers that the summary does not know are those of the record before
            remove_file(folder / name)
        if stated is None or waiting(folder, name, stated) is None:
            remove_file(folder / NEXT[name])  # the summary that it belongs to was not written
        else:
            replace_file(folder / NEXT[name], folder / name)


def _unreadable(record: Record) -> str | None:
    """Say why table or answers could not be opened again; None where they can."""
    cells = record.summary.plan.cells
    try:
        open_table(record.table, sum(cell.mazes for cell in cells), widest_list(cells))
        record.packed_answers()
    except InputError as problem:
        return str(problem)
    return None


def read_record(folder: str | Path, checked_once: bool = False) -> Record:
    """Read a record, of this schema or of one that is migrated (``extramaze.schema.migrations``).

    What a record of this schema holds beyond what is known here is left out, and named. checked_once: whether it is
    enough that these very files were found of one piece before (``extramaze.records.checked_once``). Raises InputError
    where it is unreadable, altered, of another schema, or not of one piece.
    """
    folder = Path(folder)
    if not (folder / SUMMARY).exists():
        raise InputError(_no_record(folder))
    origin = str(folder / SUMMARY)
    written = read_bytes(folder / SUMMARY, MAX_BYTES)
    summary, unread, read_as = read_summary(load_json(written, origin), origin)
    table = _content(folder, TABLE, summary.table_sha256)
    answers = None if summary.answers_sha256 is None else _content(folder, ANSWERS, summary.answers_sha256)
    key = record_key({SUMMARY: written, TABLE: table, ANSWERS: answers or b""}) if checked_once else None
    known = key is not None and is_remembered(key)
    cells = summary.plan.cells
    try:
        mazes = table_of_today(open_table(table, sum(cell.mazes for cell in cells), widest_list(cells), known))
    except InputError as problem:
        raise InputError(f"{folder / TABLE}: {problem}; evaluate again") from problem
    strange = [name for name in mazes.columns if name not in columns_of(summary.plan.suite)]
    unread = (*unread, *(f"{TABLE}: column {name}" for name in strange))
    record = Record(summary, mazes.drop(strange), table, answers, folder, read_as, unread)
    if known:
        return record
    contradiction = _inconsistency(record)
    if contradiction:
        raise InputError(f"{folder}: the record contradicts itself: {contradiction}; evaluate again")
    record.packed_answers()
    if key is not None:
        remember(key)
    return record


def read_summary(written: Any, origin: str) -> tuple[Summary, tuple[str, ...], str | None]:
    """Check what ``load_json`` gave of a summary, brought to this schema.

    Returned with it are the keys that nobody here knows, and the sha256 that was stated if the schema was an older one.
    Raises InputError.
    """
    content = up_to_date(written, origin) if isinstance(written, dict) else written
    if isinstance(content, dict) and "sha256" in content and content_sha256(content) != content["sha256"]:
        raise InputError(f"{origin}: altered since it was written (its sha256 differs); evaluate again")
    content, unread = known_part(Summary, content, closed=(Suite,))
    summary = check_data(Summary, content, origin)
    migrated = written["sha256"] != summary.sha256
    return summary, tuple(f"{SUMMARY}: {key}" for key in unread), written["sha256"] if migrated else None


def _content(folder: Path, name: str, sha256: str) -> bytes:
    """Return the content of a file of a record that has this digest. Raises InputError where there is no such file."""
    if not (folder / name).exists() and not (folder / NEXT[name]).exists():
        raise InputError(f"{folder / name}: missing, and the record states its sha256; restore it, or evaluate again")
    content = waiting(folder, name, sha256) or read_bytes(folder / name, MAX_BYTES)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(f"{folder / name}: altered or not this record's (its sha256 differs); evaluate again")
    return content


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
