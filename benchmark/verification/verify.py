"""Verify a record: find its solver, see that it is allowed to run, and hold what comes out against the record."""

import secrets
from pathlib import Path

import numpy as np

from extramaze.blocks.identity import solver_differences
from extramaze.blocks.planning import device_here, make_plan
from extramaze.core.errors import InputError, NotComparable
from extramaze.core.locks import scratch
from extramaze.core.words import counted
from extramaze.models import IterativeSolver, load
from extramaze.records import SUMMARY, Place, Record, read_record
from extramaze.schema.card import CARD, Card, Source, read_card
from extramaze.schema.plan import CONTRACTS
from extramaze.submission.staging import load_source, needs_trust, shipped_source, unpack
from extramaze.verification.rerun import Rerun, run_again
from extramaze.verification.validate import problems
from extramaze.verification.verification import Verification

ITS_OWN = "the architecture in its folder"


class Unsound(Exception):
    """A record that is not worth running: ``problems`` say why."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(counted(len(found), "problem"))
        self.problems = found


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
    wrong = problems(folder)
    if wrong:
        raise Unsound(wrong)
    record = read_record(folder)
    card = read_card(folder) if (folder / CARD).exists() else None
    _refuse_other_versions(record)
    source = _source(record, card, solver, trust, folder)
    chosen = _draw(record, mazes, seed)
    with scratch() as place:
        if card is not None:
            unpack(folder, card, place)
        ours = load_source(source, place) if source is not None else load(str(solver))
        return run_again(prepare(record, ours, source, device, quiet), *chosen)


def _refuse_other_versions(record: Record) -> None:
    plan = record.summary.plan
    if plan.mode == "predictions":
        raise InputError(f"{plan.solver.name}: answers that were handed in; there is no solver to run again")
    differs = [name for name in CONTRACTS if plan.contracts.get(name) != CONTRACTS[name]]
    if differs:
        stated = ", ".join(f"{name} {plan.contracts.get(name)} (here {CONTRACTS[name]})" for name in differs)
        raise NotComparable(f"the record is of other versions: {stated}; verify it with the extramaze that made it")


def _source(record: Record, card: Card | None, solver: str | None, trust: bool, folder: Path) -> Source | None:
    """Say where the solver comes from, and refuse code that is not trusted; None for one named by hand."""
    name = record.summary.plan.solver.name
    if card is not None and solver is not None:
        raise InputError(f"the card of {name} says where its solver is; leave --solver out")
    source = card.source if card is not None else shipped_source(name) if solver is None else None
    if source is None and solver is None:
        raise InputError(
            f"{name} is no shipped solver and has no {CARD}; say which solver it was: --solver TARGET --trust"
        )
    if (source is None or needs_trust(source, folder)) and not trust:
        what = solver or (ITS_OWN if source is None or source.kind == "trained" else source.target)
        by = f" by {', '.join(card.statement.authors)}" if card else ""
        raise InputError(
            f"verifying {name} runs the code of {what}{by} with all your rights; read it, then add --trust, best in a "
            "container without network"
        )
    return source


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


def prepare(record: Record, solver: IterativeSolver, source: Source | None, device: str | None, quiet: bool) -> Rerun:
    """Make ready to run, and see that the record is of this very solver. Raises Unsound, or NotComparable."""
    plan = record.summary.plan
    target = device_here(plan, device)
    here = make_plan(solver, plan.suite, plan.part, plan.dtype, target, plan.mode, plan.tf32)
    differs = solver_differences(solver, plan.solver)
    other_code = here.solver.code_sha256 != plan.solver.code_sha256
    if differs and (source is None or (source.kind == "installed" and other_code)):
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
