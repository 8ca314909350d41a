"""Answers without a model: masks or ``# SGo`` text from anything that can solve mazes, scored like any solver's.

A ``.npz`` file holds one array a cell, named like it: 0 or 1, (N, H, W), of mazes 0 … N − 1, at the suite's raster. A
``.jsonl`` file holds one object a line, ``{"cell": …, "index": …, "rows": […]}``: the rows of the thin lattice image,
``#`` wall, space open, ``S`` start, ``G`` goal, ``o`` path (the token form of HRM and TRM). Text is scored at scale 1.
"""

import io
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field

from extramaze.blocks import LIMIT_BLOCK, Answers, BlockLimits, BlockScores, score_answers
from extramaze.evaluation import assemble
from extramaze.mazes import InputError, generate, raster
from extramaze.mazes.files import read_bytes
from extramaze.mazes.raster import raster_side
from extramaze.models.contract import SolverCard
from extramaze.models.schema import Strict, parse_json
from extramaze.plan import CONTRACTS, PACKAGES, Part, Plan, SolverInfo
from extramaze.records import Record
from extramaze.suites import Cell, CellPlan, Suite, choose_cells

TOKENS = "# SGo"
MAX_BYTES = 2**30


class Line(Strict):
    """One answer as text."""

    cell: str
    index: int = Field(ge=0)
    rows: tuple[str, ...]


def evaluate_predictions(path: Path, suite: Suite, name: str, out: Path | None = None) -> Record:
    """Score the answers in a file on a suite; cells and mazes that it leaves out make the record partial.

    Raises InputError for an unknown cell, an answer of another shape, a maze answered twice or left out in between.
    """
    card = SolverCard(name=name, recipe=name)
    read = {".npz": _read_masks, ".jsonl": _read_text}.get(path.suffix)
    if read is None:
        raise InputError(f"predictions {path}: expected a .npz or .jsonl file")
    if out is not None and out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty; choose another --out")
    began = time.perf_counter()
    masks = read(path, suite)
    if not masks:
        raise InputError(f"predictions {path}: no answers in it")
    plan = _plan(suite, card, masks)
    blocks: dict[str, BlockScores | BlockLimits] = {}
    for cell, planned in plan.pairs():
        blocks[f"{cell.name}-scores-0"] = _score(suite, cell, planned, masks[cell.name])
    record = assemble(plan, blocks, began)
    if out is not None:
        record.write(out)
    return record


def _score(suite: Suite, cell: Cell, planned: CellPlan, masks: np.ndarray) -> BlockScores:
    images, targets = raster(generate(cell.maze_spec, planned.mazes, split=suite.split), suite.scale)
    nothing = np.zeros(planned.mazes, bool)
    answers = Answers([torch.from_numpy(masks)], nothing, np.full(planned.mazes, -1))
    return score_answers(images, targets, answers, nothing, planned.mazes)


def _plan(suite: Suite, card: SolverCard, masks: dict[str, np.ndarray]) -> Plan:
    whole = all(len(masks.get(cell.name, ())) == cell.count for cell in suite.cells)
    chosen = choose_cells(suite, tuple(masks))
    most = max(map(len, masks.values()))
    part = None if whole else Part(mazes=most, watched=most, cells=tuple(cell.name for cell in chosen))
    return Plan(
        suite=suite,
        suite_sha256=suite.digest(),
        part=part,
        solver=SolverInfo(
            name=card.name, recipe=card.recipe, seed=None, weights_sha256=None, code_sha256=None, parameters=0, notes=()
        ),
        mode="predictions",
        iteration="plain",
        retire=False,
        dtype="float32",
        tf32=False,
        device="none: answers were handed in",
        limit_block=LIMIT_BLOCK,
        cells=tuple(
            CellPlan(name=c.name, mazes=len(masks[c.name]), watched=0, block=len(masks[c.name]), rungs=(1,))
            for c in chosen
        ),
        contracts=CONTRACTS,
        packages={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    )


def _read_masks(path: Path, suite: Suite) -> dict[str, np.ndarray]:
    content = read_bytes(path, MAX_BYTES)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as problem:  # zipfile, zlib and numpy each have their own for a damaged archive
        raise InputError(f"predictions {path}: not an archive of arrays: {problem}") from problem
    found = {}
    for cell in _known(arrays, suite):
        side, masks = raster_side(cell.maze_spec.size, suite.scale), arrays[cell.name]
        if masks.ndim != 3 or masks.shape[1:] != (side, side) or not 1 <= len(masks) <= cell.count:
            wanted = f"(N, {side}, {side}) with N from 1 to {cell.count}"
            raise InputError(f"predictions {path}, {cell.name}: expected {wanted}, got {masks.shape}")
        if masks.dtype.kind not in "biu" or not np.isin(masks, (0, 1)).all():
            raise InputError(
                f"predictions {path}, {cell.name}: masks hold whole numbers 0 and 1; take the argmax first"
            )
        found[cell.name] = masks.astype(bool)
    return found


def _read_text(path: Path, suite: Suite) -> dict[str, np.ndarray]:
    if suite.scale != 1:
        raise InputError(f"predictions {path}: text is of scale 1, {suite.name} has scale 2; hand in masks as .npz")
    answers: dict[str, dict[int, tuple[str, ...]]] = {}
    for number, text in enumerate(read_bytes(path, MAX_BYTES).splitlines(), start=1):
        if not text.strip():
            continue
        line = parse_json(Line, text, f"predictions {path}, line {number}")
        rows = answers.setdefault(line.cell, {})
        if line.index in rows:
            raise InputError(f"predictions {path}, line {number}: {line.cell} {line.index} is answered twice")
        rows[line.index] = line.rows
    found = {}
    for cell in _known(answers, suite):
        rows = answers[cell.name]
        gaps = sorted(set(range(len(rows))) - set(rows))
        if gaps or len(rows) > cell.count:
            wrong = f"maze {gaps[0]} is left out" if gaps else f"it has {cell.count} mazes, {len(rows)} are answered"
            raise InputError(f"predictions {path}, {cell.name}: {wrong}; answer 0 … n − 1")
        side = raster_side(cell.maze_spec.size, 1)
        found[cell.name] = np.stack(
            [read_tokens(rows[i], side, f"predictions {path}, {cell.name} {i}") for i in range(len(rows))]
        )
    return found


def _known(answers: dict[str, Any], suite: Suite) -> tuple[Cell, ...]:
    return choose_cells(suite, tuple(answers)) if answers else ()


def read_tokens(rows: tuple[str, ...], side: int, origin: str) -> np.ndarray:
    """Read text: start, goal and path are predicted, bool (side, side). Raises InputError for another shape."""
    if len(rows) != side or any(len(row) != side for row in rows):
        raise InputError(f"{origin}: expected {side} rows of {side} letters")
    unknown = sorted(set("".join(rows)) - set(TOKENS))
    if unknown:
        raise InputError(f"{origin}: expected the letters {TOKENS!r}, got {unknown[0]!r}")
    return np.array([[letter in "SGo" for letter in row] for row in rows])


def write_tokens(images: np.ndarray, targets: np.ndarray | None = None) -> list[list[str]]:
    """Write thin images (N, 3, H, H), and paths (N, H, H) where given, as rows of text."""
    red, green, blue = (images[:, channel] > 0 for channel in range(3))
    path = np.zeros_like(red) if targets is None else targets > 0
    kinds = np.select([green & ~red, red & ~green, path, red | green | blue], [2, 3, 4, 1], 0)
    return [["".join(TOKENS[kind] for kind in row) for row in maze] for maze in kinds]
