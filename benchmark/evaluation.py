"""Evaluate one solver on one suite: accuracy at every rung, and what the raw iterates did."""

import copy
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import polars as pl
import torch
from tqdm import tqdm

from extramaze.blocks import BlockLimits, BlockScores, score_block, watch_block
from extramaze.mazes import InputError
from extramaze.mazes.files import hold
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import reference_arithmetic, resolve_device
from extramaze.plan import Part, Plan, Precision, make_plan
from extramaze.records import SUMMARY, Record, Run, read_record
from extramaze.store import BlockStore, refuse_other
from extramaze.suites import Cell, CellPlan, Suite, load_suite
from extramaze.tabulate import CellTable, tabulate


def evaluate(
    solver: IterativeSolver,
    suite: str | Suite = "smoke-v1",
    device: str = "auto",
    out: str | Path | None = None,
    part: Part | None = None,
    dtype: Precision = "float32",
    quiet: bool = False,
) -> Record:
    """Evaluate a solver on a suite (a shipped name, a YAML file, or a Suite) and return its record.

    out: a folder for the record. Finished blocks are kept in it until the record is written, so a killed run goes on
        where it stopped and ends with the same numbers; a finished record is returned as it is. None: keep nothing.
    part: evaluate only a part of the suite; the record is then marked partial and is not ranked.
    Raises InputError for unknown names, a device that is not there, a solver made for another raster, or a folder that
    holds another evaluation.
    """
    if dtype not in get_args(Precision):
        raise InputError(f"dtype must be float32 or float64, got {dtype!r}")
    target = resolve_device(device)
    plan = make_plan(solver, load_suite(suite) if isinstance(suite, str) else suite, part, dtype, target)
    if out is None:
        return _run(solver, plan, target, BlockStore(None), quiet)
    folder = Path(out)
    if (folder / SUMMARY).exists():
        record = read_record(folder)
        refuse_other(folder, record.summary.plan, plan)
        BlockStore(folder).clear()
        return record
    store = BlockStore.open(folder, plan)
    with hold(folder):
        record = _run(solver, plan, target, store, quiet)
        record.write(folder)
        store.clear()
    return record


def _run(solver: IterativeSolver, plan: Plan, device: torch.device, store: BlockStore, quiet: bool) -> Record:
    began = time.perf_counter()
    ours = copy.deepcopy(solver).to(device, getattr(torch, plan.dtype)).eval()
    work = _Work(ours, plan, device, store)
    with reference_arithmetic():
        tables = [work.tabulate(cell, planned, bar) for cell, planned, bar in work.progress(quiet)]
    limits = [table.limits for table in tables if table.limits is not None]
    rows = pl.concat([table.rows for table in tables])
    run = Run(
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - began, 1),
        command=_command(),
    )
    return Record.seal(plan, [table.result for table in tables], limits, rows, run)


def _command() -> str:
    called = Path(sys.argv[0])
    if called.name == "extramaze" or called.parts[-2:] == ("benchmark", "__main__.py"):
        return shlex.join(["extramaze", *sys.argv[1:]])
    return "extramaze.evaluate"


@dataclass(frozen=True)
class _Work:
    """The blocks of one evaluation."""

    solver: IterativeSolver
    plan: Plan
    device: torch.device
    store: BlockStore

    def progress(self, quiet: bool) -> Iterator[tuple[Cell, CellPlan, tqdm]]:
        """Go through the cells under one progress bar that counts blocks."""
        total = sum(len(self._score_blocks(cell)) + len(self._watch_blocks(cell)) for cell in self.plan.cells)
        with tqdm(total=total, unit="block", disable=quiet, leave=False) as bar:
            for cell, planned in zip(self.plan.suite.cells, self.plan.cells, strict=True):
                bar.set_description(f"{self.plan.solver.name} {cell.name}")
                yield cell, planned, bar

    def tabulate(self, cell: Cell, planned: CellPlan, bar: tqdm) -> CellTable:
        """Compute, or read back, every block of a cell, and tabulate it."""
        scores, watched = [], []
        for block in self._score_blocks(planned):
            scores.append(self._score(cell, planned, block))
            bar.update()
        for block in self._watch_blocks(planned):
            watched.append(self._watch(cell, block))
            bar.update()
        return tabulate(self.plan.suite, cell, planned, scores, watched)

    @contextmanager
    def _blame(self) -> Iterator[None]:
        """Turn a failure of code that does not come with extramaze into one error that names the solver."""
        try:
            yield
        except (InputError, KeyboardInterrupt):
            raise
        except BaseException as problem:  # foreign code may call sys.exit
            if self.plan.solver.code_sha256 is None:
                raise
            name, kind = self.plan.solver.name, type(problem).__name__
            raise InputError(f"solver {name}: its code failed: {kind}: {problem}") from problem

    def _score_blocks(self, planned: CellPlan) -> range:
        return range(-(-planned.mazes // planned.block))

    def _watch_blocks(self, planned: CellPlan) -> range:
        return range(-(-planned.watched // self.plan.limit_block))

    def _score(self, cell: Cell, planned: CellPlan, block: int) -> BlockScores:
        name = f"{cell.name}-scores-{block}"
        found = self.store.read(BlockScores, name)
        if found is None:
            with self._blame():
                found = score_block(self.solver, self.plan.suite, cell, planned, block, self.device, self.plan.dtype)
            self.store.save(name, found)
        return found

    def _watch(self, cell: Cell, block: int) -> BlockLimits:
        name = f"{cell.name}-limits-{block}"
        found = self.store.read(BlockLimits, name)
        if found is None:
            with self._blame():
                found = watch_block(self.solver, self.plan.suite, cell, block, self.device)
            self.store.save(name, found)
        return found
