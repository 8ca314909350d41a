import numpy as np
import pytest
import torch

from extramaze.dynamics import Limit, observe
from extramaze.mazes import InputError

SIZE = 512  # numbers in a state


def start(batch=3):
    """Random states on a mean of 50."""
    return 50 + torch.randn(batch, SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def rotation(angle, centre=50.0):
    """Turn pairs of coordinates about a centre."""
    c, s = np.cos(angle), np.sin(angle)

    def step(state):
        pairs = (state - centre).unflatten(1, (-1, 2))
        x, y = pairs[..., 0], pairs[..., 1]
        return torch.stack([c * x - s * y, s * x + c * y], dim=-1).flatten(1) + centre

    return step


def test_a_contraction_settles():
    """z ← 7 + z/2 ends at 14, whatever the start."""
    report = observe(lambda z: 7 + z / 2, start(), burn_in=200, window=50)
    assert report.limit == [Limit.FIXED_POINT] * 3
    assert report.period.tolist() == [1, 1, 1]
    assert torch.allclose(report.final, torch.tensor(14.0, dtype=torch.float64))


@pytest.mark.parametrize("period", [2, 3, 5, 8, 32])
def test_cycles_have_their_least_period(period):
    """Rotation by a full turn over k returns after k steps and no fewer."""
    report = observe(rotation(2 * np.pi / period), start(), burn_in=10, window=64)
    assert report.limit == [Limit.CYCLE] * 3
    assert report.period.tolist() == [period] * 3


def test_a_tiny_cycle_on_a_large_mean_is_a_cycle():
    """Motion of amplitude 1e-6 about 50 is motion."""
    sign = torch.ones(SIZE, dtype=torch.float64)

    def step(state):
        return 100 - state

    report = observe(step, 50 + 1e-6 * sign.repeat(2, 1), burn_in=10, window=20)
    assert report.limit == [Limit.CYCLE] * 2
    assert report.period.tolist() == [2, 2]


@pytest.mark.parametrize(
    "step",
    [
        rotation(np.pi * (3 - np.sqrt(5))),  # golden angle: nearly returns, never does
        lambda z: 3.9 * (z / 60) * (1 - z / 60) * 60,  # logistic map in its chaotic regime
        lambda z: z + 1e-3,  # drift
        lambda z: 14 + (z - 14) * (1 - 1e-4),  # a contraction still moving
        rotation(2 * np.pi / 64),  # a period beyond half the window
    ],
    ids=["golden", "chaos", "drift", "slow", "long"],
)
def test_what_neither_rests_nor_returns_is_not_called_settled(step):
    """Motion without return within half the window is undecided, never a fixed point or a cycle."""
    report = observe(step, start(), burn_in=100, window=100)
    assert report.limit == [Limit.UNDECIDED] * 3
    assert report.period.tolist() == [0, 0, 0]


def test_each_trajectory_is_judged_alone():
    """One batch may hold every limit at once."""
    rates = torch.tensor([[0.5], [-1.0], [2.0], [1.0]], dtype=torch.float64)
    drift = torch.tensor([[0.0], [0.0], [0.0], [1.0]], dtype=torch.float64)
    report = observe(lambda z: z * rates + drift, start(4), burn_in=1500, window=30)
    assert report.limit == [Limit.FIXED_POINT, Limit.CYCLE, Limit.DIVERGED, Limit.UNDECIDED]


def test_a_map_that_works_in_place_is_seen_through():
    """Frames are kept in storage of their own: a map that reuses its tensor still shows its motion."""
    report = observe(lambda z: z.neg_(), start(), burn_in=3, window=10)
    assert report.limit == [Limit.CYCLE] * 3
    assert report.period.tolist() == [2, 2, 2]


def test_every_limit_has_a_sentence():
    """A verdict explains itself."""
    assert all(limit.sentence.endswith(".") for limit in Limit)


def test_a_window_too_short_is_refused():
    """A window needs two steps."""
    with pytest.raises(InputError, match="window at least 2"):
        observe(lambda z: z, start(), burn_in=0, window=1)
