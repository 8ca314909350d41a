"""Bring what older versions wrote to the schema of this one; nothing is computed anew.

Each schema has one function that makes the next one of it.
"""

import re
from collections.abc import Mapping
from typing import Any

from extramaze.core.errors import InputError
from extramaze.core.sealed import content_sha256
from extramaze.schema.record import SCHEMA

_NAMED = re.compile(r"extramaze-record-(\d{1,6})")
_MARK = re.compile(r"only ([\d.]+)% of fresh training-like mazes, below 99%")


def up_to_date(content: Mapping[str, Any], origin: str) -> Mapping[str, Any]:
    """Return a summary's content in this schema, sealed anew where it was in an older one.

    Content of this schema, or of what is no record's, is returned as it is. Raises InputError for a schema that is
    newer, or older than what is migrated, and for a summary that was altered since it was written.
    """
    stated = content.get("schema")
    named = _NAMED.fullmatch(stated) if isinstance(stated, str) else None
    if named is None or stated == SCHEMA:
        return content
    number, ours = int(named[1]), int(SCHEMA.rpartition("-")[2])
    if number > ours:
        raise InputError(f"{origin}: of schema {number}, newer than what this extramaze reads ({ours}); update it")
    if number not in MIGRATIONS:
        raise InputError(f"{origin}: of schema {number}, which is read no longer (this is {ours}); evaluate again")
    if content_sha256(content) != content.get("sha256"):
        raise InputError(f"{origin}: altered since it was written (its sha256 differs); evaluate again")
    made_as = content.get("made_as") or {"schema": stated, "sha256": content["sha256"]}
    for step in range(number, ours):
        content = MIGRATIONS[step](content)
    content = {**content, "schema": SCHEMA, "made_as": made_as}
    return {**content, "sha256": content_sha256(content)}


def _from_3_to_4(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answers were not kept, CPUs not told; of a training only the mark of what fell short was, among the notes."""
    plan = content.get("plan")
    solver = plan.get("solver") if isinstance(plan, dict) else None
    if not isinstance(plan, dict) or not isinstance(solver, dict):
        return content  # whose reader names what is wrong
    notes = [note for note in solver.get("notes", ()) if isinstance(note, str)]
    marks = [mark for note in notes if (mark := _MARK.fullmatch(note))]
    kept = [note for note in notes if not _MARK.fullmatch(note)]
    reached = {"mazes": None, "exact": float(marks[0][1]) / 100, "optimal": None} if marks else None
    trained = {"kind": "trained", "on": None, "begun_with": None, "accuracy": reached} if marks else None
    solver = {**solver, "files": solver.get("files", {}), "provenance": trained, "notes": kept}
    return {**content, "plan": {**plan, "solver": solver, "instructions": None}, "answers_sha256": None}


MIGRATIONS = {3: _from_3_to_4}
