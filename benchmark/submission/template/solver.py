"""my-net: three small convolutions, applied again and again, that see the maze in every iteration.

Check it with pytest, train it with python train.py. Replace what is inside the three methods by your own. For another
seed copy the folder, change SEED, and train again: a row of the board is a solver with all its seeds.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from extramaze.models import IterativeSolver, SolverCard, read_weights

SEED = 0  # of the training
WEIGHTS = Path(__file__).with_name("weights.safetensors")  # train.py writes it


class Solver(IterativeSolver):
    """One residual block with recall of the image. Shapes: B mazes, H×W pixels."""

    card = SolverCard(name=f"my-net@{SEED}", recipe="my-net", seed=SEED, scale=1)

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.start = nn.Conv2d(3, width, 3, padding=1)
        self.recall = nn.Conv2d(width + 3, width, 3, padding=1, bias=False)
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.head = nn.Conv2d(width, 2, 3, padding=1)

    def initial_state(self, x: Tensor) -> Tensor:
        """Make the state before the first iteration: x (B, 3, H, W) -> any tensor whose first dimension is B."""
        return torch.relu(self.start(x))

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Make the next state; neither argument is changed, and no maze sees another."""
        new = self.recall(torch.cat([state, x], dim=1))
        return torch.relu(new + self.second(torch.relu(self.first(new))))

    def readout(self, state: Tensor) -> Tensor:
        """Read logits (B, 2, H, W) off a state: is a pixel on the path or not?"""
        logits: Tensor = self.head(state)
        return logits


def make() -> Solver:
    """Make the trained solver; extramaze calls this."""
    solver = Solver()
    read_weights(solver, WEIGHTS)  # there are none before train.py has run
    return solver
