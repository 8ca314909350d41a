"""Bring a record up to date: its limits by this version's rules, its schema, and what is known of its solver.

The ladder of answers is most of the work of an evaluation and has rules of its own; where only the rules of limits have
moved on, it need not be run again. Nor need watched mazes be whose limits this version judges as the record's did.
Answers that a record did not keep are made again where that is asked.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from extramaze.blocks.acceleration import choose_iteration
from extramaze.blocks.block import BlockScores
from extramaze.blocks.identity import refuse_other_solver, solver_info
from extramaze.blocks.planning import count_operations, device_of_its_kind
from extramaze.blocks.store import BlockStore
from extramaze.blocks.watching import BlockLimits
from extramaze.core.errors import InputError, NotComparable
from extramaze.core.files import hold, remove_temporary
from extramaze.core.folders import remove_folder, write_folder
from extramaze.core.words import counted
from extramaze.dynamics.limits import Limit
from extramaze.evaluation.evaluate import Evaluation
from extramaze.evaluation.tabulate import answer_columns, limit_columns
from extramaze.evaluation.tasks import Task, tasks
from extramaze.mazes.pixels import raster_shape
from extramaze.models.contract import IterativeSolver
from extramaze.records import Place, Record, read_record, settle_files
from extramaze.records.answers import answers_bytes
from extramaze.records.tallies import tally_limits
from extramaze.schema.card import CARD
from extramaze.schema.plan import CONTRACTS, CellPlan, Plan
from extramaze.schema.record import columns_of
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


class OtherAnswers(Exception):
    """Answers that are not those of a record's rows: ``places`` says which mazes'."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__(f"{counted(len(places), 'answer')} other than the record's")
        self.places = places


def rewatch(
    folder: Path, solver: IterativeSolver, device: str | None = None, quiet: bool = False, answers: bool = False
) -> Record:
    """Bring a record up to date, by its solver: its limits by this version's rules, its schema, the facts it states.

    The iterates are watched again, and the record is written with what they did; scores stay. answers: answer the mazes
    again too and keep the answers, where all of them have the scores of the rows.

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
    Raises InputError for another solver than the record's, a record that there is nothing to bring up to date in, and a
    submission, NotComparable where other contracts differ too, OtherAnswers, which leaves the record as it was.
    """
    if (folder / CARD).exists():
        raise InputError(f"{folder} is a submission, which its card seals; submit it again, it is made anew")
    with hold(folder):
        record = _settled(folder)
        refuse_other_solver(solver, record.summary.plan.solver)
        remove_temporary(folder)
        told = record.summary.plan.solver == solver_info(solver)
        if is_renewed(record) and told and not (answers and record.answers is None):
            return record
        if record.unread:
            raise InputError(
                f"{folder}: {', '.join(record.unread)}: not known here, and would be lost; update extramaze"
            )
        _refuse(record, solver, answers)
        renewed = _renewed(folder, record, solver, device, quiet, answers)
        renewed.check(folder)
        write_folder(
            folder / PLACE / RENEWED, renewed.contents()
        )  # from here on a rewatching that is stopped ends with this record
        return _settled(folder)


def is_under_way(folder: Path) -> bool:
    """Whether a rewatching of a folder's record was begun and has not ended."""
    return (folder / PLACE).exists()


def is_renewed(record: Record) -> bool:
    """Whether a record was brought up to date by this version."""
    plan = record.summary.plan
    return plan.contracts == CONTRACTS and record.read_as is None and record.summary.run.command.endswith(AGAIN)


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


def _renewed(
    folder: Path, record: Record, solver: IterativeSolver, device: str | None, quiet: bool, answers: bool
) -> Record:
    """Compute what has to be computed again, block by block, and put the new record together. Raises OtherAnswers."""
    plan = record.summary.plan
    place = device_of_its_kind(plan, device)
    known = {"contracts": dict(CONTRACTS), "solver": solver_info(solver), "cells": _counted(plan, solver)}
    renewed = plan.model_copy(update=known)
    watched = [] if plan.contracts == CONTRACTS else [t for t in tasks(plan) if t.watched and not _stands(record, t)]
    chosen = watched + ([task for task in tasks(plan) if not task.watched] if answers else [])
    if not chosen:
        return _brought_up(record, renewed, {}, None)
    store = _store(folder / PLACE, renewed)
    store.tidy()
    ours = {"iteration": choose_iteration(solver, place)} if plan.mode == "free-running" else {}
    worker = Evaluation(solver, renewed.model_copy(update=ours), place).worker(store, starts=False)
    blocks = worker.compute(chosen, quiet)
    limits = {task: blocks[task.name] for task in watched}
    try:
        return _brought_up(record, renewed, limits, _same_answers(record, blocks) if answers else None)
    except OtherAnswers:
        remove_folder(folder / PLACE)  # nothing comes of its blocks
        raise


def _counted(plan: Plan, solver: IterativeSolver) -> tuple[CellPlan, ...]:
    """Return the cells of a plan with the operations of an iteration, where they were not counted."""
    return tuple(
        planned
        if planned.operations is not None or plan.mode == "predictions"
        else planned.model_copy(
            update={"operations": count_operations(solver, raster_shape(cell.maze_spec.shape, plan.suite.scale))}
        )
        for cell, planned in plan.pairs()
    )


def _same_answers(record: Record, blocks: Mapping[str, BlockScores | BlockLimits]) -> bytes:
    """Return the answers that blocks of all mazes gave. Raises OtherAnswers where their scores are not the rows'."""
    plan = record.summary.plan
    packed, differ = {}, []
    for cell, planned in plan.pairs():
        scores = [blocks[task.name] for task in tasks(plan) if task.cell == cell and not task.watched]
        found = answer_columns([block for block in scores if isinstance(block, BlockScores)], planned.mazes)
        rows = record.mazes.filter(pl.col("cell") == cell.name)
        same = np.logical_and.reduce([rows[name].eq_missing(found[name]).to_numpy() for name in found.columns])
        differ += [(cell.name, int(at)) for at in np.flatnonzero(~same)]
        packed[cell.name] = np.concatenate([block.answer for block in scores if isinstance(block, BlockScores)])
        packed[cell.name] = packed[cell.name][: planned.mazes]
    if differ:
        raise OtherAnswers(differ)
    return answers_bytes(packed)


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


def _refuse(record: Record, solver: IterativeSolver, answers: bool) -> None:
    """Raise where a record cannot be brought up to date, or is already."""
    plan = record.summary.plan
    others = [name for name in CONTRACTS if name != LIMITS and plan.contracts.get(name) != CONTRACTS[name]]
    if others:
        raise NotComparable(f"the record is of another version of {', '.join(others)} too; evaluate again")
    if answers and plan.mode == "predictions":
        raise InputError("the record is of answers that were handed in; hand them in again to keep them")
    newest = plan.contracts == CONTRACTS and record.read_as is None and plan.solver == solver_info(solver)
    if newest and not (answers and record.answers is None):
        raise InputError(f"the record's limits are of this version ({LIMITS} {CONTRACTS[LIMITS]}) already")


def _brought_up(
    record: Record, plan: Plan, watched: Mapping[Task, BlockScores | BlockLimits], answers: bytes | None
) -> Record:
    """Put the record together with a plan that says what is known now, new limits of some blocks, and its answers."""
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
    kept = record.answers if answers is None else answers
    return record.changed(plan=plan, limits=limits, mazes=mazes, run=run, answers=kept)
