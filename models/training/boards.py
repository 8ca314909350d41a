"""Where a training run can be watched besides its log: TensorBoard's files, Weights & Biases.

Neither is needed; each is an extra of the package, imported when it is asked for.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from extramaze.core.errors import InputError

TENSORBOARD, WANDB = "tensorboard", "wandb"


@dataclass(frozen=True)
class Subject:
    """What a board shows. name: the solver's, ``dt-net-thin@0``. recipe: its content."""

    name: str
    recipe: Mapping[str, Any]


class Board(Protocol):
    """Somewhere that numbers of a run are sent to."""

    def send(self, values: Mapping[str, float], step: int) -> None:
        """Show some numbers, by name, at a step."""

    def close(self) -> None:
        """Let go of its files and connections."""


class TensorBoard:
    """Event files in the folder ``tensorboard`` of the trained one."""

    def __init__(self, folder: Path, step: int, subject: Subject) -> None:  # noqa: ARG002
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder / TENSORBOARD), purge_step=step)

    def send(self, values: Mapping[str, float], step: int) -> None:
        """Show some numbers."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()


class WeightsAndBiases:
    """A run of the project extramaze; WANDB_MODE=offline keeps it in the trained folder's ``wandb``.

    A resumed training goes on with the same run, which is named by the folder.
    """

    def __init__(self, folder: Path, step: int, subject: Subject) -> None:
        wandb: Any = import_module("wandb")
        known = hashlib.sha256(bytes(folder.absolute())).hexdigest()[:16]
        settings = {"config": dict(subject.recipe), "name": subject.name, "group": subject.name.partition("@")[0]}
        self._run: Any = wandb.init(project="extramaze", dir=str(folder), id=known, resume="allow", **settings)
        self._step = step

    def send(self, values: Mapping[str, float], step: int) -> None:
        """Show some numbers."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


BOARDS: dict[str, tuple[Callable[[Path, int, Subject], Board], str, str]] = {
    TENSORBOARD: (TensorBoard, "TensorBoard", "tensorboard>=2.18"),
    WANDB: (WeightsAndBiases, "Weights & Biases", "wandb>=0.19"),
}


def check_boards(names: Sequence[str]) -> None:
    """Raise InputError where a board is not installed."""
    for name in names:
        _, title, package = BOARDS[name]
        if find_spec(name) is None:
            raise InputError(f"{title} is not installed; pip install '{package}', or leave --{name} out")


def open_boards(names: Sequence[str], folder: Path, step: int, subject: Subject) -> list[Board]:
    """Open boards at a step. Raises InputError where one is not installed or cannot be opened."""
    check_boards(names)
    return [_opened(name, folder, step, subject) for name in names]


def _opened(name: str, folder: Path, step: int, subject: Subject) -> Board:
    make, title, _ = BOARDS[name]
    try:
        return make(folder, step, subject)
    except Exception as problem:  # no network, no account, another version: each has errors of its own
        said = " ".join(f"{type(problem).__name__}: {problem}".split())
        raise InputError(f"{title} cannot be opened: {said}; leave --{name} out") from problem
