import math

import numpy as np
import pytest
from scipy.stats import norm as normal

from extramaze.core.errors import InputError
from extramaze.models.blending.methods import dare, fisher, line, slerp_multipliers, soup, task, ties
from extramaze.models.blending.weights import added, combined, cosine, difference, flat, norm, unflat

pytestmark = pytest.mark.numeric


def network(*numbers):
    """Weights of one tensor."""
    return {"w": np.array(numbers, dtype=float)}


def drawn(seed, size=1000):
    """Two tensors of float32 numbers, as networks hold them."""
    random = np.random.default_rng(seed)
    return {name: random.normal(size=count).astype(np.float32).astype(float) for name, count in (("a", size), ("b", 7))}


def same_bits(one, other):
    return all(one[name].tobytes() == other[name].tobytes() for name in other) and one.keys() == other.keys()


def float32(weights):
    return {name: value.astype(np.float32) for name, value in weights.items()}


def test_a_line_ends_at_its_parents_bit_for_bit():
    """At 0 and 1, the signs of zeros included."""
    a, b = network(1.1, -0.0, 0.0, 3e-39), network(-0.0, 2.2, -5.5, 1.0)
    assert same_bits(line(a, b, 0.0), a)
    assert same_bits(line(a, b, 1.0), b)


def test_a_line_is_the_same_from_both_ends():
    """(a, b, t) and (b, a, 1 − t) are the same float32 numbers."""
    a, b = drawn(0), drawn(1)
    assert same_bits(float32(line(a, b, 0.25)), float32(line(b, a, 0.75)))


@pytest.mark.parametrize("count", [2, 3, 5, 7])
def test_a_soup_of_equal_networks_is_the_network(count):
    """After rounding, whatever 1/k rounds to."""
    a = drawn(2)
    assert same_bits(float32(soup([a] * count, [1 / count] * count)), float32(a))


def test_slerp_of_orthogonal_unit_vectors_is_between_them():
    """Half way it is (a + b) / √2, a quarter turn away from neither."""
    a, b = network(1, 0), network(0, 1)
    first, second, angle = slerp_multipliers(a, b, 0.5)
    assert np.allclose(soup([a, b], [first, second])["w"], np.array([1, 1]) / math.sqrt(2))
    assert math.isclose(angle, math.pi / 2)


@pytest.mark.parametrize("at", [-0.5, 0.1, 0.5, 0.9, 1.5])
def test_slerp_keeps_the_length(at):
    """Of parents of equal length, everywhere on the circle through them."""
    a, b = network(3, 4, 0), network(0, 3, 4)
    assert math.isclose(norm(soup([a, b], slerp_multipliers(a, b, at)[:2])), 5)


@pytest.mark.parametrize("other", [network(2, 4), network(-1, -2), network(0, 0)])
def test_slerp_needs_an_arc(other):
    """None is determined between vectors along one line, or with one of no direction."""
    with pytest.raises(InputError, match="slerp"):
        slerp_multipliers(network(1, 2), other, 0.5)


def test_task_arithmetic_begins_at_the_base_and_reaches_a_parent():
    """With coefficient 0 it is the base; with 1 and one difference the parent, within a unit in the last place."""
    base, parent = drawn(3), drawn(4)
    assert same_bits(task(base, [parent], [0.0]), base)
    reached = task(base, [parent], [1.0])
    assert all(np.allclose(reached[name], parent[name], rtol=2e-7, atol=1e-15) for name in parent)


def test_task_arithmetic_adds():
    """Coefficients of differences add up, one parent after the other."""
    base, one, two = drawn(5), drawn(6), drawn(7)
    both = task(base, [one, two], [0.3, -0.7])
    after = task(task(base, [one], [0.3]), [added(task(base, [one], [0.3]), difference(two, base))], [-0.7])
    assert all(np.allclose(both[name], after[name]) for name in base)


def test_ties_of_the_worked_example():
    """Five numbers by hand: two of each difference are kept, signs elected, those that agree averaged."""
    base = network(0, 0, 0, 0, 0)
    one, two = network(4, -3, 1, 0.5, 0), network(2, 5, 0.1, 0, 0)
    # kept: (4, −3, 0, 0, 0) and (2, 5, 0, 0, 0); signs of the sums (+, +); agreeing: 4 and 2, 5 alone
    assert np.allclose(ties(base, [one, two], 0.4, 1.0)["w"], [3, 5, 0, 0, 0])
    assert np.allclose(ties(base, [one, two], 0.4, 0.5)["w"], [1.5, 2.5, 0, 0, 0])


def test_ties_of_one_parent_is_the_parent_and_of_opposite_ones_the_base():
    """With everything kept there is nobody to disagree; opposite differences elect no sign."""
    base, parent = drawn(8), drawn(9)
    alone = ties(base, [parent], 1.0, 1.0)
    assert all(np.allclose(alone[name], parent[name]) for name in base)
    opposite = difference(base, difference(parent, base))
    against = ties(network(0, 0), [network(1, -2), network(-1, 2)], 1.0, 1.0)
    assert same_bits(against, network(0, 0))
    assert opposite.keys() == base.keys()


def test_ties_keeps_the_first_of_equal_sizes():
    """The same numbers are kept everywhere, whatever a sort does with ties."""
    assert np.allclose(ties(network(0, 0, 0, 0), [network(1, -1, 1, -1)], 0.5, 1.0)["w"], [1, -1, 0, 0])


def test_dare_drops_nothing_at_0():
    """Then it is task arithmetic."""
    base, parent = drawn(10), drawn(11)
    assert same_bits(dare(base, [parent], [0.5], 0.0, 3), task(base, [parent], [0.5]))


def test_the_mean_of_dare_is_the_difference():
    """Over 2,000 draws, by a z-test of each number; and the share that stays is 1 − p."""
    base, parent, drop, draws = network(0, 0, 0), network(1, -2, 0.5), 0.7, 2000
    found = np.array([dare(base, [parent], [1.0], drop, seed)["w"] for seed in range(draws)])
    deviation = np.abs(parent["w"]) * math.sqrt(drop / (1 - drop) / draws)
    assert (np.abs(found.mean(axis=0) - parent["w"]) < normal.isf(1e-5) * deviation).all()
    stays = (found != 0).mean()
    assert abs(stays - 0.3) < normal.isf(1e-5) * math.sqrt(0.21 / (3 * draws))


def test_dare_draws_each_parent_and_seed_anew():
    """And the same again for the same ones."""
    base, one = drawn(12), drawn(13)
    first = dare(base, [one], [1.0], 0.5, 0)
    assert same_bits(first, dare(base, [one], [1.0], 0.5, 0))
    assert not same_bits(first, dare(base, [one], [1.0], 0.5, 1))
    twice = flat(difference(dare(base, [one, one], [1.0, 1.0], 0.5, 0), base))
    assert len(np.unique(np.sign(np.abs(twice)) + (np.abs(twice) > np.abs(flat(difference(one, base))) * 3))) == 3


def test_fisher_with_equal_information_is_the_mean_and_else_follows_it():
    """A number that only one parent's answers depend on is that parent's."""
    a, b = network(1, 1), network(3, 3)
    assert np.allclose(fisher([a, b], [network(2, 2), network(2, 2)], (0.5, 0.5))["w"], [2, 2])
    assert np.allclose(fisher([a, b], [network(1, 1e-12), network(1e-12, 1)], (0.5, 0.5))["w"], [1, 3])


def test_a_network_laid_out_flat_comes_back():
    """In the order of tensors' names, whatever the order they came in."""
    a = {"b": np.arange(4.0).reshape(2, 2), "a": np.array([7.0])}
    assert flat(a).tolist() == [7, 0, 1, 2, 3]
    assert same_bits(unflat(flat(a), a), a)


def test_cosines_of_copies_opposites_and_nothing():
    """1, −1, and 0 where one has no direction."""
    a = drawn(14)
    opposite = combined([-2.0], [a])
    assert math.isclose(cosine(a, a), 1)
    assert math.isclose(cosine(a, opposite), -1)
    assert cosine(network(0, 0), network(1, 1)) == 0
