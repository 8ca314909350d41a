"""Make a blend: a request checked, whatever is computed once computed, the weights combined, a folder written."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from extramaze.core.checked import check_model
from extramaze.core.errors import InputError
from extramaze.core.files import hold, is_free
from extramaze.core.folders import holds_only, write_folder
from extramaze.models.blending import methods
from extramaze.models.blending.alignment import Alignment, align
from extramaze.models.blending.choosing import Trial, best_line, greedy_soup, make_trial
from extramaze.models.blending.fisher import fisher_information
from extramaze.models.blending.folder import COMPUTED
from extramaze.models.blending.methods import Formula
from extramaze.models.blending.request import Request, check
from extramaze.models.blending.sources import Source, read_source, read_sources, warnings
from extramaze.models.blending.weights import Weights, refuse_unlike, rounded
from extramaze.models.symmetry import Move, symmetry_of
from extramaze.schema.blend import BLEND_SCHEMA, BY_HAND, FACTS, Aligned, BlendFacts, Choice
from extramaze.schema.training import WEIGHTS

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Blend:
    """A blend in memory, as its folder will hold it."""

    facts: BlendFacts
    weights: bytes
    computed: bytes | None

    def contents(self) -> dict[str, bytes]:
        """Return the files of its folder, the facts last: without them the folder holds no blend."""
        extra = {} if self.computed is None else {COMPUTED: self.computed}
        stated = (self.facts.model_dump_json(by_alias=True, indent=1) + "\n").encode()
        return {**extra, WEIGHTS: self.weights, FACTS: stated}

    def write(self, folder: Path) -> None:
        """Write the folder. Raises InputError where it holds anything but this very blend."""
        with hold(folder):
            if not (is_free(folder) or holds_only(folder, self.contents())):
                raise InputError(f"{folder} exists and holds something else; choose another --out")
            write_folder(folder, self.contents())


def make_blend(request: Request, say: Say = lambda _: None) -> Blend:
    """Make a blend of trained solvers.

    say: told of warnings, and of candidates as they are tried. Raises InputError, before anything is computed, for
    whatever does not go together: it says what was given, what was expected and what to do.
    """
    check(request)
    sources = read_sources(request.parents, same=request.method != "ensemble")
    base = None if request.base is None else _base(request.base, sources)
    trial = make_trial(sources, request.specs, request.count, request.iterations, request.split)
    for warning in warnings([*sources, *([] if base is None else [base])], request.method != "ensemble"):
        say(f"note: {warning}")
    if request.method == "ensemble":
        return _ensemble(request, sources)
    aligned = _aligned(request, sources, base)
    parents = [source.weights if found is None else found[1] for source, found in zip(sources, aligned, strict=True)]
    settled = _settle(request, sources, parents, trial, say)
    computed = settled.computed | _moves(aligned)
    weights = settled.formula.combine(parents, None if base is None else base.weights, computed)
    stored = save({name: value.contiguous() for name, value in rounded(weights, sources[0].state).items()})
    numbers = settled.formula.coefficients if request.method != "ties" else (None,) * len(sources)
    content = {
        "method": request.method,
        "parents": [source.ingredient(c) for source, c in zip(sources, numbers, strict=True)],
        "base": None if base is None else base.ingredient(None),
        "aligned": [
            Aligned(parent=number, restarts=request.restarts, cosine=found[0].cosine)
            for number, found in enumerate(aligned)
            if found is not None
        ],
        "architecture": sources[0].architecture,
        "chosen_on": settled.choice,
        **settled.options,
    }
    return _sealed(request, sources, content, stored, _stored(computed))


@dataclass(frozen=True, eq=False)
class _Settled:
    """The numbers of a blend: its formula, how its coefficients were chosen, what was computed once, its options."""

    formula: Formula
    choice: Choice | str
    computed: dict[str, np.ndarray]
    options: dict[str, Any]


def _settle(
    request: Request, sources: Sequence[Source], parents: Sequence[Weights], trial: Trial, say: Say
) -> _Settled:
    """Choose or compute what the formula needs."""
    coefficients = _coefficients(request)
    computed: dict[str, np.ndarray] = {}
    options: dict[str, Any] = {}
    chosen: Choice | None = None
    if request.best:
        choose = best_line if request.method == "line" else greedy_soup
        chosen = choose(sources, parents, trial, say)
        coefficients = chosen.best().coefficients
    if request.method == "slerp":
        first, second, options["angle"] = methods.slerp_multipliers(parents[0], parents[1], request.at or 0.0)
        coefficients, options["at"] = (first, second), request.at or 0.0
    if request.method == "fisher":
        options["fisher_mazes"] = request.fisher_mazes
        for number, (source, weights) in enumerate(zip(sources, parents, strict=True)):
            information = fisher_information(source, weights, request.fisher_mazes)
            computed |= {f"fisher.{number}.{name}": value for name, value in information.items()}
    if request.method == "ties":
        options |= {"density": request.density, "strength": request.strength}
    if request.method == "dare":
        options |= {"drop": request.drop}
    formula = Formula(
        request.method,
        coefficients,
        _seed(request, sources),
        1.0 if request.density is None else request.density,
        1.0 if request.strength is None else request.strength,
        request.drop or 0.0,
    )
    return _Settled(formula, chosen or BY_HAND, computed, options)


def _base(target: str | Path, sources: Sequence[Source]) -> Source:
    base = read_source(target)
    for source in sources:
        refuse_unlike(base.state, source.state, (base.name, source.name))
        if source.weights_sha256 == base.weights_sha256:
            raise InputError(f"{base.name} is the base and one of the parents, which differs from it by nothing")
    return base


def _seed(request: Request, sources: Sequence[Source]) -> int:
    shared = {source.seed for source in sources}
    return request.seed if request.seed is not None else shared.pop() if len(shared) == 1 else 0


def _coefficients(request: Request) -> tuple[float, ...]:
    """Return what was asked for, or equal shares."""
    if request.method == "line" and request.at is not None:
        return (1 - request.at, request.at)
    count = len(request.parents)
    return request.coefficients or (1 / count,) * count


def _aligned(
    request: Request, sources: Sequence[Source], base: Source | None
) -> list[tuple[Alignment, Weights] | None]:
    """Bring all parents to the first one's units, or to the base's where there is one; None for one that stays."""
    if not request.align:
        return [None] * len(sources)
    first = sources[0] if base is None else base
    symmetry = symmetry_of(first.solver, first.scale)
    found: list[tuple[Alignment, Weights] | None] = []
    for source in sources:
        if source is first:
            found.append(None)
            continue
        alignment = align(symmetry, first.weights, source.weights, request.restarts)
        found.append((alignment, alignment.move.apply(symmetry, source.weights)))
    return found


def _moves(aligned: Sequence[tuple[Alignment, Weights] | None]) -> dict[str, np.ndarray]:
    """Return alignments as arrays: of parent i and group g ``alignment.i.permutation.g``, and ``scale``."""
    arrays = {}
    for number, found in enumerate(aligned):
        if found is not None:
            for group, order in found[0].move.permutations.items():
                arrays[f"alignment.{number}.permutation.{group}"] = order.astype(np.int64)
                arrays[f"alignment.{number}.scale.{group}"] = found[0].move.scales[group]
    return arrays


def move_of(computed: Mapping[str, np.ndarray], number: int) -> Move:
    """Return a parent's alignment from what was computed once."""
    parts: dict[str, dict[str, np.ndarray]] = {"permutation": {}, "scale": {}}
    for kind, found in parts.items():
        prefix = f"alignment.{number}.{kind}."
        found |= {name.removeprefix(prefix): value for name, value in computed.items() if name.startswith(prefix)}
    return Move(parts["permutation"], parts["scale"])


def _stored(computed: Mapping[str, np.ndarray]) -> bytes | None:
    """Return arrays as a safetensors file holds them; None for none."""
    return save({name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in computed.items()}) if computed else None


def _ensemble(request: Request, sources: Sequence[Source]) -> Blend:
    """Join networks that stay as they are: their tensors, one member after the other."""
    tensors = {
        f"members.{number}.{name}": value.contiguous()
        for number, source in enumerate(sources)
        for name, value in source.state.items()
    }
    content = {
        "method": "ensemble",
        "parents": [source.ingredient(None, member=True) for source in sources],
        "combination": request.combination,
        "architecture": None,
        "chosen_on": BY_HAND,
    }
    return _sealed(request, sources, content, save(tensors), None)


def _sealed(
    request: Request,
    sources: Sequence[Source],
    content: dict[str, Any],
    weights: bytes,
    computed: bytes | None,
) -> Blend:
    mazes = [source.mazes for source in sources]
    stated = {
        "schema": BLEND_SCHEMA,
        "name": request.name,
        "seed": _seed(request, sources),
        **content,
        "computed_sha256": None if computed is None else hashlib.sha256(computed).hexdigest(),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "scale": sources[0].scale,
        "trained_on": tuple(dict.fromkeys(spec for source in sources for spec in source.specs)),
        "training_mazes": None if None in mazes else sum(count or 0 for count in mazes),
        "versions": {name: version(name) for name in ("extramaze", "numpy", "torch")},
    }
    return Blend(check_model(BlendFacts, stated, "the blend").sealed(), weights, computed)
