"""Keep an iteration from expanding: estimate its contraction factor, and rescale its weights mildly.

Knutson et al. (arXiv 2410.03020), appendix on IT-Net. Their published code divides by the norm of the state; the factor
is of the change of two images against that of the two states, so here it is the perturbation's norm.
"""

import torch
from torch import Tensor

from extramaze.models.dt_net import DTNet


def expansion(solver: DTNet, state: Tensor, x: Tensor, noise: Tensor) -> Tensor:
    """Return ‖step(z + δ) − step(z)‖ / ‖δ‖ for each maze, Euclidean norms: states and noise (B, …) → (B,).

    A lower bound of the Lipschitz constant of ``step`` on each maze.
    """
    with torch.no_grad():
        moved = solver.step(state + noise, x) - solver.step(state, x)
    return moved.flatten(1).norm(dim=1) / noise.flatten(1).norm(dim=1)


def contract(solver: DTNet, state: Tensor, x: Tensor, noise: Tensor, limit: float) -> float:
    """Rescale the recurrent convolutions where the largest estimate exceeds ``limit``; return that estimate.

    Each of the n convolutions that one step passes is multiplied by (limit / estimate)^(1/n).
    """
    estimate = float(expansion(solver, state, x, noise).amax())
    if estimate > limit:
        layers = solver.recurrent_convolutions()
        with torch.no_grad():
            for layer in layers:
                layer.weight.mul_((limit / estimate) ** (1 / len(layers)))
    return estimate
