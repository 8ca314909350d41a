"""How much of what is tested was trained on."""

from dataclasses import dataclass

import numpy as np

from extramaze.core.errors import InputError
from extramaze.mazes.layouts import layout_hashes, splits_of_hashes
from extramaze.mazes.mazes import Mazes
from extramaze.mazes.spec import SPLITS


@dataclass(frozen=True)
class Contamination:
    """What foreign training mazes share with what is tested; layouts are told apart up to symmetry.

    mazes, layouts: training mazes, and distinct layouts among them. by_split: training mazes whose layout belongs to
    each split; those of test and sealed could occur in a test set. tested: mazes compared with, 0 where none were.
    shared: training mazes whose layout one of them has. hit: those of them whose layout was trained on.
    """

    mazes: int
    layouts: int
    by_split: dict[str, int]
    tested: int
    shared: int
    hit: int

    @property
    def at_risk(self) -> int:
        """Training mazes with a layout of the test or the sealed split."""
        return self.by_split["test"] + self.by_split["sealed"]

    def __str__(self) -> str:
        """Say it in a sentence or two."""
        share = f" ({self.at_risk / self.mazes:.1%})" if self.mazes else ""
        text = f"{self.at_risk} of {self.mazes} training mazes{share} have a layout of the test or sealed split"
        if self.tested:
            text += f"; {self.hit} of {self.tested} tested mazes ({self.hit / self.tested:.1%}) share theirs with one"
        return text


def contamination(training: Mazes, tested: Mazes | None = None) -> Contamination:
    """Count the training mazes, of any source, that share a wall layout, up to symmetry, with what is tested.

    tested: the very mazes of a test, for example those of a suite's cell; None: only the splits are compared. Mazes of
    our own train split have none in common, by construction. Raises InputError where the lattices differ.
    """
    if tested is not None and sorted(training.shape) != sorted(tested.shape):
        raise InputError(
            f"training mazes have {training.shape[0]}×{training.shape[1]} cells, the tested ones {tested.shape[0]}×"
            f"{tested.shape[1]}: they share no layout; compare mazes of one size"
        )
    hashes = layout_hashes(training.connections)
    ours = layout_hashes(tested.connections) if tested is not None else np.empty(0, np.uint64)
    splits = splits_of_hashes(hashes)
    return Contamination(
        mazes=len(training),
        layouts=len(np.unique(hashes)),
        by_split={name: int((splits == index).sum()) for index, name in enumerate(SPLITS)},
        tested=len(ours),
        shared=int(np.isin(hashes, ours).sum()),
        hit=int(np.isin(ours, hashes).sum()),
    )
