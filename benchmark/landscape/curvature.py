"""Curvature of the loss at a network: the ends of its Hessian's spectrum, its trace, and convexity around it.

The loss is the cross-entropy after a fixed number of plain iterations with the gradient through all of them, of which
Hessian products are exact derivatives (Pearlmutter 1994); the training loss, which draws its depth and cuts its
gradient, has no Hessian. Networks are balanced first (``extramaze.models.blending.alignment``): without that the
eigenvalues change at will with scales that change no answer (Dinh et al., arXiv 1703.04933).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor, nn

from extramaze.models.contract import IterativeSolver
from extramaze.models.training.gradients import masked_loss

Vector = np.ndarray
Product = Callable[[Vector], Vector]
BASIS = 10  # vectors of the search for the ends of the spectrum
TOLERANCE = 1e-3  # relative, of eigenvalues
LANCZOS_STEPS = 30


@dataclass(frozen=True, eq=False)
class Objective:
    """A loss as a function of the parameters that it depends on."""

    parameters: Sequence[Tensor]
    loss: Callable[[], Tensor]

    @classmethod
    def of(cls, solver: IterativeSolver, x: Tensor, targets: Tensor, iterations: int) -> "Objective":
        """Return the mean cross-entropy over open pixels after so many iterations; targets int64 (B, H, W)."""
        parameters = [value.requires_grad_(True) for value in solver.parameters()]
        return cls(parameters, lambda: masked_loss(solver(x, iterations), targets, x))

    @property
    def size(self) -> int:
        """How many numbers the parameters are."""
        return sum(value.numel() for value in self.parameters)

    def value(self) -> float:
        """Return the loss."""
        with torch.no_grad():
            return float(self.loss())

    def gradient(self) -> Vector:
        """Return the gradient, float64 (n,)."""
        return _joined(torch.autograd.grad(self.loss(), self.parameters, allow_unused=True), self.parameters)

    def product(self) -> Product:
        """Return the Hessian's product with a vector, (n,) → (n,); the first gradient is kept for all of them."""
        found = torch.autograd.grad(self.loss(), self.parameters, create_graph=True, allow_unused=True)
        used = [(g, p) for g, p in zip(found, self.parameters, strict=True) if g is not None and g.requires_grad]

        def times(vector: Vector) -> Vector:
            parts = dict(zip(map(id, self.parameters), _split(vector, self.parameters), strict=True))
            if not used:
                return np.zeros(self.size)
            gradients = [g for g, _ in used]
            products = torch.autograd.grad(
                gradients, self.parameters, [parts[id(p)] for _, p in used], retain_graph=True, allow_unused=True
            )
            return _joined(products, self.parameters)

        return times


def _joined(parts: Sequence[Tensor | None], like: Sequence[Tensor]) -> Vector:
    rows = [torch.zeros_like(p) if part is None else part for part, p in zip(parts, like, strict=True)]
    return torch.cat([row.detach().reshape(-1) for row in rows]).double().cpu().numpy()


def _split(vector: Vector, like: Sequence[Tensor]) -> list[Tensor]:
    parts = np.split(np.asarray(vector).ravel(), np.cumsum([value.numel() for value in like])[:-1])
    return [torch.from_numpy(part.copy()).to(value).view(value.shape) for part, value in zip(parts, like, strict=True)]


def eigenpairs(product: Product, size: int, count: int, largest: bool = True, seed: int = 0) -> tuple[Vector, Vector]:
    """Return the ``count`` largest (or smallest) eigenvalues, outermost first, and their vectors (n, count)."""
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    start = np.random.default_rng(seed).normal(size=size)
    basis = min(size, max(BASIS, 2 * count + 2))
    if count >= size or size <= basis:
        values, vectors = np.linalg.eigh(np.stack([product(row) for row in np.eye(size)]))
        chosen = np.argsort(-values if largest else values)[:count]
        return values[chosen], vectors[:, chosen]
    which = "LA" if largest else "SA"
    values, vectors = eigsh(operator, k=count, which=which, ncv=basis, tol=TOLERANCE, v0=start)
    order = np.argsort(-values if largest else values)
    return values[order], vectors[:, order]


def trace_probes(product: Product, size: int, probes: int, seed: int = 0) -> Vector:
    """Return Hutchinson's estimates of the trace, one a Rademacher vector; exact where the Hessian is diagonal."""
    random = np.random.default_rng([1, seed])
    signs = [random.integers(2, size=size) * 2.0 - 1 for _ in range(probes)]
    return np.array([vector @ product(vector) for vector in signs])


def gradient_share(gradient: Vector, vectors: Vector) -> float:
    """Return which share of a gradient lies in the span of orthonormal vectors (n, k) (Gur-Ari et al., 1812.04754)."""
    length = float(gradient @ gradient)
    return float(((vectors.T @ gradient) ** 2).sum()) / length if length else 0.0


def density(
    product: Product, size: int, probes: int, seed: int = 0, steps: int = LANCZOS_STEPS
) -> tuple[Vector, Vector]:
    """Return places and weights of the spectrum, by stochastic Lanczos quadrature (Ghorbani et al., 1901.10159).

    The weights sum to 1; a sum of values of a function at the places, so weighted, estimates its mean over eigenvalues.
    """
    random, places, weights = np.random.default_rng([2, seed]), [], []
    for _ in range(probes):
        values, first = _lanczos(product, random.normal(size=size), min(steps, size))
        places.append(values)
        weights.append(first**2 / probes)
    return np.concatenate(places), np.concatenate(weights)


def _lanczos(product: Product, start: Vector, steps: int) -> tuple[Vector, Vector]:
    """Return the tridiagonal matrix's eigenvalues and the first components of its vectors; fully orthogonalised."""
    basis, diagonal, beside = [start / np.linalg.norm(start)], [], []
    for _ in range(steps):
        new = product(basis[-1])
        diagonal.append(float(new @ basis[-1]))
        for vector in [*basis, *basis]:
            new = new - (new @ vector) * vector
        length = float(np.linalg.norm(new))
        if length < 1e-10 * max(1.0, abs(diagonal[0])) or len(diagonal) == steps:
            break
        beside.append(length)
        basis.append(new / length)
    matrix = np.diag(diagonal) + np.diag(beside[: len(diagonal) - 1], 1) + np.diag(beside[: len(diagonal) - 1], -1)
    values, vectors = np.linalg.eigh(matrix)
    return values, vectors[0]


def set_parameters(solver: nn.Module, numbers: Vector) -> None:
    """Put numbers (n,), in the order of ``parameters()``, into a module."""
    parameters = list(solver.parameters())
    with torch.no_grad():
        for value, part in zip(parameters, _split(numbers, parameters), strict=True):
            value.copy_(part)
