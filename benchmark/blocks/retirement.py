"""Mazes that leave their block once their answer has settled (``--retire``, off by default).

States do not repeat bit for bit, so an answer that has stayed the same for long may still change: this is an
approximation. A random tenth of the mazes runs to the end all the same, and the record counts those that disagree.
"""

import hashlib

import numpy as np
import torch
from torch import Tensor

from extramaze.blocks.acceleration import make_step
from extramaze.blocks.block import Answers
from extramaze.models.calling import read_answer
from extramaze.models.contract import IterativeSolver
from extramaze.schema.plan import Iteration

CHECK_EVERY = 7  # odd, so that an answer that alternates is seen to; not a divisor of the periods that are common
SAME_CHECKS = 9  # answers alike at so many checks in a row, over 56 iterations: settled
AUDITED = 0.1  # the share of mazes that run to the end all the same


def audited(text: str, first: int, count: int) -> np.ndarray:
    """Choose the mazes that are audited, bool (count,): by a hash of ``text`` and the maze's index, so independent of
    block, shard and count."""
    limit = int(AUDITED * 2**32)
    digests = (hashlib.sha256(f"{text} {index}".encode()).digest() for index in range(first, first + count))
    return np.array([int.from_bytes(digest[:4], "big") < limit for digest in digests])


def iterate_retiring(
    solver: IterativeSolver, x: Tensor, state: Tensor, rungs: tuple[int, ...], iteration: Iteration, keep: Tensor
) -> Answers:
    """Iterate from the state after one step; mazes leave once their answer is settled, those in ``keep`` do not.

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
    images, step = x, make_step(solver, x, iteration)
    for now in range(1, rungs[-1] + 1):
        if now > 1 and len(here):
            state = step(state)
        if len(here) and (now in rungs or now % CHECK_EVERY == 0):
            current[here] = read_answer(solver, state, images)
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
                step = make_step(solver, images, iteration)
    return Answers(answers, (disagrees & keep).cpu().numpy(), evaluations.cpu().numpy())


def _layout_of(tensor: Tensor) -> torch.memory_format:
    channels_last = tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if channels_last else torch.contiguous_format
