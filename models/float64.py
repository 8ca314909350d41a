"""Convolutions in double precision as shifted matrix products.

A CPU's convolution is tuned for single precision: in float64 it runs at a fraction of what its matrix products reach.
A 3×3 convolution is the sum of nine products of a weight matrix with the image shifted by one pixel. On an image laid
out with channels first, and with one row and one column of zeros between images, each shift is a view: nothing is
unfolded. ``extramaze`` measures the gain in tests/benchmarks/test_dynamics_speed.py.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

CHUNK_NUMBERS = 2**20  # of one layer's output at a time: larger products were faster up to here


def fast_float64(module: nn.Module) -> nn.Module:
    """Return a float64 copy of a module whose convolutions are computed as matrix products where that is faster.

    On a CPU, stride 1, no dilation, no groups, zero padding that keeps the size, odd kernels: replaced. Anything else,
    and everything on another device, is only converted. Results are equal to rounding, not to the bit; forward-mode
    derivatives go through, gradients of the weights do not.
    """
    exact = copy.deepcopy(module).double()
    on_cpu = all(parameter.device.type == "cpu" for parameter in exact.parameters())
    return _replace(exact) if on_cpu else exact


def _replace(module: nn.Module) -> nn.Module:
    if isinstance(module, nn.Conv2d) and _suits(module):
        return ShiftedConvolution(module)
    for name, child in module.named_children():
        setattr(module, name, _replace(child))
    return module


def _suits(convolution: nn.Conv2d) -> bool:
    height, width = convolution.kernel_size
    return (
        convolution.stride == convolution.dilation == (1, 1)
        and convolution.groups == 1
        and convolution.padding_mode == "zeros"
        and height % 2 == width % 2 == 1
        and convolution.padding in ("same", (height // 2, width // 2))
        and type(convolution) is nn.Conv2d
    )


class ShiftedConvolution(nn.Module):
    """A convolution that keeps the size, as one matrix product a kernel position: (B, C, H, W) → (B, D, H, W)."""

    bias: Tensor | None

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        self.register_buffer("weight", weight.permute(2, 3, 0, 1).contiguous())  # (kh, kw, D, C)
        self.register_buffer("bias", None if convolution.bias is None else convolution.bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        out: Tensor = _Shifted.apply(x, self.weight)  # type: ignore[no-untyped-call]
        return out if self.bias is None else out + self.bias[:, None, None]


class _Shifted(torch.autograd.Function):
    """The linear map itself; its derivative along a tangent is the same map of the tangent."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor) -> Tensor:
        return shifted_products(x, weight)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:  # noqa: ARG004
        ctx.weight = inputs[1]

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: Tensor | None) -> Tensor:
        return shifted_products(tangent, ctx.weight)


def shifted_products(x: Tensor, weight: Tensor) -> Tensor:
    """Convolve x (B, C, H, W) with weight (kh, kw, D, C): (B, D, H, W), a view of channels-first storage."""
    batch, channels, height, width = x.shape
    rows, columns, channels_out, _ = weight.shape
    above, left = rows // 2, columns // 2
    row, image = width + left, (height + above) * (width + left)
    margin = above * row + left
    flat = x.new_zeros(channels, margin + batch * image + margin)
    inside = flat[:, margin : margin + batch * image].view(channels, batch, height + above, row)
    inside[:, :, :height, :width] = x.transpose(0, 1)
    out = x.new_empty(channels_out, batch * image)
    size = max(1, CHUNK_NUMBERS // channels_out)
    for begin in range(0, batch * image, size):
        part = out[:, begin : begin + size]
        for position in range(rows * columns):
            i, j = divmod(position, columns)
            start = begin + i * row + j
            shifted = flat[:, start : start + part.shape[1]]
            if position:
                part.addmm_(weight[i, j], shifted)
            else:
                torch.mm(weight[i, j], shifted, out=part)
    return out.view(channels_out, batch, height + above, row)[:, :, :height, :width].transpose(0, 1)
