"""How weights are combined: a function a method, from parents' weights to the blend's. All are pure.

Line, soup, task arithmetic, TIES and DARE treat every number alone, so the same parents give the same bits on every
machine. SLERP's multipliers and Fisher information are sums over all numbers, which machines round otherwise: they are
computed once (``slerp_multipliers``, ``extramaze.models.blending.fisher``), stored, and the blend follows from them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from extramaze.core.errors import InputError
from extramaze.models.blending.weights import Weights, added, combined, cosine, difference, flat, norm, unflat
from extramaze.schema.blend import BlendFacts, Method

LEAST_SINE = 1e-7  # of the angle: of vectors as parallel as that, the arc between is not determined


def line(first: Weights, second: Weights, at: float) -> dict[str, np.ndarray]:
    """Return (1 − t) θ₁ + t θ₂; the parents themselves at 0 and 1."""
    return combined((1 - at, at), (first, second))


def soup(parents: Sequence[Weights], coefficients: Sequence[float]) -> dict[str, np.ndarray]:
    """Return Σ cᵢ θᵢ (Wortsman et al., "Model soups", arXiv 2203.05482)."""
    return combined(coefficients, parents)


def slerp_multipliers(first: Weights, second: Weights, at: float) -> tuple[float, float, float]:
    """Return the multiples of two parents on the arc between them, and its angle (Shoemake, SIGGRAPH 1985).

    sin((1 − t) Ω) / sin Ω and sin(t Ω) / sin Ω, all weights taken as one vector. Raises InputError for a vector of
    zeros, and for vectors along one line, between which no arc is determined.
    """
    if min(norm(first), norm(second)) == 0:
        raise InputError("slerp: weights that are all zero have no direction; use line")
    angle = math.acos(max(-1.0, min(1.0, cosine(first, second))))
    if math.sin(angle) < LEAST_SINE:
        which = "the same direction" if angle < 1 else "opposite directions"
        raise InputError(f"slerp: the two parents point in {which}, and no arc between them is determined; use line")
    return math.sin((1 - at) * angle) / math.sin(angle), math.sin(at * angle) / math.sin(angle), angle


def task(base: Weights, parents: Sequence[Weights], coefficients: Sequence[float]) -> dict[str, np.ndarray]:
    """Return θ₀ + Σ cᵢ (θᵢ − θ₀) (Ilharco et al., "Editing models with task arithmetic", arXiv 2212.04089)."""
    return added(base, combined(coefficients, [difference(parent, base) for parent in parents]))


def ties(base: Weights, parents: Sequence[Weights], density: float, strength: float) -> dict[str, np.ndarray]:
    """Return θ₀ + λ times the merged differences (Yadav et al., "TIES-Merging", arXiv 2306.01708, algorithm 1).

    Of each difference the largest share ``density`` is kept (trim); each number's sign is that of the sum of what was
    kept (elect); and the mean is taken over the differences that are not zero and have this sign (disjoint merge).
    """
    kept = np.stack([_trimmed(flat(difference(parent, base)), density) for parent in parents])
    total = kept[0]
    for row in kept[1:]:
        total = total + row
    agrees = (np.sign(kept) == np.sign(total)) & (kept != 0)
    merged = np.zeros_like(total)
    for row, agreeing in zip(kept, agrees, strict=True):
        merged = merged + np.where(agreeing, row, 0.0)
    merged = merged / np.maximum(agrees.sum(axis=0), 1)
    return added(base, unflat(strength * merged, base))


def _trimmed(vector: np.ndarray, density: float) -> np.ndarray:
    """Keep the share of numbers that are largest in size, of equal ones the first, and set the rest to 0."""
    keep = np.argsort(-np.abs(vector), kind="stable")[: math.ceil(density * vector.size)]
    kept = np.zeros_like(vector)
    kept[keep] = vector[keep]
    return kept


def dare(
    base: Weights, parents: Sequence[Weights], coefficients: Sequence[float], drop: float, seed: int
) -> dict[str, np.ndarray]:
    """Return θ₀ + Σ cᵢ DARE(θᵢ − θ₀) (Yu et al., "Language models are super Mario", arXiv 2311.03099).

    Each number of a difference is dropped with probability p, and the rest divided by 1 − p.
    """
    thinned = [
        unflat(_thinned(flat(difference(parent, base)), drop, (seed, number)), base)
        for number, parent in enumerate(parents)
    ]
    return added(base, combined(coefficients, thinned))


def _thinned(vector: np.ndarray, drop: float, key: tuple[int, int]) -> np.ndarray:
    """Drop numbers by the raw bits of a generator, which are the same in every release of NumPy."""
    bits = np.random.PCG64(np.random.SeedSequence(key)).random_raw(vector.size)
    stays = (bits >> np.uint64(11)) >= np.uint64(round(drop * 2**53))
    return np.where(stays, vector / (1 - drop), 0.0)


def fisher(
    parents: Sequence[Weights], information: Sequence[Weights], coefficients: Sequence[float]
) -> dict[str, np.ndarray]:
    """Return Σ cᵢ Fᵢ θᵢ / Σ cᵢ Fᵢ, number by number (Matena & Raffel, arXiv 2111.09832, equation 3).

    information: the diagonal of each parent's Fisher information, above 0.
    """
    merged = {}
    for name, value in parents[0].items():
        above, below = np.zeros_like(value), np.zeros_like(value)
        for c, parent, diagonal in zip(coefficients, parents, information, strict=True):
            above = above + c * diagonal[name] * parent[name]
            below = below + c * diagonal[name]
        merged[name] = above / below
    return merged


@dataclass(frozen=True)
class Formula:
    """A method with its numbers: what makes a blend's weights of its parents'."""

    method: Method
    """Any but an ensemble, whose networks stay as they are."""
    coefficients: tuple[float, ...]
    """One a parent; of SLERP its multipliers."""
    seed: int = 0
    """Of what DARE drops."""
    density: float = 1.0
    """TIES' share of numbers that are kept."""
    strength: float = 1.0
    """TIES' multiple of the merged difference."""
    drop: float = 0.0
    """DARE's probability."""

    @classmethod
    def of(cls, facts: BlendFacts) -> "Formula":
        """Return the formula that a blend states."""
        return cls(
            method=facts.method,
            coefficients=tuple(parent.coefficient or 0.0 for parent in facts.parents),
            seed=facts.seed,
            density=facts.density or 1.0,
            strength=1.0 if facts.strength is None else facts.strength,
            drop=facts.drop or 0.0,
        )

    def combine(
        self, parents: Sequence[Weights], base: Weights | None, computed: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Combine parents' weights, aligned where they are to be. computed: Fisher information, ``fisher.i.tensor``."""
        if self.method == "fisher":
            information = [{name: computed[f"fisher.{i}.{name}"] for name in parents[0]} for i in range(len(parents))]
            return fisher(parents, information, self.coefficients)
        if base is None:
            return soup(parents, self.coefficients)
        if self.method == "ties":
            return ties(base, parents, self.density, self.strength)
        if self.method == "dare":
            return dare(base, parents, self.coefficients, self.drop, self.seed)
        return task(base, parents, self.coefficients)
