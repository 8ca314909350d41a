"""Folders that hold a trained, or half-trained, solver.

``recipe.yaml``, ``training.json`` and ``weights.safetensors`` make a trained solver; ``log.jsonl`` and
``learning-curve.png`` say how it got there; ``checkpoint.safetensors`` is there while training is unfinished. Nothing
is pickled.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from extramaze.mazes import InputError
from extramaze.mazes.files import read_bytes, write_atomically
from extramaze.models.contract import IterativeSolver
from extramaze.models.schema import Strict, parse_json
from extramaze.models.training.recipe import Recipe, parse_recipe
from extramaze.models.weight_files import MAX_WEIGHTS, fill

RECIPE, RESULT, WEIGHTS, CHECKPOINT = (
    "recipe.yaml",
    "training.json",
    "weights.safetensors",
    "checkpoint.safetensors",
)
_MARK = re.compile(r"only ([\d.]+%) of fresh training-like mazes, below [\d.]+%")
GOOD_ACCURACY = 0.99  # on fresh mazes of the training distribution; below it a seed is shipped, and marked


class TrainingResult(Strict):
    """What one finished training run reports (``training.json``).

    stopped: what ended it: the budget of steps, the validation accuracy asked for, or the budget of seconds.
    wall_seconds: of training and validation up to there. threads: of each process. bf16: whether it computed so.
    initial_weights_sha256: of the solver it was fine-tuned from, named by ``init_from``.
    resumed: how often it was stopped and went on.
    """

    recipe: str
    seed: int
    steps: int
    mazes: int
    validation_accuracy: float = Field(ge=0, le=1)
    validation_count: int
    reached_99: bool
    weights_sha256: str
    wall_seconds: float
    machine: str
    versions: dict[str, str]
    stopped: Literal["steps", "accuracy", "seconds"] = "steps"
    threads: int | None = None
    processes: int = 1
    bf16: bool | None = None
    init_from: str | None = None
    initial_weights_sha256: str | None = None
    resumed: int = 0


def training_mark(accuracy: float) -> str:
    """Say that a seed fell short of GOOD_ACCURACY, as its card and its records do.

    ``marked_accuracy`` reads it from records: their schema freezes the wording.
    """
    return f"only {accuracy:.2%} of fresh training-like mazes, below {GOOD_ACCURACY:.0%}"


def marked_accuracy(note: str) -> str | None:
    """Return the accuracy, as written, that a note of ``training_mark`` states; None for any other note."""
    mark = _MARK.fullmatch(note)
    return mark[1] if mark else None


def read_solver(folder: Path) -> tuple[IterativeSolver, Recipe, TrainingResult]:
    """Build the solver of a finished training folder and fill in its weights.

    Raises InputError where a file is missing, unreadable, altered (another sha256) or of another architecture.
    """
    recipe = parse_recipe(read_bytes(folder / RECIPE).decode(errors="replace"), str(folder / RECIPE))
    if not (folder / RESULT).exists():
        raise InputError(f"{folder} holds an unfinished training; give the same extramaze train again, it goes on")
    result = parse_json(TrainingResult, read_bytes(folder / RESULT), str(folder / RESULT))
    weights = read_bytes(folder / WEIGHTS, MAX_WEIGHTS)
    found = hashlib.sha256(weights).hexdigest()
    if found != result.weights_sha256:
        raise InputError(
            f"{folder / WEIGHTS}: sha256 {found[:12]}… is not the {result.weights_sha256[:12]}… that training.json "
            "states; the file is truncated or altered: restore it or train again"
        )
    solver = recipe.architecture.build()
    fill(solver, weights, str(folder / WEIGHTS))
    return solver, recipe, result


def save_checkpoint(
    folder: Path,
    solver: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: dict[str, Any],
    average: nn.Module | None = None,
) -> None:
    """Write weights, optimiser state, averaged weights and progress as one file."""
    tensors = _prefixed("model", solver) | (_prefixed("average", average) if average else {})
    names = _optimized_names(solver, optimizer)
    for index, slots in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{names[index]}.{slot}": value.contiguous() for slot, value in slots.items()}
    metadata = {"progress": json.dumps(progress), "sha256": _tensors_sha256(tensors)}
    write_atomically(folder / CHECKPOINT, save(tensors, metadata=metadata))


def _prefixed(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": value.contiguous() for name, value in module.state_dict().items()}


def _optimized_names(solver: nn.Module, optimizer: torch.optim.Optimizer) -> list[str]:
    """Name the parameters in the order in which an optimiser's state counts them: group by group."""
    names = {id(parameter): name for name, parameter in solver.named_parameters()}
    return [names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]


def _tensors_sha256(tensors: dict[str, Tensor]) -> str:
    """Hash tensors: a resumed run must not go on from altered ones."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        content = tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode() + content.numpy().tobytes())
    return digest.hexdigest()


def load_checkpoint(
    folder: Path, solver: nn.Module, optimizer: torch.optim.Optimizer, average: nn.Module | None = None
) -> dict[str, Any]:
    """Read what save_checkpoint wrote back into a solver, its optimiser and its average; return the progress."""
    path = folder / CHECKPOINT
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if _tensors_sha256(tensors) != metadata["sha256"]:
            raise ValueError("altered: its sha256 differs")
        progress = json.loads(metadata["progress"])
        solver.load_state_dict({name: tensors[f"model.{name}"] for name in solver.state_dict()})
        if average is not None:
            average.load_state_dict({name: tensors[f"average.{name}"] for name in average.state_dict()})
        slots: dict[int, dict[str, Tensor]] = {}
        for index, name in enumerate(_optimized_names(solver, optimizer)):
            prefix = f"optimizer.{name}."
            slots[index] = {key.removeprefix(prefix): tensors[key] for key in tensors if key.startswith(prefix)}
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as problem:
        raise InputError(f"{path}: not a usable checkpoint ({problem}); delete it to start over") from problem
    return dict(progress)
