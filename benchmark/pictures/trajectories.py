"""Pictures of what a record's iterates did: from its rows, and of one trajectory that is followed once more."""

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import torch

from extramaze.blocks.acceleration import choose_iteration, make_step
from extramaze.blocks.block import draw_block, to_input
from extramaze.dynamics import Limit, persistence
from extramaze.dynamics.recurrence import pairwise_distances
from extramaze.models.calling import begin, calling, in_precision
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import reference_arithmetic
from extramaze.pictures.dynamics import (
    draw_amplitudes,
    draw_limit_by_correct,
    draw_persistence,
    draw_projection,
    draw_residuals,
    save,
)
from extramaze.records import Record
from extramaze.records.measures import watched


def plot_dynamics(record: Record, out: Path, solver: IterativeSolver | None = None) -> list[Path]:
    """Draw limits, residuals and motion into a folder and return the PNGs; with the solver also the trajectory that
    moves most, of those that do not diverge.

    Draws nothing for a record whose iterates were not watched.
    """
    rows = watched(record)
    if not len(rows):
        return []
    limits = [Limit(name) for name in rows["limit"]]
    right = {limit: (_count(rows, limit, True), _count(rows, limit, False)) for limit in Limit}
    latent, logits = (rows[name].fill_null(np.inf).to_numpy() for name in ("latent_motion", "logit_motion"))
    pictures = {
        "limits": partial(draw_limit_by_correct, counts=right, odds=record.summary.odds),
        "residuals": partial(draw_residuals, limits=limits, residuals=rows["residual"].to_numpy()),
        "motion": partial(draw_amplitudes, limits=limits, latent=latent, logits=logits),
    }
    moving = rows.filter(pl.col("limit") != str(Limit.DIVERGED)).sort("latent_motion", descending=True)
    if solver is not None and len(moving):
        row = moving.row(0, named=True)
        plan = record.summary.plan.suite.limits
        frames = follow(solver, record, row["cell"], row["index"])
        rest = ", what is left is rounding" if row["limit"] == Limit.FIXED_POINT else ""
        title = f"{row['cell']} #{row['index']}: {row['limit']}{rest}"
        pictures["trajectory"] = partial(draw_projection, frames=frames, first=plan.burn_in, title=title)
        diagrams = persistence(pairwise_distances(torch.from_numpy(frames - frames[0])))
        pictures["persistence"] = partial(draw_persistence, diagrams=diagrams, title=title)
    paths = {out / f"{name}.png": draw for name, draw in pictures.items()}
    for path, draw in paths.items():
        save(draw, path, f"{record.summary.plan.solver.name} on {record.summary.plan.suite.name}")
    return list(paths)


def _count(rows: pl.DataFrame, limit: Limit, right: bool) -> int:
    return int(((rows["limit"] == limit) & (rows["limit_right"] == right)).sum())


def follow(solver: IterativeSolver, record: Record, cell: str, index: int) -> np.ndarray:
    """Run a watched maze's float64 iterates once more: the frames of its window, float64 (window + 1, D)."""
    suite = record.summary.plan.suite
    found = next(c for c in suite.cells if c.name == cell)
    size = record.summary.plan.limit_block
    block, at = divmod(index, size)
    _, images, _ = draw_block(suite, found, block, size)
    device = next((p.device for p in solver.parameters()), torch.device("cpu"))
    with reference_arithmetic(), calling(solver):
        ours = in_precision(solver, torch.float64)
        x = to_input(images, device, torch.float64)
        step = make_step(ours, x, choose_iteration(ours, device))
        state = begin(ours, x)
        for _ in range(suite.limits.burn_in):
            state = step(state)
        frames = [state[at].flatten().double().cpu().numpy()]
        for _ in range(suite.limits.window):
            state = step(state)
            frames.append(state[at].flatten().double().cpu().numpy())
    return np.stack(frames)
