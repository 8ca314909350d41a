"""FF-Net: DT-Net's projection and head around residual blocks of their own weights, passed once.

The feed-forward baseline of Bansal et al. (arXiv 2202.05826, section 4) and Knutson et al. (arXiv 2410.03020): as deep
as a recurrent network unrolled, its weights untied, without recall. It cannot iterate further on a harder maze.
"""

import torch
from torch import Tensor, nn

from extramaze.models.dt_net import IMAGE_CHANNELS, ResidualBlock, answer_head, convolution, residual_axes
from extramaze.models.single_pass import SinglePass
from extramaze.models.sizes import Layers, Width
from extramaze.models.symmetry import Symmetry


class FFNet(SinglePass):
    """An untied residual network; width 128 with 30 blocks is the study's, of 8.9 million parameters.

    width: channels. blocks: residual blocks, two convolutions each.
    """

    def __init__(self, width: Width, blocks: Layers = 30) -> None:
        super().__init__()
        self.width = width
        self.projection = convolution(IMAGE_CHANNELS, width)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.head = answer_head(width)

    def logits(self, x: Tensor) -> Tensor:
        """Project, pass every block, apply the head."""
        return self.head(self.blocks(torch.relu(self.projection(x))))

    def symmetry(self) -> Symmetry:
        """All hidden units move and scale; the residual sums tie those of the stream."""
        return Symmetry(residual_axes(len(self.blocks), self.width))
