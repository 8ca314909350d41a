"""Evaluate one solver on one suite: accuracy at every rung, and what the raw iterates did."""

import copy
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import polars as pl
import torch
from tqdm import tqdm

from extramaze.blocks import LIMIT_BLOCK, BlockLimits, BlockScores, ladder, score_block, watch_block
from extramaze.mazes.raster import raster_side
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import reference_arithmetic, resolve_device
from extramaze.plan import Part, make_plan
from extramaze.records import SUMMARY, Plan, Record, Run, read_record
from extramaze.store import BlockStore, refuse_other
from extramaze.suites import Cell, Suite, load_suite
from extramaze.tabulate import CellTable, tabulate


def evaluate(
    solver: IterativeSolver,
    suite: str | Suite = "smoke-v1",
    device: str = "auto",
    out: str | Path | None = None,
    part: Part | None = None,
    dtype: Literal["float32", "float64"] = "float32",
    quiet: bool = False,
) -> Record:
    """Evaluate a solver on a suite (a shipped name, a YAML file, or a Suite) and return its record.

    out: a folder for the record. Finished blocks are kept in it until the record is written, so a killed run goes on
        where it stopped and ends with the same numbers; a finished record is returned as it is. None: keep nothing.
    part: evaluate only a part of the suite; the record is then marked partial and is not ranked.
    Raises InputError for unknown names, a device that is not there, a solver made for another raster, or a folder that
    holds another evaluation.
    """
    target = resolve_device(device)
    plan = make_plan(solver, load_suite(suite) if isinstance(suite, str) else suite, part, dtype, target)
    folder = Path(out) if out is not None else None
    if folder is not None and (folder / SUMMARY).exists():
        record = read_record(folder)
        refuse_other(folder, record.summary.plan, plan)
        return record
    store = BlockStore.open(folder, plan)
    began = time.perf_counter()
    ours = copy.deepcopy(solver).to(target, getattr(torch, dtype)).eval()
    work = _Work(ours, plan, target, store)
    with reference_arithmetic():
        tables = [work.tabulate(cell, bar) for cell, bar in work.progress(quiet)]
    limits = [table.limits for table in tables if table.limits is not None]
    rows = pl.concat([table.rows for table in tables])
    record = Record.seal(plan, [table.result for table in tables], limits, rows, _run(time.perf_counter() - began))
    if folder is not None:
        record.write(folder)
        store.clear()
    return record


@dataclass(frozen=True)
class _Work:
    """The blocks of one evaluation."""

    solver: IterativeSolver
    plan: Plan
    device: torch.device
    store: BlockStore

    def progress(self, quiet: bool) -> Iterator[tuple[Cell, tqdm]]:
        """Go through the cells under one progress bar that counts blocks."""
        total = sum(len(self._score_blocks(cell)) + len(self._watch_blocks(cell)) for cell in self.plan.suite.cells)
        with tqdm(total=total, unit="block", disable=quiet, leave=False) as bar:
            for cell in self.plan.suite.cells:
                bar.set_description(f"{self.plan.solver.name} {cell.name}")
                yield cell, bar

    def tabulate(self, cell: Cell, bar: tqdm) -> CellTable:
        """Compute, or read back, every block of a cell, and tabulate it."""
        scores, watched = [], []
        for block in self._score_blocks(cell):
            scores.append(self._score(cell, block))
            bar.update()
        for block in self._watch_blocks(cell):
            watched.append(self._watch(cell, block))
            bar.update()
        suite = self.plan.suite
        rungs = ladder(suite, self.solver, raster_side(cell.maze_spec.size, suite.scale))
        return tabulate(suite, cell, rungs, self.plan.blocks[cell.name], scores, watched)

    def _score_blocks(self, cell: Cell) -> range:
        return range(-(-cell.count // self.plan.blocks[cell.name]))

    def _watch_blocks(self, cell: Cell) -> range:
        return range(-(-self.plan.suite.watched(cell) // LIMIT_BLOCK))

    def _score(self, cell: Cell, block: int) -> BlockScores:
        name = f"{cell.name}-scores-{block}"
        found = self.store.read(BlockScores, name)
        if found is None:
            size, dtype = self.plan.blocks[cell.name], getattr(torch, self.plan.dtype)
            found = score_block(self.solver, self.plan.suite, cell, block, size, self.device, dtype)
            self.store.save(name, found)
        return found

    def _watch(self, cell: Cell, block: int) -> BlockLimits:
        name = f"{cell.name}-limits-{block}"
        found = self.store.read(BlockLimits, name)
        if found is None:
            found = watch_block(self.solver, self.plan.suite, cell, block, self.device)
            self.store.save(name, found)
        return found


def _run(seconds: float) -> Run:
    called = Path(sys.argv[0]).name
    return Run(
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
        command=shlex.join(["extramaze", *sys.argv[1:]]) if called == "extramaze" else "extramaze.evaluate",
    )
