"""Folders that hold a trained solver.

``recipe.yaml``, ``training.json`` and ``weights.safetensors`` make one; ``log.jsonl`` and ``learning-curve.png`` say
how it got there. Nothing is pickled.
"""

import hashlib
from pathlib import Path

from extramaze.core.checked import parse_json
from extramaze.core.errors import InputError
from extramaze.core.files import read_bytes
from extramaze.core.yaml_files import MAX_YAML
from extramaze.models.contract import IterativeSolver
from extramaze.models.training.outside import KEPT, Home, altered_code, code_of
from extramaze.models.training.recipe import Recipe, parse_recipe
from extramaze.models.weight_files import fill
from extramaze.schema.solver import Accuracy, Origin, Trained, TrainedOn
from extramaze.schema.training import MAX_WEIGHTS, RECIPE, RESULT, WEIGHTS, TrainingResult


def trained_on(recipe: Recipe, result: TrainingResult) -> TrainedOn:
    """Say what a recipe trained on: mazes of the split train, by construction of the trainer."""
    return TrainedOn(specs=tuple(str(spec) for spec, _ in recipe.data.parts), split="train", mazes=result.mazes)


def provenance_of(recipe: Recipe, result: TrainingResult) -> Trained:
    """Say where the weights of a finished training come from."""
    begun = None
    if result.init_from is not None and result.initial_weights_sha256 is not None:
        begun = Origin(name=result.init_from, weights_sha256=result.initial_weights_sha256)
    on, optimal = trained_on(recipe, result), result.validation_optimal
    if all(spec.is_tree for spec in on.maze_specs):
        optimal = result.validation_accuracy  # a tree has one path
    accuracy = Accuracy(mazes=result.validation_count, exact=result.validation_accuracy, optimal=optimal)
    return Trained(on=on, begun_with=begun, accuracy=accuracy)


def read_result(folder: Path) -> TrainingResult:
    """Read how a solver was trained. Raises InputError."""
    return parse_json(TrainingResult, read_bytes(folder / RESULT), str(folder / RESULT))


def read_solver(folder: Path) -> tuple[IterativeSolver, Recipe, TrainingResult]:
    """Build the solver of a finished training folder and fill in its weights.

    Raises InputError where a file is missing, unreadable, altered (another sha256) or of another architecture.
    """
    recipe = parse_recipe(read_bytes(folder / RECIPE, MAX_YAML), str(folder / RECIPE))
    if not (folder / RESULT).exists():
        raise InputError(f"{folder} holds an unfinished training; give the same extramaze train again, it goes on")
    result = read_result(folder)
    weights = read_bytes(folder / WEIGHTS, MAX_WEIGHTS)
    found = hashlib.sha256(weights).hexdigest()
    if found != result.weights_sha256:
        raise InputError(
            f"{folder / WEIGHTS}: sha256 {found[:12]}… is not the {result.weights_sha256[:12]}… that training.json "
            "states; the file is truncated or altered: restore it or train again"
        )
    recipe.architecture.check_size(len(weights), str(folder / WEIGHTS))
    for name in altered_code(folder, result.code):
        raise InputError(f"{folder / KEPT / name}: altered, its sha256 is not what {RESULT} states; train again")
    solver = recipe.architecture.build(Home(folder, kept=True))
    if code_of(solver).digests != result.code:
        raise InputError(f"{folder}: the architecture's code is not the one that {RESULT} states; train again")
    fill(solver, weights, str(folder / WEIGHTS))
    return solver, recipe, result
