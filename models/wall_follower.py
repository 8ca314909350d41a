"""A wall follower that keeps walking: the solver whose iterates never settle, with a period that is known.

The right hand stays on the wall: at every pixel turn right if that is open, else go straight on, else left, else back
(the rule of every maze book; Hemmerling, "Labyrinth Problems", 1989). The walker begins at the start and nothing stops
it at the goal. The trail is the set of passages it has crossed an odd number of times: on a tree the path from the
start to where it stands, so the answer is right each time it stands on the goal, and wrong in between.

Its rule can be reversed, so its states return for ever. On a tree of L×L cells it goes round all of it, along each of
the 2L² − 2 pairs of neighbouring pixels once each way: the least period is 4L² − 4. With cycles it goes round one
face, in P steps; the edges between two faces it has crossed once then, so the trail returns after 2P. States are zeros
and ones. A step costs O(H·W).
"""

import torch
from torch import Tensor

from extramaze.models.contract import IterativeSolver, SolverCard, open_pixels
from extramaze.models.tiles import neighbours, to_pixels, to_tiles

UP, DOWN, LEFT, RIGHT = range(4)  # as ``tiles.neighbours`` lists them
BY_HAND = {UP: (RIGHT, UP, LEFT, DOWN), DOWN: (LEFT, DOWN, RIGHT, UP), LEFT: (UP, LEFT, DOWN, RIGHT),
           RIGHT: (DOWN, RIGHT, UP, LEFT)}  # heading: the headings to try, right hand first  # fmt: skip
OPPOSITE = {UP: DOWN, DOWN: UP, LEFT: RIGHT, RIGHT: LEFT}


class WallFollower(IterativeSolver):
    """A wall follower; the state, (B, 5, H, W), is the walker by heading (up, down, left, right) and its trail."""

    card = SolverCard(name="wall-follower", recipe="wall-follower")

    def initial_state(self, x: Tensor) -> Tensor:
        """Stand on the start as if just come from its first open neighbour."""
        image = to_tiles(x)
        start = open_pixels(image) & (image[:, 0] == 0)
        behind = neighbours(open_pixels(image).to(x.dtype)) > 0
        first = behind & (behind.cumsum(dim=0) == 1)
        walker = torch.stack([first[OPPOSITE[heading]] & start for heading in range(4)], dim=1)
        trail = torch.zeros_like(start).unsqueeze(1)
        return to_pixels(torch.cat([walker, trail], dim=1).to(x.dtype), x.shape[-1])

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Turn by the right hand and walk one pixel."""
        tiles = to_tiles(state)
        walker, trail = tiles[:, :4].unbind(dim=1), tiles[:, 4]
        is_open = neighbours(open_pixels(to_tiles(x)).to(x.dtype)) > 0
        leaving = [torch.zeros_like(trail) for _ in range(4)]
        for heading, choices in BY_HAND.items():
            undecided = walker[heading] > 0
            for choice in choices:
                leaving[choice] = leaving[choice] + (undecided & is_open[choice])
                undecided = undecided & ~is_open[choice]
        arrived = [neighbours(leaving[heading])[OPPOSITE[heading]] for heading in range(4)]
        crossed = torch.stack(arrived).sum(dim=0) * _passages(trail)
        new = torch.stack([*arrived, (trail - crossed).abs()], dim=1)
        return to_pixels(new, x.shape[-1])

    def readout(self, state: Tensor) -> Tensor:
        """Answer with the trail: its passages and the cells beside them."""
        trail = to_tiles(state)[:, 4]
        beside = (neighbours(trail) > 0).any(dim=0) & ~_passages(trail)
        path = to_pixels(torch.maximum(trail, beside.to(trail.dtype)).unsqueeze(1), state.shape[-1])
        return torch.cat([1 - path, path], dim=1)


def _passages(tiles: Tensor) -> Tensor:
    """Tell which tiles lie between two cells: one of row and column odd. (B, H, W) → bool (H, W)."""
    rows, columns = (torch.arange(size, device=tiles.device) % 2 for size in tiles.shape[-2:])
    return rows[:, None] != columns[None, :]
