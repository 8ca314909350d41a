"""Directedness: whether a direction of weights carries a behaviour, and whether independent runs find the same one.

A task vector is what training made of a network (Ilharco et al., arXiv 2212.04089). Doses of it are held against
directions that only look like it: Gaussian ones with its filters' lengths, and shufflings of its numbers.
"""

from collections.abc import Sequence
from pathlib import Path as Folder
from typing import Any

import numpy as np

from extramaze.core.errors import InputError
from extramaze.landscape.figures import MAIN
from extramaze.landscape.measures import Asked, along, check_places, origins, survey_points
from extramaze.landscape.paths import random_direction, shuffled
from extramaze.landscape.record import Survey
from extramaze.landscape.survey import Plan
from extramaze.models.blending.alignment import align
from extramaze.models.blending.sources import Source, read_sources
from extramaze.models.blending.weights import Weights, added, combined, cosine, difference
from extramaze.models.symmetry import symmetry_of
from extramaze.schema.landscape import Place

GAUSSIAN, SHUFFLED = 52, 53  # the first numbers of the keys of directions


def direction(
    base: str,
    target: str,
    out: Folder,
    doses: Sequence[float] = (-0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5),
    controls: int = 3,
    seed: int = 0,
    others: Sequence[tuple[str, str]] = (),
    asked: Asked = Asked(),
) -> Survey:
    """Measure what a task vector does, dose by dose, against directions that only look like it.

    controls: so many Gaussian directions of the vector's filter lengths, and so many shufflings of it. others: pairs of
    a base and a target, whose task vectors are compared with this one, raw and aligned.
    """
    found = check_places(doses)
    if not {0.0, 1.0} <= set(found):
        raise InputError(f"the doses must have 0 and 1 among them, got {', '.join(f'{dose:g}' for dose in found)}")
    if controls < 0:
        raise InputError(f"--controls must be at least 0, got {controls}")
    sources = read_sources([base, target])
    vector = difference(sources[1].weights, sources[0].weights)
    directions = {MAIN: vector}
    for number in range(controls):
        directions[f"gaussian {number + 1}"] = random_direction(vector, (GAUSSIAN, seed, number))
        directions[f"shuffled {number + 1}"] = shuffled(vector, (SHUFFLED, seed, number))
    options: dict[str, Any] = {"controls": controls, "seed": seed}
    options |= {f"stable rank {name}": rank for name, rank in stable_ranks(vector).items()}
    options |= agreements(sources, vector, others)
    places = tuple(place for name in directions for place in along(name, found))
    plan = Plan("direction", origins(sources), asked.setting(sources[0]), places, options=options)
    start = sources[0].weights

    def weights_at(place: Place) -> Weights:
        return added(start, combined((place.x,), (directions[place.path],)))

    return survey_points(plan, sources[0], out, asked, weights_at)


def stable_ranks(vector: Weights) -> dict[str, float]:
    """Return ‖τ‖²_F / ‖τ‖²₂ of each tensor with rows, as a matrix: along how many directions a change goes."""
    ranks = {}
    for name, value in sorted(vector.items()):
        if value.ndim > 1 and np.any(value):
            singular = np.linalg.svd(value.reshape(len(value), -1), compute_uv=False)
            ranks[name] = float((singular**2).sum() / singular[0] ** 2)
    return ranks


def agreements(sources: Sequence[Source], vector: Weights, others: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return cosines with other task vectors, raw, and with the other base aligned to this one.

    Between independent directions of n numbers they are normal about 0 with standard deviation 1/√n.
    """
    found = {}
    for base, target in others:
        pair = read_sources([base, target])
        theirs = difference(pair[1].weights, pair[0].weights)
        name = f"{pair[1].name} - {pair[0].name}"
        found[f"cosine with {name}"] = cosine(vector, theirs)
        symmetry = symmetry_of(sources[0].solver, sources[0].scale)
        move = align(symmetry, sources[0].weights, pair[0].weights).move
        moved = difference(move.apply(symmetry, pair[1].weights), move.apply(symmetry, pair[0].weights))
        found[f"cosine with {name}, aligned"] = cosine(vector, moved)
    return found
