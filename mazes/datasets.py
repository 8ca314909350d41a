"""Mazes as torch datasets: one that generates ahead of training, and a frozen one. Import from here; needs torch."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset

from extramaze.core.arguments import whole
from extramaze.core.errors import InputError
from extramaze.mazes.generation import INDICES_PER_SEED, MAX_INDEX, generate
from extramaze.mazes.mazes import Mazes
from extramaze.mazes.pixels import raster_shape
from extramaze.mazes.rasters import raster
from extramaze.mazes.spec import MazeSpec, check_split
from extramaze.mazes.streams import AHEAD, ahead


class GeneratedMazes(IterableDataset):
    """Batches of fresh mazes from a mixture of specifications, generated ahead by a thread.

    Yields (images float32 (B, 3, H, W), targets int64 (B, H, W)); use it with ``DataLoader(…, batch_size=None)`` or by
    itself. Batch t of a (mixture, B, seed, rank, world) is the same in every run, and no maze occurs twice, nor under
    two seeds: seed s owns the maze indices from s · 2²⁴ on, its global batch t those from first + t·B·world on, and
    each rank its B of them. The end of its 2²⁴ is an InputError.

    mixture: specifications with their weights; all of one raster shape. seed: 0 to 255. ahead: batches held in memory
    at most.
    Raises InputError.
    """

    def __init__(
        self,
        mixture: MazeSpec | Sequence[tuple[MazeSpec, float]],
        batch: int,
        scale: int = 1,
        split: str | None = "train",
        seed: int = 0,
        first: int = 0,
        rank: int = 0,
        world: int = 1,
        ahead: int = AHEAD,
    ) -> None:
        super().__init__()
        parts = [(mixture, 1.0)] if isinstance(mixture, MazeSpec) else list(mixture)
        check_split(split)
        if not parts or not all(_is_weighed(part) for part in parts):
            raise InputError("a mixture needs specifications with weights above 0: pairs of a MazeSpec and a number")
        shapes = {raster_shape(spec.shape, scale) for spec, _ in parts}
        if len(shapes) > 1:
            raise InputError(f"a batch holds images of one shape, the mixture has {sorted(shapes)}; mix equal sizes")
        batch, rank, world = whole("batch", batch, 1), whole("rank", rank, 0), whole("world", world, 1)
        seed, first, ahead = whole("seed", seed, 0), whole("first", first, 0), whole("ahead", ahead, 0)
        if rank >= world:
            raise InputError(f"expected rank below world, got {rank=}, {world=}")
        if seed >= MAX_INDEX // INDICES_PER_SEED:
            raise InputError(f"seed must be from 0 to {MAX_INDEX // INDICES_PER_SEED - 1}, got {seed}")
        self.specs = [spec for spec, _ in parts]
        self.shares = np.array([weight for _, weight in parts]) / sum(weight for _, weight in parts)
        self.batch, self.scale, self.split, self.seed, self.first = batch, scale, split, seed, first
        self.rank, self.world, self.ahead = rank, world, ahead

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = torch.utils.data.get_worker_info()
        index, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        return ahead(self.make, itertools.count(index, workers), self.ahead)

    def make(self, t: int) -> tuple[Tensor, Tensor]:
        """Return batch t of this rank."""
        number = t * self.world + self.rank
        if self.first + (number + 1) * self.batch > INDICES_PER_SEED:
            raise InputError(
                f"batch {t} is beyond the {INDICES_PER_SEED:,} mazes of seed {self.seed}; go on with another"
            )
        counts = np.random.default_rng([self.seed, number]).multinomial(self.batch, self.shares)
        begin = self.seed * INDICES_PER_SEED + self.first + number * self.batch
        images, targets = [], []
        for spec, count in zip(self.specs, counts.tolist(), strict=True):
            if count:
                image, target = raster(generate(spec, count, self.split, begin), self.scale)
                images.append(image)
                targets.append(target)
            begin += count
        return torch.from_numpy(np.concatenate(images)).float(), torch.from_numpy(np.concatenate(targets)).long()


def _is_weighed(part: Any) -> bool:
    """Whether this is a specification with a weight above 0."""
    match part:
        case (MazeSpec(), int() | float() | np.integer() | np.floating() as weight):
            return not isinstance(weight, bool) and bool(np.isfinite(weight) and weight > 0)
    return False


class FrozenMazes(Dataset):
    """A fixed set of mazes for evaluation; item i is (image float32 (3, H, W), target int64 (H, W))."""

    def __init__(self, mazes: Mazes, scale: int = 1) -> None:
        super().__init__()
        raster_shape(mazes.shape, scale)  # refuses other scales now, and not at the first item
        self.mazes, self.scale = mazes, scale

    def __len__(self) -> int:
        return len(self.mazes)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"maze {index} of {len(self)}")
        images, targets = raster(self.mazes[index], self.scale)
        return torch.from_numpy(images[0]).float(), torch.from_numpy(targets[0]).long()
