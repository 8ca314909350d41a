"""Ranges of ranks hold the true ranks as often as they say."""

import numpy as np
import pytest
from scipy.stats import norm

from extramaze.leaderboard.board import boards, evidence
from extramaze.leaderboard.ranks import Evidence, difference_test, ranges, rank_ranges, spreads
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


def misordered(found, truth):
    """Whether two rows are told apart that are equal in truth, or the other way round."""
    count = len(truth)
    for i in range(count):
        better = sum(truth[j] > truth[i] + 1e-12 for j in range(count))
        equal = sum(abs(truth[j] - truth[i]) <= 1e-12 for j in range(count))
        best, worst = found[i]
        if not (best <= better + 1 and worst >= better + equal):
            return True
    return False


@pytest.mark.parametrize(
    ("seeds", "spread"), [((1, 1, 1, 1, 1), 0.0), ((3, 3, 3, 3, 3), 0.1), ((2, 5, 1, 3, 4), 0.1), ((5,) * 5, 0.3)]
)
def test_ranges_are_wrong_at_most_as_often_as_stated(seeds, spread):
    """200 simulated sets of five solvers, some equal in truth: at most 5 % hold a wrong order anywhere."""
    random = np.random.default_rng(len(seeds) + int(100 * spread) + sum(seeds[:2]))
    wrong = 0
    for _ in range(200):
        skills = random.choice([0.0, 0.0, 0.1, 0.4], size=len(seeds))
        scatter = np.array([spread if number > 1 else 0.0 for number in seeds])
        truth = norm.cdf(skills / np.sqrt(2 + scatter**2))
        wrong += misordered(rank_ranges(simulate(random, skills, seeds, 150, spread)), truth)
    assert wrong / 200 <= 0.05


def test_one_seed_is_not_surer_than_several():
    """Equal recipes whose seeds scatter are told apart by one seed as rarely as stated, beside others of several."""
    random = np.random.default_rng(5)
    told_apart = 0
    for _ in range(200):
        skills, seeds = [0.0, 0.0, 0.2, -0.2], (1, 1, 4, 4)
        difficulty = {cell: random.normal(size=400) for cell in CELLS}
        rows = []
        for skill, number in zip(skills, seeds, strict=True):
            drawn = skill + random.normal(scale=0.15, size=number)
            right = {cell: (difficulty[cell] < drawn[:, None]).astype(float) for cell in CELLS}
            rows.append(Evidence(right, CELLS))
        told_apart += difference_test(rows[0], rows[1], spreads(rows)[:2])[1] <= 0.05
    assert told_apart / 200 <= 0.08  # 10 are expected, 16 and more have a chance of 5 %


def test_a_spread_is_shrunk_towards_the_other_recipes():
    """Own squares and four degrees of freedom of the others' mean variance; an algorithm has none."""
    random = np.random.default_rng(6)
    *others, mine, one = simulate(random, [0.0] * 5, (4, 3, 2, 3, 1), 100, 0.2)
    prior = np.mean([row.scores.var(ddof=1) for row in others])
    known = spreads([*others, mine])[-1]
    assert known.freedom == 6
    assert known.variance == pytest.approx((2 * mine.scores.var(ddof=1) + 4 * prior) / 6 / 3)
    single = spreads([*others, one])[-1]
    assert (single.freedom, single.variance) == (4, pytest.approx(prior))
    assert spreads([*others, Evidence(one.right, one.weights, trained=False)])[-1].variance == pytest.approx(0)


def test_one_seed_alone_is_apart_from_none():
    """Where fewer than three others show how much seeds differ, a row of one is told apart from none."""
    random = np.random.default_rng(7)
    rows = simulate(random, [3.0, 3.0, -3.0], (4, 4, 1), 200, 0.05)
    assert [spread.variance for spread in spreads(rows)][2] == np.inf
    assert rank_ranges(rows) == [(1, 3), (1, 3), (1, 3)]
    assert spreads(rows)[0].variance == pytest.approx(rows[0].scores.var(ddof=1) / 4)


def test_more_seeds_rank_no_worse():
    """Beside recipes that scatter widely, three seeds that agree are told apart as one is, and not less surely."""
    random = np.random.default_rng(8)
    *others, low, good = simulate(random, [1.0, 1.0, 1.0, -1.0, 1.0], (4, 4, 4, 3, 3), 200, 0.1)
    fewer = Evidence({cell: right[:1] for cell, right in low.right.items()}, low.weights)
    one = difference_test(good, fewer, spreads([*others, good, fewer])[3:])[1]
    three = difference_test(good, low, spreads([*others, good, low])[3:])[1]
    assert three <= one


def test_ranges_tell_apart_what_differs():
    """Solvers that differ by a fifth of the mazes get ranks of their own; equal ones share theirs."""
    random = np.random.default_rng(0)
    rows = simulate(random, [1.5, 0.6, -0.2, -0.2], (3, 3, 3, 3), 400, 0.02)
    assert rank_ranges(rows) == [(1, 1), (2, 2), (3, 4), (3, 4)]


def test_ranges_need_not_be_groups():
    """The first may be apart from the third while the second is apart from neither."""
    p_values = {(0, 1): 0.5, (0, 2): 0.001, (1, 2): 0.5}
    assert ranges(3, lambda i, j: (0.1, p_values[i, j])) == [(1, 2), (1, 3), (2, 3)]
    assert ranges(1, lambda i, j: (0.0, 1.0)) == [(1, 1)]


def test_equal_rows_are_not_apart():
    """The same answers: difference 0 and p 1; a difference the other way round has the same p."""
    random = np.random.default_rng(1)
    first, second = simulate(random, [0.5, 0.0], (3, 2), 100, 0.1)
    assert difference_test(first, first) == pytest.approx((0, 1))
    there, back = difference_test(first, second), difference_test(second, first)
    assert there == pytest.approx((-back[0], back[1]))


def test_algorithms_are_compared_by_the_paired_normal_test():
    """Without seeds to scatter, p is that of the normal test with one discordant pair added, by the formula."""
    random = np.random.default_rng(2)
    a, b = (random.random((1, 80)) < share for share in (0.6, 0.5))
    one, other = (Evidence({"a": x.astype(float)}, {"a": 1.0}, trained=False) for x in (a, b))
    wins, losses = int((a & ~b).sum()), int((b & ~a).sum())
    n = 82
    variance = ((wins + losses + 1) / n - ((wins - losses) / n) ** 2) / n
    difference = (wins - losses) / 80
    assert difference_test(one, other) == pytest.approx((difference, 2 * norm.sf(abs(difference) / np.sqrt(variance))))


def test_the_board_carries_them(tiny_records):
    """Rows of a ranked board have the ranges that their records' evidence gives; rank lies within."""
    base = tiny_records["dt-net-thin@0"]
    shares = {"easy": [1] * 3, "cycles": [0.9] * 3, "large": [0.9] * 3}
    low = {"easy": [1] * 3, "cycles": [0.1] * 3, "large": [0.1] * 3}
    recipes = {"a": shares, "b": shares, "c": low, "d": low}
    records = [
        made(base, f"{name}@{seed}", name, seed, of)
        for name, of in recipes.items()
        for seed in range(1 if name == "b" else 2)
    ]
    (board,) = boards(records)
    assert [row.ranks for row in board.rows] == [(1, 2), (1, 2), (3, 4), (3, 4)]
    grouped = [[r for r in records if r.summary.plan.solver.recipe == row.recipe] for row in board.rows]
    assert [row.ranks for row in board.rows] == rank_ranges([evidence(group) for group in grouped])
    assert set(evidence(records[:1]).weights) == {"cycles", "large"}
    (lone,) = boards([record for record in records if record.summary.plan.solver.recipe in ("b", "c")])
    assert [row.ranks for row in lone.rows] == [(1, 2), (1, 2)]
    assert any("apart from none" in note for note in lone.rows[0].notes)
