"""Where to compute, how exactly, and what the place is called."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch

from extramaze.core.display import MOST, shown
from extramaze.core.errors import InputError
from extramaze.schema.plan import Instructions

if hasattr(os, "register_at_fork"):
    # Of OpenMP's threads none lives on in a forked child, which would wait for them; torch's own workers do the same.
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


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
        return shown(torch.cuda.get_device_name(device), MOST)
    return f"cpu ({shown(_processor(), MOST)}, {torch.get_num_threads()} threads)"


def describe_instructions(device: torch.device) -> Instructions | None:
    """Return what this machine's CPU can do that changes how sums are rounded; None for a GPU."""
    if device.type != "cpu":
        return None
    flags = _cpu_flags()
    return Instructions(
        capability=torch.backends.cpu.get_cpu_capability(),
        bf16=bool(flags & {"avx512_bf16", "amx_bf16", "bf16"}),
        amx="amx_tile" in flags,
    )


def has_fast_bf16(device: torch.device) -> bool:
    """Whether a device has instructions for bfloat16; a processor without AVX-512 emulates them, and slowly."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def spare_memory(device: torch.device) -> int:
    """Return the bytes of memory that are free on a GPU, or that the machine has at all; 0 where it cannot be told."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        return 0


@cache
def _cpu_flags() -> frozenset[str]:
    """Return the names of a CPU's extensions as Linux tells them; none elsewhere."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return frozenset(line.partition(":")[2].split())
    return frozenset()


def _processor() -> str:
    """Name the processor: its model where Linux tells it, its architecture elsewhere."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@contextmanager
def deterministic() -> Iterator[None]:
    """Choose convolutions that give the same bits each time, without trying which is fastest."""
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = False, True
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic = before


@contextmanager
def reference_arithmetic(tf32: bool = False) -> Iterator[None]:
    """Compute deterministically, without gradients, autocast and, unless asked for, TF32, whatever is on around it."""
    with (
        deterministic(),
        tensor_float(tf32),
        torch.inference_mode(),
        torch.autocast("cpu", enabled=False),
        torch.autocast("cuda", enabled=False),
    ):
        yield


@contextmanager
def tensor_float(on: bool) -> Iterator[None]:
    """Switch TF32 on or off for products and convolutions, and put back afterwards what was set.

    It is set by ``allow_tf32``, which keeps torch's newer ``fp32_precision`` in step; the other way round, whoever
    reads the older setting gets an error.
    """
    flags: list[Any] = [torch.backends.cuda.matmul, torch.backends.cudnn]
    finer = [flags[0], *(getattr(flags[1], name, None) for name in ("conv", "rnn"))]
    older = [_allows(flag) for flag in flags]
    newer = [(owner, owner.fp32_precision) for owner in finer if hasattr(owner, "fp32_precision")]
    for flag in flags:
        flag.allow_tf32 = on
    try:
        yield
    finally:
        for flag, value in zip(flags, older, strict=True):
            flag.allow_tf32 = value
        for owner, precision in newer:
            owner.fp32_precision = precision


def _allows(flag: Any) -> bool:
    """Read ``allow_tf32``; off where the newer settings contradict it, since these are put back last."""
    try:
        return bool(flag.allow_tf32)
    except RuntimeError:
        return False
