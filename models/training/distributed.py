"""Training in several processes, started by ``torchrun``: who this one is, and what all of them have in common.

One process is the plain case; everything here then does nothing. Source: Li et al., "PyTorch Distributed: Experiences
on Accelerating Data Parallel Training" (VLDB 2020, arXiv 2006.15704).
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from extramaze.core.errors import InputError
from extramaze.models.devices import resolve_device


@dataclass(frozen=True)
class Processes:
    """This process among those of one training run. rank: from 0 to count − 1; rank 0 alone writes."""

    rank: int
    count: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes and reports."""
        return self.rank == 0

    def total(self, value: float) -> float:
        """Add a number up over all processes; each gets the sum. It is also a place where they wait for each other."""
        if self.count == 1:
            return value
        numbers = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.all_reduce(numbers)
        return float(numbers)

    def any(self, value: bool) -> bool:
        """Whether any process says so; each gets the answer."""
        return self.total(float(value)) > 0

    def share(self, module: nn.Module) -> nn.Module:
        """Wrap a module whose forward returns this process's loss, so that ``backward`` averages the gradients."""
        if self.count == 1:
            return module
        ids = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=ids, find_unused_parameters=True)


def is_leading() -> bool:
    """Whether this process may print: the only one, or torchrun's first."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def join(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started, on a device each: gloo between CPUs, NCCL between GPUs.

    Raises InputError for an unknown device, or one GPU named for several processes.
    """
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    target = resolve_device(device)
    if count == 1:
        yield Processes(0, 1, target)
        return
    if target.type == "cuda":
        if target.index is not None:
            raise InputError(f"--device {device} is one GPU for {count} processes; use --device cuda")
        target = resolve_device(f"cuda:{os.environ.get('LOCAL_RANK', rank)}")
        torch.cuda.set_device(target)
    distributed.init_process_group("nccl" if target.type == "cuda" else "gloo", rank=rank, world_size=count)
    try:
        yield Processes(rank, count, target)
    finally:
        gc.collect()  # wrapped modules sit in reference cycles and hold the group, whose threads must end first
        distributed.destroy_process_group()
