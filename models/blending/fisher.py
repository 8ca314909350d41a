"""The diagonal of a network's Fisher information: how much its answers depend on each of its weights.

Matena & Raffel, "Merging models with Fisher-weighted averaging" (arXiv 2111.09832), section 2: the mean over mazes of
the squared derivative of log p(answer | maze), with the answer drawn from the network's own probabilities, pixel by
pixel, since a network that has learnt its mazes has no derivative at their true answers. Here of the answer after a
fixed number of iterations, with the gradient through all of them, in float64.
"""

import numpy as np
import torch
from torch.nn import functional

from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models.blending.sources import Source
from extramaze.models.blending.weights import Weights
from extramaze.models.calling import in_precision
from extramaze.models.contract import open_pixels
from extramaze.models.states import inner

MAZES = 16
FLOOR = 1e-6  # of the mean: what no maze depends on is averaged plainly
DRAWS = 20  # the first number of the key of drawn answers


def fisher_information(source: Source, weights: Weights, mazes: int = MAZES) -> Weights:
    """Return the diagonal, by tensor, on the first mazes of the train split that a parent was trained on; above 0.

    weights: the parent's, as they are to be combined. It is divided by its mean, so that a parent weighs by which of
    its weights matter, not by how sure it is.
    """
    solver = in_precision(source.solver, torch.float64)
    inner(solver).load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    parameters = dict(inner(solver).named_parameters())
    total = {name: torch.zeros_like(value) for name, value in inner(solver).state_dict().items()}
    for index in range(mazes):
        spec = MazeSpec.parse(source.specs[index % len(source.specs)])
        image, _ = raster(generate(spec, 1, split="train", first=index, workers=1), source.scale, workers=1)
        x = torch.from_numpy(image).to(torch.float64)
        logits = solver(x, 1 if solver.single_pass else source.iterations)
        drawn = np.random.default_rng([DRAWS, index]).random(logits[:, 0].shape)
        answer = (torch.from_numpy(drawn) < logits.detach().softmax(dim=1)[:, 1]).long()
        losses = functional.cross_entropy(logits, answer, reduction="none") * open_pixels(x)
        gradients = torch.autograd.grad(losses.sum(), list(parameters.values()), allow_unused=True)
        for name, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                total[name] += gradient**2
    return _scaled({name: value.numpy() for name, value in total.items()})


def _scaled(total: Weights) -> Weights:
    mean = sum(float(value.sum()) for value in total.values()) / sum(value.size for value in total.values())
    return {name: value / mean + FLOOR if mean > 0 else np.ones_like(value) for name, value in total.items()}
