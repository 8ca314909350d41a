"""What the reader of a board should know of a row, in as few words as its seeds allow."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from extramaze.leaderboard.grouping import place
from extramaze.records import Record
from extramaze.records.measures import is_algorithm
from extramaze.schema.card import VERIFICATION
from extramaze.schema.solver import GOOD_ACCURACY
from extramaze.schema.suite import IN_DISTRIBUTION

ONE_SEED = "one seed: the interval is over mazes only"


def notes_of(records: Sequence[Record]) -> Iterator[str]:
    """Yield the notes of a row's solvers, and what is special about how they were run or how many there are."""
    noted: dict[str, list[int]] = defaultdict(list)
    for record in records:
        solver = record.summary.plan.solver
        for note in solver.notes:
            noted[note] += [] if solver.seed is None else [solver.seed]
    for note, seeds in noted.items():
        yield f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}: {note}" if seeds else note
    for record in records:
        if record.unread:
            yield f"{place(record)}: not known here, and left out: {', '.join(record.unread)}"
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
    return {seed: f"{share:.2%}" for seed, share in _short(records).items()}


def mark_of(records: Sequence[Record]) -> str:
    """Return what marked seeds reached on fresh mazes like those of their training, and which they are if not all."""
    short = _short(records)
    if not short:
        return ""
    least, most = (f"{100 * share:.2f}" for share in (min(short.values()), max(short.values())))
    seeds = ", ".join(map(str, short))
    which = "" if len(short) == len(records) else f" (seed{'s' if len(short) > 1 else ''} {seeds})"
    return f"{least if least == most else f'{least} to {most}'}%{which}"


def _short(records: Sequence[Record]) -> dict[int, float]:
    """Return the seeds that are marked, each with the share that it reached."""
    found = {}
    for record in records:
        plan = record.summary.plan
        home = [cell.rungs[-1].optimal.share for cell in record.summary.cells if cell.axis == IN_DISTRIBUTION]
        if plan.mode == "own" and home and min(home) >= GOOD_ACCURACY:
            continue
        accuracy = plan.solver.accuracy
        if accuracy is not None and accuracy.ranked < GOOD_ACCURACY:
            found[plan.solver.seed or 0] = accuracy.ranked
    return found
