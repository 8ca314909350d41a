"""Figures with intervals, and verdicts on them, as findings state them."""

import numpy as np
import pytest

from extramaze.findings import Word, make_pools
from extramaze.findings.errors import Errors
from extramaze.findings.figures import Figure, bracket, contrast, fall, mean_share, ratio
from extramaze.findings.spread import deviation
from extramaze.findings.verdicts import Verdict, above, agree, below, every, every_part, not_tested, undecided
from extramaze.leaderboard.ranking import ranking
from extramaze.leaderboard.ranks import Evidence, compare_scores
from extramaze.leaderboard.score import score_interval
from tests.benchmark.findings_records import chosen_record

pytestmark = pytest.mark.numeric


def figure(low, high, seeds=3, noise=None):
    return Figure((low + high) / 2, low, high, "share", seeds, 100, noise)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.6, 0.7, Word.CONFIRMED),
        (0.3, 0.4, Word.REFUTED),
        (0.4, 0.6, Word.UNDECIDED),
        (0.5, 0.6, Word.UNDECIDED),  # it touches the bound
        (0.4, 0.5, Word.REFUTED),  # no value in it is more than the bound
    ],
)
def test_a_verdict_is_where_the_whole_interval_lies(low, high, word):
    """Above the bound, at most it, or neither; "below" is the mirror image of "above"."""
    assert above(figure(low, high), 0.5, "x").word == word
    assert below(figure(1 - high, 1 - low), 0.5, "x").word == word


def test_one_seed_decides_nothing_and_an_algorithm_has_none():
    """A trained solver needs two seeds; an algorithm is what it is."""
    assert above(figure(0.8, 0.9, seeds=1), 0.5, "x").word == Word.UNDECIDED
    assert above(figure(0.8, 0.9, seeds=0), 0.5, "x").word == Word.CONFIRMED
    assert above(figure(0.8, 0.9, seeds=2), 0.5, "x").word == Word.CONFIRMED


def test_what_rounding_turns_is_no_difference():
    """A sure difference no larger than the noise floor is not told; a larger one is."""
    assert above(figure(0.02, 0.04, noise=0.05), 0.01, "x").word == Word.UNDECIDED
    assert "rounding" in above(figure(0.02, 0.04, noise=0.05), 0.01, "x").why
    assert above(figure(0.02, 0.04, noise=0.001), 0.01, "x").word == Word.CONFIRMED


def test_verdicts_join():
    """One refuted refutes, else the first open one leaves it open; no figure and no verdict are no evidence."""
    yes, no, open_, none = (Verdict(word, "why") for word in Word)
    assert every(yes, open_, no).word == Word.REFUTED
    assert every(yes, open_, none).word == agree(yes, open_, "they differ").word == Word.UNDECIDED
    assert every(none, open_).word == Word.NOT_TESTED
    assert "(confirmed one way, undecided the other)" in agree(yes, open_, "they differ").why
    assert every(yes, yes).word == Word.CONFIRMED
    assert every().word == above(None, 0.5, "x").word == not_tested("x").word == Word.NOT_TESTED


def test_intervals_are_the_boards():
    """The mean over an axis's cells has the interval that a board with that axis alone would give."""
    cells = ("size-13", "size-17", "size-21")
    records = [chosen_record("a", s, lambda c, s=s: 0.5 + 0.1 * s, part=(128, 1, cells)) for s in range(3)]
    (pool,) = make_pools(records, partial=True)
    found = mean_share([pool.entrants[0].right(cell) for cell in cells])
    assert (found.low, found.high) == pytest.approx(score_interval(records))
    assert (found.value, found.seeds, found.mazes) == (pytest.approx(0.6, abs=0.01), 3, 384)


def test_a_contrast_of_two_recipes_is_the_boards_test():
    """The interval of a difference leaves 0 out exactly where the board's test, version 1, has p below 5 %."""
    random = np.random.default_rng(0)
    told = []
    for _ in range(60):
        first, second = (random.random((s, 80)) < rate for s, rate in ((4, 0.7), (3, 0.7 - random.random() * 0.5)))
        cells = [first.astype(float)], [second.astype(float)]
        found = contrast((1.0, cells[0]), (-1.0, cells[1]))
        rows = [Evidence({"c": cell[0]}, {"c": 1.0}) for cell in cells]
        difference = compare_scores(*rows, ranking(1).spreads(rows), ranking(1))
        assert found.value == pytest.approx(difference.value)
        told.append(difference.p < 0.05)
        assert (found.low > 0 or found.high < 0) == told[-1]
    assert any(told)
    assert not all(told)


def test_a_fall_pairs_seeds():
    """Seeds that differ widely but fall alike have a narrow fall."""
    mazes = np.arange(1000)
    before, after = (np.stack([mazes < 1000 * (level - drop) for level in (0.9, 0.5)]) for drop in (0.0, 0.2))
    found = fall(before.astype(float), after.astype(float))
    assert found.value == pytest.approx(0.2)
    assert 0.1 < found.low < found.high < 0.3
    assert mean_share([before.astype(float)]).half > 0.6


def test_a_ratio_leaves_out_seeds_without_anything():
    """Wrong answers differ from seed to seed; none at all is no share."""
    found = ratio(np.array([10, 0, 30]), np.array([20, 0, 60]))
    assert (found.value, found.seeds, found.mazes) == pytest.approx((0.5, 2, 60))
    assert ratio(np.zeros(2), np.zeros(2)) is None


def test_a_deviation_has_the_interval_of_a_normal_law():
    """Three seeds: 0.52 to 6.28 times the deviation, as chi-square tables have it, where mazes are many."""
    right = np.stack([np.arange(100_000) < 100_000 * share for share in (0.1, 0.2, 0.3)]).astype(float)
    found = deviation(right)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.0521, 0.6285), abs=1e-3)


def test_a_spread_is_not_made_of_few_mazes():
    """Coins thrown ten times a seed differ between seeds, and that is no spread: hardly one interval in 20 leaves 0."""
    random = np.random.default_rng(1)
    found = [deviation((random.random((4, 10)) < 0.5).astype(float)) for _ in range(200)]
    assert sum(figure.low > 0 for figure in found) <= 12
    assert sum(figure.value > 0 for figure in found) > 40


def coins(random, seeds, mazes, middle, spread):
    """Right answers of seeds whose shares differ, around a middle."""
    shares = np.clip(random.normal(middle, spread, (seeds, 1)), 0, 1)
    return (random.random((seeds, mazes)) < shares).astype(float)


def test_a_p_value_is_the_level_at_which_the_interval_reaches_the_bound():
    """5 % at both ends of the 95 % interval, less beyond; of mazes alone it is the normal law's."""
    random = np.random.default_rng(2)
    right = coins(random, 4, 200, 0.6, 0.03)
    other = coins(random, 4, 200, 0.3, 0.03)
    for found in (mean_share([right]), fall(right, other), contrast((1, [right]), (-1, [other[:2]]))):
        assert (found.p(found.low), found.p(found.high)) == pytest.approx((0.05, 0.05))
        assert found.p(found.low - 0.05) < 0.05 < found.p(found.low + 0.01)
    alone = Errors(mazes=0.01)
    assert alone.p(0.1 * 2.575829) == pytest.approx(0.01, rel=1e-5)
    assert Errors(mazes=0.0, seeds=0.01, freedom=4).p(0.1 * 2.776445) == pytest.approx(0.05, rel=1e-5)


def test_p_values_of_open_shares_are_of_the_nearer_end():
    """What is open counts as no for a bound below, as yes for one above; between the two nothing is known."""
    no, yes = (mean_share([np.repeat([[1.0, 0.0]], 3, axis=0).repeat([k, 100 - k], axis=1)]) for k in (40, 70))
    both = bracket(no, yes)
    assert (both.p(0.2), both.p(0.9), both.p(0.5)) == pytest.approx((no.p(0.2), yes.p(0.9), 1.0))
    assert figure(0.4, 0.6).p(0.1) == pytest.approx(1)  # no errors are known


def test_a_true_claim_is_rarely_refuted():
    """Three seeds with a true share of the bound itself: p is below 5 % in at most that share of simulations."""
    random = np.random.default_rng(3)
    p = [mean_share([coins(random, 3, 256, 0.5, 0.05)]).p(0.5) for _ in range(400)]
    assert 0.005 < np.mean(np.array(p) < 0.05) <= 0.07  # 5 % and 2 standard errors


def test_verdicts_carry_the_p_value_of_their_word():
    """All must be true: the largest; any may refute: the smallest times their number; open ones have 1."""
    yes, surer = (Verdict(Word.CONFIRMED, "", p=p) for p in (0.03, 0.001))
    no, barely, open_ = (
        Verdict(Word.REFUTED, "", p=0.01),
        Verdict(Word.REFUTED, "", p=0.04),
        Verdict(Word.UNDECIDED, ""),
    )
    assert (every(yes, surer).p, agree(yes, surer, "x").p) == pytest.approx((0.03, 0.03))
    assert every(yes, barely, no, open_).p == pytest.approx(0.04)
    assert (every(yes, open_).p, undecided("x", no).p) == pytest.approx((1, 1))
    right = np.repeat([[1.0, 1.0, 1.0, 0.0]], 3, axis=0).repeat(50, axis=1)
    found = mean_share([right])
    for verdict, word in ((above(found, 0.5, "x"), Word.CONFIRMED), (below(found, 0.5, "x"), Word.REFUTED)):
        assert (verdict.word, verdict.p) == (word, found.p(0.5))
        assert verdict.p < 0.05
    assert above(found, 0.74, "x").p == pytest.approx(1)


def test_parts_are_shown_and_must_all_be_confirmed():
    """One refuted size refutes, an open one leaves it open; each keeps its verdict and figure."""
    yes, no, open_ = (Verdict(word, "why", figure(0.1, 0.2)) for word in (Word.CONFIRMED, Word.REFUTED, Word.UNDECIDED))
    joined = every_part({"size 9": no, "size 19": yes, "size 29": open_})
    assert joined.word == Word.REFUTED
    assert joined.why == "size 9 refuted, size 19 confirmed, size 29 undecided"
    assert dict(joined.parts) == {"size 9": no, "size 19": yes, "size 29": open_}
    assert every_part({"size 9": yes, "size 19": open_}).word == Word.UNDECIDED
    assert every_part({"size 9": yes}).word == Word.CONFIRMED
    assert every_part({}).word == Word.NOT_TESTED
