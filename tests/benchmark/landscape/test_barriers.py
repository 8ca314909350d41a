import math

import numpy as np
import pytest
from scipy.stats import norm

from extramaze.landscape.barriers import (
    Values,
    barrier,
    crossing,
    excess,
    gap,
    height,
    interval,
    medians,
    radius,
    resamples,
)
from extramaze.landscape.figures import largest_rise
from extramaze.landscape.paths import (
    Path,
    Plane,
    filter_normalised,
    plane_through,
    random_direction,
    shuffled,
)

pytestmark = pytest.mark.numeric
FINE = np.linspace(0, 1, 1001)


def test_a_bowl_has_no_barrier_whatever_its_ends():
    """Between heights of 4 and 0.1 too, where the mean of the ends would find one of 3.95 at the end."""
    bowl = (FINE * 2.1 - 2) ** 2 * 0.9875
    assert math.isclose(float(height(bowl, FINE)), 0, abs_tol=1e-12)
    assert bowl.max() - (bowl[0] + bowl[-1]) / 2 > 1.9


def test_a_double_well_has_a_barrier_of_1():
    """(x² − 1)² between its wells."""
    x = 2 * FINE - 1
    assert math.isclose(float(height((x**2 - 1) ** 2, FINE)), 1)


def test_a_mixture_has_the_barrier_of_its_formula():
    """−log(½ N(−m) + ½ N(m)) between the two means: m²/2 + log ½(1 + e^(−2m²))."""
    m = 3.0
    x = m * (2 * FINE - 1)
    loss = -np.log(0.5 * norm.pdf(x, -m) + 0.5 * norm.pdf(x, m))
    assert math.isclose(float(height(loss, FINE)), m**2 / 2 + math.log(0.5 * (1 + math.exp(-2 * m**2))), rel_tol=1e-12)
    assert math.isclose(float(height(loss, FINE)), 3.80685, rel_tol=1e-5)


def test_a_curve_goes_round_a_hill():
    """A Gaussian hill on the line is a barrier of 0.982; a bend to the side leaves next to nothing of it."""

    def loss(path):
        points = np.array([path.at(t)["w"] for t in FINE])
        return np.exp(-((points**2).sum(axis=1)) / 0.25)

    a, b = {"w": np.array([-1.0, 0.0])}, {"w": np.array([1.0, 0.0])}
    straight = height(loss(Path(a, b)), FINE)
    bent = height(loss(Path(a, b, {"w": np.array([0.0, 3.0])}, "bezier")), FINE)
    assert abs(straight - 0.982) < 0.001
    assert bent < 0.02


@pytest.mark.parametrize("form", ["line", "bezier", "polygon"])
def test_paths_end_at_their_networks(form):
    """Bit for bit, and a polygon passes its bend in the middle."""
    a, b, bend = ({"w": np.array(values)} for values in ([0.1, -0.0], [0.7, 3.0], [9.0, 9.0]))
    path = Path(a, b, None if form == "line" else bend, form)
    assert path.at(0.0)["w"].tobytes() == a["w"].tobytes()
    assert path.at(1.0)["w"].tobytes() == b["w"].tobytes()
    if form == "polygon":
        assert path.at(0.5)["w"].tobytes() == bend["w"].tobytes()
    if form == "bezier":
        assert np.allclose(path.at(0.5)["w"], (a["w"] + 2 * bend["w"] + b["w"]) / 4)


def test_barriers_are_0_at_least():
    """The ends lie on the line between them, in every resample."""
    random = np.random.default_rng(0)
    values = Values.mean(random.random((7, 30)))
    drawn = values.resampled(resamples(30, 200))
    places = np.linspace(0, 1, 7)
    assert (excess(drawn, places)[:, [0, -1]] == 0).all()
    found = barrier(values, places)
    assert 0 <= found.low <= found.high


def test_a_path_that_is_the_same_everywhere_has_a_floor_of_0():
    """Between a network and an aligned copy nothing is chosen from noise: the interval is 0 to 0."""
    errors = np.tile(np.random.default_rng(1).integers(2, size=(1, 50)).astype(float), (5, 1))
    found = barrier(Values.mean(errors), np.linspace(0, 1, 5))
    assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0))


def test_the_interval_of_a_barrier_covers_it():
    """In about 95 % of simulated experiments, of a sharp barrier of known height."""
    places, chance, mazes = np.array([0, 0.5, 1.0]), np.array([0.1, 0.6, 0.2]), 100
    true, covered, experiments = 0.6 - 0.15, 0, 300
    for seed in range(experiments):
        levels = np.random.default_rng([7, seed]).random(mazes)
        errors = (np.random.default_rng([8, seed]).random((3, mazes)) * 0.5 + levels * 0.5) < chance[:, None]
        expected = chance_of(chance)
        found = barrier(Values.mean(errors.astype(float)), places)
        covered += found.low <= expected[1] - (expected[0] + expected[2]) / 2 <= found.high
    assert true > 0
    assert 0.90 <= covered / experiments <= 0.99


def chance_of(threshold):
    """How often the mean of two uniform numbers lies below each threshold."""
    return np.where(threshold <= 0.5, 2 * threshold**2, 1 - 2 * (1 - threshold) ** 2)


def test_values_are_paired_over_points():
    """What differs from maze to maze and not from point to point is no uncertainty of a barrier."""
    level = np.random.default_rng(2).normal(size=(1, 40)) * 100
    found = barrier(Values.mean(level + np.array([[0.0], [1.0], [0.0]])), np.array([0, 0.5, 1.0]))
    assert found.high - found.low < 1e-9
    assert math.isclose(found.value, 1, rel_tol=1e-9)


def test_pixels_weigh_as_pixels():
    """A loss is a mean over open pixels, not over mazes."""
    values = Values(np.array([[10.0, 0.0]]), np.array([10.0, 90.0]))
    assert math.isclose(float(values.along()[0]), 0.1)


def test_gaps_are_differences_of_barriers():
    """Of a cell that loses all in the middle and training mazes that lose nothing: 1."""
    places = np.array([0, 0.5, 1.0])
    cell = Values.mean(np.repeat([[0.0], [1.0], [0.0]], 20, axis=1))
    training = Values.mean(np.zeros((3, 20)))
    found = gap(cell, training, places)
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))


def test_the_radius_ends_before_the_first_loss():
    """Of more than 5 points against the line between the ends; a return later does not count."""
    places = np.array([0, 0.25, 0.5, 0.75, 1.0])
    assert math.isclose(float(radius(np.array([0, 0.04, 0.2, 0, 0.0]), places)), 0.25)
    assert math.isclose(float(radius(np.array([0, 0.04, 0.02, 0, 0.0]), places)), 1)
    assert math.isclose(float(radius(np.array([0, 0.5, 0, 0, 0.0]), places)), 0)
    assert math.isclose(float(radius(np.array([0, 0.1, 0.2, 0.3, 0.4]), places)), 1)


def test_medians_leave_out_what_was_not_estimated():
    """And say nothing where nothing was."""
    found = medians(np.array([[1.0, 2.0, 3.0, np.nan], [np.nan] * 4]))
    assert math.isclose(found[0].value, 2)
    assert found[0].low <= 2 <= found[0].high
    assert math.isnan(found[1].value)


def test_the_crossing_of_linear_maps():
    """z ← (½ + t) z leaves its fixed point at t = ½, where log(½ + t) becomes positive."""
    places = np.linspace(0, 1, 11)
    exponents = np.repeat(np.log(0.5 + places)[:, None], 5, axis=1)
    assert math.isclose(crossing(places, medians(exponents)), 0.6)
    assert crossing(places[:5], medians(exponents[:5])) is None


def test_rises_along_a_line():
    """A convex descent has none; a hump has its height from the lowest value before it (Lucas et al.)."""
    assert math.isclose(largest_rise(np.array([5.0, 3, 2, 1])), 0)
    assert math.isclose(largest_rise(np.array([5.0, 3, 4.5, 1, 2])), 1.5)


def networks(count, seed=3):
    random = np.random.default_rng(seed)
    return [{"w": random.normal(size=(4, 3)), "b": random.normal(size=4)} for _ in range(count)]


def test_a_plane_has_its_networks_at_its_marks():
    """Three networks lie in the plane through them, and its axes are at right angles and of one length."""
    given = networks(3)
    plane = plane_through(given)
    for network, (x, y) in zip(given, plane.marks, strict=True):
        assert all(np.allclose(plane.at(x, y)[name], network[name]) for name in network)
    u, v = (np.concatenate([axis[name].ravel() for name in ("b", "w")]) for axis in (plane.first, plane.second))
    assert math.isclose(u @ v, 0, abs_tol=1e-9)
    assert math.isclose(u @ u, v @ v)


def test_networks_on_a_line_span_no_plane():
    """The second axis is nothing then, and the marks are on the first."""
    a, b = networks(2)
    middle = {name: (a[name] + b[name]) / 2 for name in a}
    plane = plane_through([a, b, middle])
    assert np.allclose(plane.marks[2], (0.5, 0), atol=1e-9)
    assert isinstance(plane, Plane)


def test_filters_get_the_networks_lengths():
    """Row by row; a bias is one filter, once."""
    like = networks(1)[0]
    found = random_direction(like, (1, 2))
    assert np.allclose(np.linalg.norm(found["w"], axis=1), np.linalg.norm(like["w"], axis=1))
    assert math.isclose(np.linalg.norm(found["b"]), np.linalg.norm(like["b"]))
    again = filter_normalised(found, like)
    assert all(np.allclose(again[name], found[name]) for name in like)
    dead = filter_normalised({"w": np.zeros((4, 3)), "b": np.zeros(4)}, like)
    assert not dead["w"].any()


def test_directions_depend_on_their_key_alone():
    """The same again, another for another key; a shuffling keeps every tensor's numbers."""
    like = networks(1)[0]
    one, same, other = (random_direction(like, key) for key in ((1, 0), (1, 0), (1, 1)))
    assert np.allclose(one["w"], same["w"])
    assert not np.allclose(one["w"], other["w"])
    mixed = shuffled(like, (2, 0))
    assert np.allclose(np.sort(mixed["w"].ravel()), np.sort(like["w"].ravel()))
    assert not np.allclose(mixed["w"], like["w"])


def test_a_statistic_of_resamples_is_about_its_value():
    """The mean's interval has the width that the central limit gives."""
    values = np.random.default_rng(4).normal(size=(1, 400))
    found = interval(lambda along: along[..., 0], Values.mean(values))
    assert abs((found.high - found.low) - 2 * 1.96 / 20) < 0.02
