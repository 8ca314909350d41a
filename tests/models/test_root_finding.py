import math

import pytest
import torch

from extramaze.mazes import InputError
from extramaze.models.root_finding import find_root

pytestmark = pytest.mark.numeric

COSINE = 0.7390851332151607  # cos z = z
GOLDEN = (1 + math.sqrt(5)) / 2


def linear(rows=4, size=30, norm=0.9):
    """Matrix, shifts and exact fixed points of z ← z Aᵀ + b, ‖A‖ = norm."""
    torch.manual_seed(0)
    matrix = torch.randn(size, size, dtype=torch.float64)
    matrix *= norm / torch.linalg.matrix_norm(matrix, 2)
    shift = torch.randn(rows, size, dtype=torch.float64)
    return matrix, shift, torch.linalg.solve(torch.eye(size, dtype=torch.float64) - matrix, shift.T).T


@pytest.mark.parametrize("method", ["plain", "anderson", "broyden"])
def test_linear_fixed_points_are_found(method):
    """Every method reaches the solution of (1 − A) z = b in every row, and says so."""
    matrix, shift, exact = linear()
    root = find_root(lambda z, rows: z @ matrix.T + shift[rows], torch.zeros_like(shift), method, 1e-11, 400, memory=30)
    assert torch.allclose(root.state, exact, atol=1e-9)
    assert root.converged.all()
    image = root.state @ matrix.T + shift
    assert torch.allclose(root.residual, (image - root.state).norm(dim=1) / image.norm(dim=1).clamp(min=1))


def test_plain_iterations_match_a_loop():
    """``plain`` is z ← f(z): k evaluations see z₀ … z₍k₋₁₎, and the state of the smallest residual is the last."""
    matrix, shift, _ = linear()
    root = find_root(lambda z, rows: z @ matrix.T + shift[rows], torch.zeros_like(shift), "plain", 0.0, 8)
    state = torch.zeros_like(shift)
    for _ in range(7):
        state = state @ matrix.T + shift
    assert torch.allclose(root.state, state)
    assert root.evaluations.tolist() == [8] * 4
    assert not root.converged.any()


def test_broyden_ends_on_linear_equations():
    """Good Broyden solves n linear equations in at most 2n steps (Gay 1979), where plain iteration is far away."""
    matrix, shift, exact = linear(size=6, norm=0.99)
    start = torch.zeros_like(shift)
    answers = {
        method: find_root(lambda z, rows: z @ matrix.T + shift[rows], start, method, 0.0, 14, 20).state
        for method in ("broyden", "plain")
    }
    assert (answers["broyden"] - exact).norm() < 1e-10
    assert (answers["plain"] - exact).norm() > 1e-4


def test_anderson_is_gmres_on_linear_equations():
    """With full memory the iterate after k steps is f of GMRES's k-th: its residual is A times GMRES's smallest one."""
    matrix, shift, _ = linear(rows=1, size=8)
    seen = []

    def function(z, rows):
        seen.append(z.clone())
        return z @ matrix.T + shift

    find_root(function, torch.zeros_like(shift), "anderson", 0.0, 7, memory=8)
    system = torch.eye(8, dtype=torch.float64) - matrix
    krylov = torch.stack([torch.linalg.matrix_power(system, k) @ shift[0] for k in range(8)], dim=1)
    for k in range(1, 6):
        basis, _ = torch.linalg.qr(krylov[:, :k])
        best = basis @ torch.linalg.lstsq(system @ basis, shift[0].unsqueeze(1)).solution.squeeze(1)
        assert torch.allclose(seen[k + 1][0], matrix @ best + shift[0], atol=1e-6)


@pytest.mark.parametrize(("method", "memory"), [("anderson", 1), ("broyden", 50)])
def test_order_of_convergence_is_the_golden_ratio(method, memory):
    """On one equation both are the secant method: log errors grow by (1 + √5)/2; the plain iteration's stay linear."""
    seen = []

    def cosine(z, rows):
        seen.append(abs(float(z) - COSINE))
        return torch.cos(z)

    find_root(cosine, torch.ones(1, 1, dtype=torch.float64), method, 1e-15, 20, memory)
    logs = [math.log(error) for error in seen if error > 1e-14][-3:]
    assert logs[-1] < math.log(1e-9)
    # errors of a method of order p and constant C obey log e″ = p log e′ + log C; C = (|f″| / 2(1 − f′))^(1/p)
    constant = math.log(math.cos(COSINE) / (2 * (1 + math.sin(COSINE)))) / GOLDEN
    assert (logs[-1] - constant) / logs[-2] == pytest.approx(GOLDEN, abs=0.05)
    seen.clear()
    find_root(cosine, torch.ones(1, 1, dtype=torch.float64), "plain", 0.0, 40)
    assert seen[-1] / seen[-2] == pytest.approx(math.sin(COSINE), abs=0.01)


@pytest.mark.parametrize("method", ["plain", "anderson", "broyden"])
def test_rows_do_not_meet(method):
    """A row's state and its count of evaluations are the same alone, in company, and beside rows that diverge."""
    rates = torch.tensor([0.3, 1.5, 0.9, -0.8], dtype=torch.float64)

    def function(z, rows):
        return rates[rows].unsqueeze(1) * torch.sin(z) + 1

    start = torch.ones(4, 5, dtype=torch.float64)
    together = find_root(function, start, method, 1e-10, 60)
    for row in range(4):
        alone = find_root(lambda z, _, row=row: function(z, torch.tensor([row])), start[:1], method, 1e-10, 60)
        assert torch.allclose(alone.state[0], together.state[row], rtol=1e-9)
        assert alone.evaluations[0] == together.evaluations[row]
    assert len(set(together.evaluations.tolist())) > 1


def test_ended_rows_are_evaluated_no_more():
    """Evaluations reported are those made: the function is called with the rows still at work alone."""
    made = torch.zeros(3, dtype=torch.int64)
    rates = torch.tensor([0.0, 0.5, 0.9], dtype=torch.float64)

    def function(z, rows):
        made[rows] += 1
        return rates[rows].unsqueeze(1) * z + 1

    root = find_root(function, torch.zeros(3, 2, dtype=torch.float64), "plain", 1e-6, torch.tensor([50, 50, 20]))
    assert made.tolist() == root.evaluations.tolist()
    assert root.evaluations[0] == 2
    assert root.evaluations[2] == 20
    assert root.converged.tolist() == [True, True, False]


@pytest.mark.parametrize("method", ["anderson", "broyden"])
def test_falling_back_is_counted(method):
    """A step that lands where f is no number falls back to the plain step, is counted, and the root is found still."""

    def function(z, rows):  # f(z) = 0.9 z + 1 up to 8, not a number beyond: an accelerated step leaps to 10 at once
        return torch.where(z < 8, 0.9 * z + 0.5, torch.nan)

    root = find_root(function, torch.zeros(1, 1, dtype=torch.float64), method, 1e-12, 60)
    assert root.fallbacks[0] == 0
    assert root.state.item() == pytest.approx(5)

    def trap(z, rows):  # the same line with a kink: the secant through its first two points leaps into the trap
        return torch.where(z < 1, 0.9 * z + 0.5, torch.where(z < 3, 0.5 * z + 0.9, torch.nan))

    root = find_root(trap, torch.zeros(1, 1, dtype=torch.float64), method, 1e-12, 60)
    assert root.fallbacks[0] >= 1
    assert root.converged[0]
    assert root.state.item() == pytest.approx(1.8)


def test_the_best_state_is_returned():
    """Where nothing converges the state of the smallest residual comes back, with that residual."""
    seen = []

    def function(z, rows):
        image = z + torch.tensor([3.0, 1.0, 2.0, 2.0])[len(seen)]
        seen.append(z.clone())
        return image

    root = find_root(function, torch.zeros(1, 1), "plain", 0.0, 4)
    assert root.state.item() == seen[1].item() == 3.0
    assert root.residual.item() == pytest.approx(1 / 4)


def test_bad_arguments_are_refused():
    """An unknown method, no budget, or no memory is one line."""
    for method, budget, memory in (("newton", 5, 5), ("plain", 0, 5), ("plain", 5, 0)):
        with pytest.raises(InputError, match="root finder"):
            find_root(lambda z, rows: z, torch.zeros(1, 1), method, 0.1, budget, memory)
