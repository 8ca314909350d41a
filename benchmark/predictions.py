"""Evaluate answers that were made elsewhere, and write the mazes that they are to answer."""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from extramaze.answer_files import Answers, read_answers
from extramaze.blocks import LIMIT_BLOCK, BlockScores
from extramaze.mazes import InputError, Mazes, generate, raster, to_tokens
from extramaze.mazes.errors import unknown_name
from extramaze.models.contract import SolverCard
from extramaze.plan import CONTRACTS, PACKAGES, Part, Plan, SolverInfo
from extramaze.records import SUMMARY, Record, Run, read_record
from extramaze.scoring import score
from extramaze.store import refuse_other
from extramaze.suites import Cell, CellPlan, Suite, load_suite
from extramaze.tabulate import CellTable, tabulate

ONCE = (1,)  # an answer made elsewhere has one rung


def evaluate_predictions(
    path: str | Path,
    name: str,
    suite: str | Suite = "smoke-v1",
    out: str | Path | None = None,
    part: Part | None = None,
) -> Record:
    """Score a file of answers (see ``extramaze.answer_files``) on a suite, as the record of a solver called ``name``.

    Nothing is known of how they were made, so the record has the mode ``predictions``, one rung and no limits, and
    boards keep it apart from solvers that were run. Raises InputError for a bad file, name or folder.
    """
    loaded = load_suite(suite) if isinstance(suite, str) else suite
    counts = {cell.name: min(cell.count, part.mazes) if part else cell.count for cell in loaded.cells}
    answers = read_answers(path, loaded, counts)
    plan = _plan(SolverCard(name, name), answers, loaded, counts, part)
    if out is not None and (Path(out) / SUMMARY).exists():
        record = read_record(Path(out))
        refuse_other(Path(out), record.summary.plan, plan)
        return record
    tables = [_table(loaded, cell, plan.cells[i], answers.masks[cell.name]) for i, cell in enumerate(loaded.cells)]
    run = Run(finished=datetime.now(UTC).isoformat(timespec="seconds"), seconds=0.0, command="extramaze.evaluate")
    rows = pl.concat([table.rows for table in tables])
    record = Record.seal(plan, [table.result for table in tables], [], rows, run)
    if out is not None:
        record.write(Path(out))
    return record


def _plan(card: SolverCard, answers: Answers, suite: Suite, counts: dict[str, int], part: Part | None) -> Plan:
    unreadable = sum(answers.unreadable.values())
    notes = ["answers made elsewhere"]
    if unreadable:
        notes.append(f"{unreadable} of {sum(counts.values())} answers could not be read and count as empty")
    cells = [CellPlan(name=name, mazes=count, watched=0, block=count, rungs=ONCE) for name, count in counts.items()]
    return Plan(
        suite=suite,
        suite_sha256=suite.digest(),
        part=part,
        solver=SolverInfo(
            name=card.name,
            recipe=card.recipe,
            seed=None,
            weights_sha256=answers.sha256,
            code_sha256=None,
            parameters=0,
            notes=tuple(notes),
        ),
        mode="predictions",
        dtype="float32",
        tf32=False,
        device="elsewhere",
        limit_block=LIMIT_BLOCK,
        cells=tuple(cells),
        contracts=CONTRACTS,
        packages={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    )


def _table(suite: Suite, cell: Cell, planned: CellPlan, masks: np.ndarray) -> CellTable:
    images, targets = raster(cell_mazes(suite, cell.name, planned.mazes), suite.scale)
    outcome = score(images, targets, masks)
    scores = BlockScores(outcome.exact[None], outcome.valid[None], outcome.optimal[None], outcome.failure)
    return tabulate(suite, cell, planned, [scores], [])


def cell_mazes(suite: Suite, cell: str, count: int | None = None) -> Mazes:
    """Draw the mazes of a suite's cell, or the first ``count`` of them. Raises InputError for a cell it has not."""
    cells = {found.name: found for found in suite.cells}
    if cell not in cells:
        raise unknown_name("cell", cell, cells)
    chosen = cells[cell]
    if count is not None and not 0 <= count <= chosen.count:
        raise InputError(f"{cell} of {suite.name} has {chosen.count} mazes, asked for {count}")
    return generate(chosen.maze_spec, chosen.count if count is None else count, split=suite.split)


def questions(mazes: Mazes, cell: str) -> bytes:
    """Write mazes as ``.jsonl`` lines for sequence models: ``{"cell": …, "index": …, "maze": "#####…"}``."""
    lines = (json.dumps({"cell": cell, "index": i, "maze": text}) for i, text in enumerate(to_tokens(mazes)))
    return "".join(f"{line}\n" for line in lines).encode()
