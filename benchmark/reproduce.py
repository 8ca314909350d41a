"""Run a record again, whole or on mazes drawn at random, and say what comes out otherwise.

Blocks are the unit of computation: a maze's batch-mates are part of its numbers, so the blocks that hold the chosen
mazes are run, as they were. What disagrees is run once more in blocks of half the size and in float64 (answers), or
from a start nudged by less than rounding (limits): what changes by itself says nothing against a record.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import torch
from torch import Tensor

from extramaze.blocks import BlockLimits, BlockScores
from extramaze.card import CARD, VERIFICATION, Card, Source, read_card
from extramaze.evaluation import Evaluation
from extramaze.mazes import InputError
from extramaze.mazes.errors import NotComparable
from extramaze.models import IterativeSolver, load
from extramaze.models.devices import resolve_device
from extramaze.plan import CONTRACTS, Plan, make_plan
from extramaze.records import KINDS, SUMMARY, Record, read_record
from extramaze.staging import load_source, needs_trust, shipped_source, unpack
from extramaze.store import BlockStore
from extramaze.validate import problems
from extramaze.verification import MAX_NAMED, Disagreement, Verification
from extramaze.work import Shard, Task, Worker, tasks

NUDGE = 2.0**-50  # relative and absolute: a few units in the last place of float64

Place = tuple[str, int]  # a cell's name and a maze's index


class Unsound(Exception):
    """A record that is not worth running: ``problems`` say why."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(f"{len(found)} problems")
        self.problems = found


class Chosen(Shard):
    """Blocks chosen by their numbers, as a share of the work."""

    numbers: frozenset[int]

    def takes(self, number: int) -> bool:
        """Whether the block of this number is chosen."""
        return number in self.numbers


class Nudged(IterativeSolver):
    """A solver that starts a few units in the last place beside where it would."""

    def __init__(self, solver: IterativeSolver) -> None:
        super().__init__()
        self.solver = solver

    def initial_state(self, x: Tensor) -> Tensor:
        """Return the other's start, nudged; a state that is not of floating point has no rounding."""
        state = self.solver.initial_state(x)
        return state * (1 + NUDGE) + NUDGE if state.is_floating_point() else state

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Make the other's step."""
        return self.solver.step(state, x)

    def readout(self, state: Tensor) -> Tensor:
        """Read the other's logits."""
        return self.solver.readout(state)


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
        share = Chosen(index=1, count=1, numbers=frozenset(task.number for task in chosen))
        return worker_of(evaluation).run(share, self.quiet)


def worker_of(evaluation: Evaluation) -> Worker:
    """Return what computes an evaluation's blocks in memory."""
    return evaluation._worker(BlockStore(None))


def verify(
    folder: Path,
    trust: bool = False,
    mazes: int | None = None,
    seed: int | None = None,
    solver: str | None = None,
    device: str | None = None,
    quiet: bool = False,
) -> Verification:
    """Run the record of a folder again, from its card and weights, or from a shipped solver of its name.

    trust: allow code that does not come with extramaze. mazes: only so many, drawn at random by ``seed`` (default: one
    that nobody could have known); None: all, with the limits. solver: for a record without a card. device: default the
    kind that the record was made on, where there is one.
    Raises Unsound for what validate finds and for a record of another solver, InputError for a record that cannot be
    run or is not trusted, NotComparable for one of other versions or of other code than is installed.
    """
    if not (folder / SUMMARY).exists():
        raise InputError(f"{folder} holds no record ({SUMMARY}); give the folder of one")
    wrong = [problem for problem in problems(folder) if not problem.startswith(VERIFICATION)]
    if wrong:
        raise Unsound(wrong)
    record = read_record(folder)
    card = read_card(folder) if (folder / CARD).exists() else None
    _refuse_other_versions(record)
    source = _source(record, card, solver, trust)
    chosen = _draw(record, mazes, seed)
    with TemporaryDirectory(prefix="extramaze-") as place:
        if card is not None:
            unpack(folder, card, Path(place))
        ours = load(solver) if source is None and solver else load_source(source or _no_source(record), Path(place))
        return _rerun(_prepare(record, ours, source, device, quiet), *chosen)


def _refuse_other_versions(record: Record) -> None:
    plan = record.summary.plan
    if plan.mode == "predictions":
        raise InputError(f"{plan.solver.name}: answers that were handed in; there is no solver to run again")
    differs = [name for name in CONTRACTS if plan.contracts.get(name) != CONTRACTS[name]]
    if differs:
        stated = ", ".join(f"{name} {plan.contracts.get(name)} (here {CONTRACTS[name]})" for name in differs)
        raise NotComparable(f"the record is of other versions: {stated}; verify it with the extramaze that made it")


def _source(record: Record, card: Card | None, solver: str | None, trust: bool) -> Source | None:
    """Say where the solver comes from, and refuse code that is not trusted; None for one named by hand."""
    name = record.summary.plan.solver.name
    if card is not None and solver is not None:
        raise InputError(f"the card of {name} says where its solver is; leave --solver out")
    source = card.source if card is not None else None if solver is not None else shipped_source(name)
    if card is None and solver is None and source is None:
        _no_source(record)
    if (source is None or needs_trust(source)) and not trust:
        what = solver or (source.target if source else name)
        by = f" by {', '.join(card.statement.authors)}" if card else ""
        raise InputError(
            f"verifying {name} runs the code of {what}{by} with all your rights; read it, then add --trust, best in a "
            "container without network"
        )
    return source


def _no_source(record: Record) -> Source:
    name = record.summary.plan.solver.name
    raise InputError(f"{name} is no shipped solver and has no {CARD}; say which solver it was: --solver TARGET --trust")


def _draw(record: Record, mazes: int | None, seed: int | None) -> tuple[list[Place], int | None]:
    """Choose mazes: all, in order, or so many at random without replacement, by a seed."""
    every = list(record.mazes.select("cell", "index").iter_rows())
    if mazes is None:
        if seed is not None:
            raise InputError("--seed draws mazes; give --mazes too")
        return every, None
    if mazes < 1:
        raise InputError(f"--mazes must be at least 1, got {mazes}")
    if seed is not None and not 0 <= seed < 2**64:
        raise InputError(f"--seed must be from 0 to 2^64 − 1, got {seed}")
    if mazes >= len(every):
        return every, None
    key = secrets.randbits(63) if seed is None else seed
    rows = np.random.default_rng(key).choice(len(every), mazes, replace=False)
    return [every[row] for row in sorted(rows.tolist())], key


def _prepare(record: Record, solver: IterativeSolver, source: Source | None, device: str | None, quiet: bool) -> Rerun:
    """Make ready to run, and see that the record is of this very solver. Raises Unsound, or NotComparable."""
    plan = record.summary.plan
    on_cpu = plan.device.startswith("cpu")
    target = resolve_device(device or ("cpu" if on_cpu else "auto"))
    here = make_plan(solver, plan.suite, plan.part, plan.dtype, target, plan.mode, plan.retire, plan.tf32)
    ours, theirs = here.solver.model_dump(), plan.solver.model_dump()
    differs = [f"{key}: {theirs[key]} in the record, {ours[key]} here" for key in ours if ours[key] != theirs[key]]
    if differs and (source is None or (source.kind == "installed" and ours["code_sha256"] != theirs["code_sha256"])):
        raise NotComparable(
            f"this is not the solver of the record: {'; '.join(differs)}; install or name the right one"
        )
    for mine, stated in zip(here.cells, plan.cells, strict=True):
        if (mine.rungs, mine.watched) != (stated.rungs, stated.watched):
            differs.append(f"{stated.name}: {list(stated.rungs)} iterations in the record, {list(mine.rungs)} here")
    if differs:
        raise Unsound([f"{SUMMARY}: not of this solver: {line}" for line in differs])
    ran = plan.model_copy(update={"iteration": here.iteration, "tf32": here.tf32})
    return Rerun(record, solver, ran, here, target, quiet)


def _rerun(rerun: Rerun, drawn: list[Place], seed: int | None) -> Verification:
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
        record_sha256=rerun.record.summary.sha256,
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
        watched=sum(len(block.limit) for block in blocks.values() if isinstance(block, BlockLimits))
        and _watched(rerun),
        limits_disagree=len(limits),
        limits_rounding=len(limits_rounding),
        named=sorted(named, key=lambda one: one.rounding)[:MAX_NAMED],
    )


def _watched(rerun: Rerun) -> int:
    return sum(cell.watched for cell in rerun.plan.cells)


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
    """Return the mazes whose answers change with blocks of half the size or, from float32, in float64."""
    if not places:
        return set()
    halved = tuple(cell.model_copy(update={"block": cell.block // 2 or 2}) for cell in rerun.plan.cells)
    variants = [rerun.plan.model_copy(update={"cells": halved})]
    if rerun.plan.dtype == "float32":
        variants.append(rerun.plan.model_copy(update={"dtype": "float64", "iteration": "plain", "tf32": False}))
    changed = set()
    for plan in variants:
        chosen = [task for task in _holding(plan, places) if not task.watched]
        again = _answers(plan, rerun.blocks(plan, chosen))
        changed |= {place for place in places if not np.array_equal(again[place], found[place])}
    return changed


def _limits(rerun: Rerun, blocks: dict) -> tuple[list[Place], set[Place]]:
    """Return the watched mazes whose limit disagrees, and those of them whose limit a nudge changes as well."""
    found = _seen(rerun.plan, blocks)
    rows = rerun.record.mazes.filter(pl.col("limit").is_not_null())
    stated = {(cell, index): tuple(seen) for cell, index, *seen in rows.select(*_LIMIT).iter_rows()}
    differ = [place for place in found if found[place] != stated[place]]
    if not differ:
        return [], set()
    chosen = [task for task in _holding(rerun.plan, differ) if task.watched]
    again = _seen(rerun.plan, rerun.blocks(rerun.plan, chosen, Nudged(rerun.solver)))
    return differ, {place for place in differ if again[place] != found[place]}


_LIMIT = ("cell", "index", "limit", "limit_right")


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
