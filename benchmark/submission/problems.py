"""What can be wrong with a submission: its files beside its card, and the card beside its record and weights.

Nothing of it is run, and its weights are only read.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from extramaze.core.checked import try_data
from extramaze.core.errors import InputError
from extramaze.core.files import LOCK, read_inside
from extramaze.core.line_ends import ATTRIBUTES, CHANGED_ENDS, KEEP_THEM, with_other_line_ends
from extramaze.core.sealed import parse_sealed
from extramaze.models.training.trained import trained_on
from extramaze.models.weight_files import PICKLED, non_numbers, read_tensors, state_sha256
from extramaze.records import MAX_BYTES, SUMMARY, TABLE, read_summary
from extramaze.schema.card import CARD, MAX_CARD_BYTES, VERIFICATION, Card
from extramaze.schema.training import MAX_WEIGHTS, RECIPE, RESULT, WEIGHTS
from extramaze.submission.members import read_member, strangers
from extramaze.submission.overlap import find_overlap
from extramaze.submission.training import KEPT, read_training, solver_of, unknown_start


def submission_problems(folder: Path) -> Iterator[str]:
    """Name everything that is wrong with a submission beside what is wrong with its record by itself."""
    try:
        parsed, wrong = parse_sealed(read_inside(folder, CARD, MAX_CARD_BYTES), CARD)
    except InputError as problem:
        yield str(problem)
        return
    yield from wrong
    if not isinstance(parsed, dict):
        return
    card, wrong = try_data(Card, parsed)
    yield from (f"{CARD}: {problem}" for problem in wrong)
    if card is None:
        return
    contents: dict[str, bytes] = {}
    for name, entry in card.files.items():
        try:
            content = read_member(folder, name, MAX_WEIGHTS if name == WEIGHTS else MAX_BYTES)
        except InputError as problem:
            yield str(problem)
            continue
        if sha256(content).hexdigest() == entry.sha256 and len(content) == entry.bytes:
            contents[name] = content
        elif any(sha256(other).hexdigest() == entry.sha256 for other in with_other_line_ends(content)):
            yield f"{name}: {CHANGED_ENDS}"
        else:
            yield f"{name}: altered, or not this submission's: its sha256 is not the one that {CARD} states"
    yield from _stray_problems(folder, card)
    yield from _source_problems(card)
    yield from _record_problems(card, contents)
    if card.source.kind == "trained" and contents.keys() >= {RECIPE, RESULT}:
        yield from _training_problems(folder, card)
    elif card.statement.training is not None and card.training != card.statement.training:
        yield f"{CARD}: training: it is not what the statement says"


def _stray_problems(folder: Path, card: Card) -> Iterator[str]:
    """Name what lies in the folder and is not the submission's: code could hide there."""
    for name in strangers(folder, {CARD, ATTRIBUTES, *card.files}):
        if name == VERIFICATION:
            yield f"{VERIFICATION}: a submission does not vouch for itself; maintainers verify it; remove this"
        elif name != LOCK or (folder / name).stat().st_size:
            yield f"{name}: no part of this submission; remove it"
    if (folder / ATTRIBUTES).exists() and _attributes(folder) != KEEP_THEM:
        yield f"{ATTRIBUTES}: not the line {KEEP_THEM.decode().strip()!r} that extramaze writes; remove it"
    for name in sorted(card.files):
        if Path(name).suffix.lower() in PICKLED:
            yield f"{name}: a pickle, which could run code; weights are safetensors"


def _attributes(folder: Path) -> bytes | None:
    """Return what Git is told of the folder, line ends left aside; None where that cannot be read."""
    try:
        return with_other_line_ends(read_inside(folder, ATTRIBUTES, MAX_CARD_BYTES))[0]
    except InputError:
        return None


def _source_problems(card: Card) -> Iterator[str]:
    kind, target = card.source.kind, card.source.target
    place, colon, _ = target.rpartition(":")
    if kind == "file" and not (colon and place.endswith(".py") and place in card.files):
        yield f"{CARD}: source: {target} is no factory in a file of the folder"
    if kind == "trained" and not (target == "." and card.files.keys() >= {RECIPE, RESULT, WEIGHTS}):
        yield f"{CARD}: source: a trained folder has {RECIPE}, {RESULT} and {WEIGHTS}"
    if kind == "shipped" and (target != card.solver.name or WEIGHTS in card.files):
        yield f"{CARD}: source: a solver of extramaze's own is named as it is, and brings no {WEIGHTS}; got {target}"
    if (kind == "installed") != (card.source.distribution is not None):
        yield f"{CARD}: source: a distribution goes with a solver of a package, and with no other"
    if not card.files.keys() >= {SUMMARY, TABLE}:
        yield f"{CARD}: files: {SUMMARY} and {TABLE} belong to every submission"


def _record_problems(card: Card, contents: dict[str, bytes]) -> Iterator[str]:
    """Hold the card, and the weights, against the record; a record that cannot be read has been named already."""
    parsed, _ = parse_sealed(contents.get(SUMMARY, b""), SUMMARY)
    try:
        summary, _, read_as = read_summary(parsed, SUMMARY)
    except InputError:
        return
    plan = summary.plan
    stated = {
        "record_sha256": (card.record_sha256, read_as or summary.sha256),
        "solver": (card.solver, solver_of(summary)),
        "device": (card.device, plan.device),
        "packages": (card.packages, plan.packages),
        "overlap.tested": (card.overlap.tested, sum(cell.count for cell in plan.suite.cells)),
    }
    for name, (ours, theirs) in stated.items():
        if ours != theirs:
            yield f"{CARD}: {name}: it is not that of {SUMMARY}"
    if card.doctor != KEPT:
        yield f"{CARD}: doctor: not a finding"
    if plan.part is not None:
        yield f"{SUMMARY}: a part of a suite; a submission holds a whole one"
    if card.overlap.known == "by construction":
        found = find_overlap(plan.suite, card.statement, card.training)
        if found.known != card.overlap.known:
            yield f"{CARD}: overlap: what it states of training does not rule out tested layouts: {found}"
    if WEIGHTS in contents:
        yield from _weight_problems(contents[WEIGHTS], plan.solver.weights_sha256, plan.solver.parameters)
    elif card.source.kind in ("file", "installed") and plan.solver.weights_sha256 is not None:
        yield f"{CARD}: files: {SUMMARY} is of a solver with weights; there is no {WEIGHTS}"


def _weight_problems(content: bytes, stated: str | None, parameters: int) -> Iterator[str]:
    try:
        tensors = read_tensors(content, WEIGHTS)
    except InputError as problem:
        yield str(problem)
        return
    if stated not in (sha256(content).hexdigest(), state_sha256(tensors)):
        yield f"{WEIGHTS}: not the weights that {SUMMARY} was made with: another sha256"
    if sum(value.numel() for value in tensors.values()) < parameters:
        yield f"{WEIGHTS}: fewer numbers than the {parameters:,} parameters that {SUMMARY} states"
    yield from (f"{WEIGHTS}: {wrong}" for wrong in non_numbers(tensors))


def _training_problems(folder: Path, card: Card) -> Iterator[str]:
    try:
        recipe, result = read_training(folder)
    except InputError:
        return  # named by the check of trained folders
    if card.training != trained_on(recipe, result):
        yield f"{CARD}: training: it is not what {RECIPE} and {RESULT} say"
    if card.overlap.known == "by construction" and unknown_start(result) is not None:
        yield f"{CARD}: overlap: it began with {unknown_start(result)}, whose training is not known"
