"""Ranges of ranks hold the true ranks as often as they say."""

import json

import numpy as np
import pytest
from scipy.stats import norm, t

from extramaze.leaderboard.board import boards, evidence
from extramaze.leaderboard.ranking import RANKINGS, ranking
from extramaze.leaderboard.ranks import Difference, Evidence, Pair, compare_pairs, compare_scores, ranges, rank_ranges
from extramaze.leaderboard.text import board_json, board_table
from tests.benchmark.test_leaderboard import made

pytestmark = pytest.mark.numeric

CELLS = {"a": 0.5, "b": 0.25, "c": 0.25}


def simulate(random, skills, seeds, count, spread):
    """Draw rows whose seeds' skills scatter by ``spread`` about the row's, on mazes of common difficulty."""
    difficulty = {cell: random.normal(size=count) for cell in CELLS}
    rows = []
    for skill, number in zip(skills, seeds, strict=True):
        drawn = skill + (random.normal(scale=spread, size=number) if number > 1 else np.zeros(1))
        right = {
            cell: (difficulty[cell] + random.normal(size=(number, count)) < drawn[:, None]).astype(float)
            for cell in CELLS
        }
        rows.append(Evidence(right, CELLS))
    return rows


def compared(version, rows, places=(0, 1)):
    """Compare two of a board's rows under a version of the rule."""
    rule = ranking(version)
    known = rule.spreads(rows)
    first, second = places
    return compare_scores(rows[first], rows[second], [known[first], known[second]], rule)


def misordered(found, truth):
    """Whether two rows are told apart that are equal in truth, or the other way round."""
    count = len(truth)
    for i in range(count):
        better = sum(truth[j] > truth[i] + 1e-12 for j in range(count))
        equal = sum(abs(truth[j] - truth[i]) <= 1e-12 for j in range(count))
        if found[i] is None:
            continue
        best, worst = found[i]
        if not (best <= better + 1 and worst >= better + equal):
            return True
    return False


@pytest.mark.parametrize("version", RANKINGS)
@pytest.mark.parametrize(
    ("seeds", "spread"), [((1, 1, 1, 1, 1), 0.0), ((3, 3, 3, 3, 3), 0.1), ((2, 5, 1, 3, 4), 0.1), ((5,) * 5, 0.3)]
)
def test_ranges_are_wrong_at_most_as_often_as_stated(seeds, spread, version):
    """200 simulated sets of five solvers, some equal in truth: at most 5 % hold a wrong order anywhere."""
    random = np.random.default_rng(len(seeds) + int(100 * spread) + sum(seeds[:2]))
    wrong = 0
    for _ in range(200):
        skills = random.choice([0.0, 0.0, 0.1, 0.4], size=len(seeds))
        scatter = np.array([spread if number > 1 else 0.0 for number in seeds])
        truth = norm.cdf(skills / np.sqrt(2 + scatter**2))
        wrong += misordered(rank_ranges(simulate(random, skills, seeds, 150, spread), ranking(version)), truth)
    assert wrong / 200 <= 0.05


@pytest.mark.parametrize("version", RANKINGS)
def test_one_seed_is_not_surer_than_several(version):
    """Equal recipes whose seeds scatter are told apart by one seed as rarely as stated, beside others of several."""
    random = np.random.default_rng(5)
    told_apart = 0
    for _ in range(200):
        skills, seeds = [0.0, 0.0, 0.2, -0.2, 0.1], (1, 1, 4, 4, 4)
        difficulty = {cell: random.normal(size=400) for cell in CELLS}
        rows = []
        for skill, number in zip(skills, seeds, strict=True):
            drawn = skill + random.normal(scale=0.15, size=number)
            right = {cell: (difficulty[cell] < drawn[:, None]).astype(float) for cell in CELLS}
            rows.append(Evidence(right, CELLS))
        told_apart += compared(version, rows).p <= 0.05
    assert told_apart / 200 <= 0.08  # 10 are expected, 16 and more have a chance of 5 %


def test_version_1_shrinks_a_spread_towards_the_other_recipes():
    """Own squares and four degrees of freedom of the others' mean variance; an algorithm has none."""
    random = np.random.default_rng(6)
    *others, mine, one = simulate(random, [0.0] * 5, (4, 3, 2, 3, 1), 100, 0.2)
    spreads = ranking(1).spreads
    prior = np.mean([row.scores.var(ddof=1) for row in others])
    known = spreads([*others, mine])[-1]
    assert known.freedom == 6
    assert known.variance == pytest.approx((2 * mine.scores.var(ddof=1) + 4 * prior) / 6 / 3)
    single = spreads([*others, one])[-1]
    assert (single.freedom, single.variance) == (4, pytest.approx(prior))
    assert spreads([*others, Evidence(one.right, one.weights, trained=False)])[-1].variance == pytest.approx(0)


def test_one_wild_recipe_widens_no_other_row():
    """The median of the others moves little where one of them scatters a hundredfold; version 1's mean follows it."""
    random = np.random.default_rng(9)
    *tame, mine = simulate(random, [0.0] * 6, (3,) * 6, 400, 0.05)
    (wild,) = simulate(random, [0.0], (3,), 400, 5.0)
    before, after = (
        [ranking(v).spreads([*others, mine])[-1].variance for v in (1, 2)] for others in (tame, [*tame, wild])
    )
    assert after[0] > 5 * before[0]
    assert after[1] < 2 * before[1]


def test_a_wild_recipe_is_not_taken_for_a_tame_one():
    """Version 2 never lowers the spread that a row's own seeds show; what the others show can raise it."""
    random = np.random.default_rng(10)
    rows = [*simulate(random, [0.0] * 5, (3,) * 5, 400, 0.02), *simulate(random, [0.0], (3,), 400, 2.0)]
    own = [row.scores.var(ddof=1) / 3 for row in rows]
    found = [spread.variance for spread in ranking(2).spreads(rows)]
    assert found[-1] == pytest.approx(own[-1])
    assert all(variance >= mine or variance == pytest.approx(mine) for variance, mine in zip(found, own, strict=True))
    assert any(variance > 1.1 * mine for variance, mine in zip(found, own, strict=True))


def test_seeds_that_all_agree_say_nothing_of_another_recipes():
    """Rows all right or all wrong do not scatter: beside them alone, one seed's spread stays unknown."""
    full = [Evidence({"a": np.full((3, 20), share)}, {"a": 1.0}) for share in (0.0, 1.0, 1.0, 0.0)]
    one = Evidence({"a": np.eye(1, 20)}, {"a": 1.0})
    assert not ranking(2).spreads([*full, one])[-1].known


def test_one_seed_alone_has_no_rank():
    """Where fewer than three others show how much seeds differ it has none; in version 1 it had all."""
    random = np.random.default_rng(7)
    rows = simulate(random, [3.0, 3.0, -3.0], (4, 4, 1), 200, 0.05)
    assert [spread.known for spread in ranking(2).spreads(rows)] == [True, True, False]
    assert rank_ranges(rows, ranking(1)) == [(1, 3), (1, 3), (1, 3)]
    assert rank_ranges(rows, ranking(2)) == [(1, 2), (1, 2), None]


def test_more_seeds_rank_no_worse():
    """Beside recipes that scatter widely, three seeds that agree are told apart as one is, and not less surely."""
    random = np.random.default_rng(8)
    *others, low, good = simulate(random, [1.0, 1.0, 1.0, -1.0, 1.0], (4, 4, 4, 3, 3), 200, 0.1)
    fewer = Evidence({cell: right[:1] for cell, right in low.right.items()}, low.weights)
    for version in RANKINGS:
        one, three = (compared(version, [*others, good, row], (3, 4)).p for row in (fewer, low))
        assert three <= one


@pytest.mark.parametrize("version", RANKINGS)
def test_ranges_tell_apart_what_differs(version):
    """Solvers that differ by a fifth of the mazes get ranks of their own; equal ones share theirs."""
    random = np.random.default_rng(0)
    rows = simulate(random, [1.5, 0.6, -0.2, -0.2], (3, 3, 3, 3), 400, 0.02)
    assert rank_ranges(rows, ranking(version)) == [(1, 1), (2, 2), (3, 4), (3, 4)]


def test_ranges_need_not_be_groups():
    """The first may be apart from the third while the second is apart from neither."""
    pairs = [Pair(i, j, Difference(0.1, 0, 1, p), p) for (i, j), p in {(0, 1): 0.5, (0, 2): 0.001, (1, 2): 0.5}.items()]
    assert ranges([True] * 3, pairs) == [(1, 2), (1, 3), (2, 3)]
    assert ranges([True], []) == [(1, 1)]


def test_equal_rows_are_not_apart():
    """The same answers: difference 0 and p 1; a difference the other way round has the same p."""
    random = np.random.default_rng(1)
    first, second = simulate(random, [0.5, 0.0], (3, 2), 100, 0.1)
    for version in RANKINGS:
        same, there, back = (compared(version, rows) for rows in ([first, first], [first, second], [second, first]))
        assert (same.value, same.p) == pytest.approx((0, 1))
        assert (there.value, there.p, there.low) == pytest.approx((-back.value, back.p, -back.high))


@pytest.mark.parametrize("version", RANKINGS)
def test_an_interval_and_its_test_agree(version):
    """The 95 % interval leaves 0 out exactly where p is below 5 %."""
    random = np.random.default_rng(11)
    for skill in np.linspace(0, 0.6, 30):
        found = compared(version, simulate(random, [0.0, skill], (3, 2), 40, 0.02))
        assert (found.low > 0 or found.high < 0) == (found.p < 0.05)


def test_algorithms_are_compared_by_the_paired_test():
    """Without seeds to scatter, by the formulas: a normal test with one discordant pair added; version 2 by Student's t
    of one degree more than there are mazes, about a centre that is shrunk as much."""
    random = np.random.default_rng(2)
    a, b = (random.random((1, 80)) < share for share in (0.6, 0.5))
    rows = [Evidence({"a": x.astype(float)}, {"a": 1.0}, trained=False) for x in (a, b)]
    wins, losses = int((a & ~b).sum()), int((b & ~a).sum())
    n = 82
    error = np.sqrt(((wins + losses + 1) / n - ((wins - losses) / n) ** 2) / n)
    difference = (wins - losses) / 80
    one, two = compared(1, rows), compared(2, rows)
    assert (one.value, one.p) == pytest.approx((difference, 2 * norm.sf(abs(difference) / error)))
    assert (two.value, two.p) == pytest.approx((difference, 2 * t.sf(abs(wins - losses) / n / error, 81)))


def test_the_board_carries_them(tiny_records):
    """Rows of a ranked board have the ranges that their records' evidence gives, and the pairs behind them."""
    base = tiny_records["dt-net-thin@0"]
    shares = {"easy": [1] * 3, "cycles": [0.9] * 3, "large": [0.9] * 3}
    low = {"easy": [1] * 3, "cycles": [0.1] * 3, "large": [0.1] * 3}
    recipes = {"a": shares, "b": shares, "c": low, "d": low}
    records = [
        made(base, f"{name}@{seed}", name, seed, of)
        for name, of in recipes.items()
        for seed in range(1 if name == "b" else 2)
    ]
    for version in RANKINGS:
        (board,) = boards(records, version=version)
        grouped = [[r for r in records if r.summary.plan.solver.recipe == row.recipe] for row in board.rows]
        proofs = [evidence(group) for group in grouped]
        assert [row.ranks for row in board.rows] == rank_ranges(proofs, ranking(version))
        assert [pair.p for pair in board.pairs] == [
            pair.adjusted_p for pair in compare_pairs(proofs, ranking(version)) if np.isfinite(pair.difference.low)
        ]
    assert set(evidence(records[:1]).weights) == {"cycles", "large"}
    few = [record for record in records if record.summary.plan.solver.recipe in ("b", "c")]
    (lone,) = boards(few, version=1)
    assert [row.ranks for row in lone.rows] == [(1, 2), (1, 2)]
    assert any("apart from none" in note for note in lone.rows[0].notes)
    (lone,) = boards(few)
    assert {row.recipe: (row.rank, row.ranks) for row in lone.rows} == {"b": (None, None), "c": (1, (1, 1))}
    assert any("extramaze compare" in note for row in lone.rows if row.recipe == "b" for note in row.notes)
    assert lone.pairs == ()


def test_markdown_shows_the_pairs_as_a_triangle(tiny_records):
    """Each pair once: the lower row's difference from the higher, bold where told apart; JSON holds the same."""
    base = tiny_records["dt-net-thin@0"]
    levels = {"a": 1.0, "b": 0.9, "c": 0.1}
    records = [
        made(base, f"{name}@{seed}", name, seed, {"easy": [1] * 3, "cycles": [of] * 3, "large": [of] * 3})
        for name, of in levels.items()
        for seed in range(4)
    ]
    (board,) = boards(records)
    content = json.loads(board_json([board]))[0]["pairs"]
    assert [(pair["first"], pair["second"]) for pair in content] == [("a", "b"), ("a", "c"), ("b", "c")]
    lines = [line for line in board_table(board, markdown=True).splitlines() if line.startswith(("| 2 b", "| 3 c"))]
    assert len(lines) == 2
    for pair in content:
        number = f"−{100 * pair['difference']:.1f}"
        (line,) = (line for line in lines if f" {pair['second']} |" in line)
        assert (f"**{number}** (" if pair["apart"] else f" {number} (") in line
        assert pair["low"] < pair["difference"] < pair["high"]
