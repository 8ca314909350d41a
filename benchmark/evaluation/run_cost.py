"""What a run costs: seconds, and the most memory that it held."""

import sys
import time
from contextlib import suppress
from pathlib import Path

import torch

OURS = Path("/proc/self")


class RunCost:
    """Seconds and bytes of a run, from when this is made. device: None for one that computes nothing itself."""

    def __init__(self, device: torch.device | None) -> None:
        self._began, self._device = time.perf_counter(), device
        if device is not None:
            _forget_peak(device)

    @property
    def seconds(self) -> float:
        """Wall-clock seconds so far."""
        return round(time.perf_counter() - self._began, 1)

    @property
    def memory(self) -> int | None:
        """The most bytes held so far: allocated on a GPU, else resident; None where the system does not tell.

        Where it cannot begin anew (elsewhere than on Linux), of the process from its start.
        """
        return None if self._device is None else _peak(self._device)


def _forget_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]  # which a reset does not do by itself
        torch.cuda.reset_peak_memory_stats(device)
    with suppress(OSError):
        (OURS / "clear_refs").write_text("5")  # the highest resident set is the present one again (proc(5))


def _peak(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    with suppress(OSError):
        for line in (OURS / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    try:
        import resource
    except ImportError:  # not a POSIX system
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
