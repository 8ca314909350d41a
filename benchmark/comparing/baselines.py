"""Baselines: the record a check compares with, and the ones before it, with the reason for each change.

A folder with ``baseline.json`` and one numbered folder a record (``0001``, ``0002``, …); the last is in force.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from extramaze.core.checked import Digest, Strict, check_model, parse_json
from extramaze.core.errors import InputError
from extramaze.core.files import hold, is_free, make_folder, read_bytes, write_atomically
from extramaze.core.line_ends import keep_line_ends
from extramaze.records import SUMMARY, Record, read_record

HISTORY = "baseline.json"
MAX_HISTORY_BYTES = 2**20


class Accepted(Strict):
    """One accepted record: when, why, and the digest of its summary."""

    accepted: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")
    reason: str = Field(min_length=1, max_length=500)
    record_sha256: Digest

    @field_validator("reason")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if not text.strip() or not text.isprintable():
            raise ValueError(f"a reason is one line of text, got {text!r}")
        return text.strip()


class History(Strict):
    """All accepted records, oldest first (``baseline.json``)."""

    schema_: Literal["extramaze-baseline-1"] = Field(alias="schema")
    entries: tuple[Accepted, ...] = Field(min_length=1, max_length=9999)


@dataclass(frozen=True, eq=False)
class Baseline:
    """The record in force, its number (from 1), and its entry."""

    record: Record
    number: int
    entry: Accepted


def read_baseline(folder: Path) -> Baseline:
    """Read the record in force. Raises InputError where there is none, or one that is altered."""
    entries = _read_history(folder).entries
    place = _place(folder, len(entries))
    record = read_record(place)
    if record.summary.sha256 != entries[-1].record_sha256:
        raise InputError(f"{place} is not the record that {folder / HISTORY} states (its sha256 differs); restore it")
    return Baseline(record, len(entries), entries[-1])


def init_baseline(folder: Path, record: Record, reason: str = "first baseline") -> Baseline:
    """Write a first baseline. Raises InputError where the folder already holds something."""
    if (folder / HISTORY).exists():
        raise InputError(f"{folder} already holds a baseline; record another with --accept --reason …")
    if not is_free(folder):
        raise InputError(f"{folder} exists and holds no baseline; choose another folder")
    entry = _entry(record, reason)
    make_folder(folder)
    with hold(folder):
        return _add(folder, record, (entry,))


def accept_baseline(folder: Path, record: Record, reason: str) -> Baseline:
    """Put a new record in force and keep the old ones. Raises InputError where there is no baseline yet."""
    _read_history(folder)  # there has to be one before anything is held
    entry = _entry(record, reason)
    with hold(folder):
        return _add(folder, record, (*_read_history(folder).entries, entry))


def is_baseline_copy(folder: Path) -> bool:
    """Whether a record's folder is one of a baseline's, which no board shows."""
    return (folder.parent / HISTORY).is_file()


def _entry(record: Record, reason: str) -> Accepted:
    content = {
        "accepted": datetime.now(UTC).date().isoformat(),
        "reason": reason,
        "record_sha256": record.summary.sha256,
    }
    return check_model(Accepted, content, "a new baseline")


def _add(folder: Path, record: Record, entries: tuple[Accepted, ...]) -> Baseline:
    """Write a record, what keeps Git from changing its bytes, then the history that ends with it."""
    record.write(_place(folder, len(entries)))
    keep_line_ends(folder)
    history = History(schema="extramaze-baseline-1", entries=entries)
    write_atomically(folder / HISTORY, (history.model_dump_json(indent=1, by_alias=True) + "\n").encode())
    return Baseline(record, len(entries), entries[-1])


def _read_history(folder: Path) -> History:
    path = folder / HISTORY
    if not path.exists():
        known = "it is a record: make it one with --init" if (folder / SUMMARY).exists() else "write one with --init"
        raise InputError(f"{folder} holds no baseline ({HISTORY}); restore it, or if there never was one, {known}")
    return parse_json(History, read_bytes(path, MAX_HISTORY_BYTES), str(path))


def _place(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}"
