"""Where to compute, how exactly, and what the place is called."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from extramaze.mazes import InputError


def resolve_device(name: str) -> torch.device:
    """Turn ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:1`` into a device. Raises InputError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as problem:
        raise InputError(f"unknown device {name!r}; expected auto, cpu, cuda or cuda:N") from problem
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"device {name!r} is not supported; expected auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"device {name!r} asked for, but {torch.cuda.device_count()} CUDA devices are here; use cpu")
    return device


def describe_device(device: torch.device) -> str:
    """Name a device as results state it: ``NVIDIA H200``, or ``cpu (AMD EPYC, 2 threads)``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({_processor()}, {torch.get_num_threads()} threads)"


def _processor() -> str:
    """Name the processor: its model where Linux tells it, its architecture elsewhere."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@contextmanager
def reference_arithmetic() -> Iterator[None]:
    """Compute without gradients, without TF32, and with deterministic convolutions."""
    matmul = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = matmul
