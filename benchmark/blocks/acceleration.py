"""The same iteration, faster: for DT-Net's layers on a CPU, what changes no answer beyond rounding.

*winograd*: the convolutions take a quarter of the products (``extramaze.blocks.winograd``); the part of the recall
convolution that sees only the image is computed once for all iterations, and the addition and the rectifier that follow
a convolution are made as its results are written. Every size of maze is served alike. A tangent is carried along by
the exact derivative, in the same convolutions.
*plain*: ``step`` itself, for every other solver and on a GPU. Nothing else is compiled: torch needs a C++ compiler on
the machine for that, and compiles anew for each shape of a suite.
*fused*: how records were made before, with direct convolutions; verifying one takes *winograd*.

Beyond rounding they differ only where numbers overflow: an infinity spreads a little farther.
"""

import subprocess
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from extramaze.blocks.winograd import (
    FEW,
    LEAST_CHANNELS,
    MOST_CHANNELS,
    SHARED,
    as_many_threads,
    compile_ahead,
    convolution,
    transformed,
)
from extramaze.core.errors import InputError
from extramaze.dynamics.lyapunov import Step, make_dual, unpack_dual
from extramaze.models.calling import take_step
from extramaze.models.contract import IterativeSolver
from extramaze.models.dt_net import IMAGE_CHANNELS, DTNet, ResidualBlock
from extramaze.schema.plan import Iteration

# What the convolutions of an iteration must be for their products to be taken otherwise.
_AS_WRITTEN = {
    "kernel_size": (3, 3),
    "padding": (1, 1),
    "stride": (1, 1),
    "dilation": (1, 1),
    "groups": 1,
    "padding_mode": "zeros",
    "bias": None,
}


def choose_iteration(solver: IterativeSolver, device: torch.device) -> Iteration:
    """Say how a solver's steps are made: a function of solver and device, recorded in the plan."""
    if not isinstance(solver, DTNet) or not _steps_as_written(solver):
        return "plain"
    fits = device.type == "cpu" and LEAST_CHANNELS <= solver.width <= MOST_CHANNELS
    return "winograd" if fits else "plain"


def _steps_as_written(solver: DTNet) -> bool:
    """Whether a step passes DT-Net's own layers, with recall, and nothing was added to or changed in them."""
    if type(solver).step is not DTNet.step or "step" in vars(solver) or type(solver.blocks) is not nn.Sequential:
        return False
    if any(type(block) is not ResidualBlock for block in solver.blocks):
        return False
    layers = _layers(solver)
    passed = [solver.blocks, *solver.blocks, *layers]
    if any("forward" in vars(part) or part._forward_hooks or part._forward_pre_hooks for part in passed if part):
        return False
    wide = [solver.width + IMAGE_CHANNELS, *(solver.width for _ in layers[1:])]
    return all(_is_plain_convolution(layer, width, solver.width) for layer, width in zip(layers, wide, strict=True))


def _layers(solver: DTNet) -> list[Any]:
    """Return the layers of a step in the order in which it passes them, each as often as it does."""
    return [solver.recall, *(layer for block in solver.blocks for layer in (block.first, block.second))]


def _is_plain_convolution(layer: Any, channels_in: int, channels_out: int) -> bool:
    """Whether a layer does what torch's convolution does, with these settings; its weight may be made from others."""
    if not isinstance(layer, nn.Conv2d) or "_conv_forward" in vars(layer):
        return False
    if type(layer).forward is not nn.Conv2d.forward or type(layer)._conv_forward is not nn.Conv2d._conv_forward:
        return False
    as_written = all(getattr(layer, name) == value for name, value in _AS_WRITTEN.items())
    return as_written and (layer.in_channels, layer.out_channels) == (channels_in, channels_out)


def prepare_ahead(solver: IterativeSolver, device: torch.device) -> subprocess.Popen | None:
    """Begin to compile what a solver's steps need, as ``compile_ahead`` does; None where they need nothing compiled."""
    if isinstance(solver, DTNet) and choose_iteration(solver, device) == "winograd":
        return compile_ahead(solver.width)
    return None


def make_step(solver: IterativeSolver, x: Tensor, iteration: Iteration, few: bool = False) -> Step:
    """Return one iteration on the images ``x`` as a function of the state alone; call under ``torch.no_grad``.

    few: for a few mazes, as they are watched: faster there, and within rounding of the same step without it.
    """
    if iteration == "winograd" and isinstance(solver, DTNet):
        return _winograd_step(solver, x, FEW if few else SHARED)
    return lambda state: take_step(solver, state, x)


def _winograd_step(solver: DTNet, x: Tensor, shared: int) -> Step:
    width = solver.width
    first, *others = (layer.weight.detach() for layer in _layers(solver))
    recalled = _channels_last(functional.conv2d(x, first[:, width:].contiguous(), padding=1))
    recall, *kernels = (transformed(weight.numpy()) for weight in (first[:, :width], *others))
    blocks = list(zip(kernels[::2], kernels[1::2], strict=True))
    convolve = convolution(width)
    inner, nothing = np.empty_like(recalled), np.zeros_like(recalled)

    def step(state: Tensor) -> Tensor:
        primal, tangent = unpack_dual(state)
        now, moved = _channels_last(primal), None if tangent is None else _channels_last(tangent)
        if now.shape != recalled.shape or now.dtype != recalled.dtype:
            raise InputError(
                f"a step made for states {recalled.shape} {recalled.dtype} (batch, rows, columns, channels) was given "
                f"{now.shape} {now.dtype}"
            )
        with as_many_threads():
            now, moved = layers(now, moved)
        new = _channels_first(now)
        return new if moved is None else make_dual(new, _channels_first(moved))

    def layers(now: np.ndarray, moved: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        now = convolved(now, recall, recalled, False)
        if moved is not None:
            moved = convolved(moved, recall, nothing, False)
        for enter, leave in blocks:
            convolve(now, enter, nothing, True, inner, shared)
            now = convolved(inner, leave, now, True)
            if moved is not None:  # a rectifier lets pass what moves a positive number
                between = convolved(moved, enter, nothing, False) * (inner > 0)
                moved = convolved(between, leave, moved, False) * (now > 0)
        return now, moved

    def convolved(states: np.ndarray, kernel: np.ndarray, others: np.ndarray, rectify: bool) -> np.ndarray:
        results = np.empty_like(states)
        convolve(states, kernel, others, rectify, results, shared)
        return results

    return step


def _channels_last(states: Tensor) -> np.ndarray:
    """View states (B, C, H, W) as numbers (B, H, W, C); copied where they are laid out otherwise."""
    return states.permute(0, 2, 3, 1).contiguous().numpy()


def _channels_first(states: np.ndarray) -> Tensor:
    """View numbers (B, H, W, C) as states (B, C, H, W)."""
    return torch.from_numpy(states).permute(0, 3, 1, 2)
