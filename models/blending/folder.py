"""A blend's folder: ``blend.json``, ``weights.safetensors`` and, where something was computed once, what that was."""

import hashlib
from pathlib import Path

from extramaze.core.checked import Strict, check_model, parse_json
from extramaze.core.errors import InputError
from extramaze.core.files import read_bytes
from extramaze.models.blending.ensemble import Ensemble
from extramaze.models.contract import IterativeSolver, SolverCard
from extramaze.models.training.architectures import Architecture as Buildable
from extramaze.models.weight_files import fill
from extramaze.schema.blend import FACTS, Architecture, BlendFacts
from extramaze.schema.training import MAX_WEIGHTS, WEIGHTS

COMPUTED = "computed.safetensors"


class Built(Strict):
    """How a solver is built."""

    architecture: Buildable
    """One that a recipe could name."""


def is_blend(folder: Path) -> bool:
    """Whether a folder holds a blend rather than a trained solver."""
    return (folder / FACTS).exists()


def read_facts(folder: Path) -> BlendFacts:
    """Read what a blend states. Raises InputError, naming the key, where it is unreadable, altered or contradictory."""
    path = folder / FACTS
    facts = parse_json(BlendFacts, read_bytes(path), str(path))
    if facts.digest() != facts.sha256:
        raise InputError(
            f"{path}: altered since it was written: its sha256 is not the one it states; blend again, or restore it"
        )
    return facts


def read_blend(folder: Path) -> tuple[IterativeSolver, BlendFacts]:
    """Build a blend and fill in its weights.

    Raises InputError where a file is missing, unreadable, altered (another sha256) or of another architecture.
    """
    facts = read_facts(folder)
    weights = read_bytes(folder / WEIGHTS, MAX_WEIGHTS)
    if (found := hashlib.sha256(weights).hexdigest()) != facts.weights_sha256:
        raise InputError(
            f"{folder / WEIGHTS}: sha256 {found[:12]}… is not the {facts.weights_sha256[:12]}… that {FACTS} states; "
            "the file is truncated or altered: restore it or blend again"
        )
    solver = built(facts, len(weights), str(folder / WEIGHTS))
    fill(solver, weights, str(folder / WEIGHTS))
    solver.card = card_of_facts(facts)
    return solver.eval(), facts


def card_of_facts(facts: BlendFacts) -> SolverCard:
    """Return who a blend is."""
    return SolverCard(
        name=f"{facts.name}@{facts.seed}",
        recipe=facts.name,
        seed=facts.seed,
        scale=facts.scale,
        weights_sha256=facts.weights_sha256,
        notes=(facts.sentence(),),
        provenance=facts.provenance(),
    )


def built(facts: BlendFacts, stored: int, origin: str) -> IterativeSolver:
    """Build a blend's solver, its weights not yet filled in. stored: bytes of its weights file."""
    if facts.combination is None:
        return build(facts.architecture, stored, origin)
    members = [build(parent.architecture, stored, origin) for parent in facts.parents]
    return Ensemble(members, facts.combination)


def build(architecture: Architecture | None, stored: int, origin: str) -> IterativeSolver:
    """Build a solver as facts describe it. Raises InputError for what no recipe could say, and for too few bytes."""
    checked = check_model(Built, {"architecture": architecture}, f"{origin}: architecture").architecture
    checked.check_size(stored, origin)
    return checked.build()
