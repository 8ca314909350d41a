"""How much work an iteration is: its floating-point operations, counted as they are made.

Counted are convolutions, matrix products and attention, each product and each sum, by torch's own table
(``torch.utils.flop_counter``), in the way that the solver's step is written: what accelerates it changes nothing here.
What is done to each number alone (additions, rectifiers, norms) is left out: of networks it is a small part, and an
algorithm that does nothing else has 0.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from extramaze.core.errors import InputError
from extramaze.models.calling import begin, calling, in_precision, next_state
from extramaze.models.contract import IterativeSolver

LEAST_SIDE = 5  # pixels: one cell with the walls round it, and what a fork needs


def operations(solver: IterativeSolver, shape: tuple[int, int]) -> int:
    """Count the floating-point operations of one iteration on one maze whose image has a shape (H, W).

    The image is a comb's, which has as many open pixels as any tree of its size. Raises InputError for a shape that no
    image has, and where the solver's code fails on it.
    """
    x = comb(*shape)
    with torch.random.fork_rng(devices=[]), calling(solver):
        ours = in_precision(solver, torch.float32, "cpu")
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):  # whose products are counted on every device
            state = next_state(ours, begin(ours, x), x)
            with _Counter() as counter:
                next_state(ours, state, x)
    return counter.total


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what torch's table says of each operation (``FlopCounterMode`` would load a package of algebra first)."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func._overloadpacket in flop_registry:
            self.total += int(flop_registry[func._overloadpacket](*args, **(kwargs or {}), out_val=out))
        return out


def comb(height: int, width: int) -> Tensor:
    """Draw a maze (1, 3, H, W) that is one column with every row of cells on it, in the raster of the side's parity.

    Raises InputError for sides that no raster has.
    """
    thin = height % 2 == 1
    rows, columns = (height, width) if thin else ((height - 2) // 2, (width - 2) // 2)
    if height % 2 != width % 2 or min(rows, columns) < LEAST_SIDE or rows % 2 == 0 or columns % 2 == 0:
        raise InputError(f"an image's sides are 5, 7, 9, … (thin) or 12, 16, 20, …, got {height} × {width}")
    image = torch.zeros(1, 3, rows, columns)
    image[:, :, 1:-1:2, 1:-1] = 1
    image[:, :, 1:-1, 1] = 1
    image[0, :, 1, -2] = torch.tensor([0.0, 1.0, 0.0])
    image[0, :, -2, -2] = torch.tensor([1.0, 0.0, 0.0])
    if thin:
        return image
    doubled = image.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return torch.nn.functional.pad(doubled, (1, 1, 1, 1))
