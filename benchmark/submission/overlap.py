"""How much of a suite a submission was trained on: known by construction, counted, or unknown, and never guessed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from extramaze.mazes import layout_hashes, read_npz
from extramaze.schema.card import NONE, Overlap, Statement, TrainedOn
from extramaze.suites import Suite, cell_mazes


def find_overlap(
    suite: Suite, statement: Statement, training: TrainedOn, files: Sequence[Path] = (), start: str | None = None
) -> Overlap:
    """Say how many of a suite's mazes have a layout, up to symmetry, that was trained on.

    A layout belongs to one split, so mazes of another split than the suite's share none. Mazes in ``files`` (.npz) are
    counted. Anything else is unknown. start: the solver that training began with, where its own training is not known.
    Raises InputError for a file that cannot be read.
    """
    tested = sum(cell.count for cell in suite.cells)
    apart = not training.specs or training.split not in (suite.split, NONE)
    if files:
        return _counted(suite, files, tested)
    if start is not None:
        why = f"it began with the weights of {start}, whose training is not known here"
    elif statement.external_data != NONE:
        why = "external data was used; give its mazes with --training-mazes to have them counted"
    elif not apart:
        drawn = f"from the split {training.split}" if training.split != NONE else "without a split"
        why = f"its mazes were drawn {drawn}, the suite's from {suite.split}; give them with --training-mazes"
    else:
        return Overlap(
            known="by construction",
            tested=tested,
            shared=0,
            training_mazes=None,
            training_sha256=(),
            why=construction(training, suite),
        )
    return Overlap(known="unknown", tested=tested, shared=None, training_mazes=None, training_sha256=(), why=why)


def construction(training: TrainedOn, suite: Suite) -> str:
    """Say why nothing that is tested was trained on."""
    if not training.mazes:
        return "nothing was trained, as stated"
    return f"trained on the split {training.split} alone, as stated; its layouts do not occur in {suite.split}"


def _counted(suite: Suite, files: Sequence[Path], tested: int) -> Overlap:
    mazes = [read_npz(path) for path in files]
    trained = np.unique(np.concatenate([layout_hashes(found.connections) for found in mazes]))
    cells = [layout_hashes(cell_mazes(suite, cell.name).connections) for cell in suite.cells]
    count = sum(map(len, mazes))
    return Overlap(
        known="counted",
        tested=tested,
        shared=sum(int(np.isin(hashes, trained).sum()) for hashes in cells),
        training_mazes=count,
        training_sha256=tuple(found.digest() for found in mazes),
        why=f"counted on the {count:,} training mazes that were given, {len(trained):,} layouts up to symmetry",
    )
