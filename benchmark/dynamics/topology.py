"""The shape of a limit set: persistent Betti numbers B0 (pieces) and B1 (loops) of a window's frames.

Vietoris–Rips persistence by ripser (Bauer, J. Appl. Comput. Topol. 5, 2021; Tralie et al., JOSS 3, 2018) on a distance
matrix from ``recurrence.pairwise_distances``: the frames are never reduced by a singular value decomposition.

A feature counts where its life (death − birth) exceeds a share of a scale and an absolute floor. Knutson et al. (arXiv
2410.03020) take 0.3 to 0.7 of the largest finite death; their code (``src/utils/tda.py``) casts frames to single
precision and takes distances below 1e-10 for 0. Rounding noise above that counts as pieces and loops, and two small
loops far apart count as none; ``study_rule`` reproduces it. Here a loop is held against the largest death of a loop,
and the floor follows the state's magnitude. The counts of the study move with its threshold and precision (two-loops at
29×29: 16 for float32 and 0.3, 5 for float32 and 0.5, 1 for float64 and 0.7): state the rule with them.
"""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np

from extramaze.core.errors import InputError

Diagrams = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class BettiRule:
    """When a feature of a persistence diagram counts.

    threshold: the share of the largest finite death that its life must exceed. floor: whether its life must also exceed
    rounding. loops_alone: hold loops against the largest death of a loop, not of any feature. precision: to which
    frames are rounded before their distances are taken. coincident: distances below it count as 0.
    """

    threshold: float
    floor: bool = True
    loops_alone: bool = True
    precision: Literal["float32", "float64"] = "float64"
    coincident: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise InputError(f"a threshold is a share between 0 and 1, got {self.threshold!r}")


RELATIVE = BettiRule(0.5)


def study_rule(threshold: float = 0.5, precision: Literal["float32", "float64"] = "float32") -> BettiRule:
    """Return the rule of Knutson et al.: relative to the largest finite death (0.3, 0.5 or 0.7), points 1e-10 apart."""
    return BettiRule(threshold, floor=False, loops_alone=False, precision=precision, coincident=1e-10)


def persistence(distances: np.ndarray) -> Diagrams:
    """Return the persistence diagrams of H0 and H1, (n, 2) births and deaths each, of points with these distances.

    Time grows with the third power of the number of points at worst: 0.3 s for 400 frames. Raises InputError for a
    matrix that is not square and finite.
    """
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1] or not np.isfinite(distances).all():
        raise InputError(f"distances must be a finite square matrix, got shape {distances.shape}")
    from ripser import ripser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer points than dimensions: a distance matrix is meant to be square
        first, second = ripser(distances, distance_matrix=True, maxdim=1)["dgms"]
    return first, second


def count(diagrams: Diagrams, rule: BettiRule, floor: float = 0.0) -> np.ndarray:
    """Count the features that live long enough by a rule: int64 (2,), B0 and B1. floor: the length of rounding.

    A window that rounding alone moves is one point: (1, 0).
    """
    deaths = [max(diagram[np.isfinite(diagram[:, 1]), 1], default=0.0) for diagram in diagrams]
    scales = (max(deaths), deaths[1] if rule.loops_alone else max(deaths))
    floor = floor if rule.floor else 0.0
    lives = [diagram[:, 1] - diagram[:, 0] for diagram in diagrams]
    pairs = zip(lives, scales, strict=True)
    return np.array([np.count_nonzero(life > max(rule.threshold * scale, floor)) for life, scale in pairs])


def betti_numbers(distances: np.ndarray, rule: BettiRule = RELATIVE, floor: float = 0.0) -> np.ndarray:
    """Return B0 and B1, int64 (2,), of points with distances (N, N) by a rule.

    The distances are of frames in the rule's precision. Points that coincide to within the floor are handled exactly:
    one point is (1, 0). Raises InputError as ``persistence`` does.
    """
    return count(persistence(np.where(distances < rule.coincident, 0.0, distances)), rule, floor)
