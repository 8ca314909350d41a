"""Dead-end filling, written as an iterating solver: one layer of filling a step.

Repeatedly close every open pixel, other than start and goal, that has at most one open neighbour. On a tree exactly the
path remains; around a cycle nothing can be closed, so the answer keeps both ways. The classical algorithm that DT-Net's
answers resemble most (Knutson et al., arXiv 2410.03020, section 5). A step costs O(H·W); a fixed point is reached after
at most the longest dead branch, fewer than 2L² pixels.
"""

import torch
from torch import Tensor

from extramaze.models.contract import IterativeSolver, SolverCard, open_pixels
from extramaze.models.tiles import lattice_of, neighbours, to_pixels, to_tiles


class DeadEndFilling(IterativeSolver):
    """Dead-end filling; the state, (B, 1, H, W), is 1 on pixels not yet closed."""

    card = SolverCard(name="dead-end-filling", recipe="dead-end-filling")

    def initial_state(self, x: Tensor) -> Tensor:
        """Start from the open pixels."""
        return open_pixels(x).to(x.dtype).unsqueeze(1)

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Close one layer of dead ends."""
        still_open = to_tiles(state)[:, 0]
        endpoint = to_tiles(x)[:, 2] == 0  # on open pixels: the third channel is 0 at start and goal alone
        keep = (neighbours(still_open).sum(dim=0) > 1) | endpoint
        return to_pixels((still_open * keep).unsqueeze(1), x.shape[-1])

    def readout(self, state: Tensor) -> Tensor:
        """Answer with the pixels still open."""
        return torch.cat([1 - state, state], dim=1)

    def step_budget(self, height: int, width: int) -> int:
        """Return 2 · R · C, more layers than any dead branch has pixels."""
        return 2 * lattice_of(height) * lattice_of(width)
