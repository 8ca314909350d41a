"""What a training run says about itself: a line of JSON for each event, and TensorBoard's files where asked for."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from extramaze.core.errors import InputError
from extramaze.core.files import write_atomically

LOG, TENSORBOARD = "log.jsonl", "tensorboard"
BEGUN, RESUMED, VALIDATED, DIVERGED, ENDED = "begun", "resumed", "validated", "diverged", "ended"

Event = dict[str, Any]


class TrainingLog:
    """The events of one run, in order; the list travels in the checkpoint, so the file never tells of lost steps.

    entries: what a checkpoint held. writing: False in processes that leave the files to another.
    """

    def __init__(self, folder: Path, entries: list[Event], writing: bool, tensorboard: bool = False) -> None:
        self.folder, self.entries, self.writing = folder, entries, writing
        step = next((entry["step"] for entry in reversed(entries)), 0)
        self._board = open_board(folder, step) if tensorboard and writing else None

    def add(self, event: str, step: int, **values: Any) -> None:
        """Append an event at a step (the number of steps done)."""
        self.entries.append({"event": event, "step": step, **values})
        if self._board is not None and event == VALIDATED:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()

    def write(self) -> None:
        """Write the file whole, atomically."""
        if self.writing:
            lines = (json.dumps(entry) + "\n" for entry in self.entries)
            write_atomically(self.folder / LOG, "".join(lines).encode())

    def close(self) -> None:
        """Let go of TensorBoard's file."""
        if self._board is not None:
            self._board.close()

    @property
    def validations(self) -> list[Event]:
        """Return the validations so far."""
        return [entry for entry in self.entries if entry["event"] == VALIDATED]

    @property
    def last_accuracy(self) -> str:
        """Return the last validation accuracy, for a progress bar."""
        return f"{self.validations[-1]['validation_accuracy']:.1%}" if self.validations else "–"


def open_board(folder: Path, step: int) -> Any:
    """Open TensorBoard's writer at a step. Raises InputError where it is not installed."""
    check_tensorboard()
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / TENSORBOARD), purge_step=step)


def check_tensorboard() -> None:
    """Raise InputError where TensorBoard is not installed."""
    if find_spec("tensorboard") is None:
        raise InputError("TensorBoard is not installed; pip install 'tensorboard>=2.18', or leave --tensorboard out")
