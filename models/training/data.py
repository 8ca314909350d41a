"""What to train on: which mazes, in which order, ready before they are needed.

Every batch is a function of (data, seed, step): no state is kept, so a resumed run sees what an uninterrupted one
would, and any process of several can draw its part of a step alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from extramaze.core.checked import NoTruth, Strict, repeated
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.mazes.generation import INDICES_PER_SEED
from extramaze.models.training.streams import MIXTURE, ORDER

MOST_KEPT = 1_000_000  # mazes of a finite training set, which is held in memory


class Component(Strict):
    """One part of a mixture: a specification, and how often it is drawn relative to the others."""

    spec: str
    weight: float = Field(gt=0, allow_inf_nan=False)

    @field_validator("spec")
    @classmethod
    def _canonical(cls, text: str) -> str:
        return str(MazeSpec.parse(text))


class Data(Strict):
    """Which mazes to train and to validate on (from the train and the val split), and how they are drawn.

    spec: one specification; or mixture: several, each maze drawn from one of them by weight. Mazes of a step share one
    size: where the sizes differ, a step draws its size first, by the weights.
    mazes: train on so many mazes only, over and over, each epoch in a new order; left out, no maze is seen twice.
    Validation draws fresh mazes all the same.
    """

    spec: str | None = None
    mixture: tuple[Component, ...] | None = Field(default=None, min_length=1, validate_default=True)
    mazes: int | None = Field(default=None, ge=1, le=MOST_KEPT)
    scale: Annotated[Literal[1, 2], NoTruth]

    @field_validator("spec")
    @classmethod
    def _canonical(cls, text: str | None) -> str | None:
        return None if text is None else str(MazeSpec.parse(text))

    @field_validator("mixture")
    @classmethod
    def _one_source(cls, mixture: tuple[Component, ...] | None, info: ValidationInfo) -> tuple[Component, ...] | None:
        if "spec" in info.data and (info.data["spec"] is None) == (mixture is None):
            raise ValueError("data needs either spec or mixture, and not both")
        twice = repeated(part.spec for part in mixture or ())
        if twice:
            raise ValueError(f"{'; '.join(twice)} is given twice; add the weights up")
        return mixture

    @field_validator("mazes")
    @classmethod
    def _one_size(cls, mazes: int | None, info: ValidationInfo) -> int | None:
        sizes = {MazeSpec.parse(part.spec).shape for part in info.data.get("mixture") or ()}
        if mazes is not None and len(sizes) > 1:
            raise ValueError("a finite number of mazes needs a mixture of one size; leave mazes out, or use one size")
        return mazes

    @property
    def parts(self) -> tuple[tuple[MazeSpec, float], ...]:
        """Return the specifications and their weights, which sum to one."""
        parts = self.mixture or (Component(spec=self.spec or "", weight=1),)
        total = sum(part.weight for part in parts)
        return tuple((MazeSpec.parse(part.spec), part.weight / total) for part in parts)


@dataclass(frozen=True, eq=False)
class Batch:
    """B mazes as bytes, 0 or 1: images (B, 3, H, W) and targets (B, H, W)."""

    images: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Block:
    """Mazes ``first … first + count − 1`` of one specification and split."""

    spec: MazeSpec
    first: int
    count: int

    def draw(self, split: str, scale: int) -> Batch:
        """Generate the mazes and their rasters, in this thread."""
        mazes = generate(self.spec, self.count, split=split, first=self.first, workers=1)
        return Batch(*raster(mazes, scale, workers=1))


@dataclass(frozen=True)
class Supply:
    """The batches of one training run, as process ``rank`` of ``ranks`` sees them: its own share of every step's mazes.

    batch: mazes of a step over all processes; a multiple of ranks.
    """

    data: Data
    seed: int
    batch: int
    rank: int = 0
    ranks: int = 1

    def __call__(self, step: int) -> Batch:
        """Return this process's share of a step's mazes: batch / ranks of them."""
        share = self.batch // self.ranks
        begin = self.rank * share
        if self.data.mazes is not None:
            chosen = np.array([self._at(step * self.batch + begin + i) for i in range(share)])
            return Batch(self._kept.images[chosen], self._kept.targets[chosen])
        return _draw_all(self.blocks(step, begin, begin + share), "train", self.data.scale)

    def blocks(self, step: int, begin: int, end: int) -> list[Block]:
        """Say which fresh mazes stand at the positions begin … end − 1 of a step."""
        first = self.seed * INDICES_PER_SEED + step * self.batch
        return _cut(_shares(self.data.parts, self.batch, [MIXTURE, self.seed, step]), first, begin, end)

    @cached_property
    def _kept(self) -> Batch:
        """Draw the finite training set."""
        count = self.data.mazes or 0
        shares = _shares(self.data.parts, count, [MIXTURE, self.seed])
        return _draw_all(_cut(shares, self.seed * INDICES_PER_SEED, 0, count), "train", self.data.scale)

    def _at(self, position: int) -> int:
        """Return the maze of the finite training set at a position in the run."""
        epoch, within = divmod(position, self.data.mazes or 1)
        return int(self._order(epoch)[within])

    def _order(self, epoch: int) -> np.ndarray:
        """Return the order of an epoch, keeping the last two: a batch may span the end of one."""
        if epoch not in self._orders:
            self._orders.pop(epoch - 2, None)
            self._orders[epoch] = np.random.default_rng([ORDER, self.seed, epoch]).permutation(self.data.mazes or 1)
        return self._orders[epoch]

    @cached_property
    def _orders(self) -> dict[int, np.ndarray]:
        return {}


def validation_blocks(data: Data, count: int, first: int, size: int) -> list[Block]:
    """Split ``count`` validation mazes among the specifications by weight, into blocks of at most ``size``."""
    weights = [weight for _, weight in data.parts]
    edges = [round(sum(weights[:i]) * count) for i in range(len(weights))] + [count]
    return [
        Block(spec, first + begin, min(size, end - start - begin))
        for (spec, _), start, end in zip(data.parts, edges[:-1], edges[1:], strict=True)
        for begin in range(0, end - start, size)
    ]


def _shares(parts: Sequence[tuple[MazeSpec, float]], count: int, key: Sequence[int]) -> list[tuple[MazeSpec, int]]:
    """Draw how many of ``count`` mazes each specification gives; all of one size."""
    if len(parts) == 1:
        return [(parts[0][0], count)]
    random = np.random.default_rng(key)
    sizes = sorted({spec.shape for spec, _ in parts})
    by_size = np.array([sum(weight for spec, weight in parts if spec.shape == size) for size in sizes])
    size = sizes[int(random.choice(len(sizes), p=by_size / by_size.sum()))]
    chosen = [(spec, weight) for spec, weight in parts if spec.shape == size]
    weights = np.array([weight for _, weight in chosen])
    counts = random.multinomial(count, weights / weights.sum())
    return [(spec, int(number)) for (spec, _), number in zip(chosen, counts, strict=True)]


def _cut(shares: Sequence[tuple[MazeSpec, int]], first: int, begin: int, end: int) -> list[Block]:
    """Lay the shares one behind the other, and cut out the positions begin … end − 1."""
    blocks, position = [], 0
    for spec, count in shares:
        low, high = max(begin, position), min(end, position + count)
        if low < high:
            blocks.append(Block(spec, first + low, high - low))
        position += count
    return blocks


def _draw_all(blocks: Sequence[Block], split: str, scale: int) -> Batch:
    drawn = [block.draw(split, scale) for block in blocks]
    if len(drawn) == 1:
        return drawn[0]
    return Batch(np.concatenate([b.images for b in drawn]), np.concatenate([b.targets for b in drawn]))
