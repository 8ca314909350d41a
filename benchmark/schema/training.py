"""What a finished training leaves beside its weights (``training.json``), and the files that make a trained folder."""

from typing import Literal

from pydantic import Field

from extramaze.core.checked import Digest, Growing, OneLine

RECIPE_NAME = r"^[a-z0-9][a-z0-9-]*$"
MAX_WEIGHTS = 2**31  # bytes of a file of weights
RECIPE, RESULT, WEIGHTS = "recipe.yaml", "training.json", "weights.safetensors"
MAX_FILES = 10_000
Ended = Literal["steps", "accuracy", "seconds"]


class TrainingResult(Growing):
    """What one finished training run reports (``training.json``).

    validation_accuracy: share of validation_count fresh mazes answered by the stored path; validation_optimal: by any
    shortest one, None where it was not counted.
    stopped: what ended it: the budget of steps, the validation accuracy asked for, or the budget of seconds.
    wall_seconds: of training and validation up to there. threads: of each process. bf16: whether it computed so.
    initial_weights_sha256: of the solver it was fine-tuned from, named by ``init_from``.
    resumed: how often it was stopped and went on. code: the sha256 of each file of an architecture from outside.
    """

    added = ("code", "validation_optimal")

    recipe: str = Field(pattern=RECIPE_NAME)
    seed: int
    steps: int
    mazes: int
    validation_accuracy: float = Field(ge=0, le=1)
    validation_count: int
    reached_99: bool
    weights_sha256: Digest
    wall_seconds: float
    machine: OneLine
    versions: dict[OneLine, OneLine]
    stopped: Ended = "steps"
    threads: int | None = None
    processes: int = 1
    bf16: bool | None = None
    init_from: OneLine | None = None
    initial_weights_sha256: Digest | None = None
    resumed: int = 0
    code: dict[OneLine, Digest] = Field(default={}, max_length=MAX_FILES)
    validation_optimal: float | None = Field(default=None, ge=0, le=1)
