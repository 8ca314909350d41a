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
from extramaze.core.files import hold, is_free, read_bytes, remove_temporary, write_atomically
from extramaze.core.folders import remove_folder, write_folder
from extramaze.core.line_ends import ATTRIBUTES, KEEP_THEM, keep_line_ends
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
    return _read(folder, entries, len(entries))


def baseline_before(folder: Path, record: Record, reason: str) -> Baseline:
    """Read the record in force before this one was, or is to be, accepted for this reason. Raises InputError."""
    entries = _read_history(folder).entries
    accepted = len(entries) > 1 and _is_of(entries[-1], record, reason)
    return _read(folder, entries, len(entries) - accepted)


def init_baseline(folder: Path, record: Record, reason: str = "first baseline") -> Baseline:
    """Write a first baseline; one of this very record is what there is to be. Raises InputError for a folder in use."""
    with hold(folder):
        if (folder / HISTORY).exists():
            entry, *later = _read_history(folder).entries
            if later or not _is_of(entry, record, reason):
                raise InputError(f"{folder} already holds a baseline; record another with --accept --reason …")
        elif is_free(folder):
            entry = _entry(record, reason)
        else:
            raise InputError(f"{folder} exists and holds no baseline; choose another folder")
        record.check(folder)
        remove_temporary(folder)
        place = _place(Path(), 1)
        files = {str(place / name): content for name, content in record.contents().items()}
        # the history first: where the folder is there already, no record in it is taken for one that was just made
        write_folder(folder, {HISTORY: _history((entry,)), ATTRIBUTES: KEEP_THEM} | files)
    return Baseline(record, 1, entry)


def accept_baseline(folder: Path, record: Record, reason: str) -> Baseline:
    """Put a new record in force and keep the old ones; the last one is not accepted twice for the same reason.

    Raises InputError where there is no baseline yet.
    """
    _read_history(folder)  # there has to be one before anything is held
    entry = _entry(record, reason)
    with hold(folder):
        remove_temporary(folder)
        entries = _read_history(folder).entries
        if len(entries) == 1 or not _is_of(entries[-1], record, reason):
            entries = (*entries, entry)
            _add(folder, record, entries)
    return Baseline(record, len(entries), entries[-1])


def is_baseline_copy(folder: Path) -> bool:
    """Whether a record's folder is one of a baseline's, which no board shows."""
    return (folder.parent / HISTORY).is_file()


def _entry(record: Record, reason: str) -> Accepted:
    content = {
        "accepted": datetime.now(UTC).date().isoformat(),
        "reason": reason,
        "record_sha256": record.sha256,
    }
    return check_model(Accepted, content, "a new baseline")


def _is_of(entry: Accepted, record: Record, reason: str) -> bool:
    return (entry.record_sha256, entry.reason) == (record.sha256, reason.strip())


def _add(folder: Path, record: Record, entries: tuple[Accepted, ...]) -> None:
    """Write a record, then the history that ends with it."""
    record.check(folder)
    place = _place(folder, len(entries))
    remove_folder(place)  # of an acceptance that was stopped before the history told of it
    write_folder(place, record.contents())
    keep_line_ends(folder)
    write_atomically(folder / HISTORY, _history(entries))


def _history(entries: tuple[Accepted, ...]) -> bytes:
    history = History(schema="extramaze-baseline-1", entries=entries)
    return (history.model_dump_json(indent=1, by_alias=True) + "\n").encode()


def _read(folder: Path, entries: tuple[Accepted, ...], number: int) -> Baseline:
    place = _place(folder, number)
    record = read_record(place)
    if record.sha256 != entries[number - 1].record_sha256:
        raise InputError(f"{place} is not the record that {folder / HISTORY} states (its sha256 differs); restore it")
    return Baseline(record, number, entries[number - 1])


def _read_history(folder: Path) -> History:
    path = folder / HISTORY
    if not path.exists():
        known = "it is a record: make it one with --init" if (folder / SUMMARY).exists() else "write one with --init"
        raise InputError(f"{folder} holds no baseline ({HISTORY}); restore it, or if there never was one, {known}")
    return parse_json(History, read_bytes(path, MAX_HISTORY_BYTES), str(path))


def _place(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}"
