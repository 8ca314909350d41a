"""DT-Net: a recurrent residual network with recall.

Bansal et al., "End-to-end Algorithm Synthesis with Recurrent Networks: Logical Extrapolation Without Overthinking"
(NeurIPS 2022, arXiv 2202.05826), section 3 and appendix A.1: a projection, a recurrent block that sees the image again
at every iteration ("recall"), and a head of three convolutions; 3×3 everywhere, no bias.
"""

import torch
from torch import Tensor, nn

from extramaze.models.contract import IterativeSolver

IMAGE_CHANNELS = 3
HEAD_WIDTHS = (32, 8, 2)


def convolution(channels_in: int, channels_out: int) -> nn.Conv2d:
    """Build a 3×3 convolution that keeps the size and has no bias."""
    return nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False)


class ResidualBlock(nn.Module):
    """Two convolutions around which the input is added: (B, width, H, W) → the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.second = convolution(width, width)

    def forward(self, state: Tensor) -> Tensor:
        """Return relu(state + second(relu(first(state)))), in place on the convolutions' outputs."""
        return torch.relu_(self.second(torch.relu_(self.first(state))).add_(state))


class DTNet(IterativeSolver):
    """DT-Net with recall; the state is (B, width, H, W).

    width: channels of the state. blocks: residual blocks in one iteration.
    """

    def __init__(self, width: int, blocks: int = 2) -> None:
        super().__init__()
        self.width = width
        self.projection = convolution(IMAGE_CHANNELS, width)
        self.recall = convolution(width + IMAGE_CHANNELS, width)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        first, second, last = HEAD_WIDTHS
        self.head = nn.Sequential(
            convolution(width, first),
            nn.ReLU(),
            convolution(first, second),
            nn.ReLU(),
            convolution(second, last),
        )

    def initial_state(self, x: Tensor) -> Tensor:
        """Project the image: (B, 3, H, W) → (B, width, H, W)."""
        return torch.relu(self.projection(x))

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Recall the image and pass the residual blocks."""
        return self.blocks(self.recall(torch.cat([state, x], dim=1)))

    def readout(self, state: Tensor) -> Tensor:
        """Apply the head: (B, width, H, W) → logits (B, 2, H, W)."""
        return self.head(state)


def dt_net(width: int = 128, blocks: int = 2) -> DTNet:
    """Build a DT-Net; width 128 is the paper's maze model, with 783,504 parameters."""
    return DTNet(width=width, blocks=blocks)
