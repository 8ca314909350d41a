"""What the reader of a board should know of a row, in as few words as its seeds allow."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from extramaze.leaderboard.grouping import place
from extramaze.models.training.trained import GOOD_ACCURACY, marked_accuracy
from extramaze.records import Record
from extramaze.records.measures import is_algorithm
from extramaze.schema.suite import IN_DISTRIBUTION
from extramaze.submission.card import VERIFICATION

NUMBER = re.compile(r"\d+(?:,\d+)*(?:\.\d+)?")
ONE_SEED = "one seed: the interval is over mazes only"


def notes_of(records: Sequence[Record]) -> Iterator[str]:
    """Yield the notes of a row's solvers, and what is special about how they were run or how many there are.

    Notes that differ in figures alone are one note, with the least and the greatest of each figure. Training that fell
    short is ``mark_of``'s to say.
    """
    alike: dict[str, list[tuple[int | None, str]]] = defaultdict(list)
    for record in records:
        for note in record.summary.plan.solver.notes:
            if marked_accuracy(note) is None:
                alike[NUMBER.sub("#", note)].append((record.summary.plan.solver.seed, note))
    for noted in alike.values():
        seeds = [str(seed) for seed, _ in noted if seed is not None]
        who = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}: " if seeds else ""
        yield who + _merged([note for _, note in noted])
    plan = records[0].summary.plan
    longest = max(cell.rungs[-1] for cell in plan.cells)
    if longest > plan.suite.iterations[-1]:
        yield f"an algorithm's own step budget, up to {longest} iterations"
    if len(records) == 1 and not is_algorithm(records[0]):
        yield ONE_SEED


def unheard(records: Sequence[Record]) -> Iterator[str]:
    """Name the records that have a verification beside them, which is the word of whoever made them."""
    for record in records:
        if record.folder is not None and (record.folder / VERIFICATION).exists():
            yield f"{place(record)}: {VERIFICATION} beside a record is not believed; maintainers' lie apart"


def marks(records: Sequence[Record]) -> dict[int, str]:
    """Return the seeds that training left short of GOOD_ACCURACY on mazes like their own, and what they reached.

    Training is validated by the plain iteration: a seed that reaches GOOD_ACCURACY in distribution by an inference of
    its own is not short by that.
    """
    found = {}
    for record in records:
        plan = record.summary.plan
        home = [cell.rungs[-1].optimal.share for cell in record.summary.cells if cell.axis == IN_DISTRIBUTION]
        if plan.mode == "own" and home and min(home) >= GOOD_ACCURACY:
            continue
        for note in plan.solver.notes:
            if accuracy := marked_accuracy(note):
                found[plan.solver.seed or 0] = accuracy
    return found


def mark_of(records: Sequence[Record]) -> str:
    """Return what marked seeds reached on fresh mazes like those of their training, and which they are if not all."""
    found = marks(records)
    if not found:
        return ""
    shares = _range(sorted({share.removesuffix("%") for share in found.values()}, key=float))
    seeds = ", ".join(map(str, found))
    which = "" if len(found) == len(records) else f" (seed{'s' if len(found) > 1 else ''} {seeds})"
    return f"{shares}%{which}"


def _merged(notes: Sequence[str]) -> str:
    """Write notes that differ in figures alone as one: ``88.75 to 88.87% of …``."""
    figures = zip(*(NUMBER.findall(note) for note in notes), strict=True)
    ranges = iter([_range(sorted(set(found), key=lambda text: float(text.replace(",", "")))) for found in figures])
    return NUMBER.sub(lambda _: next(ranges), notes[0])


def _range(figures: Sequence[str]) -> str:
    return figures[0] if len(figures) == 1 else f"{figures[0]} to {figures[-1]}"
