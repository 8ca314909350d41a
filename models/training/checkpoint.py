"""Checkpoints: ``checkpoint.safetensors``, in a folder while its training is unfinished. Nothing is pickled."""

import hashlib
from pathlib import Path

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from extramaze.core.checked import Digest, Strict
from extramaze.core.errors import InputError
from extramaze.core.files import write_atomically
from extramaze.models.training.log import Event
from extramaze.schema.training import Ended

CHECKPOINT = "checkpoint.safetensors"


class Place(Strict):
    """Where a run trains: what must be the same for the bits to be the same.

    threads: of each process. code: hash of the files of an architecture from outside.
    """

    device: str
    threads: int
    processes: int
    code: Digest | None = None


class Progress(Strict):
    """How far a run is, beside its tensors.

    step: steps done. seconds: up to there. stopped: what ended it before its budget of steps. resumed: how often it
    went on. losses: of the steps since the last validation. log: events so far.
    """

    place: Place
    step: int = Field(default=0, ge=0)
    seconds: float = 0.0
    stopped: Ended | None = None
    resumed: int = 0
    losses: tuple[float, ...] = ()
    log: tuple[Event, ...] = ()


def save_checkpoint(
    folder: Path,
    solver: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    average: nn.Module | None = None,
) -> None:
    """Write weights, optimiser state, averaged weights and progress as one file."""
    tensors = _prefixed("model", solver) | (_prefixed("average", average) if average else {})
    names = _optimized_names(solver, optimizer)
    for index, slots in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{names[index]}.{slot}": value.contiguous() for slot, value in slots.items()}
    metadata = {"progress": progress.model_dump_json(), "sha256": _tensors_sha256(tensors)}
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
) -> Progress:
    """Read what save_checkpoint wrote back into a solver, its optimiser and its average; return the progress."""
    path = folder / CHECKPOINT
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if _tensors_sha256(tensors) != metadata["sha256"]:
            raise ValueError("altered: its sha256 differs")
        progress = Progress.model_validate_json(metadata["progress"])
        solver.load_state_dict({name: tensors[f"model.{name}"] for name in solver.state_dict()})
        if average is not None:
            average.load_state_dict({name: tensors[f"average.{name}"] for name in average.state_dict()})
        slots: dict[int, dict[str, Tensor]] = {}
        for index, name in enumerate(_optimized_names(solver, optimizer)):
            prefix = f"optimizer.{name}."
            slots[index] = {key.removeprefix(prefix): tensors[key] for key in tensors if key.startswith(prefix)}
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    except ValidationError as problem:
        raise InputError(
            f"{path}: written by another version of extramaze; finish it with that one, or delete it to start over"
        ) from problem
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as problem:
        raise InputError(f"{path}: not a usable checkpoint ({problem}); delete it to start over") from problem
    return progress
