"""Bring a record up to date: judge its limits by this version's rules, and keep its answers.

The ladder of answers is most of the work of an evaluation and has rules of its own; where only the rules of limits have
moved on, it need not be run again. Nor need watched mazes be whose limits this version judges as the record's did.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from extramaze.blocks.block import BlockScores
from extramaze.blocks.identity import refuse_other_solver
from extramaze.blocks.planning import device_of_its_kind
from extramaze.blocks.store import BlockStore
from extramaze.blocks.watching import BlockLimits
from extramaze.core.errors import InputError, NotComparable
from extramaze.core.files import hold, remove_temporary
from extramaze.core.folders import remove_folder, write_folder
from extramaze.dynamics.limits import Limit
from extramaze.evaluation.evaluate import Evaluation
from extramaze.evaluation.tabulate import limit_columns
from extramaze.evaluation.tasks import Task, tasks
from extramaze.models.contract import IterativeSolver
from extramaze.records import Record, read_record, settle_files
from extramaze.records.tallies import tally_limits
from extramaze.schema.plan import CONTRACTS, Plan
from extramaze.schema.record import columns_of
from extramaze.submission.card import CARD
from extramaze.verification.verification import carry_over

LIMITS = "dynamics"  # the contract that this renews
PLACE = "rewatching"  # beside the record, for finished blocks until all are
AGAIN = " && extramaze rewatch"  # what the record's command says of it, once
RENEWED = ".renewed.part"  # in there, for the files that are to take the record's place, once all are there
STARTS = ("alignment", "depends")  # measured in float32, by rules that are none of the limits'
BIT_FOR_BIT = (pl.col("limit") == str(Limit.FIXED_POINT)) & (pl.col("residual") == 0)
FOLLOWED_TO_REST = (pl.col("limit") == str(Limit.FIXED_POINT)) & pl.col("exponent").is_not_null()
NEITHER = [str(Limit.DIVERGED), str(Limit.UNDECIDED), str(Limit.QUASIPERIODIC), str(Limit.CHAOTIC)]
TOLD_ALIKE = BIT_FOR_BIT | FOLLOWED_TO_REST | pl.col("limit").is_in(NEITHER)
STANDING = {  # by version: the rows whose limit is the same by this one's rules; see ``rewatch``
    3: BIT_FOR_BIT | (pl.col("limit") == str(Limit.DIVERGED)),
    4: TOLD_ALIKE,
    5: TOLD_ALIKE,
}


def rewatch(folder: Path, solver: IterativeSolver, device: str | None = None, quiet: bool = False) -> Record:
    """Watch the iterates of a record's solver again, and write the record with what they did; answers stay.

    Blocks of watched mazes stay too where all their limits are STANDING, and so do what other initial states led to,
    and a verification that looked at answers alone, of the new record then. Stopped and started again, it goes on where
    it was. A record without watched mazes is of this version then too.

    What stands, of version 5. Version 6 (i) looks into numbers only where a state rests or returns by its largest
    magnitude, and its last step changed something; (ii) asks more of drifts and of cycles that are told beyond the
    window, and less of nothing; (iii) is otherwise version 5, test by test in the same order. So what diverged did so
    by the same tests, before any that is new. What rested with a last step of 0 repeats bit for bit. What was
    undecided, quasi-periodic or chaotic neither rested nor returned in the window, which (i) therefore leaves alone,
    and came past the tests of drift and cycle, which it passes by all the more; what rested only when followed was
    told by a test that stayed. Fixed points whose last bits move, cycles and drifts do not stand: whether a small
    number moves beyond its own rounding hangs on its magnitude, and no row states one. Scaled to that size, a cycle
    beside a large constant has the row of a fixed point.

    device: default the kind that the record was made on, which its summary goes on stating, where there is one.
    Raises InputError for another solver than the record's, a record whose limits were of this version from the first
    and a submission, NotComparable where other contracts differ too.
    """
    if (folder / CARD).exists():
        raise InputError(f"{folder} is a submission, which its card seals; submit it again, it is made anew")
    with hold(folder):
        record = _settled(folder)
        refuse_other_solver(solver, record.summary.plan.solver)
        remove_temporary(folder)
        if is_renewed(record):
            return record
        _refuse(record)
        renewed = _watched_again(folder, record, solver, device, quiet)
        renewed.check(folder)
        write_folder(
            folder / PLACE / RENEWED, renewed.contents()
        )  # from here on a rewatching that is stopped ends with this record
        return _settled(folder)


def is_under_way(folder: Path) -> bool:
    """Whether a rewatching of a folder's record was begun and has not ended."""
    return (folder / PLACE).exists()


def is_renewed(record: Record) -> bool:
    """Whether a record was rewatched by the rules of this version."""
    return record.summary.plan.contracts == CONTRACTS and record.summary.run.command.endswith(AGAIN)


def _settled(folder: Path) -> Record:
    """Put the files of a finished rewatching in the place of the record's, if there are any; return the record."""
    renewed = folder / PLACE / RENEWED
    if renewed.exists():
        new = read_record(renewed)
        carry_over(folder, read_record(folder), new)
        new.write(folder)
        remove_folder(folder / PLACE)
    settle_files(folder)
    return read_record(folder)


def _watched_again(folder: Path, record: Record, solver: IterativeSolver, device: str | None, quiet: bool) -> Record:
    """Watch what has to be watched again, block by block, and put the new record together."""
    plan = record.summary.plan
    place = device_of_its_kind(plan, device)
    renewed = plan.model_copy(update={"contracts": dict(CONTRACTS)})
    store = _store(folder / PLACE, renewed)
    store.tidy()
    chosen = [task for task in tasks(renewed) if task.watched and not _stands(record, task)]
    blocks = Evaluation(solver, renewed, place).worker(store, starts=False).compute(chosen, quiet)
    return _renew(record, renewed, {task: blocks[task.name] for task in chosen})


def _store(place: Path, plan: Plan) -> BlockStore:
    """Open the store of finished blocks; one that another version left, or that is damaged, is begun anew."""
    try:
        return BlockStore.open(place, plan)
    except InputError:
        remove_folder(place)
        return BlockStore.open(place, plan)


def _stands(record: Record, task: Task) -> bool:
    """Whether all limits of a block of watched mazes are such as this version tells too."""
    standing = STANDING.get(record.summary.plan.contracts[LIMITS], pl.lit(False))
    first, size = task.block * record.summary.plan.limit_block, record.summary.plan.limit_block
    inside = (pl.col("cell") == task.cell.name) & pl.col("index").is_between(first, first + size, closed="left")
    watched = record.mazes.filter(inside & pl.col("limit").is_not_null())
    return bool(watched.select(standing.fill_null(False).all()).item())


def _refuse(record: Record) -> None:
    plan = record.summary.plan
    others = [name for name in CONTRACTS if name != LIMITS and plan.contracts.get(name) != CONTRACTS[name]]
    if others:
        raise NotComparable(f"the record is of another version of {', '.join(others)} too; evaluate again")
    if plan.contracts == CONTRACTS:
        raise InputError(f"the record's limits are of this version ({LIMITS} {CONTRACTS[LIMITS]}) already")


def _renew(record: Record, plan: Plan, watched: Mapping[Task, BlockScores | BlockLimits]) -> Record:
    """Put the record together with new limits of some blocks."""
    mazes, kinds = record.mazes, columns_of(plan.suite)
    for task, block in watched.items():
        assert isinstance(block, BlockLimits)
        first = task.block * plan.limit_block
        count = min(plan.limit_block, task.planned.watched - first)
        places = {"cell": [task.cell.name] * count, "index": range(first, first + count)}
        found = limit_columns([block], count, count, plan.suite)
        columns = places | {name: values for name, values in found.items() if name not in STARTS}
        new = pl.DataFrame(columns, schema={name: kinds[name] for name in columns}, strict=False)
        mazes = mazes.update(new, on=["cell", "index"], include_nulls=True)
    limits = [tally_limits(mazes, planned.name, plan.suite) for planned in plan.cells if planned.watched]
    old = record.summary
    now = datetime.now(UTC).isoformat(timespec="seconds")
    command = old.run.command.removesuffix(AGAIN) + AGAIN
    run = old.run.model_copy(update={"finished": now, "command": command})
    return record.changed(plan=plan, limits=limits, mazes=mazes, run=run)
