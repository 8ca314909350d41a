import numpy as np
import pytest
import torch

from extramaze.dynamics import Limit, observe
from extramaze.dynamics.drift import bends, goes_on
from extramaze.dynamics.verdict import read_returns

COUNT = 200  # trajectories of a kind


def turned(state, angle):
    c, s = np.cos(angle), np.sin(angle)
    return torch.stack([c * state[:, 0] - s * state[:, 1], s * state[:, 0] + c * state[:, 1]], dim=1)


def autoregressive(rate, numbers=1):
    return lambda z: rate * z + torch.randn_like(z), torch.randn(COUNT, numbers).double() / np.sqrt(1 - rate**2)


def coloured(z):
    return torch.stack([0.97 * z[:, 0] + z[:, 1], 0.97 * z[:, 1] + torch.randn_like(z[:, 1])], dim=1)


def loop(angle, size):
    """A loop that pulls weakly, with noise."""

    def step(z):
        z = turned(z, angle)
        radius = torch.linalg.vector_norm(z, dim=1, keepdim=True)
        return z * (1 - 0.01 * (1 - 1 / radius)) + size * torch.randn_like(z)

    return step, torch.tensor([[1.0, 0.0]]).double().repeat(COUNT, 1)


def forced(z):
    return torch.cat([turned(z[:, :2], 0.27), (0.7 * z[:, 2:] + z[:, :1] + 0.1 * torch.randn_like(z[:, 2:]))], dim=1)


NOISES = {
    "white": autoregressive(0.5),
    "alternating": autoregressive(-0.95, numbers=8),
    "of long memory": autoregressive(0.999),
    "coloured": (coloured, torch.zeros(COUNT, 2).double()),
    "heavy-tailed": (lambda z: 0.5 * z + torch.empty_like(z).cauchy_(), torch.zeros(COUNT, 1).double()),
    "as large as the state": (
        lambda z: 0.5 * z + (1e-3 + 0.5 * z.abs()) * torch.randn_like(z),
        torch.ones(COUNT, 1).double(),
    ),
    "on a loop": loop(0.01, 1e-3),
    "small, on a loop": loop(0.01, 1e-5),
    "on a slow loop": loop(0.001, 1e-3),
    "forced": (forced, torch.tensor([[1.0, 0.0, 0.0]]).double().repeat(COUNT, 1)),
}


@pytest.mark.parametrize("kind", NOISES)
def test_stationary_noise_is_not_drift(kind):
    """At most one trajectory in a hundred is called drifting, and none is called at rest or a cycle."""
    torch.manual_seed(3)
    step, state = NOISES[kind]
    limits = observe(step, state, burn_in=600, window=128).limit
    assert limits.count(Limit.DRIFTING) <= COUNT / 100
    assert not {Limit.FIXED_POINT, Limit.CYCLE, Limit.DIVERGED} & set(limits)


def test_chance_repetitions_are_no_cycle():
    """Noise that has come upon one of its states before has no period: the window does not show it."""
    drawn = torch.randn(600, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    places = iter([*range(200), 198, *range(201, 600)])
    report = observe(lambda z: drawn[next(places)], drawn[0].clone(), burn_in=250, window=64, exponent_steps=0)
    assert report.limit == [Limit.UNDECIDED] * 2


@pytest.mark.parametrize(
    ("angle", "rate"),
    [
        pytest.param(angle, 1 - 10.0**-k, marks=[] if k == usual else pytest.mark.slow)
        for angle, usual in {0.0: 5, np.pi: 4, 2.4: 3, 0.05: 4, 0.003: 5}.items()  # by default each angle, each rate
        for k in (3, 4, 5)
    ],
)
def test_what_contracts_slowly_drifts(angle, rate):
    """Straight, by turns, in a spiral, or in a spiral of which little is seen."""
    start = 3 + torch.randn(2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    report = observe(lambda z: 3 + rate * turned(z - 3, angle), start, burn_in=100, window=128)
    assert report.limit == [Limit.DRIFTING] * 2


@pytest.mark.parametrize("angle", [1e-6, pytest.param(1e-4, marks=pytest.mark.slow), 2e-3])
@pytest.mark.parametrize("window", [128, 400])
def test_a_loop_of_which_a_part_is_seen_stays_open(angle, window):
    """A turn of far less than a circle in all goes one way, and may close."""
    start = torch.randn(2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    report = observe(lambda z: 50 + turned(z - 50, angle), 50 + start, burn_in=100, window=window)
    assert report.limit == [Limit.UNDECIDED] * 2


@pytest.mark.parametrize("rate", [1.002, 1.0002])
def test_what_leaves_an_unstable_point_stays_open(rate):
    """It goes straight, and ever faster: where to has not been seen."""
    start = 50 + 1e-6 * torch.randn(2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    report = observe(lambda z: 50 + rate * (z - 50), start, burn_in=100, window=128)
    assert Limit.DRIFTING not in report.limit


def way(kind, count=65):
    """Frames of a way in the plane, on the x-axis but for what bends or shakes it."""
    along = torch.arange(count, dtype=torch.float64)
    shaken = 0.02 * torch.randn(count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    aside = {"straight": 0 * along, "bent": 1e-6 * along**2, "shaken": shaken}[kind]
    return torch.stack([along, aside - aside[0]], dim=1)


@pytest.mark.parametrize(("kind", "bent"), [("straight", False), ("bent", True), ("shaken", False)])
def test_a_bend_is_told_from_a_tremble(kind, bent):
    """Halves of a bent way are turned by more than its quarters are; those of a trembling one by less."""
    assert bends(way(kind), 1, floor=1e-12) == bent


def test_a_bend_below_the_floor_is_none():
    """Nobody sees it."""
    assert not bends(way("bent"), 1, floor=1.0)


@pytest.mark.parametrize(
    ("strides", "goes"),
    [
        (np.ones(40), True),
        (0.999 ** np.arange(40), True),
        (1.001 ** np.arange(40), False),
        (np.arange(1.0, 9.0), False),
    ],
    ids=["even", "shorter", "longer", "much longer"],
)
def test_strides_go_on_evenly_or_shorten(strides, goes):
    """Ever longer ones lead somewhere else."""
    assert goes_on(strides) == goes


def test_the_lag_of_the_closest_returns_is_told():
    """A fifth of a turn comes back after five steps."""
    turns = 2 * np.pi * np.arange(60) / 5
    points = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    assert read_returns(distances)[3] % 5 == 0
