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
    ("step", "limit", "period"),
    [
        (rotation(np.pi * (3 - np.sqrt(5))), Limit.QUASIPERIODIC, 0),  # golden angle: nearly returns, never does
        (lambda z: 3.9 * (z / 60) * (1 - z / 60) * 60, Limit.CHAOTIC, 0),  # logistic map in its chaotic regime
        (lambda z: z + 1e-3, Limit.DRIFTING, 0),
        (lambda z: 14 + (z - 14) * (1 - 1e-4), Limit.DRIFTING, 0),  # a contraction still moving
        (rotation(2 * np.pi / 64), Limit.CYCLE, 64),  # a period beyond half the window
    ],
    ids=["golden", "chaos", "drift", "slow", "long"],
)
def test_what_the_window_leaves_open_is_pursued(step, limit, period):
    """Motion without return within half the window is decided by following it; without that it stays undecided."""
    report = observe(step, start(), burn_in=100, window=100)
    assert report.limit == [limit] * 3
    assert report.period.tolist() == [period] * 3
    assert observe(step, start(), 100, 100, exponent_steps=0).limit == [Limit.UNDECIDED] * 3


ONE = torch.ones(2, 8, dtype=torch.float64)


@pytest.mark.parametrize(
    ("step", "state", "burn_in", "limit"),
    [
        (lambda z: 1 + (1 - 1e-4) * (z - 1), 1 + 1e-9 * ONE, 0, Limit.DRIFTING),
        (lambda z: 1 + 0.98 * (z - 1), 2 * ONE, 1200, Limit.DRIFTING),
        (lambda z: z + 4e-13, ONE, 0, Limit.DRIFTING),
        (lambda z: 1 - 0.98 * (z - 1), 1 + 1e-11 * ONE, 0, Limit.DRIFTING),
        (rotation(1e-4, centre=0.0), 1e-9 * ONE + 0, 0, Limit.UNDECIDED),
    ],
    ids=["slow contraction", "late contraction", "drift", "alternating contraction", "slow rotation"],
)
def test_steps_below_the_floor_that_add_up_are_motion(step, state, burn_in, limit):
    """Motion slower than rounding in one step, and beyond it over the window, drifts; or turns, too slowly to tell."""
    assert observe(step, state, burn_in, window=128).limit == [limit] * 2


@pytest.mark.parametrize("amplitude", [6e-13, 1e-12, 2e-12, 4e-12, 5e-10])
@pytest.mark.parametrize("rate", [0.9, -0.9])
def test_a_transient_that_dies_near_rounding_rests(rate, amplitude):
    """It moved at the window's beginning, farther than rounding, and no more in its later half: no cycle."""
    report = observe(lambda z: 1 + rate * (z - 1), 1 + amplitude * ONE, burn_in=0, window=128, exponent_steps=0)
    assert report.limit == [Limit.FIXED_POINT] * 2


@pytest.mark.parametrize("amplitude", [1e-12, 1.3e-12, 3e-12])
def test_a_drift_near_rounding_is_no_cycle(amplitude):
    """Over the window it goes one to three floors, so that frames of a third of it are alike to rounding."""
    report = observe(lambda z: z * (1 - amplitude / 128), ONE, burn_in=600, window=128)
    assert report.limit == [Limit.DRIFTING] * 2


def test_a_cycle_that_nearly_is_a_shorter_one_stays_open():
    """A two-cycle whose phases move apart by one to four floors within the window is none of a larger period."""
    grown = observe(lambda z: torch.cat([-z[:, :4], 1.01 * z[:, 4:]], dim=1), ONE * 1.0, 0, 128, exponent_steps=0)
    assert grown.limit == [Limit.DIVERGED] * 2
    apart = 1 + 1.5e-14 * torch.arange(8, dtype=torch.float64).repeat(2, 1)
    report = observe(lambda z: -z * apart**0.5, ONE, 0, 128, exponent_steps=0)
    assert report.limit == [Limit.UNDECIDED] * 2


@pytest.mark.parametrize(("turn", "limit"), [(200, Limit.CYCLE), (300, Limit.UNDECIDED), (450, Limit.UNDECIDED)])
def test_a_return_that_cannot_come_twice_stays_open(turn, limit):
    """A full turn that ends in the later half of the pursuit was seen to return, and may be a cycle: nothing else."""
    report = observe(rotation(2 * np.pi / turn, centre=0.0), ONE * 1.0, burn_in=100, window=128)
    assert report.limit == [limit] * 2
    assert (report.nearest_return < 1e-14).all()


@pytest.mark.parametrize("rate", [2.0, -1.9, 1.01, 1.3, 1.001, -1.001])
@pytest.mark.parametrize("burn_in", [0, 600])
def test_growth_is_divergence(rate, burn_in):
    """A state that grows geometrically diverges, whether or not its norm overflows within the window."""
    report = observe(lambda z: rate * z, ONE, burn_in, window=128)
    assert report.limit == [Limit.DIVERGED] * 2


def test_not_a_number_in_the_last_frame_is_divergence():
    """A trajectory that breaks at the very end has no limit."""
    calls = []

    def step(state):
        calls.append(1)
        return state * (float("nan") if len(calls) == 30 else 1)

    assert observe(step, ONE, burn_in=20, window=10).limit == [Limit.DIVERGED] * 2


def test_slow_growth_that_turns_is_divergence_too():
    """A spiral that opens by a thousandth a step, seen as late as the study looks."""
    angle = torch.tensor(2 * torch.pi / 7, dtype=torch.float64)
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    report = observe(lambda z: 1.001 * z @ turn, torch.tensor([[1.0, 0.5]], dtype=torch.float64), 3000, window=400)
    assert report.limit == [Limit.DIVERGED]
    assert observe(lambda z: z + 0.001, ONE, 600, window=128).limit == [Limit.DRIFTING] * 2
    shear, start = torch.tensor([[1.0, 0.0], [1.0, 1.0]]).double(), torch.tensor([[1.0, 0.5], [0.0, 1.0]]).double()
    for window, steps in ((64, 5000), (32, 2000), (8, 500), (250, 10_000)):
        report = observe(lambda z: z @ shear, start, 0, window=window, exponent_steps=steps)
        assert report.limit == [Limit.DRIFTING] * 2


def test_limits_that_need_no_counting_have_betti_numbers():
    """As many points as a cycle's period; what moves otherwise has none unless a rule is asked for."""
    start = torch.tensor([[1.0], [1.0], [1.0]], dtype=torch.float64)
    factor = torch.tensor([[1.0], [-1.0], [2.0]], dtype=torch.float64)
    assert observe(lambda z: factor * z, start, 600, window=128).betti.tolist() == [[1, 0], [2, 0], [-1, -1]]


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1.0, 1e200])
def test_the_size_of_the_state_does_not_matter(scale):
    """An exact two-cycle is one at every magnitude."""
    report = observe(lambda z: -z, scale * ONE, burn_in=600, window=128)
    assert report.limit == [Limit.CYCLE] * 2
    assert report.period.tolist() == [2, 2]


@pytest.mark.parametrize("window", [127, 128])
def test_the_verdict_does_not_depend_on_the_last_phase(window):
    """A large swing with rounding-sized noise is a cycle of two, whichever side the window ends on."""
    random = torch.Generator().manual_seed(0)

    def step(state):
        noise = torch.rand(state.shape, generator=random, dtype=torch.float64) - 0.5
        return 1e6 - state + 1e-10 * noise

    assert observe(step, 1e6 * ONE, burn_in=10, window=window).period.tolist() == [2, 2]


def test_integers_repeat_exactly():
    """Integer and Boolean states have no rounding: a counter modulo 5 has period 5, a vector state is a batch."""
    report = observe(lambda z: (z + 1) % 5, torch.arange(3), burn_in=7, window=20)
    assert report.limit == [Limit.CYCLE] * 3
    assert report.period.tolist() == [5, 5, 5]
    assert observe(lambda z: ~z, torch.tensor([True]), burn_in=0, window=8).period.tolist() == [2]


@pytest.mark.parametrize("state", [torch.tensor([[2**53]]), torch.zeros(0, 3).double(), torch.zeros(2, 0).double()])
def test_what_float64_cannot_hold_and_nothing_are_refused(state):
    """Larger integers would be rounded, and look at rest; a state without numbers has no limit."""
    with pytest.raises(InputError, match=r"2\^53|must hold numbers"):
        observe(lambda z: z + 1, state, burn_in=0, window=8)


def test_a_start_at_infinity_hides_no_motion():
    """The floor follows finite magnitudes alone."""
    report = observe(lambda z: torch.where(z > 2, 0.3, 3.99 * z * (1 - z)), torch.inf * ONE, burn_in=600, window=128)
    assert report.limit == [Limit.CHAOTIC] * 2


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.complex128])
def test_low_precision_is_refused(kind):
    """Limits are told in float64: rounding of a coarser type would hide motion."""
    with pytest.raises(InputError, match="float64"):
        observe(lambda z: -z, ONE.to(kind), burn_in=0, window=4)


@pytest.mark.parametrize("step", [lambda z: z[:1], lambda z: z[:, :3], lambda z: z.float()])
def test_a_step_keeps_shape_and_type(step):
    """A step that would be stretched to fit is refused."""
    with pytest.raises(InputError, match="keep the state's shape and type"):
        observe(step, ONE, burn_in=0, window=4)


def test_each_trajectory_is_judged_alone():
    """One batch may hold every limit at once."""
    rates = torch.tensor([[0.5], [-1.0], [2.0], [1.0]], dtype=torch.float64)
    drift = torch.tensor([[0.0], [0.0], [0.0], [1.0]], dtype=torch.float64)
    report = observe(lambda z: z * rates + drift, start(4), burn_in=300, window=30)
    assert report.limit == [Limit.FIXED_POINT, Limit.CYCLE, Limit.DIVERGED, Limit.DRIFTING]


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
    with pytest.raises(InputError, match="window of at least 2"):
        observe(lambda z: z, start(), burn_in=0, window=1)


@pytest.mark.parametrize("burn_in", [0, 20])
def test_what_comes_to_rest_within_the_window_rests(burn_in):
    """It moved in the window and then stood still to the bit: a fixed point, and no cycle of one."""
    start = torch.arange(10.0, 16.0, dtype=torch.float64)
    report = observe(lambda state: (state - 1).clamp(min=0), start + burn_in, burn_in, 40)
    assert report.limit == [Limit.FIXED_POINT] * 6
    assert report.period.tolist() == [1] * 6
    assert report.repeats.all()
    assert (report.amplitude > report.floor).all()


@pytest.mark.parametrize("length", [9, 21, 60])
def test_a_period_beyond_the_window_is_seen_bit_for_bit(length):
    """States that are permuted round a ring repeat after its length, however short the window is."""
    state = torch.arange(1.0, length + 1, dtype=torch.float64)[None]
    report = observe(lambda z: z.roll(1, dims=1), state, burn_in=200, window=10)
    assert (report.limit[0], int(report.period[0]), bool(report.repeats[0])) == (Limit.CYCLE, length, True)
