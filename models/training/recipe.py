"""Recipes: everything that decides a training run, as one checked YAML file."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from extramaze.core.checked import Strict, parse_yaml, yaml_text
from extramaze.core.errors import InputError
from extramaze.core.names import taken_for
from extramaze.models.root_finding import Method
from extramaze.models.shipped import RECIPES, recipe_names
from extramaze.models.training.architectures import SINGLE_PASS, Architecture
from extramaze.models.training.data import Data
from extramaze.models.training.optimise import Optimisation
from extramaze.schema.training import RECIPE_NAME


class Training(Optimisation):
    """How to train: the gradient, besides what every optimisation states.

    gradient: ``progressive`` runs n ~ U{0 … max_iterations − 1} iterations without gradient, then k ~
        U{1 … gradient_steps} (never beyond max_iterations) with one: the progressive part alone of the loss
        of Bansal et al. (2022, section 3.2), that is α = 1 there; ``alpha`` below 1 adds the other part, at its cost.
        ``jacobian-free`` runs n ~ U{min_iterations … max_iterations} without, then one with (arXiv 2103.12803); a
        maze stops earlier where its state changes by less than ``tolerance``, if that is not 0.
        ``implicit`` and ``phantom`` look for an equilibrium by ``root_finder`` to a relative residual of ``tolerance``
        in at most n ~ U{min_iterations … max_iterations} evaluations, and send gradients through it: by solving a
        linear equation to the same tolerance in at most backward_iterations products (arXiv 1909.01377), or through
        gradient_steps steps damped by ``damping`` (arXiv 2111.05177).
        ``backprop`` unrolls n ~ U{max(1, min_iterations) … max_iterations} iterations.
        ``deep-supervision`` runs n ~ U{min_iterations … max_iterations − gradient_steps} without, then gradient_steps
        with one, each from a state that counts as constant; the loss is the mean of those after each of them
        (arXiv 2510.04871, section 2.4, with one optimiser step for the window).
    backprop_steps: the first so many training steps unroll U{1 … backprop_iterations} iterations instead.
    contraction: rescale the recurrent weights where one iteration expands random perturbations by more than this.
    initial_states: the kinds that mazes begin from, evenly: projection (the solver's own), zeros, random.
    """

    gradient: Literal["progressive", "jacobian-free", "implicit", "phantom", "backprop", "deep-supervision"]
    min_iterations: int = Field(default=0, ge=0)
    max_iterations: int = Field(ge=1, le=10_000)
    gradient_steps: int = Field(default=1, ge=1)
    alpha: float = Field(default=1.0, ge=0, le=1)
    tolerance: float = Field(default=0.0, ge=0, lt=1, validate_default=True)
    root_finder: Method = "anderson"
    backward_iterations: int = Field(default=30, ge=1, le=10_000)
    damping: float = Field(default=0.5, gt=0, le=1)
    backprop_steps: int = Field(default=0, ge=0)
    backprop_iterations: int = Field(default=1, ge=1, le=10_000)
    contraction: float | None = Field(default=None, gt=0)
    initial_states: tuple[Literal["projection", "zeros", "random"], ...] = Field(default=("projection",), min_length=1)

    @field_validator("max_iterations")
    @classmethod
    def _in_order(cls, most: int, info: ValidationInfo) -> int:
        if info.data.get("min_iterations", 0) > most:
            raise ValueError("min_iterations must not exceed max_iterations")
        return most

    @field_validator("gradient_steps")
    @classmethod
    def _traced(cls, steps: int, info: ValidationInfo) -> int:
        gradient = info.data.get("gradient")
        if gradient == "jacobian-free" and steps != 1:
            raise ValueError("jacobian-free training has exactly one step with a gradient; leave gradient_steps out")
        if gradient in ("implicit", "backprop") and steps != 1:
            raise ValueError(f"{gradient} training has no gradient_steps; leave it out")
        if gradient == "deep-supervision" and steps + info.data["min_iterations"] > info.data["max_iterations"]:
            raise ValueError("min_iterations and the window of gradient_steps together must not exceed max_iterations")
        return steps

    @field_validator("alpha")
    @classmethod
    def _progressive_only(cls, alpha: float, info: ValidationInfo) -> float:
        if info.data.get("gradient", "progressive") != "progressive" and alpha != 1:
            raise ValueError("alpha is a part of the progressive loss; leave it out")
        return alpha

    @field_validator("tolerance")
    @classmethod
    def _reachable(cls, tolerance: float, info: ValidationInfo) -> float:
        gradient = info.data.get("gradient")
        if gradient in ("implicit", "phantom") and tolerance == 0:
            raise ValueError(f"{gradient} training needs a tolerance above 0 for its equilibrium, 0.001 for example")
        return tolerance


class Validation(Strict):
    """How often to validate (in steps), on how many mazes, and after how many iterations the answer is read.

    final_count: mazes of the last validation, whose accuracy ships with the weights. stop_at: end the training early
    at a validation with this accuracy; the last validation is then on other mazes than the one that stopped it.
    """

    every: int = Field(ge=1)
    count: int = Field(ge=1, le=100_000)
    final_count: int = Field(ge=1, le=1_000_000)
    iterations: int = Field(ge=1, le=10_000)
    stop_at: float | None = Field(default=None, gt=0, le=1)


class Recipe(Strict):
    """One way to make a solver."""

    name: str = Field(pattern=RECIPE_NAME, max_length=50)
    paper: str
    architecture: Architecture
    data: Data
    training: Training
    validation: Validation

    @field_validator("training")
    @classmethod
    def _fits(cls, training: Training, info: ValidationInfo) -> Training:
        if "architecture" not in info.data:
            return training
        builder, problems = info.data["architecture"].builder, []
        if training.contraction is not None and builder not in ("dt_net", "it_net"):
            problems.append(f"contraction rescales the convolutions of dt_net and it_net; {builder} has its own")
        if builder in SINGLE_PASS:
            problems += pass_problems(training, builder)
        if problems:
            raise ValueError("; ".join(problems))
        return training


def pass_problems(training: Training, builder: str) -> list[str]:
    """Say what a recipe asks of a network that passes once and that such a one does not have."""
    problems = []
    if (training.gradient, training.max_iterations) != ("backprop", 1):
        problems.append(f"{builder} passes once: it needs gradient: backprop and max_iterations: 1")
    if training.initial_states != ("projection",):
        problems.append(f"{builder} passes once, from no state; leave initial_states out")
    if training.recurrent_divisor != 1:
        problems.append(f"{builder} passes once: it has no recurrent parameters; leave recurrent_divisor out")
    return problems


def recipe_text(name_or_path: str) -> str:
    """Return the YAML text of a shipped recipe or of a file, which may not take a shipped name. Raises InputError."""
    text = yaml_text("recipe", name_or_path, RECIPES)
    name = parse_recipe(text, name_or_path).name
    own = taken_for(name, recipe_names())
    if own is not None and text != yaml_text("recipe", own, RECIPES):
        what = "a shipped recipe's" if own == name else f"like that of the shipped recipe {own}"
        raise InputError(f"recipe {name_or_path}: the name {name} is {what}; choose another name")
    return text


def parse_recipe(text: str | bytes, origin: str) -> Recipe:
    """Check a recipe's YAML, a file's bytes or their text. Raises InputError listing every problem with its key."""
    return parse_yaml(Recipe, text, f"recipe {origin}")
