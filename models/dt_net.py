"""DT-Net: a recurrent residual network, with recall or without.

Bansal et al., "End-to-end Algorithm Synthesis with Recurrent Networks: Logical Extrapolation Without Overthinking"
(NeurIPS 2022, arXiv 2202.05826), section 3 and appendix A.1: a projection, a recurrent block that sees the image again
at every iteration ("recall"), and a head of three convolutions; 3×3 everywhere, no bias. Without recall it is the
network of Schwarzschild et al. (2021, arXiv 2106.04537), which sees the image in its initial state alone.
"""

import torch
from torch import Tensor, nn

from extramaze.models.contract import IterativeSolver
from extramaze.models.sizes import Blocks, Width
from extramaze.models.symmetry import Axis, Symmetry

IMAGE_CHANNELS = 3
HEAD_WIDTHS = (32, 8, 2)


def convolution(channels_in: int, channels_out: int) -> nn.Conv2d:
    """Build a 3×3 convolution that keeps the size and has no bias."""
    return nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False)


def answer_head(width: int) -> nn.Sequential:
    """Build the head that all networks of this family share: (B, width, H, W) → logits (B, 2, H, W)."""
    first, second, last = HEAD_WIDTHS
    return nn.Sequential(
        convolution(width, first),
        nn.ReLU(),
        convolution(first, second),
        nn.ReLU(),
        convolution(second, last),
    )


def head_axes(stream: Axis) -> dict[str, tuple[Axis, ...]]:
    """Say what the rows and columns of the head's tensors are, behind a stream of units."""
    first, second, last = HEAD_WIDTHS
    outer: Axis = (("head.0", first),)
    inner: Axis = (("head.2", second),)
    return {
        "head.0.weight": (outer, stream),
        "head.2.weight": (inner, outer),
        "head.4.weight": (((None, last),), inner),
    }


def residual_axes(blocks: int, width: int) -> dict[str, tuple[Axis, ...]]:
    """Say what the rows and columns of residual blocks' tensors are: the stream is one group throughout."""
    stream: Axis = (("stream", width),)
    axes: dict[str, tuple[Axis, ...]] = {"projection.weight": (stream, ((None, IMAGE_CHANNELS),))}
    for block in range(blocks):
        inner: Axis = ((f"blocks.{block}", width),)
        axes[f"blocks.{block}.first.weight"] = (inner, stream)
        axes[f"blocks.{block}.second.weight"] = (stream, inner)
    return {**axes, **head_axes(stream)}


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
    """DT-Net; the state is (B, width, H, W). Width 128 with recall is the paper's maze model, of 783,504 parameters.

    width: channels of the state. blocks: residual blocks in one iteration. recall: show the image at every iteration.
    """

    def __init__(self, width: Width, blocks: Blocks = 2, recall: bool = True) -> None:
        super().__init__()
        self.width = width
        self.projection = convolution(IMAGE_CHANNELS, width)
        self.recall = convolution(width + IMAGE_CHANNELS, width) if recall else None
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.head = answer_head(width)

    def initial_state(self, x: Tensor) -> Tensor:
        """Project the image: (B, 3, H, W) → (B, width, H, W)."""
        return torch.relu(self.projection(x))

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Recall the image, where the network does, and pass the residual blocks."""
        return self.blocks(state if self.recall is None else self.recall(torch.cat([state, x], dim=1)))

    def readout(self, state: Tensor) -> Tensor:
        """Apply the head: (B, width, H, W) → logits (B, 2, H, W)."""
        return self.head(state)

    def symmetry(self) -> Symmetry:
        """All hidden units move and scale; the state's are tied through the iteration, the image's stay."""
        axes = residual_axes(len(self.blocks), self.width)
        if self.recall is not None:
            axes["recall.weight"] = ((("stream", self.width),), (("stream", self.width), (None, IMAGE_CHANNELS)))
        return Symmetry(axes)

    def recurrent_convolutions(self) -> list[nn.Conv2d]:
        """Return the convolutions that one iteration passes, in order."""
        return [module for part in (self.recall, self.blocks) if part is not None for module in _convolutions(part)]


def _convolutions(part: nn.Module) -> list[nn.Conv2d]:
    return [module for module in part.modules() if isinstance(module, nn.Conv2d)]
