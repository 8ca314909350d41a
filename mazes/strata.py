"""Strata of path length: integer bounds from the quantiles of a specification, frozen into specifications."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from extramaze.core.errors import InputError
from extramaze.core.words import counted
from extramaze.mazes.describing import describe
from extramaze.mazes.generation import generate
from extramaze.mazes.spec import MazeSpec

PILOT = 10_000


def path_strata(
    spec: MazeSpec, quantiles: Sequence[float] = (0.25, 0.5, 0.75), split: str | None = "val", count: int = PILOT
) -> list[MazeSpec]:
    """Cut a specification at quantiles of its path length; return one specification a stratum, shortest paths first.

    The bounds are whole numbers of lattice edges measured on ``count`` mazes, so they are frozen in what is returned:
    stratum k has paths above the k-th quantile and up to the next. Raises InputError for quantiles that do not rise
    within (0, 1), a specification that already bounds its paths, and quantiles that fall on one length.
    """
    if not quantiles or not all(0 < q < 1 for q in quantiles) or list(quantiles) != sorted(set(quantiles)):
        raise InputError(f"quantiles must rise and lie between 0 and 1, got {list(quantiles)}")
    if spec.min_path > 1 or spec.max_path:
        raise InputError(f"[{spec}] bounds its paths already; give the specification without min_path and max_path")
    if count <= len(quantiles):
        raise InputError(f"{counted(count, 'maze')} cannot be cut at {len(quantiles)} quantiles; measure more")
    lengths = describe(generate(spec, count, split=split)).path_length
    cuts = np.quantile(lengths, quantiles, method="lower").astype(int).tolist()
    if len(set(cuts)) < len(cuts) or cuts[-1] >= lengths.max():
        raise InputError(f"[{spec}]: quantiles {list(quantiles)} fall on path lengths {cuts}; use fewer or others")
    lows, highs = [1, *(cut + 1 for cut in cuts)], [*cuts, 0]
    return [replace(spec, min_path=low, max_path=high) for low, high in zip(lows, highs, strict=True)]
