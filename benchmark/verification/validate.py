"""Validate what somebody else made: every problem of a submission, record or trained solver, and nobody's code run.

``read_record`` refuses a record at its first problem; this lists all. Mazes are drawn anew from the suite, so that
stated digests and measures are held against the real ones (``extramaze.records.redrawn``).
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain
from pathlib import Path

import polars as pl

from extramaze.core.checked import parse_json, try_data
from extramaze.core.errors import MAX_CHARACTERS, MAX_LINES, InputError, cut
from extramaze.core.files import read_inside
from extramaze.core.folders import find_below
from extramaze.core.paths import real
from extramaze.core.sealed import parse_sealed
from extramaze.core.signatures import HEAD, PARQUET, kind_of
from extramaze.core.yaml_files import MAX_YAML
from extramaze.models.training.outside import KEPT, altered_code
from extramaze.models.training.recipe import Recipe, parse_recipe
from extramaze.models.weight_files import misfits, non_numbers, read_tensors
from extramaze.records import ANSWERS, MAX_BYTES, SUMMARY, TABLE, waiting
from extramaze.records.answers import read_answers
from extramaze.records.parquet import open_table
from extramaze.records.record import STATED
from extramaze.records.redrawn import drawn_problems, measure_problems, redraw
from extramaze.records.rescored import answer_problems
from extramaze.records.row_problems import row_problems
from extramaze.records.summary_problems import summary_problems
from extramaze.schema.card import CARD, VERIFICATION
from extramaze.schema.migrations import table_of_today, up_to_date
from extramaze.schema.record import Summary, widest_list
from extramaze.schema.training import MAX_WEIGHTS, RECIPE, RESULT, WEIGHTS, TrainingResult
from extramaze.submission.problems import submission_problems
from extramaze.trust.names import claim_of
from extramaze.verification.verification import VERIFICATIONS, verification_problems

MAX_LISTED, MAX_ROOM = MAX_LINES - 2, MAX_CHARACTERS - 200  # problems of one folder, their characters
MAX_WORDS = 600  # characters of one problem


def find(folders: Iterable[Path]) -> list[Path]:
    """Find submissions, records, trained solvers and verifications in or below folders.

    Raises InputError for a folder without any.
    """
    found: list[Path] = []
    for folder in folders:
        names = (CARD, SUMMARY, TABLE, RESULT, RECIPE, VERIFICATION)
        inside = {path.parent for name in names for path in find_below(folder, name)}
        inside |= {path.parent for path in find_below(folder, "*.json") if _holds_verifications(path.parent)}
        if not inside:
            raise InputError(f"{folder} holds neither a record ({SUMMARY}) nor a trained solver ({RESULT})")
        found += [place for place in sorted(inside) if place not in found]
    return found


def problems(folder: Path) -> list[str]:
    """List every problem of the folder of a record, a trained solver or verifications.

    An empty list means that it is sound: nothing contradicts anything else. So is a forgery that was made with care;
    ``verify`` alone tells.
    """
    if _holds_verifications(folder) and not _is_there(folder, SUMMARY):
        return _shortened(verification_problems(folder.parent, folder.name))
    return _shortened(_content_problems(folder))


def notes(folder: Path) -> list[str]:
    """Say what lies in a sound folder and is not believed."""
    beside = _is_there(folder, VERIFICATION) and not _is_there(folder, CARD)
    return [f"{VERIFICATION}: beside a record it is not believed, and not looked at; remove it"] if beside else []


def _holds_verifications(folder: Path) -> bool:
    return real(folder).parent.name == VERIFICATIONS


def _content_problems(folder: Path) -> Iterator[str]:
    submitted = _is_there(folder, CARD)
    record = submitted or any(_is_there(folder, name) for name in (VERIFICATION, SUMMARY, TABLE))
    yield from _record_problems(folder) if record else _solver_problems(folder)
    if not submitted and record:
        yield from _cardless_problems(folder)
    if submitted:
        yield from submission_problems(folder)
        yield from _solver_problems(folder) if _is_there(folder, RESULT) else ()


def _shortened(problems: Iterable[str]) -> list[str]:
    """List problems once each, as many as a message holds; one that stops the search ends the list."""
    found: dict[str, None] = {}
    try:
        found.update((cut(problem, MAX_WORDS), None) for problem in problems)
    except (InputError, OSError) as problem:  # of this folder, and others are still to be looked at
        found[cut(f"cannot be looked through: {problem}", MAX_WORDS)] = None
    listed = list(found)  # a trained submission's weights are its own and its record's: they are named twice
    room = list(accumulate(len(line) + 3 for line in listed))
    kept = sum(taken <= MAX_ROOM for taken in room[:MAX_LISTED])
    return listed if kept == len(listed) else [*listed[:kept], f"… and {len(listed) - kept:,} more"]


def _cardless_problems(folder: Path) -> Iterator[str]:
    """A submission that lost its card would pass as a bare record, with code that nobody looks at."""
    code = [path.name for path in sorted(folder.iterdir()) if path.suffix == ".py" or path.name == WEIGHTS]
    if code:
        yield f"{', '.join(code)}: files of a submission, and no {CARD}; restore it, or remove them"


def _is_there(folder: Path, name: str) -> bool:
    return (folder / name).exists() or (folder / name).is_symlink()


def _record_problems(folder: Path) -> Iterator[str]:
    contents: dict[str, bytes] = {}
    for name in (SUMMARY, TABLE, ANSWERS):
        if name == ANSWERS and not _is_there(folder, name):
            continue
        try:
            contents[name] = read_inside(folder, name, MAX_BYTES)
        except InputError as problem:
            yield str(problem)
    if SUMMARY not in contents:
        return
    content, wrong = parse_sealed(contents[SUMMARY], SUMMARY)
    yield from wrong
    if not isinstance(content, dict):
        return
    for name, key in STATED.items():
        stopped = waiting(folder, name, str(content.get(key)))
        if stopped is not None:
            contents[name] = stopped
        if name in contents and content.get(key) != hashlib.sha256(contents[name]).hexdigest():
            kind = kind_of(contents.pop(name)[:HEAD])  # there is nothing to hold against what the summary states
            other = f"; it is {kind}" if name == TABLE and kind != PARQUET else ""
            yield f"{name}: altered, or not this record's: its sha256 is not the one that {SUMMARY} states{other}"
        elif name not in contents and name == ANSWERS and content.get(key) is not None:
            yield f"{ANSWERS}: missing, and {SUMMARY} states its sha256; restore it"
    try:
        content = up_to_date(content, SUMMARY)
    except InputError as problem:
        yield str(problem)
        return
    summary, wrong = try_data(Summary, content)
    yield from (f"{SUMMARY}: {problem}" for problem in wrong)
    if summary is None:
        return
    taken = claim_of(summary.plan.solver, folder).problem
    if taken is not None:
        yield f"{SUMMARY}: plan.solver: {taken}"
    redrawn = redraw(summary)
    found = chain(summary_problems(summary), drawn_problems(summary, redrawn))
    yield from (f"{SUMMARY}: {wrong}" for wrong in found)
    if TABLE not in contents:
        return
    expected = sum(cell.mazes for cell in summary.plan.cells)
    try:
        table = table_of_today(open_table(contents[TABLE], expected, widest_list(summary.plan.cells)))
    except InputError as problem:
        yield f"{TABLE}: {problem}"
        return
    found = chain(row_problems(summary, table), measure_problems(table, redrawn))
    wrong = [f"{TABLE}: {problem}" for problem in found]
    yield from wrong
    if ANSWERS in contents and not wrong:
        yield from _answer_problems(summary, table, contents[ANSWERS])


def _answer_problems(summary: Summary, table: pl.DataFrame, content: bytes) -> Iterator[str]:
    """Score the kept answers again, of rows in which nothing else is wrong."""
    try:
        packed = read_answers(content, summary.plan, ANSWERS)
        yield from (f"{ANSWERS}: {problem}" for problem in answer_problems(summary, table, packed))
    except InputError as problem:
        yield str(problem)


def _solver_problems(folder: Path) -> Iterator[str]:
    recipe: Recipe | None = None
    result: TrainingResult | None = None
    weights = b""
    try:
        recipe = parse_recipe(read_inside(folder, RECIPE, MAX_YAML), RECIPE)
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
    if result is not None:
        for name in altered_code(folder, result.code):
            yield f"{KEPT}/{name}: altered, its sha256 is not the one that {RESULT} states"
    if recipe is not None and weights:
        yield from _weight_problems(recipe, weights)


def _weight_problems(recipe: Recipe, weights: bytes) -> Iterator[str]:
    """Hold the tensors of safetensors bytes against the recipe's architecture."""
    try:
        found = read_tensors(weights, WEIGHTS)
        recipe.architecture.check_size(len(weights), WEIGHTS)
    except InputError as problem:
        yield str(problem)
        return
    if not recipe.architecture.from_outside:  # whose shapes are known to code that is not run here
        expected = recipe.architecture.build().state_dict()
        yield from (f"{WEIGHTS}: {wrong}" for wrong in misfits(expected, found))
    yield from (f"{WEIGHTS}: {wrong}" for wrong in non_numbers(found))
