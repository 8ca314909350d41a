"""Breadth-first search, written as an iterating solver of local steps: a wavefront, then a backtrace.

Each step the wave of distances from the goal advances one pixel; once it has met the start, the path advances one pixel
a step towards the goal, ties broken up, down, left, right as in the stored path. Exact on every maze, with or without
cycles. A step costs O(H·W); both phases need at most 2L² steps. (Moore, "The shortest path through a maze", 1959; Lee,
"An algorithm for path connections and its applications", 1961.)
"""

import torch
from torch import Tensor

from extramaze.models.contract import IterativeSolver, SolverCard, open_pixels
from extramaze.models.tiles import lattice_of, neighbours, to_pixels, to_tiles


class Wavefront(IterativeSolver):
    """Breadth-first search; the state, (B, 2, H, W), holds 1 + distance to the goal (0: not reached) and the path."""

    card = SolverCard(name="wavefront", recipe="wavefront")

    def initial_state(self, x: Tensor) -> Tensor:
        """Start the wave at the goal, the one open pixel without green."""
        goal = (open_pixels(x) & (x[:, 1] == 0)).to(x.dtype)
        return torch.stack([goal, torch.zeros_like(goal)], dim=1)

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Advance the wave, and the path where the wave has met the start, by one pixel."""
        image = to_tiles(x)
        wave, path = to_tiles(state).unbind(dim=1)
        around = neighbours(wave)
        start = open_pixels(image) & (image[:, 0] == 0)
        arriving = open_pixels(image) & (wave == 0) & (around > 0).any(dim=0)
        new_wave = torch.where(arriving, around.amax(dim=0) + 1, wave)

        nearer = (path > 0) & (around > 0) & (around == wave - 1)
        chosen = nearer & (nearer.cumsum(dim=0) == 1)  # the first direction that leads nearer
        up, down, left, right = chosen.to(x.dtype)
        entered = neighbours(down)[0] + neighbours(up)[1] + neighbours(right)[2] + neighbours(left)[3]
        new_path = torch.maximum(path, ((entered > 0) | (start & (wave > 0))).to(x.dtype))
        return to_pixels(torch.stack([new_wave, new_path], dim=1), x.shape[-1])

    def readout(self, state: Tensor) -> Tensor:
        """Answer with the path walked so far."""
        path = state[:, 1:]
        return torch.cat([1 - path, path], dim=1)

    def step_budget(self, height: int, width: int) -> int:
        """Return 4 · R · C: at most 2 · R · C pixels for the wave, and as many for the path."""
        return 4 * lattice_of(height) * lattice_of(width)
