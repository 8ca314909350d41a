"""What a training run says about itself: a line of JSON for each event, and what boards show of it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from extramaze.core.files import write_atomically
from extramaze.models.training.boards import Board

LOG = "log.jsonl"
BEGUN, RESUMED, VALIDATED, DIVERGED, ENDED = "begun", "resumed", "validated", "diverged", "ended"

Event = dict[str, Any]


class TrainingLog:
    """The events of one run, in order; the list travels in the checkpoint, so the file never tells of lost steps.

    entries: what a checkpoint held. writing: False in processes that leave the files to another. boards: see the
    validations.
    """

    def __init__(self, folder: Path, entries: list[Event], writing: bool, boards: Sequence[Board] = ()) -> None:
        self.folder, self.entries, self.writing, self.boards = folder, entries, writing, boards

    def add(self, event: str, step: int, **values: Any) -> None:
        """Append an event at a step (the number of steps done)."""
        self.entries.append({"event": event, "step": step, **values})
        for board in self.boards if event == VALIDATED else ():
            board.send(values, step)

    def write(self) -> None:
        """Write the file whole, atomically."""
        if self.writing:
            lines = (json.dumps(entry) + "\n" for entry in self.entries)
            write_atomically(self.folder / LOG, "".join(lines).encode())

    def close(self) -> None:
        """Let go of the boards."""
        for board in self.boards:
            board.close()

    @property
    def validations(self) -> list[Event]:
        """Return the validations so far."""
        return [entry for entry in self.entries if entry["event"] == VALIDATED]

    @property
    def last_accuracy(self) -> str:
        """Return the last validation accuracy, for a progress bar."""
        return f"{self.validations[-1]['validation_accuracy']:.1%}" if self.validations else "–"
