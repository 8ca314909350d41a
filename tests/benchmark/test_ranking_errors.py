"""How often ranks, and intervals of scores, are wrong where the truth is known, down to a few mazes a cell."""

from types import SimpleNamespace

import numpy as np
import pytest

from extramaze.leaderboard import score
from extramaze.leaderboard.ranking import ranking
from extramaze.leaderboard.ranks import Evidence, compare_scores

pytestmark = pytest.mark.numeric

TRIALS = 400
ALLOWED = 0.05 + 2 * np.sqrt(0.05 * 0.95 / TRIALS)  # of so many trials, where 5 % are expected
CELLS = {f"cell-{k}": 1 / 6 for k in range(6)}


def between(value):
    """A value whose neighbours on both sides are tried by default."""
    return pytest.param(value, marks=pytest.mark.slow)


def drawn(random, count, seeds, spread, trained=True):
    """Draw a row of equal skill in truth: seeds scatter by ``spread``, of the share of mazes that they solve."""
    skill = 0.5 + random.normal(scale=spread, size=(seeds, 1)) if trained else np.full((1, 1), 0.5)
    right = {cell: (random.random((seeds, count)) < skill).astype(float) for cell in CELLS}
    return Evidence(right, CELLS, trained)


def share_told_apart(version, rows_of):
    """Return how often the first two rows, equal in truth, are told apart at 5 %."""
    rule, wrong = ranking(version), 0
    for trial in range(TRIALS):
        rows = rows_of(np.random.default_rng([version, trial]))
        known = rule.spreads(rows)
        wrong += compare_scores(rows[0], rows[1], known[:2], rule).p <= 0.05
    return wrong / TRIALS


@pytest.mark.parametrize("count", [8, 32, 256])
def test_equal_algorithms_are_told_apart_by_few_mazes_as_rarely_as_stated(count):
    """At 8 mazes a cell version 1 does so in more than 7 %."""

    def rows_of(random):
        return [drawn(random, count, 1, 0.0, trained=False) for _ in range(2)]

    assert share_told_apart(2, rows_of) <= ALLOWED
    if count == 8:
        assert share_told_apart(1, rows_of) > ALLOWED


@pytest.mark.parametrize("seeds", [1, between(2), 5])
@pytest.mark.parametrize("count", [8, between(32), 256])
@pytest.mark.parametrize("wild", [False, True])
def test_equal_recipes_are_told_apart_as_rarely_as_stated(count, seeds, wild):
    """At any number of mazes and seeds, beside four other recipes of three seeds, one of them wild or none."""

    def rows_of(random):
        others = [drawn(random, count, 3, 0.3 if wild and not k else 0.05) for k in range(4)]
        return [*(drawn(random, count, seeds, 0.05) for _ in range(2)), *others]

    assert share_told_apart(2, rows_of) <= ALLOWED


@pytest.mark.parametrize("count", [8, 32, 256])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.98])
def test_intervals_of_one_row_hold_the_truth_at_few_mazes(count, level, monkeypatch):
    """The interval of a score over mazes holds the truth in 95 % of trials, from half right to nearly all right."""
    monkeypatch.setattr(score, "score_weights", lambda record: CELLS)
    monkeypatch.setattr(score, "last_rung", lambda record, cell: record.right[cell])
    monkeypatch.setattr(score, "record_score", lambda record: float(np.mean([r.mean() for r in record.right.values()])))
    missed = 0
    for trial in range(TRIALS):
        random = np.random.default_rng([count, trial])
        record = SimpleNamespace(right={cell: (random.random(count) < level) * 1.0 for cell in CELLS})
        low, high = score.score_interval([record], ranking(2).variance_of_mean)
        missed += not low <= level <= high
    assert missed / TRIALS <= ALLOWED
