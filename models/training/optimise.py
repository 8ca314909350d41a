"""How weights move: budget, learning rate, AdamW with a throttle, and the average of the weights."""

import copy
import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor, nn

from extramaze.core.checked import Strict
from extramaze.mazes.generation import INDICES_PER_SEED
from extramaze.models.contract import IterativeSolver
from extramaze.models.operations import comb
from extramaze.models.states import one_tensor

PROBE_SIDE = {1: 11, 2: 24}  # of the image, by scale, on which the parameters that ``step`` uses are found: size 9


class Optimisation(Strict):
    """How to optimise; every optional key at its default is what the first recipes did.

    steps, or mazes: the budget, in optimiser steps or in training mazes (rounded up to whole steps). seconds: stop
    after so much training time besides; such a run depends on the machine's speed.
    batch: mazes of a step, over all processes.
    warmup_steps: over which the learning rate rises. schedule: it then falls to zero along a half cosine, stays
    (``constant``), or is multiplied by ``decay`` at each of ``milestones``, in steps (``step``).
    recurrent_divisor: the parameters that ``step`` uses learn so many times slower; 30 in Bansal et al. (arXiv
    2202.05826, appendix).
    clip_norm: bound on the gradient's norm; none where left out.
    bf16: autocast to bfloat16; bf16_only_where_fast: unless the processor has no instructions for it, without which
    it is many times slower than float32. channels_last: keep a pixel's channels side by side in memory. compile: let
    torch.compile fuse the iteration.
    ema: decay of an exponential moving average of the weights, which is then what is validated and written.
    """

    steps: int | None = Field(default=None, ge=1)
    mazes: int | None = Field(default=None, ge=1, validate_default=True)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    batch: int = Field(ge=1, le=65536)
    learning_rate: float = Field(gt=0, lt=1)
    weight_decay: float = Field(ge=0, lt=1)
    warmup_steps: int = Field(ge=0)
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    milestones: tuple[int, ...] = Field(default=(), validate_default=True)
    decay: float = Field(default=0.1, gt=0, lt=1)
    recurrent_divisor: float = Field(default=1.0, ge=1, allow_inf_nan=False)
    clip_norm: float | None = Field(default=None, gt=0)
    bf16: bool = True
    bf16_only_where_fast: bool = False
    channels_last: bool = True
    compile: bool = False
    ema: float | None = Field(default=None, gt=0, lt=1)

    @field_validator("mazes")
    @classmethod
    def _one_budget(cls, mazes: int | None, info: ValidationInfo) -> int | None:
        if "steps" in info.data and (info.data["steps"] is None) == (mazes is None):
            raise ValueError("the budget is either steps or mazes: give one of them, and not both")
        return mazes

    @field_validator("batch")
    @classmethod
    def _enough_mazes(cls, batch: int, info: ValidationInfo) -> int:
        known = info.data.keys() >= {"steps", "mazes"}
        if known and _whole_steps(info.data["steps"], info.data["mazes"], batch) * batch > INDICES_PER_SEED:
            raise ValueError(f"steps × batch must not exceed {INDICES_PER_SEED:,}, the mazes set aside for one seed")
        return batch

    @field_validator("warmup_steps")
    @classmethod
    def _warms_up(cls, warmup: int, info: ValidationInfo) -> int:
        if info.data.keys() >= {"steps", "mazes", "batch"}:
            steps = _whole_steps(info.data["steps"], info.data["mazes"], info.data["batch"])
            if warmup > steps:
                raise ValueError(f"the warm-up is longer than the run of {steps} steps")
        return warmup

    @field_validator("milestones")
    @classmethod
    def _falls(cls, milestones: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if list(milestones) != sorted(set(milestones)) or any(step < 1 for step in milestones):
            raise ValueError("milestones are steps from 1 on, each later than the one before")
        if info.data.get("schedule") in ("cosine", "constant") and milestones:
            raise ValueError(f"milestones belong to schedule: step, not {info.data['schedule']}")
        if info.data.get("schedule") == "step" and not milestones:
            raise ValueError("schedule: step needs milestones, the steps at which the rate falls")
        return milestones

    @field_validator("bf16_only_where_fast")
    @classmethod
    def _has_bf16(cls, only: bool, info: ValidationInfo) -> bool:
        if only and info.data.get("bf16") is False:
            raise ValueError("nothing to choose where bf16 is false")
        return only

    @property
    def total_steps(self) -> int:
        """Return the budget in optimiser steps."""
        return _whole_steps(self.steps, self.mazes, self.batch)


def _whole_steps(steps: int | None, mazes: int | None, batch: int) -> int:
    return steps if steps is not None else -(-(mazes or 0) // batch)


def learning_rate(training: Optimisation, step: int) -> float:
    """Return the rate of a step, counted from 0: linear warm-up, then the schedule."""
    if step < training.warmup_steps:
        return training.learning_rate * (step + 1) / training.warmup_steps
    if training.schedule == "constant":
        return training.learning_rate
    if training.schedule == "step":
        return training.learning_rate * training.decay ** sum(step >= milestone for milestone in training.milestones)
    done = (step - training.warmup_steps) / max(1, training.total_steps - training.warmup_steps)
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def recurrent_parameters(solver: IterativeSolver, scale: int) -> list[nn.Parameter]:
    """Return the parameters that one ``step`` uses, found by asking autograd."""
    parameters = [parameter for parameter in solver.parameters() if parameter.requires_grad]
    if not parameters:
        return []
    side = PROBE_SIDE[scale]
    x = comb(side, side).to(parameters[0].device)
    with torch.enable_grad():
        single = one_tensor(solver)
        after = single.step(single.initial_state(x).detach(), x)
        if not after.requires_grad:
            return []
        gradients = torch.autograd.grad(after.sum(), parameters, allow_unused=True)
    return [parameter for parameter, gradient in zip(parameters, gradients, strict=True) if gradient is not None]


def make_optimizer(solver: IterativeSolver, training: Optimisation, scale: int) -> torch.optim.AdamW:
    """Build AdamW; ``set_rate`` throttles the recurrent parameters where the recipe says so."""
    groups: list[dict[str, Any]] = [{"params": list(solver.parameters()), "divisor": 1.0}]
    if training.recurrent_divisor != 1:
        recurrent = {id(parameter) for parameter in recurrent_parameters(solver, scale)}
        split: tuple[list[Tensor], list[Tensor]] = ([], [])
        for parameter in solver.parameters():
            split[id(parameter) in recurrent].append(parameter)
        divisors = (1.0, training.recurrent_divisor)
        groups = [{"params": part, "divisor": d} for part, d in zip(split, divisors, strict=True) if part]
    return torch.optim.AdamW(groups, lr=training.learning_rate, weight_decay=training.weight_decay)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of a step, each group's divided by its own divisor."""
    for group in optimizer.param_groups:
        group["lr"] = rate / group["divisor"]


def clip(parameters: Sequence[Tensor], norm: float | None) -> float:
    """Scale the gradients down to a norm, if one is given; return the norm they had."""
    return float(nn.utils.clip_grad_norm_(parameters, math.inf if norm is None else norm))


class MovingAverage:
    """An exponential moving average of a solver's weights (Polyak and Juditsky, 1992, in its exponential form).

    The decay grows to the stated one as (1 + t) / (10 + t), so that the first weights are soon forgotten.
    """

    def __init__(self, solver: IterativeSolver, decay: float) -> None:
        self.solver = copy.deepcopy(solver)
        self.solver.requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, solver: IterativeSolver, step: int) -> None:
        """Move towards the weights after a step, counted from 0; buffers are copied."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, value in zip(self.solver.parameters(), solver.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)
        for held, current in zip(self.solver.buffers(), solver.buffers(), strict=True):
            held.copy_(current)
