import numpy as np
import pytest
from scipy.stats import fisher_exact

from extramaze.dynamics import Limit
from extramaze.mazes import InputError
from extramaze.odds import common_odds, mantel_haenszel
from extramaze.records.association import associate, tables_of

pytestmark = pytest.mark.numeric

FIXED, CYCLE = Limit.FIXED_POINT, Limit.CYCLE


def test_one_cell_is_the_plain_odds_ratio():
    """With one table, Mantel and Haenszel's ratio is ad/bc and its error that of Woolf; p is Fisher's."""
    found = associate({"one": {FIXED: (12, 5), CYCLE: (3, 9)}})[0]
    assert found.ratio == pytest.approx(12 * 9 / (5 * 3))
    _, error = mantel_haenszel(np.array([[[12, 5], [3, 9]]]))
    assert error == pytest.approx(np.sqrt(1 / 12 + 1 / 5 + 1 / 3 + 1 / 9))
    assert found.p == pytest.approx(fisher_exact([[12, 5], [3, 9]]).pvalue)


def test_a_mixture_of_cells_fakes_no_effect():
    """Within each cell right and limit are independent; the table of all cells together is not."""
    counts = {"easy": {FIXED: (80, 20), CYCLE: (8, 2)}, "hard": {FIXED: (2, 8), CYCLE: (20, 80)}}
    found = associate(counts)[0]
    assert found.ratio == pytest.approx(1.0)
    assert found.p > 0.9
    pooled = sum(tables_of(FIXED, counts))
    assert pooled[0, 0] * pooled[1, 1] / (pooled[0, 1] * pooled[1, 0]) > 5


def test_an_empty_count_has_an_exact_interval():
    """Where no cycle was right the ratio is infinite; the interval's lower end is scipy's conditional one."""
    from scipy.stats.contingency import odds_ratio

    found = associate({"one": {FIXED: (6, 4), CYCLE: (0, 7)}})[0]
    assert found.exact
    assert found.ratio == found.high == np.inf
    expected = odds_ratio([[6, 4], [0, 7]], kind="conditional").confidence_interval(0.95)
    assert found.low == pytest.approx(expected.low, rel=1e-6)


@pytest.mark.parametrize("n", [600, 3000])
def test_an_exact_interval_of_thousands(n):
    """What is far below the smallest float64 of the largest weight still has a tail: the end is scipy's."""
    from scipy.stats.contingency import odds_ratio

    table = [[n, 0], [n // 100, n - n // 100]]
    expected = odds_ratio(table, kind="conditional").confidence_interval(0.95)
    assert common_odds(np.array([table])).low == pytest.approx(expected.low, rel=1e-6)


def test_cells_that_cannot_tell_do_not_count():
    """A cell with one limit only, or all right, adds nothing; without any other, nothing is claimed."""
    alone = associate({"a": {FIXED: (5, 5)}, "b": {FIXED: (3, 0), CYCLE: (4, 0)}})[0]
    assert (alone.informative, alone.p, alone.low, alone.high) == pytest.approx((0, 1, 0, np.inf))
    assert np.isnan(alone.ratio)
    base = {"c": {FIXED: (12, 5), CYCLE: (3, 9)}}
    assert associate(base)[0] == associate({**base, "a": {FIXED: (5, 5)}})[0]


def test_negative_counts_are_refused():
    """A count is at least 0."""
    with pytest.raises(InputError, match="negative"):
        associate({"a": {FIXED: (-1, 2)}})
