"""Evaluate answers that were made elsewhere, and write the mazes that they are to answer."""

import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from extramaze.blocks.answering import AnsweredBlock, score_answers
from extramaze.blocks.block import Answers, BlockScores
from extramaze.blocks.planning import PACKAGES
from extramaze.blocks.store import refuse_other
from extramaze.blocks.watching import BlockLimits
from extramaze.core.errors import InputError
from extramaze.core.files import hold, is_free, make_folder, remove_temporary
from extramaze.evaluation.answer_files import AnswerFile, read_answers
from extramaze.evaluation.evaluate import assemble
from extramaze.evaluation.run_cost import RunCost
from extramaze.mazes import Mazes, generate, raster, to_tokens
from extramaze.models.contract import SolverCard
from extramaze.records import FILES, SUMMARY, Record, read_record, settle_files
from extramaze.records.summary_problems import ONCE
from extramaze.schema.block_rule import LIMIT_BLOCK
from extramaze.schema.plan import CONTRACTS, CellPlan, Part, Plan, how_many
from extramaze.schema.solver import SolverInfo
from extramaze.schema.suite import Cell, Suite, choose_cells, load_suite

UNKNOWN = -1  # evaluations of a step that nobody saw


def evaluate_predictions(
    path: str | Path,
    name: str,
    suite: str | Suite = "smoke-v1",
    out: str | Path | None = None,
    part: Part | None = None,
) -> Record:
    """Score a file of answers on a suite, as the record of a solver called ``name``.

    path: see ``extramaze.evaluation.answer_files``. Nothing is known of how they were made, so the record has the mode
    ``predictions``, one rung and no limits, and boards keep it apart from solvers that were run. Raises InputError for
    a bad file, name or folder.
    """
    cost = RunCost(torch.device("cpu"))
    loaded = load_suite(suite)
    cells = choose_cells(loaded, part.cells if part else ())
    counts = {cell.name: how_many(loaded, part, cell)[0] for cell in cells}
    answers = read_answers(path, loaded, counts)
    plan = _plan(SolverCard(name, name), answers, loaded, counts, part)
    folder = None if out is None else Path(out)
    if folder is None:
        return _assembled(plan, answers, cells, cost)
    _refuse_foreign(folder)
    make_folder(folder)
    with hold(folder):
        if (folder / SUMMARY).exists():
            return _finished(folder, plan)
        _refuse_foreign(folder)  # of somebody else, meanwhile
        remove_temporary(folder)
        record = _assembled(plan, answers, cells, cost)
        record.write(folder)
    return record


def _refuse_foreign(folder: Path) -> None:
    """Raise InputError for a folder with other files than ours in it, and no record."""
    if not (folder / SUMMARY).exists() and not is_free(folder, *FILES):
        raise InputError(f"{folder} exists and holds no record of answers; choose another --out")


def _finished(folder: Path, plan: Plan) -> Record:
    """Return the record that a folder holds. Raises InputError where it is of other answers."""
    record = read_record(folder)
    refuse_other(folder, record.summary.plan, plan)
    remove_temporary(folder)
    settle_files(folder)
    return record


def _assembled(plan: Plan, answers: AnswerFile, cells: Sequence[Cell], cost: RunCost) -> Record:
    """Score the answers of all cells and put their record together."""
    blocks: dict[str, BlockScores | BlockLimits] = {
        f"{cell.name}-scores-0": _score(plan.suite, cell, answers.masks[cell.name]) for cell in cells
    }
    return assemble(plan, blocks, cost)


def _plan(card: SolverCard, answers: AnswerFile, suite: Suite, counts: dict[str, int], part: Part | None) -> Plan:
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
            notes=("answers made elsewhere", *answers.notes),
        ),
        mode="predictions",
        iteration="plain",
        dtype="float32",
        tf32=False,
        device="elsewhere",
        limit_block=LIMIT_BLOCK,
        cells=tuple(cells),
        contracts=CONTRACTS,
        packages={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    )


def _score(suite: Suite, cell: Cell, masks: np.ndarray) -> BlockScores:
    count = len(masks)
    images, targets = raster(generate(cell.maze_spec, count, split=suite.split), suite.scale)
    answers = Answers([torch.from_numpy(masks.astype(bool))], np.full(count, UNKNOWN))
    return score_answers(AnsweredBlock(images, targets, answers, count))


def questions(mazes: Mazes, cell: str) -> bytes:
    """Write mazes as ``.jsonl`` lines for sequence models: cell, index, pixels in a row, and the maze as a string."""
    first, width = mazes.generation.first if mazes.generation else 0, 2 * mazes.connections.shape[-1] + 1
    texts = enumerate(to_tokens(mazes), first)
    lines = (json.dumps({"cell": cell, "index": i, "width": width, "maze": text}) for i, text in texts)
    return "".join(f"{line}\n" for line in lines).encode()
