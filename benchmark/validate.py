"""Validate what somebody else made: every problem of a record or of a trained solver, and nobody's code run.

``read_record`` refuses a record at its first problem; this lists all. Mazes are drawn anew from the suite where that is
quick, so that stated digests and measures are held against the real ones.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load

from extramaze.mazes import InputError
from extramaze.mazes.files import read_bytes
from extramaze.models.checkpoint import RECIPE, RESULT, WEIGHTS, TrainingResult
from extramaze.models.recipe import Recipe, parse_recipe
from extramaze.models.schema import parse_json
from extramaze.parquet import open_table
from extramaze.record_schema import Summary, widest_list
from extramaze.records import MAX_BYTES, SUMMARY, TABLE, Record, content_sha256
from extramaze.rows import row_problems
from extramaze.summaries import summary_problems

MAX_WEIGHTS = 2**31  # bytes
MAX_LISTED = 50  # problems of one folder


def find(folders: Iterable[Path]) -> list[Path]:
    """Find every record and trained solver in or below folders. Raises InputError for a folder without any."""
    found: list[Path] = []
    for folder in folders:
        names = (SUMMARY, TABLE, RESULT, WEIGHTS)
        inside = sorted({path.parent for name in names for path in folder.rglob(name)})
        if not inside:
            raise InputError(f"{folder} holds neither a record ({SUMMARY}) nor a trained solver ({RESULT})")
        found += [place for place in inside if place not in found]
    return found


def problems(folder: Path) -> list[str]:
    """List every problem of a record's, or a trained solver's, folder; an empty list means that it is sound."""
    record = any((folder / name).exists() or (folder / name).is_symlink() for name in (SUMMARY, TABLE))
    found = list(_record_problems(folder) if record else _solver_problems(folder))
    hidden = len(found) - MAX_LISTED
    return [*found[:MAX_LISTED], *([f"… and {hidden} more"] if hidden > 0 else [])]


def _record_problems(folder: Path) -> Iterator[str]:
    contents: dict[str, bytes] = {}
    for name in (SUMMARY, TABLE):
        try:
            contents[name] = read_inside(folder, name, MAX_BYTES)
        except InputError as problem:
            yield str(problem)
    if SUMMARY not in contents:
        return
    content, wrong = _parsed(contents[SUMMARY])
    yield from wrong
    if not isinstance(content, dict):
        return
    if TABLE in contents and content.get("table_sha256") != hashlib.sha256(contents[TABLE]).hexdigest():
        del contents[TABLE]  # not the table that the summary speaks of: there is nothing to hold against it
        yield f"{TABLE}: altered, or not this record's: its sha256 is not the one that {SUMMARY} states"
    try:
        summary = Summary.model_validate(content)
    except ValidationError as problem:
        for error in problem.errors():
            yield f"{SUMMARY}: {'.'.join(map(str, error['loc'])) or 'file'}: {error['msg']}"
        return
    yield from (f"{SUMMARY}: {wrong}" for wrong in summary_problems(summary))
    if TABLE not in contents:
        return
    expected = sum(cell.mazes for cell in summary.plan.cells)
    try:
        table = open_table(contents[TABLE], expected, widest_list(summary.plan.cells))
    except InputError as problem:
        yield f"{TABLE}: {problem}"
        return
    yield from (f"{TABLE}: {wrong}" for wrong in row_problems(Record(summary, table, contents[TABLE])))


def _parsed(content: bytes) -> tuple[Any, list[str]]:
    """Parse a record.json, and see that it is byte for byte what extramaze would write for that content."""
    try:
        parsed = json.loads(content)
        written = (json.dumps(parsed, indent=1) + "\n").encode()
        stated = content_sha256(parsed) if isinstance(parsed, dict) else None
    except (ValueError, RecursionError) as problem:
        return None, [f"{SUMMARY}: not readable as JSON: {problem}"]
    found = []
    if stated is None:
        found.append(f"{SUMMARY}: expected an object, got {type(parsed).__name__}")
    elif parsed.get("sha256") != stated:
        found.append(f"{SUMMARY}: altered since it was written: its sha256 is not the one it states")
    if written != content:
        pairs = zip(written.splitlines(), [*content.splitlines(), b""], strict=False)
        line = next((at for at, (ours, theirs) in enumerate(pairs, start=1) if ours != theirs), 0)
        found.append(f"{SUMMARY}: line {line or 'last'} is not as extramaze writes it")
    return parsed, found


def _solver_problems(folder: Path) -> Iterator[str]:
    recipe: Recipe | None = None
    result: TrainingResult | None = None
    weights = b""
    try:
        recipe = parse_recipe(read_inside(folder, RECIPE, MAX_BYTES).decode(errors="replace"), RECIPE)
    except InputError as problem:
        yield str(problem)
    try:
        result = parse_json(TrainingResult, read_inside(folder, RESULT, MAX_BYTES), RESULT)
    except InputError as problem:
        yield str(problem)
    try:
        weights = read_inside(folder, WEIGHTS, MAX_WEIGHTS)
    except InputError as problem:
        yield str(problem)
    if result is not None and recipe is not None and result.recipe != recipe.name:
        yield f"{RESULT}: recipe {result.recipe} is not {recipe.name}, that of {RECIPE}"
    if result is not None and weights and hashlib.sha256(weights).hexdigest() != result.weights_sha256:
        yield f"{WEIGHTS}: altered, or not this solver's: its sha256 is not the one that {RESULT} states"
    if recipe is not None and weights:
        yield from _weight_problems(recipe, weights)


def _weight_problems(recipe: Recipe, weights: bytes) -> Iterator[str]:
    """Hold the tensors of safetensors bytes against the recipe's architecture, which is built without memory."""
    try:
        found = load(weights)
    except (SafetensorError, ValueError) as problem:
        yield f"{WEIGHTS}: not readable as safetensors: {problem}"
        return
    with torch.device("meta"):
        expected = {name: tuple(value.shape) for name, value in recipe.architecture.build().state_dict().items()}
    for name in sorted(expected.keys() | found.keys()):
        shape = tuple(found[name].shape) if name in found else None
        if shape != expected.get(name):
            yield f"{WEIGHTS}: {name}: expected {expected.get(name, 'none')}, found {shape or 'none'}"
        elif not bool(torch.isfinite(found[name]).all()):
            yield f"{WEIGHTS}: {name}: not all numbers are finite"


def read_inside(folder: Path, name: str, most: int) -> bytes:
    """Read a file of a folder; its size is looked at first. Raises InputError also where a link leaves the folder."""
    path = folder / name
    if path.resolve().parent != folder.resolve():
        raise InputError(f"{name}: a link that leaves its folder; put the file itself there")
    return read_bytes(path, most)
