"""What comes out when blocks of a record are computed again, and how much of it rounding explains.

Blocks are the unit of computation: a maze's batch-mates are part of its numbers, so the blocks that hold the chosen
mazes are run, as they were. Answers that disagree are computed once more in blocks of half the size, in float64, and
from starts nudged by a few units in the last place; limits from such a start. What changes by itself says nothing
against a record.
"""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
import torch
from torch import Tensor

from extramaze.blocks.block import BlockScores
from extramaze.blocks.store import BlockStore
from extramaze.blocks.watching import BlockLimits
from extramaze.evaluation.evaluate import Evaluation
from extramaze.evaluation.tasks import Task, tasks
from extramaze.mazes.scores import KINDS
from extramaze.models import IterativeSolver
from extramaze.models.contract import State
from extramaze.models.states import mapped, parts
from extramaze.records import Place, Record
from extramaze.schema.plan import Plan
from extramaze.verification.verification import MAX_NAMED, Disagreement, Verification

NUDGE = {"float32": 2.0**-22, "float64": 2.0**-50}  # a few units in the last place
NUDGES = 12  # starts beside the usual one; an answer that is a coin's toss stays the same in all with chance 2^-12
HOPELESS, MANY = 4, 8  # after so many variants without one change among more than so many mazes it is no rounding

_LIMIT = ("cell", "index", "limit", "limit_right")


def nudged(solver: IterativeSolver, amount: float) -> IterativeSolver:
    """Return a solver that starts ``amount`` beside where it would, relative or absolute, and is the same otherwise.

    Whole numbers stay what they are: a solver that computes with them knows no rounding.
    """
    kind = type(solver)

    def start(self: IterativeSolver, x: Tensor) -> State:
        state = kind.initial_state(self, x)
        found = [part for _, part in parts(state)]
        if not all(map(_counts, found)):
            return mapped(
                lambda part: part if _counts(part) else torch.where(_whole(part), part, part * (1 + amount)), state
            )
        if not any(part.is_floating_point() for part in found):
            return state
        return mapped(lambda part, after: part if _counts(after) else part + amount, state, self.step(state, x))

    other = copy.copy(solver)
    other.__class__ = type("Nudged", (kind,), {"initial_state": start})
    return other


def _whole(state: Tensor) -> Tensor:
    return state == state.round()


def _counts(state: Tensor) -> bool:
    """Whether a state holds whole numbers alone."""
    return not state.is_floating_point() or bool(_whole(state).all())


@dataclass(frozen=True, eq=False)
class Rerun:
    """A record and its solver, ready to be run again. here: the plan that this machine would make."""

    record: Record
    solver: IterativeSolver
    plan: Plan
    here: Plan
    device: torch.device
    quiet: bool

    def blocks(self, plan: Plan, chosen: list[Task], solver: IterativeSolver | None = None) -> dict:
        """Compute some of a plan's blocks, by name."""
        evaluation = Evaluation(solver or self.solver, plan, self.device)
        return evaluation.worker(BlockStore(None)).compute(chosen, self.quiet)


def run_again(rerun: Rerun, drawn: list[Place], seed: int | None) -> Verification:
    """Run the blocks that hold the drawn mazes, with the watched ones where all are drawn, and count what differs."""
    whole = len(drawn) == len(rerun.record.mazes)
    chosen = [task for task in _holding(rerun.plan, drawn) if whole or not task.watched]
    blocks = rerun.blocks(rerun.plan, chosen)
    found = _answers(rerun.plan, blocks)
    stated = _stated(rerun.record, found.keys())
    differ = [place for place in found if not np.array_equal(found[place], stated[place])]
    rounding = _changing(rerun, differ, found)
    limits, limits_rounding = _limits(rerun, blocks)
    sample = set(drawn)
    right = {place: (bool(stated[place][-1, -1]), bool(found[place][-1, -1])) for place in rounding}
    named = [Disagreement(cell=c, index=i, what="answers", rounding=(c, i) in rounding) for c, i in differ]
    named += [Disagreement(cell=c, index=i, what="limit", rounding=(c, i) in limits_rounding) for c, i in limits]
    return Verification.seal(
        record_sha256=rerun.record.sha256,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        device=rerun.here.device,
        packages=rerun.here.packages,
        seed=seed,
        mazes=len(rerun.record.mazes),
        drawn=len(drawn),
        compared=len(found),
        disagree=len(sample.intersection(differ)),
        rounding=len(sample & rounding),
        beside=len(set(differ) - rounding - sample),
        favourable=sum(was and not now for was, now in right.values()),
        unfavourable=sum(now and not was for was, now in right.values()),
        watched=sum(cell.watched for cell in rerun.plan.cells) if whole else 0,
        limits_disagree=len(limits),
        limits_rounding=len(limits_rounding),
        named=sorted(named, key=lambda one: one.rounding)[:MAX_NAMED],
    )


def _holding(plan: Plan, places: Iterable[Place]) -> list[Task]:
    """Return the blocks, of answers and of watched mazes, that hold some mazes."""
    wanted = set(places)
    found = []
    for task in tasks(plan):
        size = plan.limit_block if task.watched else task.planned.block
        count = task.planned.watched if task.watched else task.planned.mazes
        inside = range(task.block * size, min(count, (task.block + 1) * size))
        if any((task.cell.name, index) in wanted for index in inside):
            found.append(task)
    return found


def _answers(plan: Plan, blocks: dict) -> dict[Place, np.ndarray]:
    """Return exact, valid and optimal at R rungs, bool (3, R), of every maze in some blocks."""
    found = {}
    for task in tasks(plan):
        block = blocks.get(task.name)
        if isinstance(block, BlockScores):
            right = np.stack([getattr(block, kind) for kind in KINDS])
            first = task.block * task.planned.block
            for at in range(min(task.planned.block, task.planned.mazes - first)):
                found[task.cell.name, first + at] = right[:, :, at]
    return found


def _stated(record: Record, places: Iterable[Place]) -> dict[Place, np.ndarray]:
    wanted = set(places)
    return {
        (cell, index): np.array(right)
        for cell, index, *right in record.mazes.select("cell", "index", *KINDS).iter_rows()
        if (cell, index) in wanted
    }


def _changing(rerun: Rerun, places: list[Place], found: dict[Place, np.ndarray]) -> set[Place]:
    """Return the mazes whose answers change with blocks of half the size, in float64, or with a nudged start."""
    left = set(places)
    for tried, (plan, solver) in enumerate(_variants(rerun)):
        if not left or _hopeless(tried, left, places):
            break
        chosen = [task for task in _holding(plan, left) if not task.watched]
        again = _answers(plan, rerun.blocks(plan, chosen, solver))
        left -= {place for place in left if not np.array_equal(again[place], found[place])}
    return set(places) - left


def _variants(rerun: Rerun) -> Iterator[tuple[Plan, IterativeSolver]]:
    """Yield plans and solvers that differ from the record's by what should not matter."""
    plan = rerun.plan
    yield plan.with_other_blocks(), rerun.solver
    if plan.dtype == "float32":
        yield plan.model_copy(update={"dtype": "float64", "tf32": False}), rerun.solver
    if plan.mode == "free-running":
        for time in range(1, NUDGES + 1):
            yield plan, nudged(rerun.solver, time * NUDGE[plan.dtype])


def _limits(rerun: Rerun, blocks: dict) -> tuple[list[Place], set[Place]]:
    """Return the watched mazes whose limit disagrees, and those of them whose limit a nudge changes as well."""
    found = _seen(rerun.plan, blocks)
    rows = rerun.record.mazes.filter(pl.col("limit").is_not_null())
    stated = {(cell, index): tuple(seen) for cell, index, *seen in rows.select(*_LIMIT).iter_rows()}
    differ = [place for place in found if found[place] != stated[place]]
    left = set(differ)
    for time in range(1, NUDGES + 1):
        if not left or _hopeless(time - 1, left, differ):
            break
        chosen = [task for task in _holding(rerun.plan, left) if task.watched]
        again = _seen(rerun.plan, rerun.blocks(rerun.plan, chosen, nudged(rerun.solver, time * NUDGE["float64"])))
        left -= {place for place in left if again[place] != found[place]}
    return differ, set(differ) - left


def _hopeless(tried: int, left: set[Place], differ: list[Place]) -> bool:
    """Whether so many variants have explained so little that the next ones are not worth their time."""
    return tried >= HOPELESS and len(left) == len(differ) > MANY


def _seen(plan: Plan, blocks: dict) -> dict[Place, tuple[str, bool]]:
    """Return the limit of every watched maze in some blocks, and whether it ended on an optimal answer."""
    found = {}
    for task in tasks(plan):
        block = blocks.get(task.name)
        if isinstance(block, BlockLimits):
            first = task.block * plan.limit_block
            for at in range(min(plan.limit_block, task.planned.watched - first)):
                found[task.cell.name, first + at] = (str(block.limit[at]), bool(block.right[at]))
    return found
