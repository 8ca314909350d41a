"""FF-Net: DT-Net's projection and head around residual blocks of their own weights, passed once.

The feed-forward baseline of Bansal et al. (arXiv 2202.05826, section 4) and Knutson et al. (arXiv 2410.03020): as deep
as a recurrent network unrolled, its weights untied, without recall. It cannot iterate further on a harder maze.
"""

import torch
from torch import Tensor, nn

from extramaze.models.dt_net import IMAGE_CHANNELS, ResidualBlock, answer_head, convolution
from extramaze.models.single_pass import SinglePass

BLOCKS = 30


class FFNet(SinglePass):
    """An untied residual network. width: channels. blocks: residual blocks, two convolutions each."""

    def __init__(self, width: int, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.projection = convolution(IMAGE_CHANNELS, width)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.head = answer_head(width)

    def logits(self, x: Tensor) -> Tensor:
        """Project, pass every block, apply the head."""
        return self.head(self.blocks(torch.relu(self.projection(x))))


def ff_net(width: int = 128, blocks: int = BLOCKS) -> FFNet:
    """Build an FF-Net; width 128 with 30 blocks is the study's, with 8.9 million parameters."""
    return FFNet(width=width, blocks=blocks)
