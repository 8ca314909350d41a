"""Make a stored blend again from its parents, and say what of it does not follow from them.

The weights follow bit for bit from the parents, the stated numbers and what was computed once; that itself is computed
again and compared within TOLERANCE.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.torch import save

from extramaze.core.errors import InputError
from extramaze.core.files import read_bytes
from extramaze.core.folders import find_below
from extramaze.models.blending import methods
from extramaze.models.blending.alignment import align, aligned_cosine
from extramaze.models.blending.blend import move_of
from extramaze.models.blending.fisher import fisher_information
from extramaze.models.blending.folder import COMPUTED, read_facts
from extramaze.models.blending.methods import Formula
from extramaze.models.blending.sources import Source, read_source
from extramaze.models.blending.weights import Weights, combined, difference, flat, rounded
from extramaze.models.shipped import shipped_blends, shipped_results
from extramaze.models.symmetry import Move, Symmetry, symmetry_of
from extramaze.models.weight_files import read_tensors
from extramaze.schema.blend import FACTS, BlendFacts, Ingredient
from extramaze.schema.training import MAX_WEIGHTS, RESULT, WEIGHTS

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Remade:
    """What came of making a blend again."""

    problems: tuple[str, ...] = ()
    """What does not follow from the parents, a line each; none where the blend is what it states."""
    missing: tuple[str, ...] = ()
    """Parents that are not at hand, without whom nothing was made."""


def remake(folder: Path, parents: Sequence[Path] = ()) -> Remade:
    """Make a blend again and compare.

    parents: folders, or folders of folders, in which to look for parents that do not come with extramaze; they are
    known by their weights' sha256. Raises InputError where the folder holds no readable blend.
    """
    facts = read_facts(folder)
    stored = read_bytes(folder / WEIGHTS, MAX_WEIGHTS)
    if hashlib.sha256(stored).hexdigest() != facts.weights_sha256:
        return Remade((f"{WEIGHTS}: its sha256 is not the one that {FACTS} states",))
    extra = b"" if facts.computed_sha256 is None else read_bytes(folder / COMPUTED, MAX_WEIGHTS)
    if facts.computed_sha256 is not None and hashlib.sha256(extra).hexdigest() != facts.computed_sha256:
        return Remade((f"{COMPUTED}: its sha256 is not the one that {FACTS} states",))
    places = {**_shipped(), **_given(parents)}
    wanted = [*facts.parents, *([] if facts.base is None else [facts.base])]
    missing = [part.name for part in wanted if part.weights_sha256 not in places]
    if missing:
        return Remade(missing=tuple(missing))
    sources = [read_source(places[part.weights_sha256]) for part in wanted]
    computed = {name: value.numpy() for name, value in read_tensors(extra, COMPUTED).items()} if extra else {}
    found = [*_stated(wanted, sources), *_differences(facts, sources, computed, stored)]
    return Remade(tuple(found))


def _shipped() -> dict[str, str | Path]:
    """Return the names of shipped solvers by their weights' sha256."""
    trained: dict[str, str | Path] = {one.weights_sha256: f"{one.recipe}@{one.seed}" for one in shipped_results()}
    return trained | {one.weights_sha256: f"{one.name}@{one.seed}" for one in shipped_blends()}


def _given(places: Sequence[Path]) -> dict[str, str | Path]:
    """Return the solvers' folders in or below some places by their weights' sha256."""
    found: dict[str, str | Path] = {}
    for place in places:
        if not place.is_dir():
            raise InputError(f"--parents {place}: there is no such folder")
        for name in (RESULT, FACTS):
            for path in find_below(place, name):
                found[hashlib.sha256(read_bytes(path.parent / WEIGHTS, MAX_WEIGHTS)).hexdigest()] = path.parent
    return found


def _stated(wanted: Sequence[Ingredient], sources: Sequence[Source]) -> Iterator[str]:
    """Compare what is stated of parents with what they state of themselves."""
    for part, source in zip(wanted, sources, strict=True):
        if part.name != source.name:
            yield f"parents: {part.name} is stated, the weights are those of {source.name}"
        if part.training_mazes != source.mazes:
            yield f"training_mazes of {part.name}: {part.training_mazes} stated, {source.mazes} found"


def _differences(
    facts: BlendFacts, sources: Sequence[Source], computed: Mapping[str, np.ndarray], stored: bytes
) -> Iterator[str]:
    if facts.method == "ensemble":
        yield from _members(sources, stored)
        return
    parents = list(sources[: len(facts.parents)])
    base = sources[-1].weights if facts.base is not None else None
    moved: list[Weights] = [source.weights for source in parents]
    for number in [found.parent for found in facts.aligned]:
        first = sources[-1] if facts.base is not None else parents[0]
        symmetry = symmetry_of(first.solver, first.scale)
        move = move_of(computed, number)
        wrong = list(_bad_move(facts, number, symmetry, move, first.weights, parents[number].weights))
        yield from wrong
        if any("permutation" in problem for problem in wrong):
            return
        moved[number] = move.apply(symmetry, parents[number].weights)
    yield from _bad_slerp(facts, moved)
    yield from _bad_fisher(facts, parents, moved, computed)
    weights = Formula.of(facts).combine(moved, base, computed)
    made = save({name: value.contiguous() for name, value in rounded(weights, parents[0].state).items()})
    if made != stored:
        yield from _explained(facts, moved, base, stored)


def _members(sources: Sequence[Source], stored: bytes) -> Iterator[str]:
    tensors = read_tensors(stored, WEIGHTS)
    for number, source in enumerate(sources):
        mine = {name.removeprefix(f"members.{number}."): value for name, value in tensors.items()}
        wrong = [name for name, value in source.state.items() if name not in mine or not value.equal(mine[name])]
        if wrong:
            yield f"members.{number}: not the weights of {source.name}, first {wrong[0]}"
    if len(tensors) != sum(len(source.state) for source in sources):
        yield f"{WEIGHTS}: tensors that belong to no member"


def _bad_move(
    facts: BlendFacts, number: int, symmetry: Symmetry, move: Move, first: Weights, second: Weights
) -> Iterator[str]:
    """Say what is wrong with a stored alignment: no order of units, scales of rigid groups, or a worse fit."""
    name, sizes = facts.parents[number].name, symmetry.sizes()
    for group, size in sizes.items():
        order, scales = move.permutations.get(group), move.scales.get(group)
        if order is None or scales is None or sorted(order.tolist()) != list(range(size)) or scales.shape != (size,):
            yield f"alignment of {name}: {group} has no permutation of its {size} units"
            return
        if not (np.isfinite(scales).all() and (scales > 0).all()):
            yield f"alignment of {name}: {group} has no permutation with scales above 0"
            return
    stated = next(found for found in facts.aligned if found.parent == number)
    again = align(symmetry, first, second, stated.restarts)
    reached = aligned_cosine(symmetry, first, second, move)
    for what, value in (("the stored one has", reached), ("found again", again.cosine)):
        if abs(value - stated.cosine) > TOLERANCE:
            yield f"alignment of {name}: cosine {stated.cosine:.8f} stated, {what} {value:.8f}"
    for group in sizes:
        if (move.permutations[group] == again.move.permutations[group]).all():
            off = np.abs(move.scales[group] / again.move.scales[group] - 1).max()
            if off > TOLERANCE:
                yield f"alignment of {name}: scales of {group} differ by {off:.2g} of themselves when found again"


def _bad_slerp(facts: BlendFacts, parents: Sequence[Weights]) -> Iterator[str]:
    if facts.method != "slerp":
        return
    *multipliers, angle = methods.slerp_multipliers(parents[0], parents[1], facts.at or 0.0)
    if abs(angle - (facts.angle or 0.0)) > TOLERANCE:
        yield f"angle: {facts.angle} stated, {angle:.8f} found"
    for parent, found in zip(facts.parents, multipliers, strict=True):
        if abs(found - (parent.coefficient or 0.0)) > TOLERANCE:
            yield f"coefficient of {parent.name}: {parent.coefficient:.6g} stated, {found:.6g} found at {facts.at}"


def _bad_fisher(
    facts: BlendFacts, parents: Sequence[Source], moved: Sequence[Weights], computed: Mapping[str, np.ndarray]
) -> Iterator[str]:
    if facts.method != "fisher":
        return
    for number, (source, weights) in enumerate(zip(parents, moved, strict=True)):
        for name, value in fisher_information(source, weights, facts.fisher_mazes or 1).items():
            stated = computed.get(f"fisher.{number}.{name}")
            if stated is None or not np.allclose(stated, value, rtol=TOLERANCE, atol=TOLERANCE):
                yield f"Fisher information of {source.name}: {name} is not what is computed again"


def _explained(facts: BlendFacts, parents: Sequence[Weights], base: Weights | None, stored: bytes) -> Iterator[str]:
    """Say which stated number the weights do not follow from: the coefficients that they do have, by least squares."""
    weights = {name: value.double().numpy() for name, value in read_tensors(stored, WEIGHTS).items()}
    formula = Formula.of(facts)
    if formula.method == "fisher" or set(weights) != set(parents[0]):
        yield f"{WEIGHTS}: not the weights that follow from what {FACTS} states"
        return
    if formula.method == "ties":
        assert base is not None
        vectors = [difference(methods.ties(base, parents, formula.density, 1.0), base)]
        names: list[str] = ["strength"]
        stated: tuple[float, ...] = (formula.strength,)
    else:
        ones = np.eye(len(parents))
        alone = [methods.Formula(formula.method, tuple(one), formula.seed, drop=formula.drop) for one in ones.tolist()]
        vectors = [one.combine(parents, base, {}) for one in alone]
        vectors = vectors if base is None else [difference(vector, base) for vector in vectors]
        names, stated = [f"coefficient of {parent.name}" for parent in facts.parents], formula.coefficients
    target = weights if base is None else difference(weights, base)
    found = np.linalg.lstsq(np.stack([flat(vector) for vector in vectors], axis=1), flat(target), rcond=None)[0]
    rest = flat(difference(target, combined(found.tolist(), vectors)))
    if np.linalg.norm(rest) > 1e-5 * np.linalg.norm(flat(target)):
        yield f"{WEIGHTS}: no coefficients make these weights of the parents: another method, or other options"
        return
    wrong = [
        f"{name}: {said:.6g} stated, the weights have {value:.6g}"
        for name, said, value in zip(names, stated, found.tolist(), strict=True)
        if abs(said - value) > 1e-6
    ]
    yield from wrong or [f"{WEIGHTS}: altered: other bits than the stated coefficients give"]
