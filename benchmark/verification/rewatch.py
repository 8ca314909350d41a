"""Bring a record up to date: judge its limits by this version's rules, and keep its answers.

The ladder of answers is most of the work of an evaluation and has rules of its own; where only the rules of limits have
moved on, it need not be run again. Nor need watched mazes be whose limits this version judges as the record's did.
"""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from extramaze.blocks.block import BlockScores
from extramaze.blocks.identity import refuse_other_solver
from extramaze.blocks.plan import CONTRACTS, Plan
from extramaze.blocks.store import BlockStore
from extramaze.blocks.watching import BlockLimits
from extramaze.core.errors import InputError, NotComparable
from extramaze.core.files import hold
from extramaze.dynamics import Limit
from extramaze.dynamics.verdict import SIGMA
from extramaze.evaluation.evaluate import Evaluation
from extramaze.evaluation.tabulate import limit_columns
from extramaze.evaluation.tasks import Task, tasks
from extramaze.models.contract import IterativeSolver
from extramaze.records import SUMMARY, Record, read_record
from extramaze.records.schema import PER_MAZE
from extramaze.records.tallies import tally_limits
from extramaze.submission.card import CARD
from extramaze.verification.verification import carry_over

LIMITS = "dynamics"  # the contract that this renews
PLACE = "rewatching"  # beside the record, for finished blocks until all are
AGAIN = " && extramaze rewatch"  # what the record's command says of it, once
BEFORE = "rewatching-before"  # beside the record, for a copy of it while it is written over
STANDING = {  # by version: the rows whose limit is the same by this one's rules
    3: pl.col("limit").is_in([str(Limit.FIXED_POINT), str(Limit.DIVERGED)]),
    4: (pl.col("limit") != str(Limit.DRIFTING)) | (pl.col("exponent") <= SIGMA * pl.col("exponent_error")),
}


def rewatch(folder: Path, solver: IterativeSolver, device: str | None = None, quiet: bool = False) -> Record:
    """Watch the iterates of a record's solver again, and write the record with what they did; answers stay.

    Blocks of watched mazes stay too where all their limits are STANDING. So does a verification that looked at answers
    alone, of the new record then. Stopped and started again, it goes on where it was. A record without watched mazes is
    of this version then too.
    device: default the kind that the record was made on, which its summary goes on stating, where there is one.
    Raises InputError for another solver than the record's, a record whose limits are of this version and a submission,
    NotComparable where other contracts differ too.
    """
    if (folder / CARD).exists():
        raise InputError(f"{folder} is a submission, which its card seals; submit it again, it is made anew")
    record = as_it_was(folder)
    plan = record.summary.plan
    _refuse(record, solver)
    place = plan.device_of_its_kind(device)
    renewed = plan.model_copy(update={"contracts": dict(CONTRACTS)})
    with hold(folder):
        store = BlockStore.open(folder / PLACE, renewed)
        chosen = [task for task in tasks(renewed) if task.watched and not _stands(record, task)]
        blocks = Evaluation(solver, renewed, place).worker(store).compute(chosen, quiet)
        renewed_record = _renew(record, renewed, {task: blocks[task.name] for task in chosen})
        record.write(folder / BEFORE)
        renewed_record.write(folder)
        carry_over(folder, record, renewed_record)
        for name in (BEFORE, PLACE):
            shutil.rmtree(folder / name)
    return renewed_record


def as_it_was(folder: Path) -> Record:
    """Read the record of a folder, as it was before a rewatching that was stopped while it wrote."""
    return read_record(folder / BEFORE if (folder / BEFORE / SUMMARY).exists() else folder)


def _stands(record: Record, task: Task) -> bool:
    """Whether all limits of a block of watched mazes are such as this version tells too."""
    standing = STANDING.get(record.summary.plan.contracts[LIMITS], pl.lit(False))
    first, size = task.block * record.summary.plan.limit_block, record.summary.plan.limit_block
    inside = (pl.col("cell") == task.cell.name) & pl.col("index").is_between(first, first + size, closed="left")
    watched = record.mazes.filter(inside & pl.col("limit").is_not_null())
    return bool(watched.select(standing.fill_null(False).all()).item())


def _refuse(record: Record, solver: IterativeSolver) -> None:
    plan = record.summary.plan
    others = [name for name in CONTRACTS if name != LIMITS and plan.contracts.get(name) != CONTRACTS[name]]
    if others:
        raise NotComparable(f"the record is of another version of {', '.join(others)} too; evaluate again")
    if plan.contracts == CONTRACTS:
        raise InputError(f"the record's limits are of this version ({LIMITS} {CONTRACTS[LIMITS]}) already")
    refuse_other_solver(solver, plan.solver)


def _renew(record: Record, plan: Plan, watched: Mapping[Task, BlockScores | BlockLimits]) -> Record:
    """Put the record together with new limits of some blocks."""
    mazes = record.mazes
    for task, block in watched.items():
        assert isinstance(block, BlockLimits)
        first = task.block * plan.limit_block
        count = min(plan.limit_block, task.planned.watched - first)
        places = {"cell": [task.cell.name] * count, "index": range(first, first + count)}
        columns = places | limit_columns([block], count, count)
        new = pl.DataFrame(columns, schema={name: PER_MAZE[name] for name in columns}, strict=False)
        mazes = mazes.update(new, on=["cell", "index"], include_nulls=True)
    limits = [tally_limits(mazes, planned.name, plan.suite) for planned in plan.cells if planned.watched]
    old = record.summary
    now = datetime.now(UTC).isoformat(timespec="seconds")
    command = old.run.command.removesuffix(AGAIN) + AGAIN
    run = old.run.model_copy(update={"finished": now, "command": command})
    return Record.seal(plan, old.cells, limits, mazes, run, old.noise)
