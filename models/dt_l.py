"""DT-L: deep thinking with a Lipschitz constraint, so that every maze has exactly one limit.

Bear, Prügel-Bennett & Hare, "Rethinking Deep Thinking: Stable Learning of Algorithms using Lipschitz Constraints"
(NeurIPS 2024, arXiv 2410.23451), sections 4 and 5: recurrent convolutions of spectral norm at most 1, ELU, a learned
convex mix in place of the residual sum, a bias in the recall. One iteration is

    z = γ · state + recall(x),    then for each block    z ← (1 − s) z + s · elu(conv(elu(conv(z)))),    0 < s < 1,

so ‖step(a, x) − step(b, x)‖ ≤ γ ‖a − b‖ in the Euclidean norm over all channels and pixels, for any two states and any
image of any size: a contraction, whose fixed point is unique and reached at least as fast as γⁿ (Banach).

**The bound is on the convolution, not on its reshaped kernel** (as ``torch.nn.utils.spectral_norm`` would have it, and
too small by up to 3× for 3×3). A zero-padded convolution on H×W pixels is a compression of the convolution on the whole
plane, whose norm is the largest singular value of its symbol, the kernel's Fourier series, over all frequencies. That
is bounded by samples at GRID×GRID of them: over an equispaced grid of N points in each direction a trigonometric
polynomial of degree 1 exceeds its largest sample at most 1/cos²(π/N) times (Ehlich & Zeller 1964), and each sample's
singular value is at most the Frobenius norm of its repeated Gram products (Delattre et al. 2023, arXiv 2305.16173).
Holds up to the rounding of the arithmetic it is computed in. The bounds are a buffer, computed afresh from the weights
by ``eval()`` and, in training, at each initial state: an iteration in evaluation costs two convolutions a block.

``bound="kernel"`` divides by the norm of the reshaped kernel instead, as the paper does. It learns where the true bound
does not (``recipes/dt-l-kernel-thin.yaml``), and nothing then bounds the iteration: the limit need not be unique.

Unlike the paper's, the recall is added rather than convolved with the state, which keeps γ exact where nothing else
contracts, and there is no batch normalisation: mazes of a batch do not meet, in training either.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from extramaze.models.contract import IterativeSolver
from extramaze.models.dt_net import IMAGE_CHANNELS, answer_head, convolution, head_axes
from extramaze.models.sizes import Blocks, Share, Width
from extramaze.models.symmetry import Axis, Symmetry

GRID = 16  # frequencies sampled in each direction: the bound is at most 1.04 times the largest singular value sampled
SQUARINGS = 6  # of the Gram matrix: at width 32 the bound is at most 1.014 times the singular value


def norm_bounds(kernels: Tensor) -> Tensor:
    """Bound the norms of zero-padded 3×3 convolutions on images of any size: (K, C, C, 3, 3) → (K,)."""
    symbols = torch.fft.rfft2(kernels, s=(GRID, GRID)).permute(0, 3, 4, 1, 2)  # the rest are complex conjugates
    power = symbols.mH @ symbols
    size = torch.linalg.matrix_norm(power, keepdim=True).clamp(min=torch.finfo(kernels.dtype).tiny)
    power, logarithm = power / size, size.log()
    for _ in range(SQUARINGS):
        power = power @ power
        size = torch.linalg.matrix_norm(power, keepdim=True)
        power, logarithm = power / size, 2 * logarithm + size.log()
    largest = (logarithm / 2 ** (SQUARINGS + 1)).exp().flatten(1).amax(dim=1)
    return largest / math.cos(math.pi / GRID) ** 2


def kernel_norms(kernels: Tensor) -> Tensor:
    """Return the norms of reshaped kernels, up to 3 times below their convolutions': (K, C, C, 3, 3) → (K,)."""
    return torch.linalg.matrix_norm(kernels.flatten(2), 2)


Bound = Literal["convolution", "kernel"]
NORMS = {"convolution": norm_bounds, "kernel": kernel_norms}


class DTL(IterativeSolver):
    """DT-L; the state is (B, width, H, W), zero at first. Width 32 is the paper's maze model.

    width: channels. blocks: mixed blocks of two convolutions. lipschitz: γ, the bound on one iteration, below 1. bound:
    of what a convolution is divided by: its norm, or that of its reshaped kernel.
    """

    def __init__(self, width: Width, blocks: Blocks = 2, lipschitz: Share = 0.99, bound: Bound = "convolution") -> None:
        super().__init__()
        self.width, self.lipschitz, self.norms = width, lipschitz, NORMS[bound]
        self.recall = nn.Conv2d(IMAGE_CHANNELS, width, 3, padding=1)
        self.layers = nn.ModuleList(convolution(width, width) for _ in range(2 * blocks))
        self.mix = nn.Parameter(torch.zeros(blocks))
        self.head = answer_head(width)
        self.register_buffer("bounds", torch.ones(2 * blocks))
        self.bounds: Tensor
        self.refresh_bounds()

    def train(self, mode: bool = True) -> "DTL":
        """Switch between training and evaluation, for which the bounds are computed from the weights as they are."""
        if not mode:
            self.refresh_bounds()
        return super().train(mode)

    def refresh_bounds(self) -> None:
        """Compute the bounds from the weights; without values (on the device ``meta``) there is nothing to compute."""
        if self.bounds.is_meta:
            return
        with torch.no_grad(), torch.autocast(self.bounds.device.type, enabled=False):
            self.bounds.copy_(self.norms(torch.stack([kernel.contiguous() for kernel in self.kernels()])))

    def kernels(self) -> list[Tensor]:
        """Return the weights of the convolutions, (width, width, 3, 3) each, not yet divided by their bounds."""
        return [layer.get_parameter("weight") for layer in self.layers]

    def initial_state(self, x: Tensor) -> Tensor:
        """Begin at zero: where one begins does not matter to the limit."""
        if self.training:
            self.refresh_bounds()
        return torch.zeros_like(self.recall(x))  # in the layout that convolutions give

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Contract, recall the image, and pass the mixed blocks."""
        kernels = [kernel / bound.clamp(min=1) for kernel, bound in zip(self.kernels(), self.bounds, strict=True)]
        state = self.lipschitz * state + self.recall(x)
        for block, share in enumerate(torch.sigmoid(self.mix)):
            inner = functional.elu(functional.conv2d(state, kernels[2 * block], padding=1))
            outer = functional.elu(functional.conv2d(inner, kernels[2 * block + 1], padding=1))
            state = torch.lerp(state, outer.to(state.dtype), share.to(state.dtype))
        return state

    def readout(self, state: Tensor) -> Tensor:
        """Apply the head: (B, width, H, W) → logits (B, 2, H, W)."""
        return self.head(state)

    def symmetry(self) -> Symmetry:
        """All hidden units move; those behind an ELU, which bends at a size of its own, do not scale."""
        width = self.recall.out_channels
        stream: Axis = (("stream", width),)
        axes: dict[str, tuple[Axis, ...]] = {
            "recall.weight": (stream, ((None, IMAGE_CHANNELS),)),
            "recall.bias": (stream,),
            **head_axes(stream),
        }
        inner = [f"blocks.{block}" for block in range(len(self.layers) // 2)]
        for block, group in enumerate(inner):
            axes[f"layers.{2 * block}.weight"] = (((group, width),), stream)
            axes[f"layers.{2 * block + 1}.weight"] = (stream, ((group, width),))
        return Symmetry(axes, rigid=frozenset(["stream", *inner]))
