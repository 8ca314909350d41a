"""Gradients through the limit of an iteration, without the iterations in memory.

Each function continues from a state that free iterations, or a root finder, reached without gradients, and costs the
memory of the steps named here however long that took.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from extramaze.models.contract import IterativeSolver
from extramaze.models.root_finding import Method, Root, find_root


def settle(solver: IterativeSolver, state: Tensor, x: Tensor, budget: int, tolerance: float) -> Tensor:
    """Iterate without gradients, each maze until ‖new − old‖∞ < tolerance, at most ``budget`` times.

    The free iterations of Jacobian-free backpropagation (Fung et al., arXiv 2103.12803, algorithm 1). A tolerance of 0
    tests nothing: the whole batch iterates together.
    """
    with torch.no_grad():
        if tolerance == 0:
            for _ in range(budget):
                state = solver.step(state, x)
            return state.detach()
        reached = state.detach().clone()
        active = torch.arange(state.shape[0], device=state.device)
        for _ in range(budget):
            old = reached[active]
            new = solver.step(old, x[active])
            reached[active] = new.to(reached.dtype)
            active = active[(new - old).flatten(1).abs().amax(dim=1) >= tolerance]
            if not len(active):
                break
    return reached


def equilibrium(
    solver: IterativeSolver, start: Tensor, x: Tensor, method: Method, tolerance: float, budget: int
) -> Root:
    """Look for z = step(z, x) from given states, in the precision of x, without gradients."""
    state = start.detach().to(x.dtype)
    return find_root(lambda z, rows: solver.step(z, x[rows]), state, method, tolerance, budget)


def implicit_step(
    solver: IterativeSolver,
    state: Tensor,
    x: Tensor,
    tolerance: float,
    budget: int,
    report: Callable[[Root], Any] = lambda _: None,
) -> Tensor:
    """Make one step at an equilibrium whose backward pass is that of the equilibrium itself.

    By the implicit function theorem a gradient g of the equilibrium becomes u = (1 − Jᵀ)⁻¹ g at one step,
    J = ∂step/∂state (Bai et al. 2019, arXiv 1909.01377, theorem 1). u = g + Jᵀu is solved by Anderson acceleration,
    which on linear equations is GMRES in all but name (Walker & Ni 2011), for each maze until its relative residual is
    at most the tolerance or ``budget`` products with Jᵀ are spent; ``report`` is told how. Memory: one step's.
    """
    point = state.detach().requires_grad_()
    image = solver.step(point, x).to(state.dtype)

    def solve(gradient: Tensor) -> Tensor:
        size = gradient.flatten(1).norm(dim=1).clamp(min=torch.finfo(gradient.dtype).tiny)
        scale = size.view(-1, *[1] * (gradient.dim() - 1))
        target = gradient / scale

        def transposed(u: Tensor, rows: Tensor) -> Tensor:
            full = torch.zeros_like(target).index_copy(0, rows, u)
            (product,) = torch.autograd.grad(image, point, full, retain_graph=True)
            return (product + target)[rows]

        root = find_root(transposed, target, "anderson", tolerance, budget)
        report(root)
        return root.state * scale

    return _Backward.apply(image, solve)  # type: ignore[no-untyped-call]


class _Backward(torch.autograd.Function):
    """The identity, with a backward pass of its own."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, backward: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.pull_back = backward
        return image.view_as(image)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.pull_back(gradient), None


def phantom_steps(solver: IterativeSolver, state: Tensor, x: Tensor, steps: int, damping: float) -> Tensor:
    """Make damped steps z ← λ step(z, x) + (1 − λ) z with gradients, from a state that counts as constant.

    Phantom gradients (Geng et al. 2021, arXiv 2111.05177, section 3.2, unrolled): at an equilibrium, k steps give the
    first k terms of the series λ Σ (λ J + (1 − λ) 1)ᵗ of the implicit gradient. Memory: k steps'.
    """
    state = state.detach()
    for _ in range(steps):
        state = torch.lerp(state, solver.step(state, x).to(state.dtype), damping)
    return state
