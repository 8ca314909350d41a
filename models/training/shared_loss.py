"""The loss of a step's mazes and its gradient, over one process or several."""

import numpy as np
import torch
from torch import Tensor, nn

from extramaze.models.contract import IterativeSolver
from extramaze.models.training.data import Batch
from extramaze.models.training.distributed import Processes
from extramaze.models.training.gradients import Share, training_loss
from extramaze.models.training.recipe import Training
from extramaze.models.training.streams import NOISE
from extramaze.models.training.validation import to_tensors


class _LocalLoss(nn.Module):
    """The loss of this process's mazes, as a module that DistributedDataParallel can wrap."""

    def __init__(self, solver: IterativeSolver, training: Training, seed: int, share: Share) -> None:
        super().__init__()
        self.solver, self.method, self.seed, self.share = solver, training, seed, share

    def forward(self, x: Tensor, targets: Tensor, step: int) -> Tensor:
        return training_loss(self.solver, x, targets, self.method, self.seed, step, self.share)


class SharedLoss:
    """The training loss over all processes: the mean over the open pixels of the global batch."""

    def __init__(self, solver: IterativeSolver, training: Training, seed: int, processes: Processes) -> None:
        self.seed, self.processes = seed, processes
        share = Share(processes.rank, processes.count)
        self.local = processes.share(_LocalLoss(solver, training, seed, share))

    def backward(self, batch: Batch, layout: torch.memory_format, step: int) -> float:
        """Add the gradient of the global batch to the parameters'; return its loss. batch: this process's share.

        Whatever torch draws in a step is a function of (seed, step, process).
        """
        x, targets = to_tensors(batch, self.processes.device, layout)
        word = np.random.SeedSequence([NOISE, self.seed, step, self.processes.rank]).generate_state(1, np.uint64)[0]
        torch.manual_seed(int(word >> np.uint64(1)))
        loss = self.local(x, targets, step)
        if self.processes.count > 1:  # DistributedDataParallel averages: weight each mean by its number of pixels
            pixels = float(batch.images.max(axis=1).sum())
            loss = loss * (pixels * self.processes.count / self.processes.total(pixels))
        value = self.processes.total(float(loss.detach())) / self.processes.count
        loss.backward()
        return value
