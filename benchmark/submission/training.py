"""What a submission says of its solver and of its training, read off the record and the trained folder."""

from pathlib import Path

from extramaze.core.checked import parse_json
from extramaze.core.files import read_bytes
from extramaze.core.yaml_files import MAX_YAML
from extramaze.models.contract_checks import SIZES
from extramaze.models.shipped import shipped_solvers
from extramaze.models.training.recipe import Recipe, parse_recipe
from extramaze.schema.card import Who
from extramaze.schema.record import Summary
from extramaze.schema.training import RECIPE, RESULT, TrainingResult

KEPT = f"keeps the contract on mazes of size {', '.join(map(str, sorted(SIZES)))}"


def solver_of(summary: Summary) -> Who:
    """Return what a card says of the solver of a record."""
    solver = summary.plan.solver
    return Who(name=solver.name, recipe=solver.recipe, seed=solver.seed, parameters=solver.parameters)


def read_training(folder: Path) -> tuple[Recipe, TrainingResult]:
    """Read the recipe and the result of a trained folder. Raises InputError."""
    recipe = parse_recipe(read_bytes(folder / RECIPE, MAX_YAML), RECIPE)
    return recipe, parse_json(TrainingResult, read_bytes(folder / RESULT), RESULT)


def unknown_start(result: TrainingResult) -> str | None:
    """Return the name of the solver that a training began with, where it is not one of extramaze's."""
    return None if result.init_from is None or result.init_from in shipped_solvers() else result.init_from
