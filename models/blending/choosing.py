"""Coefficients chosen by trying them on mazes of the val split; never on those that results are reported on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from extramaze.core.errors import InputError
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models.blending.methods import soup
from extramaze.models.blending.sources import Source
from extramaze.models.blending.weights import Weights, rounded
from extramaze.models.calling import in_precision
from extramaze.models.contract import answer
from extramaze.models.devices import reference_arithmetic
from extramaze.models.states import inner
from extramaze.schema.blend import Candidate, Choice

Say = Callable[[str], None]  # told of each candidate
COUNT = 256
BATCH = 64
SPLIT = "val"
GRID = tuple(step / 20 for step in range(21))  # places between two parents


@dataclass(frozen=True)
class Trial:
    """What candidates are tried on: ``count`` mazes of the val split of each specification, answered after so many
    iterations.
    """

    specs: tuple[str, ...]
    count: int
    iterations: int


def make_trial(
    sources: Sequence[Source], specs: Sequence[str], count: int, iterations: int | None, split: str = SPLIT
) -> Trial:
    """Settle what candidates are tried on; by default the mazes that the parents were trained on. Raises InputError."""
    if split != SPLIT:
        raise InputError(
            f"--split {split}: coefficients are chosen on mazes of the val split alone; those of test and sealed are "
            "what results are reported on, and those of train are what the parents know"
        )
    if count < 1:
        raise InputError(f"--count must be at least 1 maze, got {count}")
    chosen = [str(MazeSpec.parse(spec)) for spec in specs] or [spec for source in sources for spec in source.specs]
    longest = max(source.iterations for source in sources) if iterations is None else iterations
    return Trial(tuple(dict.fromkeys(chosen)), count, longest)


def best_line(sources: Sequence[Source], parents: Sequence[Weights], trial: Trial, say: Say) -> Choice:
    """Try GRID places between two parents, from the first to the second."""
    score = _Scorer(sources[0], parents, trial)
    candidates = []
    for at in GRID:
        candidates.append(score((1 - at, at)))
        say(f"at {at:g}: {candidates[-1].score:.2%}")
    return _choice(trial, candidates)


def greedy_soup(sources: Sequence[Source], parents: Sequence[Weights], trial: Trial, say: Say) -> Choice:
    """Add parents from the best one on, each only where the soup is no worse for it (Wortsman et al., recipe 1)."""
    score, count = _Scorer(sources[0], parents, trial), len(parents)
    candidates = [score(_even([number], count)) for number in range(count)]
    order = sorted(range(count), key=lambda number: -candidates[number].score)
    kept, reached = [order[0]], candidates[order[0]].score
    say(f"{sources[order[0]].name} alone: {reached:.2%}")
    for number in order[1:]:
        candidates.append(score(_even([*kept, number], count)))
        better = candidates[-1].score >= reached
        say(f"with {sources[number].name}: {candidates[-1].score:.2%}, {'kept' if better else 'left out'}")
        if better:
            kept, reached = [*kept, number], candidates[-1].score
    last = score(_even(kept, count))
    others = [candidate for candidate in candidates if candidate.coefficients != last.coefficients]
    return _choice(trial, [last, *others])  # of equal scores the first counts


def _even(kept: list[int], count: int) -> tuple[float, ...]:
    return tuple(1 / len(kept) if number in kept else 0.0 for number in range(count))


def _choice(trial: Trial, candidates: list[Candidate]) -> Choice:
    return Choice(
        specs=trial.specs,
        split="val",
        count=trial.count,
        iterations=trial.iterations,
        candidates=tuple(candidates),
    )


class _Scorer:
    """Scores coefficients: the share of mazes that their blend answers without a wrong pixel."""

    def __init__(self, like: Source, parents: Sequence[Weights], trial: Trial) -> None:
        self.solver, self.state = in_precision(like.solver, torch.float32), like.state
        self.parents, self.trial = parents, trial
        self.mazes = [
            raster(generate(MazeSpec.parse(spec), trial.count, split=SPLIT), like.scale) for spec in trial.specs
        ]

    def __call__(self, coefficients: tuple[float, ...]) -> Candidate:
        inner(self.solver).load_state_dict(rounded(soup(self.parents, coefficients), self.state))
        self.solver.eval()
        shares = []
        with reference_arithmetic():
            for images, targets in self.mazes:
                right = 0
                for first in range(0, len(images), BATCH):
                    x = torch.from_numpy(images[first : first + BATCH]).float()
                    wanted = torch.from_numpy(targets[first : first + BATCH]).bool()
                    iterations = 1 if self.solver.single_pass else self.trial.iterations
                    right += int((answer(self.solver(x, iterations), x) == wanted).flatten(1).all(dim=1).sum())
                shares.append(right / len(images))
        return Candidate(coefficients=coefficients, score=sum(shares) / len(shares))
