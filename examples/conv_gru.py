"""A convolutional gated recurrent unit: an architecture of one's own, trained by ``conv-gru.yaml`` beside it.

Ballas et al., "Delving Deeper into Convolutional Networks for Learning Video Representations" (ICLR 2016, arXiv
1511.06432), section 3: a GRU whose products are convolutions; here the same image comes in at every iteration.
"""

import torch
from torch import Tensor, nn

from extramaze.models import IterativeSolver

IMAGE_CHANNELS = 3


class ConvGRU(IterativeSolver):
    """A ConvGRU; the state is (B, width, H, W), zero at first. width: channels. kernel: side of the convolutions."""

    def __init__(self, width: int = 32, kernel: int = 3) -> None:
        super().__init__()
        self.width = width
        seen = width + IMAGE_CHANNELS
        self.gates = nn.Conv2d(seen, 2 * width, kernel, padding="same")
        self.proposal = nn.Conv2d(seen, width, kernel, padding="same")
        self.head = nn.Conv2d(width, 2, 1)

    def initial_state(self, x: Tensor) -> Tensor:
        """Know nothing yet."""
        return x.new_zeros(len(x), self.width, *x.shape[2:])

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Replace what the update gate lets go of by what image and reset state propose."""
        update, reset = torch.sigmoid(self.gates(torch.cat([state, x], dim=1))).chunk(2, dim=1)
        proposed = torch.tanh(self.proposal(torch.cat([reset * state, x], dim=1)))
        return state + update * (proposed - state)

    def readout(self, state: Tensor) -> Tensor:
        """Read each pixel's logits: (B, width, H, W) → (B, 2, H, W)."""
        return self.head(state)
