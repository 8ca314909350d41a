"""How a network under training is measured: fresh mazes answered without one wrong pixel."""

from collections.abc import Iterable

import torch
from torch import Tensor

from extramaze.models.contract import IterativeSolver, answer
from extramaze.models.devices import reference_arithmetic
from extramaze.models.training.data import Batch, Block

MEASURE_BATCH = 256


def to_tensors(batch: Batch, device: torch.device, layout: torch.memory_format) -> tuple[Tensor, Tensor]:
    """Bring mazes onto a device: images float (B, 3, H, W) in a memory layout, targets int64 (B, H, W)."""
    x = torch.from_numpy(batch.images).to(device).float().contiguous(memory_format=layout)
    return x, torch.from_numpy(batch.targets).to(device).long()


def count_right(
    solver: IterativeSolver,
    blocks: Iterable[Block],
    scale: int,
    iterations: int,
    device: torch.device,
    layout: torch.memory_format,
) -> int:
    """Count the mazes of the val split that a solver answers exactly after so many iterations, in full precision."""
    solver.eval()
    right = 0
    with reference_arithmetic():
        for block in blocks:
            x, targets = to_tensors(block.draw("val", scale), device, layout)
            predicted = answer(solver(x, iterations), x)
            right += int((predicted == targets.bool()).flatten(1).all(dim=1).sum())
    return right
