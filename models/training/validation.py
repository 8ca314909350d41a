"""How a network under training is measured: fresh mazes answered by the stored path, or by any shortest one."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from extramaze.mazes.scoring import score
from extramaze.models.contract import IterativeSolver, answer
from extramaze.models.devices import reference_arithmetic
from extramaze.models.training.data import Batch, Block, validation_blocks
from extramaze.models.training.recipe import Validation
from extramaze.models.training.trained import read_solver
from extramaze.schema.solver import GOOD_ACCURACY
from extramaze.schema.training import TrainingResult

MEASURE_BATCH = 256


def to_tensors(batch: Batch, device: torch.device, layout: torch.memory_format) -> tuple[Tensor, Tensor]:
    """Bring mazes onto a device: images float (B, 3, H, W) in a memory layout, targets int64 (B, H, W)."""
    x = torch.from_numpy(batch.images).to(device).float().contiguous(memory_format=layout)
    return x, torch.from_numpy(batch.targets).to(device).long()


@dataclass(frozen=True)
class Right:
    """How many of some mazes were answered right."""

    exact: int  # as the stored path
    optimal: int  # by any shortest path


def count_right(
    solver: IterativeSolver,
    blocks: Iterable[Block],
    scale: int,
    iterations: int,
    device: torch.device,
    layout: torch.memory_format,
) -> Right:
    """Count the mazes of the val split that a solver answers right after so many iterations, in full precision."""
    solver.eval()
    exact = optimal = 0
    with reference_arithmetic():
        for block in blocks:
            batch = block.draw("val", scale)
            x, _ = to_tensors(batch, device, layout)
            found = score(batch.images, batch.targets, answer(solver(x, iterations), x))
            exact, optimal = exact + int(found.exact.sum()), optimal + int(found.optimal.sum())
    return Right(exact, optimal)


def first_of_last(validation: Validation) -> int:
    """Return the index of the first maze of the last validation: others than those that stopped a training."""
    return 0 if validation.stop_at is None else validation.count


def validate_again(folder: Path, device: torch.device) -> tuple[TrainingResult, Right]:
    """Answer the mazes of a finished training's last validation once more, with its solver. Raises InputError.

    Returned are what the folder states and what was counted now.
    """
    solver, recipe, result = read_solver(folder)
    blocks = validation_blocks(recipe.data, result.validation_count, first_of_last(recipe.validation), MEASURE_BATCH)
    iterations, layout = recipe.validation.iterations, torch.channels_last
    ours = solver.to(device)
    with torch.inference_mode():
        return result, count_right(ours, blocks, recipe.data.scale, iterations, device, layout)


def completed(result: TrainingResult, right: Right) -> TrainingResult:
    """Return a training's result with the share of optimal answers that was counted again."""
    optimal = right.optimal / result.validation_count
    return result.model_copy(update={"validation_optimal": optimal, "reached_99": optimal >= GOOD_ACCURACY})
