"""The same iteration, faster: what is always on because it changes no answer beyond rounding, and what is not.

*fused* (a CPU, float32, DT-Net's layers): the part of the recall convolution that sees only the image is computed once
for all iterations; the other convolutions keep their weights in the layout that oneDNN computes in, with the addition
and the rectifier that follow folded in. It needs no compiler and no time to compile, and serves every size of maze.

*retired* (off by default): a maze leaves its block once its answer has stopped changing. States do not repeat bit for
bit, so this is an approximation; a random tenth runs to the end all the same, and the record counts disagreements.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from extramaze.models.contract import IterativeSolver, answer
from extramaze.models.dt_net import DTNet, ResidualBlock

Iteration = Literal["plain", "fused"]
Step = Callable[[Tensor], Tensor]

CHECK_EVERY = 7  # odd, so that an answer that alternates is seen to; not a divisor of the periods that are common
SAME_CHECKS = 9  # answers alike at so many checks in a row, over 56 iterations: settled
AUDITED = 0.1  # the share of mazes that run to the end all the same

_ONES = [1, 1]


def choose_iteration(solver: IterativeSolver, device: torch.device, dtype: str) -> Iteration:
    """Say how a solver's steps are made: a function of solver, device and precision, recorded in the plan."""
    ours = isinstance(solver, DTNet) and type(solver).step is DTNet.step and solver.recall is not None
    has_onednn = torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    return "fused" if ours and has_onednn and device.type == "cpu" and dtype == "float32" else "plain"


def make_step(solver: IterativeSolver, x: Tensor, iteration: Iteration) -> Step:
    """Return one iteration on the images ``x`` as a function of the state alone; call under ``torch.no_grad``."""
    if iteration == "fused" and isinstance(solver, DTNet):
        return _fused_step(solver, x)
    return lambda state: solver.step(state, x)


def _fused_step(solver: DTNet, x: Tensor) -> Step:
    width = solver.width
    shape = [x.shape[0], width, *x.shape[2:]]
    pack = torch.ops.mkldnn._reorder_convolution_weight
    with_one, with_other = torch.ops.mkldnn._convolution_pointwise, torch.ops.mkldnn._convolution_pointwise.binary

    def packed(weight: Tensor) -> Tensor:
        return pack(weight.contiguous(), _ONES, _ONES, _ONES, 1, shape)

    assert solver.recall is not None
    weight = solver.recall.weight
    recalled = functional.conv2d(x, weight[:, width:].contiguous(), padding=1)
    recall = packed(weight[:, :width])
    blocks = [
        (packed(block.first.weight), packed(block.second.weight))
        for block in solver.blocks
        if isinstance(block, ResidualBlock)
    ]

    def step(state: Tensor) -> Tensor:
        state = with_other(state, recalled, recall, None, _ONES, _ONES, _ONES, 1, "add", 1.0, None, [], None)
        for first, second in blocks:
            inner = with_one(state, first, None, _ONES, _ONES, _ONES, 1, "relu", [], "")
            state = with_other(inner, state, second, None, _ONES, _ONES, _ONES, 1, "add", 1.0, "relu", [], None)
        return state

    return step


@contextmanager
def tensor_float(on: bool) -> Iterator[None]:
    """Let a GPU round products to TF32 where asked; inside ``reference_arithmetic``, which switches it off and back."""
    if on:
        convolutions: Any = getattr(torch.backends.cudnn, "conv", None)
        owners: list[Any] = [torch.backends.cuda.matmul, convolutions or torch.backends.cudnn]
        setting, value = ("fp32_precision", "tf32") if convolutions else ("allow_tf32", True)
        for owner in owners:
            setattr(owner, setting, value)
    yield


def audited(text: str, first: int, count: int) -> np.ndarray:
    """Choose the mazes that are audited, bool (count,): by a hash of ``text`` and the maze's index, so independent of
    block, shard and count."""
    limit = int(AUDITED * 2**32)
    digests = (hashlib.sha256(f"{text} {index}".encode()).digest() for index in range(first, first + count))
    return np.array([int.from_bytes(digest[:4], "big") < limit for digest in digests])


@dataclass(frozen=True, eq=False)
class Retired:
    """Answers of B mazes at each rung, bool (B, H, W).

    disagrees: bool (B,), mazes that were kept on after they would have been retired, and answered otherwise at a later
    rung. evaluations: int (B,), of the step on each maze, until it left or to the last rung.
    """

    answers: list[Tensor]
    disagrees: np.ndarray
    evaluations: np.ndarray


def iterate_retiring(
    solver: IterativeSolver, x: Tensor, state: Tensor, done: int, rungs: tuple[int, ...], way: Iteration, keep: Tensor
) -> Retired:
    """Iterate from the state after ``done`` steps; mazes leave once their answer is settled, those in ``keep`` do not.

    Memory does not grow with the iterations. ``keep``: bool (B,).
    """
    here = torch.arange(x.shape[0], device=x.device)
    settled_on = torch.zeros_like(x[:, 0], dtype=torch.bool)
    settled = torch.zeros_like(keep)
    disagrees = torch.zeros_like(keep)
    alike = torch.zeros(x.shape[0], dtype=torch.int64, device=x.device)
    evaluations = torch.full_like(alike, rungs[-1])
    current = torch.zeros_like(settled_on)
    last_check = torch.zeros_like(settled_on)
    answers: list[Tensor] = []
    images, step = x, make_step(solver, x, way)
    for now in range(done, rungs[-1] + 1):
        if now > done and len(here):
            state = step(state)
        if len(here) and (now in rungs or now % CHECK_EVERY == 0):
            current[here] = answer(solver.readout(state), images)
        if now in rungs:
            disagrees |= settled & (current != settled_on).flatten(1).any(dim=1)
            answers.append(current.clone())
        if len(here) and now % CHECK_EVERY == 0:
            same = (current[here] == last_check[here]).flatten(1).all(dim=1)
            last_check[here] = current[here]
            alike[here] = torch.where(same, alike[here] + 1, 1)
            new = (alike >= SAME_CHECKS) & ~settled
            settled_on[new], settled = current[new], settled | new
            stays = ~settled[here] | keep[here]
            if not stays.all():
                evaluations[here[~stays]] = now
                here, state = here[stays], state[stays].contiguous(memory_format=_layout_of(state))
                images = images[stays].contiguous(memory_format=_layout_of(images))
                step = make_step(solver, images, way)
    return Retired(answers, (disagrees & keep).cpu().numpy(), evaluations.cpu().numpy())


def _layout_of(tensor: Tensor) -> torch.memory_format:
    channels_last = tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if channels_last else torch.contiguous_format
