"""A solver that works, with random weights."""

import torch
from torch import nn

from extramaze.models import IterativeSolver, SolverCard


class GatedNet(IterativeSolver):
    """One gated convolution."""

    card = SolverCard(name="gated-net@0", recipe="gated-net", seed=0, scale=1)

    def __init__(self):
        super().__init__()
        self.start = nn.Conv2d(3, 4, 3, padding=1)
        self.update = nn.Conv2d(7, 8, 3, padding=1)
        self.head = nn.Conv2d(4, 2, 3, padding=1)

    def initial_state(self, x):
        return torch.tanh(self.start(x))

    def step(self, state, x):
        gate, new = self.update(torch.cat([state, x], dim=1)).chunk(2, dim=1)
        return torch.lerp(state, torch.tanh(new), torch.sigmoid(gate))

    def readout(self, state):
        return self.head(state)


def make():
    """Make the solver."""
    torch.manual_seed(0)
    return GatedNet()
