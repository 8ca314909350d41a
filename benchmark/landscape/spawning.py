"""Determinism: when a training decides where it goes. Children of one parent, trained on with other mazes.

Frankle et al., "Linear mode connectivity and the lottery ticket hypothesis" (arXiv 1912.05671), section 2: weights and
the optimiser's state are copied at step k, and two children are trained to the end with other draws of mazes and
depths. The barrier on the line between them, as a function of k, says when the rest of the training no longer matters:
for the training cell, and for mazes of other sizes and kinds, which may be decided later.
"""

import copy
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path as Folder
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.core.progress import progress_bar
from extramaze.landscape.measures import Asked, check_places, evenly
from extramaze.landscape.meter import Meter
from extramaze.landscape.paths import Path
from extramaze.landscape.record import Survey
from extramaze.landscape.setting import make_setting, point_minutes
from extramaze.landscape.survey import Plan, Workshop, conclude, finished, measure_places, workshop
from extramaze.models.blending.weights import Weights, weights_of
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import deterministic, has_fast_bf16, resolve_device, tensor_float
from extramaze.models.states import one_tensor
from extramaze.models.training.data import Supply
from extramaze.models.training.gradients import training_loss
from extramaze.models.training.optimise import clip, learning_rate, make_optimizer, set_rate
from extramaze.models.training.recipe import Recipe, parse_recipe, recipe_text
from extramaze.models.training.validation import to_tensors
from extramaze.models.weight_files import read_tensors
from extramaze.schema.landscape import Place
from extramaze.schema.solver import Origin

MAX_SEED = 255
CHILDREN = 2


class Training:
    """A training that can be copied at any step: network, optimiser, and how many steps were made."""

    def __init__(self, recipe: Recipe, seed: int, device: torch.device) -> None:
        training = recipe.training
        slow = training.bf16_only_where_fast and not has_fast_bf16(device)
        self.recipe, self.step, self.device = recipe, 0, device
        self.training = training.model_copy(update={"bf16": training.bf16 and not slow})
        self.solver = initial(recipe, seed).to(device)
        self.optimizer = make_optimizer(self.solver, self.training, recipe.data.scale)

    def spawned(self) -> "Training":
        """Return a copy with weights and optimiser's state of its own."""
        child = copy.copy(self)
        child.solver = copy.deepcopy(self.solver)
        child.optimizer = make_optimizer(child.solver, self.training, self.recipe.data.scale)
        child.optimizer.load_state_dict(copy.deepcopy(self.optimizer.state_dict()))
        return child

    def run(self, end: int, data_seed: int, quiet: bool = True, what: str = "training") -> "Training":
        """Train up to step ``end`` on the mazes and depths of a seed."""
        supply = Supply(self.recipe.data, data_seed, self.training.batch)
        self.solver.train()
        with deterministic(), tensor_float(False):
            for step in progress_bar(range(self.step, end), desc=what, unit=" steps", quiet=quiet):
                set_rate(self.optimizer, learning_rate(self.training, step))
                self.optimizer.zero_grad(set_to_none=True)
                x, targets = to_tensors(supply(step), self.device, torch.contiguous_format)
                loss = training_loss(one_tensor(self.solver), x, targets, self.training, data_seed, step)
                torch.autograd.backward(loss)
                clip(list(self.solver.parameters()), self.training.clip_norm)
                self.optimizer.step()
        self.step = end
        return self

    def stored(self) -> bytes:
        """Return the weights as safetensors."""
        state = self.solver.eval().state_dict()
        return save({name: value.detach().cpu().contiguous() for name, value in state.items()})


def initial(recipe: Recipe, seed: int) -> IterativeSolver:
    """Return a recipe's network with the weights that a training of this seed begins with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return recipe.architecture.build()


def determinism(
    recipe: str,
    out: Folder,
    at: Sequence[int],
    seed: int = 0,
    points: int = 11,
    asked: Asked = Asked(),
) -> Survey:
    """Spawn two children of a run of a recipe at each of some steps, and measure the line between them.

    seed: of the parent's weights, mazes and depths; child c draws with seed 255 − c. Raises InputError, before anything
    is computed, for steps beyond the recipe's.
    """
    parsed = parse_recipe(text := recipe_text(recipe), recipe)
    steps = check_steps(at, parsed)
    if not 0 <= seed <= MAX_SEED - CHILDREN:
        raise InputError(f"--seed is from 0 to {MAX_SEED - CHILDREN}, the rest are the children's; got {seed}")
    places = check_places(evenly(points))
    begun = initial(parsed, seed)
    digest = hashlib.sha256(save({name: value.contiguous() for name, value in begun.state_dict().items()})).hexdigest()
    options: dict[str, Any] = {"recipe": parsed.name, "recipe sha256": hashlib.sha256(text.encode()).hexdigest()}
    options |= {"seed": seed, "children": CHILDREN, "steps": parsed.training.total_steps}
    spots = tuple(
        Place(path=f"step {step}", point=number, x=place) for step in steps for number, place in enumerate(places)
    )
    setting = make_setting(
        begun, asked.suite, asked.cells, asked.mazes, asked.iterations, asked.loss_iterations, asked.limits,
        asked.watched, asked.training, asked.device,
    )  # fmt: skip
    if parsed.data.scale != setting.suite.scale:
        raise InputError(
            f"recipe {parsed.name} trains on rasters of scale {parsed.data.scale}, the suite {setting.suite.name} has "
            f"scale {setting.suite.scale}"
        )
    plan = Plan(
        "determinism", (Origin(name=f"{parsed.name}@{seed}", weights_sha256=digest),), setting, spots, (), options
    )
    done = finished(plan, out)
    if done is not None:
        return done
    whole = max(steps) + sum(CHILDREN * (parsed.training.total_steps - step) for step in steps)
    minutes = point_minutes(setting) * len(spots)
    asked.say(f"{whole:,} steps of training, then {len(spots)} points, about {minutes:.1f} minutes on one core")
    with workshop(plan, out) as shop:
        children = _children(shop, parsed, seed, steps, asked)
        paths = {f"step {step}": Path(*ends) for step, ends in children.items()}
        meter = Meter(begun.eval(), setting, resolve_device(asked.device))
        table = measure_places(shop, meter, spots, lambda place: paths[place.path].at(place.x), asked.quiet)
        return conclude(shop, out, table, asked.command)


def check_steps(at: Sequence[int], recipe: Recipe) -> list[int]:
    """Return steps in order. Raises InputError for none, for repeats, and for steps that the recipe does not make."""
    total = recipe.training.total_steps
    if not at or len(set(at)) < len(at) or min(at) < 0 or max(at) >= total:
        said = ", ".join(map(str, at)) or "none"
        raise InputError(f"--at are different steps from 0 to {total - 1}, those of recipe {recipe.name}; got {said}")
    return sorted(at)


def _children(
    shop: Workshop, recipe: Recipe, seed: int, steps: Sequence[int], asked: Asked
) -> dict[int, tuple[Weights, Weights]]:
    """Train the children that are not there yet; the parent is trained anew for them, which gives the same one."""
    names = {(step, child): f"child-{step}-{child}" for step in steps for child in range(CHILDREN)}
    missing = [key for key, name in names.items() if shop.kept(name) is None]
    parent = Training(recipe, seed, resolve_device(asked.device)) if missing else None
    for step in sorted({step for step, _ in missing}):
        assert parent is not None
        parent.run(step, seed, asked.quiet, "parent")
        for child in [number for at, number in missing if at == step]:
            shop.content(names[step, child], _grown(parent.spawned(), child, asked.quiet))
    return {step: _pair([shop.kept(names[step, child]) or b"" for child in range(CHILDREN)]) for step in steps}


def _grown(child: Training, number: int, quiet: bool) -> Callable[[], bytes]:
    total = child.training.total_steps
    return lambda: child.run(total, MAX_SEED - number, quiet, f"child {number}").stored()


def _pair(stored: Sequence[bytes]) -> tuple[Weights, Weights]:
    first, second = (weights_of(_tensors(content)) for content in stored)
    return first, second


def _tensors(content: bytes) -> dict[str, Tensor]:
    return read_tensors(content, "a child's weights")
