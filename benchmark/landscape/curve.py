"""A curve of low loss between two networks: its bend is trained, its ends stay.

Garipov et al., "Loss surfaces, mode connectivity, and fast ensembling of DNNs" (arXiv 1802.10026), section 3: the
expected loss over places t ~ U(0, 1) of the curve is minimised over the bend. The loss is the recipe's own training
loss, with its own draws of mazes and depths, under a seed that no training has. The weights at t are a sum of ends and
bend, so the bend's gradient is that of the weights times its coefficient.
"""

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from extramaze.core.progress import progress_bar
from extramaze.landscape.paths import Path
from extramaze.models.blending.weights import Weights, rounded
from extramaze.models.calling import in_precision
from extramaze.models.contract import IterativeSolver
from extramaze.models.states import inner
from extramaze.models.training.data import Supply
from extramaze.models.training.gradients import training_loss
from extramaze.models.training.recipe import Recipe
from extramaze.models.training.validation import to_tensors

SEED = 255  # of mazes and depths
DRAWS = 40  # the first number of the key of places
RATE = 1e-3
BETAS = (0.9, 0.999)
TINY = 1e-8


def train_bend(
    solver: IterativeSolver, path: Path, recipe: Recipe, steps: int, device: torch.device, quiet: bool = False
) -> Weights:
    """Train the bend of a curve, from the middle of its ends, by Adam with a rate that falls to 0 along a cosine."""
    ours = in_precision(solver, torch.float32, device).train()
    like = solver.state_dict()
    bend = {name: (path.first[name] + path.second[name]) / 2 for name in path.first}
    mean, square = ({name: np.zeros_like(value) for name, value in bend.items()} for _ in range(2))
    supply = Supply(recipe.data, SEED, recipe.training.batch)
    for step in progress_bar(range(steps), desc="bend", unit=" steps", quiet=quiet):
        t = float(np.random.default_rng([DRAWS, SEED, step]).random())
        here = Path(path.first, path.second, bend, path.form)
        gradient = _gradient(ours, rounded(here.at(t), like), recipe, supply, step, device)
        share = here.coefficients(t)[2]
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
        for name, slope in gradient.items():
            mean[name] = BETAS[0] * mean[name] + (1 - BETAS[0]) * share * slope
            square[name] = BETAS[1] * square[name] + (1 - BETAS[1]) * (share * slope) ** 2
            first, second = (1 - beta ** (step + 1) for beta in BETAS)
            bend[name] = bend[name] - rate * (mean[name] / first) / (np.sqrt(square[name] / second) + TINY)
    return bend


def _gradient(
    solver: IterativeSolver, weights: dict[str, Tensor], recipe: Recipe, supply: Supply, step: int, device: torch.device
) -> Weights:
    """Return the training loss's gradient, clipped as the recipe does; a tensor that a draw does not reach has none."""
    inner(solver).load_state_dict(weights)
    solver.zero_grad(set_to_none=True)
    x, targets = to_tensors(supply(step), device, torch.contiguous_format)
    training = recipe.training.model_copy(update={"bf16": False, "contraction": None})
    torch.autograd.backward(training_loss(solver, x, targets, training, SEED, step))
    if training.clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(solver.parameters(), training.clip_norm)
    return {
        name: value.grad.double().cpu().numpy()
        for name, value in inner(solver).named_parameters()
        if value.grad is not None
    }


def bend_bytes(bend: Weights) -> bytes:
    """Return a bend as its file holds it: float64 tensors."""
    return save({name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in bend.items()})
