"""Bring what older versions wrote to the schema of this one; nothing is computed anew.

Each schema has one function that makes the next one of it.
"""

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from extramaze.core.errors import InputError
from extramaze.core.sealed import content_sha256
from extramaze.schema.record import SCHEMA

_NAMED = re.compile(r"extramaze-record-(\d{1,6})")
AUDIT = "audit_agrees"  # a column of older records: whether a maze that settled was right to leave its block
_RETIRED = "settled mazes were left out of it (--retire), which no version evaluates any longer"
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
    made_as = {"schema": stated, "sha256": content["sha256"]}
    for step in range(number, ours):
        try:
            content = MIGRATIONS[step](content)
        except ValueError as problem:
            raise InputError(f"{origin}: {problem}; evaluate again") from problem
    content = {**content, "schema": SCHEMA, "made_as": made_as}
    return {**content, "sha256": content_sha256(content)}


def _from_3_to_4(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answers were not kept, CPUs not told; of a training only the mark of what fell short was, among the notes.

    Raises ValueError for a record whose settled mazes left their blocks.
    """
    if _retired(content):
        raise ValueError(_RETIRED)
    content = _without_retirement(content)
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


def _retired(content: Mapping[str, Any]) -> bool:
    """Whether a record is of mazes that left their block once their answer had settled."""
    plan = content.get("plan")
    retired = isinstance(plan, dict) and plan.get("retire", False) is not False
    return retired or any(cell.get("audit") is not None for cell in _cells(content))


def _without_retirement(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out of a record that no maze left its block: none does."""
    plan, cells = content.get("plan"), _cells(content)
    if isinstance(plan, dict):
        content = {**content, "plan": {key: plan[key] for key in plan if key != "retire"}}
    return {**content, "cells": [{k: cell[k] for k in cell if k != "audit"} for cell in cells]} if cells else content


def _cells(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the results of cells, none where they are not a list of objects: whose reader names what is wrong."""
    cells = content.get("cells")
    return cells if isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells) else []


def table_of_today(table: pl.DataFrame) -> pl.DataFrame:
    """Return a per-maze table without a column that older ones have. Raises InputError where it says anything."""
    if AUDIT not in table.columns:
        return table
    if table[AUDIT].null_count() < len(table):
        raise InputError(f"{AUDIT}: {_RETIRED}")
    return table.drop(AUDIT)


MIGRATIONS = {3: _from_3_to_4}
