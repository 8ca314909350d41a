"""Parents of a blend: trained solvers with all that the blend will say about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.models.blending.folder import is_blend, read_blend
from extramaze.models.blending.weights import Weights, refuse_unlike, weights_of
from extramaze.models.contract import IterativeSolver
from extramaze.models.loading import load_folder, weights_folder
from extramaze.models.shipped import training_mazes
from extramaze.models.training.trained import read_solver
from extramaze.schema.blend import Architecture, Ingredient


@dataclass(frozen=True, eq=False)
class Source:
    """A parent. Everything but the weights is what its folder states."""

    name: str
    """Its card's name."""
    seed: int
    """Its training seed, or a blend's."""
    weights_sha256: str
    """Of its weights file."""
    ancestors: frozenset[str]
    """sha256 of its weights, and of those that it was trained from or blended of, as far as they are known."""
    solver: IterativeSolver
    """Loaded, in evaluation mode."""
    state: dict[str, Tensor]
    """Its weights as they are stored."""
    weights: Weights
    """The same as float64."""
    architecture: Architecture | None
    """How to build it; None of an ensemble."""
    scale: int
    """The raster it was made for."""
    specs: tuple[str, ...]
    """Specifications of the mazes it was trained on."""
    iterations: int
    """After how many its training was validated."""
    mazes: int | None
    """Mazes it was trained on, those of what it began with included; None where that is not known."""

    def ingredient(self, coefficient: float | None, member: bool = False) -> Ingredient:
        """Return what a blend states of it."""
        return Ingredient(
            name=self.name,
            weights_sha256=self.weights_sha256,
            coefficient=coefficient,
            training_mazes=self.mazes,
            architecture=self.architecture if member else None,
        )


def read_source(target: str | Path) -> Source:
    """Read a parent: a shipped name with weights, or a folder that train or blend wrote. Raises InputError."""
    with weights_folder(target) as folder:
        return _blended(folder) if is_blend(folder) else _trained(folder)


def _trained(folder: Path) -> Source:
    solver, recipe, result = read_solver(folder)
    begun, known = result.initial_weights_sha256, training_mazes()
    before = 0 if begun is None else known.get(begun)
    state = solver.state_dict()
    return Source(
        name=f"{recipe.name}@{result.seed}",
        seed=result.seed,
        weights_sha256=result.weights_sha256,
        ancestors=frozenset({result.weights_sha256, *([] if begun is None else [begun])}),
        solver=_with_card(solver, folder),
        state=state,
        weights=weights_of(state),
        architecture=recipe.architecture.model_dump(),
        scale=recipe.data.scale,
        specs=tuple(str(spec) for spec, _ in recipe.data.parts),
        iterations=recipe.validation.iterations,
        mazes=None if before is None else before + result.mazes,
    )


def _blended(folder: Path) -> Source:
    solver, facts = read_blend(folder)
    if facts.architecture is None:
        raise InputError(f"{folder}: an ensemble has no weights of one network to blend; name its members instead")
    state = solver.state_dict()
    base = () if facts.base is None else (facts.base.weights_sha256,)
    return Source(
        name=f"{facts.name}@{facts.seed}",
        seed=facts.seed,
        weights_sha256=facts.weights_sha256,
        ancestors=frozenset({facts.weights_sha256, *(p.weights_sha256 for p in facts.parents), *base}),
        solver=solver,
        state=state,
        weights=weights_of(state),
        architecture=facts.architecture,
        scale=facts.scale,
        specs=facts.trained_on,
        iterations=30,
        mazes=facts.training_mazes,
    )


def _with_card(solver: IterativeSolver, folder: Path) -> IterativeSolver:
    solver.card = load_folder(folder).card
    return solver.eval()


def read_sources(targets: Sequence[str | Path], same: bool = True) -> list[Source]:
    """Read parents. Raises InputError where they differ in raster, or, with ``same``, in architecture."""
    sources = [read_source(target) for target in targets]
    first = sources[0]
    for other in sources[1:]:
        if other.scale != first.scale:
            raise InputError(
                f"{first.name} was made for rasters of scale {first.scale}, {other.name} for scale {other.scale}; "
                "a solver has one raster"
            )
        if same:
            refuse_unlike(first.state, other.state, (first.name, other.name))
            _refuse_other_settings(first, other)
    return sources


def _refuse_other_settings(first: Source, other: Source) -> None:
    """Raise InputError where networks of equal tensors compute otherwise with them."""
    ours, theirs = first.architecture or {}, other.architecture or {}
    wrong = [key for key in ours if key != "builder" and key in theirs and ours[key] != theirs[key]]
    kinds = type(first.solver) is not type(other.solver)
    if wrong or kinds:
        what = ", ".join(f"{key}: {ours[key]} and {theirs[key]}" for key in wrong) or "their classes"
        raise InputError(f"{first.name} and {other.name} are not of one architecture: they differ in {what}")


def warnings(sources: Sequence[Source], averaged: bool = True) -> list[str]:
    """Say what is allowed and seldom meant: the same weights twice, and parents of no common origin.

    averaged: whether it is their weights that are combined.
    """
    said = []
    digests = [source.weights_sha256 for source in sources]
    twice = {source.name for source in sources if digests.count(source.weights_sha256) > 1}
    if twice:
        said.append(f"the same weights twice: {', '.join(sorted(twice))}")
    if averaged and any(not (sources[0].ancestors & source.ancestors) for source in sources[1:]):
        said.append(
            "the parents share no weights that they began with: between networks trained apart lies a barrier that "
            "blends seldom cross, aligned or not; extramaze landscape line measures it"
        )
    return said
