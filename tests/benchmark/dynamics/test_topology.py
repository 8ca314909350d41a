import numpy as np
import pytest
import torch

from extramaze.dynamics import RELATIVE, Limit, betti_numbers, observe, study_float32, study_rule
from extramaze.dynamics.recurrence import pairwise_distances
from extramaze.dynamics.study import count_float32
from extramaze.mazes import InputError

from .zoo import cycle, embed, golden, rotation


def distances(points):
    """Distances of points (N, d) hidden among many numbers on a large mean."""
    random = np.random.default_rng(0)
    frames = 50 + points @ np.linalg.qr(random.normal(size=(500, points.shape[1])))[0].T
    return pairwise_distances(torch.from_numpy(frames - frames[0]))


def circle(count, centre=(0.0, 0.0)):
    turn = 2 * np.pi * np.arange(count) * (np.sqrt(5) - 1) / 2
    return np.stack([np.cos(turn), np.sin(turn)], axis=1) + centre


def torus(count):
    step = np.arange(count) * 2 * np.pi
    one, two = step * (np.sqrt(5) - 1) / 2, step * np.sqrt(2)
    return np.stack([np.cos(one), np.sin(one), np.cos(two), np.sin(two)], axis=1)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (np.ones((100, 2)), (1, 0)),
        (np.eye(2)[np.arange(100) % 2], (2, 0)),
        (np.eye(5)[np.arange(100) % 5], (5, 0)),
        (circle(150), (1, 1)),
        (1e-6 * circle(150), (1, 1)),
        (np.concatenate([circle(100), circle(100, (8.0, 0.0))]), (2, 2)),
        (torus(400), (1, 2)),
    ],
    ids=["point", "2-cycle", "5-cycle", "circle", "tiny circle", "two circles", "torus"],
)
def test_betti_numbers_of_known_shapes(points, expected):
    """Pieces and loops of point, k-cycle, circle, two circles and torus."""
    found = betti_numbers(distances(points), RELATIVE, floor=1e-10)
    assert tuple(found) == expected


def test_gram_distances_are_the_plain_ones():
    """Centred on the first frame, a motion of 1e-6 on a mean of 50 keeps its distances."""
    random = np.random.default_rng(1)
    frames = torch.from_numpy(50 + 1e-6 * random.normal(size=(40, 300)))
    plain = torch.cdist(frames, frames, compute_mode="donot_use_mm_for_euclid_dist")
    assert np.allclose(pairwise_distances(frames - frames[0]), plain, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize(("size", "by_study"), [(1e-15, 1), (1e-8, 60)])
def test_rounding_is_one_point_and_the_studys_rule_counts_what_is_above_its_own(size, by_study):
    """A fixed point shaken by rounding is (1, 0); by the study's rule too where it is shaken by less than 1e-10."""
    noise = size * np.random.default_rng(2).normal(size=(60, 4))
    matrix = np.linalg.norm(noise[:, None] - noise[None], axis=2)
    assert tuple(betti_numbers(matrix, RELATIVE, floor=1e3 * size)) == (1, 0)
    assert 0.5 * by_study <= betti_numbers(matrix, study_rule(0.3))[0] <= by_study


def test_the_studys_rule_sees_frames_in_float32():
    """A fixed point of float64 that trembles by 1e-9 about 50 does not move in float32; a tremble of 1e-4 does."""
    random = torch.Generator().manual_seed(0)
    for size, still in ((1e-9, True), (1e-4, False)):

        def step(state, size=size):
            return 50 + size * torch.rand(state.shape, generator=random, dtype=torch.float64)

        state = torch.full((1, 64), 50, dtype=torch.float64)
        report = observe(step, state, 0, 40, exponent_steps=0, betti=(RELATIVE, study_rule()))
        ours, theirs = report.betti_by_rule[0].tolist()
        assert ours[0] > 1
        assert (theirs == [1, 0]) == still


def test_the_floor_of_a_distance_is_that_of_all_its_numbers():
    """Noise of the floor's size in each of 4,096 numbers makes distances 64 times as long, and still one point."""
    random = torch.Generator().manual_seed(0)

    def step(state):
        noise = 1e-12 * torch.rand(state.shape, generator=random, dtype=torch.float64)
        return torch.where(state > 0, 1 + noise, 0)

    report = observe(step, torch.ones(1, 4096, dtype=torch.float64), 0, 40, exponent_steps=0, betti=RELATIVE)
    assert report.amplitude[0] > report.floor[0] > 0.8 * report.amplitude[0]
    assert report.betti[0].tolist() == [1, 0]


def test_the_studys_counts_fall_with_the_threshold():
    """A higher share of the largest death leaves fewer features, as in the study's table."""
    points = np.random.default_rng(3).normal(size=(60, 4))
    matrix = np.linalg.norm(points[:, None] - points[None], axis=2)
    low, middle, high = (betti_numbers(matrix, study_rule(t)).sum() for t in (0.3, 0.5, 0.7))
    assert low >= middle >= high
    assert low > high


@pytest.mark.parametrize(("period", "expected"), [(1, (1, 0)), (5, (5, 0)), (64, (64, 0))])
def test_settled_windows_are_counted_exactly(period, expected):
    """A cycle of k is k points, however close to a circle they lie; a fixed point is one."""
    random = np.random.default_rng(0)
    step, state = embed(*cycle(period)(random, 2), random)
    report = observe(step, state, burn_in=10, window=130, betti=RELATIVE)
    assert [tuple(pair) for pair in report.betti] == [expected] * 2


def test_a_rotation_is_one_loop_with_diagrams_on_request():
    """A golden rotation fills a circle; its diagram holds one long loop."""
    random = np.random.default_rng(0)
    step, state = embed(*rotation(golden)(random, 2), random)
    report = observe(step, state, 10, 150, exponent_steps=0, betti=RELATIVE, diagrams=True)
    assert [tuple(pair) for pair in report.betti] == [(1, 1)] * 2
    lives = np.sort(np.diff(report.diagrams[0][1], axis=1).ravel())
    assert len(lives) == 1 or lives[-1] > 3 * lives[-2]
    assert report.limit == [Limit.UNDECIDED] * 2


def float32_frames(kind, count=40, numbers=512):
    """Frames of a float32 state on a mean of 5: at rest, two points, or a circle."""
    turns = 2 * np.pi * np.arange(count) * (np.sqrt(5) - 1) / 2
    random = np.random.default_rng(0)
    plane = np.linalg.qr(random.normal(size=(numbers, 2)))[0].T
    ways = {"rest": np.zeros((count, 2)), "2-cycle": np.stack([np.arange(count) % 2, np.zeros(count)], 1)}
    ways |= {"circle": np.stack([np.cos(turns), np.sin(turns)], 1)}
    return torch.from_numpy(5 + random.normal(size=numbers) + ways[kind] @ plane).float()


@pytest.mark.parametrize(
    ("kind", "scale", "expected"),
    [("rest", 1, (1, 0)), ("2-cycle", 1, (2, 0)), ("2-cycle", 0.005, (1, 0)), ("circle", 1, (1, 1))],
)
def test_the_studys_procedure_in_float32(kind, scale, expected):
    """It tells points and loops that span more than 0.01, and takes for one point what spans less."""
    frames = float32_frames(kind)
    frames = frames.mean(dim=0) + scale * (frames - frames.mean(dim=0))
    assert tuple(count_float32(frames)) == expected


def test_a_reduction_in_float32_scatters_a_state_at_rest():
    """Its rounding is far above the study's 1e-10: beside a state 100 times as large, rest spans more than 0.01."""
    pieces, _ = count_float32(1e5 * float32_frames("rest"))
    assert pieces > 1


def test_the_studys_procedure_follows_float32_iterates():
    """A 2-cycle of float32 beside a contraction; memory for one window at a time changes nothing; infinities: -1."""
    rates = torch.tensor([[-1.0], [0.5], [3.0]])
    state = torch.ones(3, 8, dtype=torch.float64)
    whole = study_float32(lambda z: rates * z, state, 100, 20, 2**20)
    assert whole.tolist() == [[2, 0], [1, 0], [-1, -1]]
    assert study_float32(lambda z: rates * z, state, 100, 20, 4 * 20 * 8).tolist() == whole.tolist()


def test_a_matrix_that_is_not_square_is_refused():
    """Distances are between all pairs."""
    with pytest.raises(InputError, match="square"):
        betti_numbers(np.ones((3, 2)))
