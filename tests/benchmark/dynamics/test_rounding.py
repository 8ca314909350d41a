import pytest
import torch

from extramaze.dynamics import Limit, observe
from extramaze.dynamics.rounding import EPSILON, Heights, own_rounding


def beside(large, *small):
    return torch.tensor([[large, *small]], dtype=torch.float64)


def around(step):
    """A step that leaves the first number as it is."""
    return lambda z: torch.cat([z[:, :1], step(z[:, 1:])], dim=1)


@pytest.mark.parametrize("large", [1.0, 1e6, 1e9, 1e12, 1e13, 1e14, 1e15])
@pytest.mark.parametrize(
    ("step", "limit", "period"),
    [
        (lambda z: -z, Limit.CYCLE, 2),
        (lambda z: z.roll(1, 1), Limit.CYCLE, 3),
        (lambda z: 3.2 * z * (1 - z), Limit.CYCLE, 2),
        (lambda z: (1 - 1e-4) * z, Limit.DRIFTING, 0),
        (lambda z: 0.5 * z + 0.1, Limit.FIXED_POINT, 1),
        (lambda z: z + 0.0, Limit.FIXED_POINT, 1),
    ],
    ids=["2-cycle", "3-cycle", "logistic", "slow contraction", "contraction", "at rest"],
)
def test_what_moves_beside_a_large_constant_moves(large, step, limit, period):
    """However large the constant, which takes no part in it."""
    report = observe(around(step), beside(large, 0.1, 0.23, 0.37), burn_in=600, window=128)
    assert report.limit == [limit]
    assert report.period.tolist() == [period]


def test_the_smaller_motion_counts_in_a_period():
    """A number of 1e12 that changes its sign, beside a circle of three: six steps."""
    report = observe(lambda z: torch.cat([-z[:, :1], z[:, 1:].roll(1, 1)], 1), beside(1e12, 0.1, 0.2, 0.4), 600, 128)
    assert report.period.tolist() == [6]


@pytest.mark.parametrize("large", [1e6, 1e9, 1e12, 1e15])
@pytest.mark.parametrize("seed", range(3))
def test_rounding_of_a_large_number_is_no_motion_of_those_that_it_feeds(large, seed):
    """At rest they tremble by its last bits, far beyond their own."""
    random = torch.Generator().manual_seed(seed)
    matrix = torch.randn(6, 6, generator=random, dtype=torch.float64)
    matrix *= 0.9 / torch.linalg.eigvals(matrix).abs().max()
    point = torch.cat([torch.tensor([large]).double(), torch.randn(5, generator=random, dtype=torch.float64)])
    start = point + torch.randn(3, 6, generator=random, dtype=torch.float64)
    report = observe(lambda z: z @ matrix.T + (point - matrix @ point), start, burn_in=600, window=128)
    assert report.limit == [Limit.FIXED_POINT] * 3


def test_a_last_bit_that_flickers_rests_and_so_does_what_it_feeds():
    """The states repeat after two steps, bit for bit, and nothing moved but the last bit of 1e12."""
    large = torch.tensor(1e12, dtype=torch.float64)
    above = torch.nextafter(large, 2 * large)

    def step(z):
        flicker = torch.where(z[:, 0] == large, above, large)
        return torch.stack([flicker, 0.5 * z[:, 1] + (z[:, 0] - large)], dim=1)

    report = observe(step, beside(1e12, 0.3), burn_in=600, window=128)
    assert report.limit == [Limit.FIXED_POINT]
    assert report.residual[0] > 1e-5


def test_what_fell_to_nothing_beside_a_large_constant_rests():
    """It is compared with what it was, in the beginning or in a transient that began at 0."""
    report = observe(around(lambda z: 0.9 * z), beside(1e12, 3.0), burn_in=600, window=128)
    assert report.limit == [Limit.FIXED_POINT]
    fed = torch.tensor([[0.985, 0.0], [1.0, 0.985]]).double()
    assert observe(lambda z: z @ fed.T, beside(1.0, 0.0), burn_in=4000, window=128).limit == [Limit.FIXED_POINT]


def test_own_rounding_is_that_of_what_a_number_is_made_of():
    """A number beside a large one has its own, one fed by it has its; over a chain too."""
    state = beside(1e12, 0.1, 0.2, 0.3)

    def step(z):
        return torch.stack([z[:, 0], -z[:, 1], 0.5 * (z[:, 0] - 1e12) + 0.1 * z[:, 2], 0.5 * z[:, 2]], dim=1)

    large, alone, fed, next_to_it = own_rounding(step, state)[0].tolist()
    assert 0.5 * EPSILON * 1e12 <= large <= 10 * EPSILON * 1e12
    assert alone <= 10 * EPSILON * 0.1
    assert 1e-5 < next_to_it < fed < 1e-2


def test_what_reaches_no_number_is_beyond_measure():
    """A map that breaks when nudged has rounding without bound, so that nothing is told of it."""
    assert own_rounding(lambda z: torch.where(z == 1, 1.0, torch.nan), beside(1.0)).item() == float("inf")


def test_heights_are_those_of_a_passing_transient():
    """Looked at after 1, 2, 4, … steps; infinities are none."""
    heights = Heights(beside(0.0, float("inf")))
    for value in (1.0, 5.0, 2.0, 0.1):
        heights.see(beside(value, 0.0))
    assert heights.value.tolist() == [[5.0, 0.0]]


def test_rounding_is_measured_only_where_it_can_matter():
    """A state at rest whose numbers are of one size is told so without a further step."""
    calls = []

    def step(z):
        calls.append(1)
        return 7 + 0.4999 * torch.roll(z, 1, 1)

    assert observe(step, beside(1.0, 2.0, 3.0), burn_in=300, window=64).limit == [Limit.FIXED_POINT]
    assert len(calls) == 364
