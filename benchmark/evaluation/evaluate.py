"""Evaluate one solver on one suite: accuracy at every rung, and what the raw iterates did."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import polars as pl
import torch

from extramaze.blocks.block import BlockScores
from extramaze.blocks.planning import make_plan
from extramaze.blocks.store import BlockStore, refuse_foreign, refuse_other
from extramaze.blocks.watching import BlockLimits
from extramaze.core.checked import MAX_COMMAND
from extramaze.core.display import shown
from extramaze.core.errors import InputError
from extramaze.core.escapes import for_terminal
from extramaze.core.files import hold, make_folder
from extramaze.evaluation.run_cost import RunCost
from extramaze.evaluation.tasks import WHOLE, Shard
from extramaze.evaluation.work import Worker, tabulate_all
from extramaze.models.calling import calling, in_precision
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import resolve_device
from extramaze.records import SUMMARY, Record, read_record, settle_files
from extramaze.records.answers import answers_bytes
from extramaze.schema.plan import Mode, Part, Plan, Precision
from extramaze.schema.record import RunInfo
from extramaze.schema.suite import Suite, load_suite

__all__ = ["Evaluation", "assemble", "evaluate", "make_evaluation"]


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that is settled and not yet run."""

    solver: IterativeSolver
    plan: Plan
    device: torch.device
    keep_answers: bool = True

    def run(self, out: str | Path | None = None, quiet: bool = False) -> Record:
        """Run all of it, in the folder ``out`` or in memory, and return the record."""
        if out is None:
            cost = RunCost(self.device)
            return assemble(self.plan, self.worker(BlockStore(None)).run(WHOLE, quiet), cost, self.keep_answers)
        folder = Path(out)
        with _hold_ours(folder):
            return self.run_held(folder, quiet)

    def run_held(self, folder: Path, quiet: bool) -> Record:
        """Run all of it in a folder that this process holds; what is finished there is returned."""
        cost = RunCost(self.device)
        if (folder / SUMMARY).exists():
            return self._finished(folder)
        store = BlockStore.open(folder, self.plan)
        store.tidy()
        record = assemble(self.plan, self.worker(store).run(WHOLE, quiet), cost, self.keep_answers)
        record.write(folder)
        store.clear()
        return record

    def _finished(self, folder: Path) -> Record:
        """Return the record that a folder holds, alone then. Raises InputError where it is of another evaluation."""
        record = read_record(folder)
        refuse_other(folder, record.summary.plan, self.plan)
        settle_files(folder)
        store = BlockStore(folder)
        store.tidy()
        store.clear()
        return record

    def run_shard(self, shard: Shard, out: str | Path, quiet: bool = False) -> None:
        """Run one shard's blocks and leave them in the folder ``out``, to be gathered."""
        folder = Path(out)
        with _hold_ours(folder):
            if (folder / SUMMARY).exists():
                raise InputError(f"{folder} holds a finished record; choose another --out for a shard")
            store = BlockStore.open(folder, self.plan, str(shard))
            store.tidy()
            self.worker(store).run(shard, quiet)

    def worker(self, store: BlockStore, starts: bool = True) -> Worker:
        """Return what computes the blocks, on a copy of the solver in the plan's precision."""
        with calling(self.solver):
            ours = in_precision(self.solver, getattr(torch, self.plan.dtype), self.device)
        return Worker(ours, self.plan, self.device, store, starts)


@contextmanager
def _hold_ours(folder: Path) -> Iterator[None]:
    """Make an evaluation's folder and keep it to this process; what it holds is to be looked at inside.

    Raises InputError for a folder of somebody else, before anything there is touched.
    """
    if not (folder / SUMMARY).exists():
        refuse_foreign(folder)
    make_folder(folder)
    with hold(folder):
        yield


def make_evaluation(
    solver: IterativeSolver,
    suite: str | Path | Suite = "smoke-v1",
    device: str = "auto",
    part: Part | None = None,
    dtype: Precision = "float32",
    mode: Mode = "free-running",
    tf32: bool = False,
    keep_answers: bool = True,
) -> Evaluation:
    """Settle an evaluation; the arguments are those of ``evaluate``. Raises InputError."""
    if dtype not in get_args(Precision):
        raise InputError(f"dtype must be float32 or float64, got {dtype!r}")
    if mode not in ("free-running", "own"):
        raise InputError(f"mode must be free-running or own, got {mode!r}")
    if not isinstance(solver, IterativeSolver):
        raise InputError(
            f"expected an IterativeSolver, got {type(solver).__name__}; load it first: extramaze.models.load(NAME)"
        )
    target = resolve_device(device)
    loaded = load_suite(suite)
    with calling(solver):
        plan = make_plan(solver, loaded, part, dtype, target, mode, tf32)
    return Evaluation(solver, plan, target, keep_answers)


def evaluate(
    solver: IterativeSolver,
    suite: str | Path | Suite = "smoke-v1",
    device: str = "auto",
    out: str | Path | None = None,
    part: Part | None = None,
    dtype: Precision = "float32",
    quiet: bool = False,
    mode: Mode = "free-running",
    tf32: bool = False,
    keep_answers: bool = True,
) -> Record:
    """Evaluate a solver on a suite (a shipped name, a YAML file, or a Suite) and return its record.

    device: ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:N``. dtype: of the answers; iterates are
        watched in float64 always. quiet: show no progress.
    out: a folder for the record. Finished blocks are kept in it until the record is written, so a killed run goes on
        where it stopped and ends with the same numbers; a finished record is returned as it is. None: keep nothing.
    part: evaluate only a part of the suite; the record is then marked partial and is not ranked.
    mode: ``"own"`` runs the solver's own inference under the same budget of evaluations.
    tf32: let a GPU round to TF32.
    keep_answers: keep the answer to every maze in the record, a bit a pixel, so that anybody can score them again.
    Raises InputError for unknown names, a device that is not there, a solver made for another raster, or a folder that
    holds another evaluation.
    """
    evaluation = make_evaluation(solver, suite, device, part, dtype, mode, tf32, keep_answers)
    return evaluation.run(out, quiet)


def assemble(
    plan: Plan, blocks: dict[str, BlockScores | BlockLimits], cost: RunCost, keep_answers: bool = True
) -> Record:
    """Make the record of a plan from all its blocks."""
    tables = tabulate_all(plan, blocks)
    run = RunInfo(
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=cost.seconds,
        command=_command(),
        peak_memory_bytes=cost.memory,
    )
    limits = [table.limits for table in tables if table.limits is not None]
    cells, rows = [table.result for table in tables], pl.concat([table.rows for table in tables])
    answers = answers_bytes({table.result.name: table.answers for table in tables}) if keep_answers else None
    return Record.seal(plan, cells, limits, rows, run, answers=answers)


def _command() -> str:
    called = Path(sys.argv[0])
    if called.name == "extramaze" or called.parts[-2:] in (("benchmark", "__main__.py"), ("extramaze", "__main__.py")):
        return for_terminal(shown(shlex.join(["extramaze", *map(without_place, sys.argv[1:])]), MAX_COMMAND))[
            :MAX_COMMAND
        ]
    return "extramaze.evaluate"


def without_place(argument: str) -> str:
    """Return a command's argument as anyone may read it: a path from the root becomes relative, or its last name alone.

    Records are published; where someone keeps files is nobody's business.
    """
    option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    path = Path(value)
    if not path.is_absolute():
        return argument
    here = Path.cwd()
    return option + equals + (str(path.relative_to(here)) if path.is_relative_to(here) else path.name)
