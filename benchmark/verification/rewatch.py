"""Bring a record up to date: tell its limits anew by this version's rules, and keep its answers.

The ladder of answers is most of the work of an evaluation and has rules of its own; where only the rules of limits have
moved on, it need not be run again.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from extramaze.blocks.identity import refuse_other_solver
from extramaze.blocks.plan import CONTRACTS, Plan
from extramaze.blocks.store import BlockStore
from extramaze.blocks.watching import BlockLimits
from extramaze.evaluation.evaluate import Evaluation
from extramaze.evaluation.tabulate import limit_columns
from extramaze.evaluation.tasks import tasks
from extramaze.mazes import InputError
from extramaze.mazes.errors import NotComparable
from extramaze.mazes.files import hold
from extramaze.models.contract import IterativeSolver
from extramaze.records import Record, read_record
from extramaze.records.schema import PER_MAZE
from extramaze.records.tallies import tally_limits
from extramaze.submission.card import CARD

LIMITS = "dynamics"  # the contract that this renews
PLACE = "rewatching"  # beside the record, for finished blocks until all are


def rewatch(folder: Path, solver: IterativeSolver, device: str | None = None, quiet: bool = False) -> Record:
    """Watch the iterates of a record's solver again, and write the record with what they did; answers stay.

    Stopped and started again, it goes on where it was. A record without watched mazes is of this version then too.
    device: default the kind that the record was made on, which its summary goes on stating, where there is one.
    Raises InputError for another solver than the record's, a record whose limits are of this version and a submission,
    NotComparable where other contracts differ too.
    """
    if (folder / CARD).exists():
        raise InputError(f"{folder} is a submission, which its card seals; submit it again, it is made anew")
    record = read_record(folder)
    plan = record.summary.plan
    _refuse(record, solver)
    place = plan.device_here(device)
    if (place.type == "cpu") != plan.device.startswith("cpu"):
        raise InputError(f"the record was made on {plan.device}, and goes on saying so: not to be told anew on {place}")
    renewed = plan.model_copy(update={"contracts": dict(CONTRACTS)})
    with hold(folder):
        store = BlockStore.open(folder / PLACE, renewed)
        chosen = [task for task in tasks(renewed) if task.watched]
        blocks = Evaluation(solver, renewed, place).worker(store).compute(chosen, quiet)
        by_cell: dict[str, list[BlockLimits]] = {planned.name: [] for planned in plan.cells}
        for task in chosen:
            block = blocks[task.name]
            assert isinstance(block, BlockLimits)
            by_cell[task.cell.name].append(block)
        renewed_record = _renew(record, renewed, by_cell)
        renewed_record.write(folder)
        shutil.rmtree(folder / PLACE)
    return renewed_record


def _refuse(record: Record, solver: IterativeSolver) -> None:
    plan = record.summary.plan
    others = [name for name in CONTRACTS if name != LIMITS and plan.contracts.get(name) != CONTRACTS[name]]
    if others:
        raise NotComparable(f"the record is of another version of {', '.join(others)} too; evaluate again")
    if plan.contracts == CONTRACTS:
        raise InputError(f"the record's limits are of this version ({LIMITS} {CONTRACTS[LIMITS]}) already")
    refuse_other_solver(solver, plan.solver)


def _renew(record: Record, plan: Plan, watched: dict[str, list[BlockLimits]]) -> Record:
    """Put the record together with new limits."""
    tables = []
    for planned in plan.cells:
        rows = record.mazes.filter(pl.col("cell") == planned.name)
        columns = limit_columns(watched[planned.name], planned.watched, planned.mazes)
        new = pl.DataFrame(columns, schema={name: PER_MAZE[name] for name in columns}, strict=False)
        tables.append(rows.with_columns(**{name: new[name] for name in columns}))
    mazes = pl.concat(tables)
    limits = [tally_limits(mazes, planned.name, plan.suite) for planned in plan.cells if planned.watched]
    old = record.summary
    now = datetime.now(UTC).isoformat(timespec="seconds")
    run = old.run.model_copy(update={"finished": now, "command": f"{old.run.command} && extramaze rewatch"})
    return Record.seal(plan, old.cells, limits, mazes, run, old.noise)
