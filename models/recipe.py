"""Recipes: everything that decides a training run, as one checked YAML file."""

from importlib.resources import files
from typing import Literal

from pydantic import Field, field_validator, model_validator

from extramaze.mazes import InputError, MazeSpec
from extramaze.models.architectures import SINGLE_PASS, Architecture
from extramaze.models.root_finding import Method
from extramaze.models.schema import Strict, parse_yaml, yaml_names, yaml_text

INDICES_PER_SEED = 2**24  # maze indices of their own for each seed: 16.7 million
RECIPES = files("extramaze.models") / "recipes"


class Data(Strict):
    """Which mazes to train and to validate on (from the train and the val split), and how they are drawn."""

    spec: str
    scale: Literal[1, 2]

    @field_validator("spec")
    @classmethod
    def _canonical(cls, text: str) -> str:
        return str(MazeSpec.parse(text))


class Training(Strict):
    """How to train.

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
    backprop_steps: the first so many training steps unroll U{1 … backprop_iterations} iterations instead.
    contraction: rescale the recurrent weights where one iteration expands random perturbations by more than this.
    initial_states: the kinds that mazes begin from, evenly: projection (the solver's own), zeros, random.
    warmup_steps: over which the learning rate rises; it then falls to zero along a half cosine.
    bf16: autocast to bfloat16.
    """

    gradient: Literal["progressive", "jacobian-free", "implicit", "phantom", "backprop"]
    steps: int = Field(ge=1)
    batch: int = Field(ge=1, le=65536)
    learning_rate: float = Field(gt=0, lt=1)
    weight_decay: float = Field(ge=0, lt=1)
    warmup_steps: int = Field(ge=0)
    min_iterations: int = Field(default=0, ge=0)
    max_iterations: int = Field(ge=1, le=10_000)
    gradient_steps: int = Field(default=1, ge=1)
    alpha: float = Field(default=1.0, ge=0, le=1)
    tolerance: float = Field(default=0.0, ge=0, lt=1)
    root_finder: Method = "anderson"
    backward_iterations: int = Field(default=30, ge=1, le=10_000)
    damping: float = Field(default=0.5, gt=0, le=1)
    backprop_steps: int = Field(default=0, ge=0)
    backprop_iterations: int = Field(default=1, ge=1, le=10_000)
    contraction: float | None = Field(default=None, gt=0)
    initial_states: tuple[Literal["projection", "zeros", "random"], ...] = Field(default=("projection",), min_length=1)
    clip_norm: float = Field(gt=0)
    bf16: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> "Training":
        if self.min_iterations > self.max_iterations:
            raise ValueError("min_iterations must not exceed max_iterations")
        if self.steps * self.batch > INDICES_PER_SEED:
            raise ValueError(f"steps × batch must not exceed {INDICES_PER_SEED:,}, the mazes set aside for one seed")
        if self.gradient == "jacobian-free" and self.gradient_steps != 1:
            raise ValueError("jacobian-free training has exactly one step with a gradient; leave gradient_steps out")
        if self.gradient in ("implicit", "backprop") and self.gradient_steps != 1:
            raise ValueError(f"{self.gradient} training has no gradient_steps; leave it out")
        if self.gradient != "progressive" and self.alpha != 1:
            raise ValueError("alpha is a part of the progressive loss; leave it out")
        if self.gradient in ("implicit", "phantom") and self.tolerance == 0:
            raise ValueError(
                f"{self.gradient} training needs a tolerance above 0 for its equilibrium, 0.001 for example"
            )
        return self


class Validation(Strict):
    """How often to validate, on how many mazes, and after how many iterations the answer is read."""

    every: int = Field(ge=1)
    count: int = Field(ge=1, le=100_000)
    final_count: int = Field(ge=1, le=1_000_000)
    iterations: int = Field(ge=1, le=10_000)


class Recipe(Strict):
    """One way to make a solver."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    paper: str
    architecture: Architecture
    data: Data
    training: Training
    validation: Validation

    @model_validator(mode="after")
    def _fits(self) -> "Recipe":
        builder, training = self.architecture.builder, self.training
        if training.contraction is not None and builder not in ("dt_net", "it_net"):
            raise ValueError(
                f"training.contraction rescales the convolutions of dt_net and it_net; {builder} has its own"
            )
        if builder in SINGLE_PASS and (training.gradient, training.max_iterations) != ("backprop", 1):
            raise ValueError(f"{builder} passes once: it needs training.gradient: backprop and max_iterations: 1")
        if builder in SINGLE_PASS and training.initial_states != ("projection",):
            raise ValueError(f"{builder} passes once, from no state; leave training.initial_states out")
        return self


def recipe_names() -> list[str]:
    """List the shipped recipes."""
    return yaml_names(RECIPES)


def recipe_text(name_or_path: str) -> str:
    """Return the YAML text of a shipped recipe or of a file, which may not take a shipped name. Raises InputError."""
    text = yaml_text("recipe", name_or_path, RECIPES)
    name = parse_recipe(text, name_or_path).name
    if name in recipe_names() and text != yaml_text("recipe", name, RECIPES):
        raise InputError(f"recipe {name_or_path}: the name {name} is a shipped recipe's; choose another name")
    return text


def parse_recipe(text: str, origin: str) -> Recipe:
    """Check a recipe's YAML text. Raises InputError listing every problem with its key."""
    return parse_yaml(Recipe, text, f"recipe {origin}")
