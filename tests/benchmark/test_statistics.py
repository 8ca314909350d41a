"""Paired statistics against published examples, plain references and complete enumeration."""

from itertools import product
from math import comb, isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, multinomial, norm

from extramaze.mazes import InputError
from extramaze.statistics import (
    Paired,
    difference_interval,
    equivalence,
    holm,
    mcnemar,
    power,
    score_statistic,
    share_at_most,
    smallest_drop,
)

pytestmark = pytest.mark.numeric


@st.composite
def pairs(draw, most=400):
    n = draw(st.integers(1, most))
    wins = draw(st.integers(0, n))
    return Paired(n, wins, draw(st.integers(0, n - wins)))


def test_pairs_are_counted():
    """Wins are where only the first is right, losses where only the second is."""
    first, second = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 0], bool)
    assert Paired.of(first, second) == Paired(5, 2, 1)
    assert Paired(5, 2, 1).difference == pytest.approx(0.2)
    for wrong in ((0, 0, 0), (3, 2, 2), (3, -1, 0)):
        with pytest.raises(InputError, match="wins and losses"):
            Paired(*wrong)


def test_mcnemar_is_the_sum_of_both_tails():
    """Every table of up to 30 discordant pairs: the p-value is the plain sum of outcomes at least as far from even."""
    for wins, losses in product(range(16), repeat=2):
        m = wins + losses
        plain = sum(comb(m, k) for k in range(m + 1) if abs(2 * k - m) >= abs(wins - losses)) / 2**m
        assert mcnemar(Paired(40, wins, losses)) == pytest.approx(plain)


@pytest.mark.parametrize(
    ("table", "p_value", "interval"),
    [
        (Paired(21, 1, 7), 0.0703, (-0.517, -0.026)),  # airway hyper-responsiveness, Bentur et al. (2009)
        (Paired(161, 6, 16), 0.0525, (-0.124, -0.005)),  # complete response, Cavo et al. (2012)
    ],
)
def test_published_examples(table, p_value, interval):
    """Two data sets of Fagerland, Laake and Lydersen, Statistical Analysis of Contingency Tables (2017), chapter 8."""
    assert mcnemar(table) == pytest.approx(p_value, abs=5e-5)
    assert difference_interval(table) == pytest.approx(interval, abs=6e-4)


def test_tangos_own_example():
    """Soft contact lenses, 43 both, 0 and 1, none (Tango 1998, section 5): 90 % interval −0.096 to 0.037."""
    assert difference_interval(Paired(44, 0, 1), 0.90) == pytest.approx((-0.096, 0.037), abs=6e-4)
    assert equivalence(Paired(44, 0, 1), 0.1) < 0.05


def plain_statistic(pairs, difference):
    """Tango's statistic with the most likely table found by search instead of in closed form."""
    n, wins, losses = pairs.n, pairs.wins, pairs.losses
    low, high = max(0.0, -difference), (1 - difference) / 2
    rates = low + (high - low) * np.linspace(1e-9, 1 - 1e-9, 200_001)
    likelihood = wins * np.log(rates + difference) + losses * np.log(rates)
    likelihood += (n - wins - losses) * np.log(np.maximum(1 - 2 * rates - difference, 1e-300))
    rate = rates[likelihood.argmax()]
    return (wins - losses - n * difference) / np.sqrt(n * (2 * rate + difference * (1 - difference)))


@pytest.mark.parametrize("table", [Paired(20, 3, 5), Paired(50, 1, 0), Paired(30, 10, 12), Paired(9, 4, 4)])
def test_the_score_statistic_uses_the_most_likely_table(table):
    """The closed form equals a search over all tables with the tested difference."""
    for difference in (-0.4, -0.1, -0.02, 0.03, 0.2, 0.5):
        assert score_statistic(table, difference) == pytest.approx(plain_statistic(table, difference), abs=2e-3)


@given(pairs(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@settings(max_examples=150, deadline=None)
def test_interval_and_test_are_one_statement(table, confidence):
    """The interval holds the estimate, its ends are just rejected, and it turns round with the two solvers."""
    low, high = difference_interval(table, confidence)
    assert -1 <= low <= table.difference <= high <= 1
    z = norm.isf((1 - confidence) / 2)
    for end in (low, high):
        if abs(end) < 1:
            assert abs(score_statistic(table, end)) == pytest.approx(z, rel=1e-5)
    turned = difference_interval(Paired(table.n, table.losses, table.wins), confidence)
    assert turned == pytest.approx((-high, -low), abs=1e-9)


@given(pairs(), st.floats(0.01, 0.5))
@settings(max_examples=150, deadline=None)
def test_equivalence_is_an_interval_within_the_margin(table, margin):
    """Two one-sided tests pass at 5 % exactly where the 90 % interval lies within the margin."""
    low, high = difference_interval(table, 0.90)
    p_value = equivalence(table, margin)
    if abs(p_value - 0.05) > 1e-6:
        assert (p_value < 0.05) == (-margin < low and high < margin)


def outcomes(n):
    return np.array([(wins, losses, n - wins - losses) for wins in range(n + 1) for losses in range(n + 1 - wins)])


@pytest.mark.parametrize("n", [15, 40])
def test_intervals_cover_the_truth(n):
    """Summed over every table of n pairs: 95 % on average over a grid of truths, and never below 91 %."""
    tables = outcomes(n)
    ends = np.array([difference_interval(Paired(n, int(w), int(b))) for w, b, _ in tables])
    coverage = []
    for win, loss in product((0.01, 0.05, 0.1, 0.2, 0.3), repeat=2):
        chance = multinomial.pmf(tables, n, [win, loss, 1 - win - loss])
        coverage.append(chance @ ((ends[:, 0] <= win - loss + 1e-12) & (win - loss - 1e-12 <= ends[:, 1])))
    assert min(coverage) >= 0.91
    assert 0.945 <= np.mean(coverage) <= 0.985


@pytest.mark.parametrize("flips", [0.0, 0.05, 0.2])
def test_equivalence_is_rarely_claimed_of_a_difference_as_large_as_the_margin(flips):
    """Summed over every table of 60 pairs: at most 6 % of the time, against 5 % stated."""
    n, margin = 60, 0.15
    tables = outcomes(n)
    chance = multinomial.pmf(tables, n, [flips, flips + margin, 1 - 2 * flips - margin])
    claimed = [equivalence(Paired(n, int(w), int(b)), margin) <= 0.05 for w, b, _ in tables]
    assert chance @ claimed <= 0.06


def test_holms_own_procedure():
    """Worked by hand: times 4, 3, 2, 1 from the smallest on, and never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1, 1])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.2))
def test_holm_rejects_what_the_steps_reject(p_values, alpha):
    """Adjusted at most α exactly where Holm's step-down procedure at α rejects."""
    rejected = set()
    for step, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[place] * (len(p_values) - step) > alpha:
            break
        rejected.add(place)
    assert {i for i, value in enumerate(holm(p_values)) if value <= alpha} == rejected


def test_the_upper_bound_of_a_share():
    """The bound is the share at which so few would be seen 5 % of the time; nothing in 59 bounds it by 5 %."""
    for found, n in ((0, 10), (1, 10), (3, 50), (49, 50)):
        assert binom.cdf(found, n, share_at_most(found, n)) == pytest.approx(0.05)
    assert share_at_most(0, 59) < 0.05 < share_at_most(0, 58)
    assert share_at_most(7, 7) == pytest.approx(1)
    with pytest.raises(InputError, match="0 to n"):
        share_at_most(8, 7)


def plain_power(n, drop, flips, alpha):
    """Chance, summed over every table, that McNemar's p is at most alpha and there are more losses than wins."""
    tables = outcomes(n)
    chance = multinomial.pmf(tables, n, [flips, flips + drop, 1 - 2 * flips - drop])
    found = [b > w and mcnemar(Paired(n, int(w), int(b))) <= alpha for w, b, _ in tables]
    return chance @ found


@pytest.mark.parametrize(("drop", "flips", "alpha"), [(0.2, 0.05, 0.05), (0.4, 0.0, 0.005), (0.3, 0.1, 0.01)])
def test_power_is_the_sum_over_all_tables(drop, flips, alpha):
    """The sum over discordant pairs equals the sum over whole tables of 40 mazes."""
    assert power(40, drop, flips, alpha) == pytest.approx(plain_power(40, drop, flips, alpha), abs=1e-8)


def test_the_smallest_drop_is_found_with_the_chance_stated():
    """At the smallest drop the power is 0.8; more mazes see less; five cannot see anything at 5 %."""
    drops = [smallest_drop(n, 0.01) for n in (64, 256, 1792, 100_000)]
    assert drops == sorted(drops, reverse=True)
    assert power(256, drops[1], 0.01, 0.05) == pytest.approx(0.8, abs=1e-3)
    assert isnan(smallest_drop(5, 0.0))
    assert smallest_drop(6, 0.0) < 1


def test_margins_are_shares():
    """A margin of 0 or 1 makes no question."""
    for margin in (0, 1, -0.1, float("nan")):
        with pytest.raises(InputError, match="margin"):
            equivalence(Paired(10, 1, 1), margin)
