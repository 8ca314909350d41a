"""What findings say of records whose every answer is known."""

import re
import shlex

import numpy as np
import pytest

from extramaze.association import common_odds
from extramaze.cli import app, run
from extramaze.evaluation import evaluate
from extramaze.findings import Word, findings_of, findings_text, make_pools
from extramaze.findings.figures import Figure, contrast, fall, mean_share, ratio
from extramaze.findings.ladders import by_column
from extramaze.findings.pooled_odds import Pooled
from extramaze.findings.spread import deviation
from extramaze.findings.verdicts import UNDECIDED, Verdict, above, below, every, not_tested, share_of_seeds
from extramaze.leaderboard import shipped_records
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.recipe import recipe_names
from extramaze.plan import make_part
from extramaze.rank_groups import Evidence, difference_test
from extramaze.ranking_score import score_interval
from extramaze.record_schema import CellNoise
from extramaze.suites import load_suite
from tests.benchmark.findings_records import chosen_record

SEEDS = (0, 1)


def figure(low, high, seeds=3, noise=None):
    return Figure((low + high) / 2, low, high, "share", seeds, 100, noise)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.6, 0.7, Word.CONFIRMED),
        (0.3, 0.4, Word.REFUTED),
        (0.4, 0.6, Word.NOT_TESTED),
        (0.5, 0.6, Word.NOT_TESTED),  # it touches the bound
        (0.4, 0.5, Word.REFUTED),  # no value in it is more than the bound
    ],
)
def test_a_verdict_is_where_the_whole_interval_lies(low, high, word):
    """Above the bound, at most it, or neither; "below" is the mirror image of "above"."""
    assert above(figure(low, high), 0.5, "x").word == word
    assert below(figure(1 - high, 1 - low), 0.5, "x").word == word


def test_one_seed_decides_nothing_and_an_algorithm_has_none():
    """A trained solver needs two seeds; an algorithm is what it is."""
    assert above(figure(0.8, 0.9, seeds=1), 0.5, "x").word == Word.NOT_TESTED
    assert UNDECIDED in above(figure(0.8, 0.9, seeds=1), 0.5, "x").why
    assert above(figure(0.8, 0.9, seeds=0), 0.5, "x").word == Word.CONFIRMED
    assert above(figure(0.8, 0.9, seeds=2), 0.5, "x").word == Word.CONFIRMED


def test_what_rounding_turns_is_no_difference():
    """A sure difference no larger than the noise floor is not told; a larger one is."""
    assert above(figure(0.02, 0.04, noise=0.05), 0.01, "x").word == Word.NOT_TESTED
    assert "rounding" in above(figure(0.02, 0.04, noise=0.05), 0.01, "x").why
    assert above(figure(0.02, 0.04, noise=0.001), 0.01, "x").word == Word.CONFIRMED


def test_verdicts_join():
    """One refuted refutes, else one untested leaves it open; no figure and no verdict are no evidence."""
    yes, no, open_ = (Verdict(word, "why") for word in (Word.CONFIRMED, Word.REFUTED, Word.NOT_TESTED))
    assert every(yes, open_, no).word == Word.REFUTED
    assert every(yes, open_).word == Word.NOT_TESTED
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
    """The interval of a difference leaves 0 out exactly where the board's test has p below 5 %."""
    random = np.random.default_rng(0)
    told = []
    for _ in range(60):
        first, second = (random.random((s, 80)) < rate for s, rate in ((4, 0.7), (3, 0.7 - random.random() * 0.5)))
        cells = [first.astype(float)], [second.astype(float)]
        found = contrast((1.0, cells[0]), (-1.0, cells[1]))
        rows = (Evidence({"c": cell[0]}, {"c": 1.0}) for cell in cells)
        difference, p = difference_test(*rows)
        assert found.value == pytest.approx(difference)
        told.append(p < 0.05)
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
    assert (found.value, found.seeds, found.mazes) == (0.5, 2, 60)
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


def published(cell):
    """Accuracy by cell in a world where the study's claims hold."""
    degrees = {"start-2": 0.8, "start-3": 0.6, "start-4": 0.4, "start-any": 0.7}
    if cell.startswith("cycles-"):
        return 0.9 ** int(cell.removeprefix("cycles-"))
    return degrees.get(cell, 0.2 if "percolation" in cell else 1.0)


def seeds_of(recipe, right, seeds=SEEDS, **rows):
    return [chosen_record(recipe, seed, right, **rows) for seed in seeds]


def some(recipe, shares, rest=1.0, cells=(), **rows):
    """Records of some cells only, with a share of right answers each (by name, or by its first word)."""
    suite = load_suite(rows.get("suite", "laptop-v1"))
    names = cells or tuple(c.name for c in suite.cells if c.name in shares or c.name.split("-")[0] in shares)
    return seeds_of(
        recipe, lambda cell: shares.get(cell, shares.get(cell.split("-")[0], rest)), part=(128, 16, names), **rows
    )


def verdict(text, records):
    """Judge the one claim that says so."""
    (pool,) = make_pools(records, partial=True)
    (found,) = [claim for finding in findings_of(pool) for claim in finding.claims if text in claim.text]
    return found.verdict


def dt(shares, rest=1.0, **rows):
    return some("dt-net-thin", shares, rest, **rows)


def pi(shares, **rows):
    return some("pi-net-thin", shares, **rows)


def on_trees(suite="laptop-v1", **rows):
    """A DT-Net that is right on the watched trees."""
    recipe, cells = (
        ("dt-net-e2h", ("size-9", "size-19")) if suite == "paper-v1" else ("dt-net-thin", ("size-9", "size-13"))
    )
    return some(recipe, {}, cells=cells, suite=suite, **rows)


def watched(recipe="dt-net-thin", share=0.5, **rows):
    return some(recipe, {}, share, cells=load_suite("laptop-v1").limits.cells, **rows)


def retrained(family, shares, cells="size"):
    """A plain recipe (key "") and its variants, with a share of right answers on some cells."""
    return [r for variant, share in shares.items() for r in some(f"{family}-thin{variant}", {cells: share})]


SIZES = ("size-13", "size-17", "size-21", "size-33")
CYCLE, CHAOS, OPEN = (lambda _, kind=kind: kind for kind in ("cycle", "chaotic", "undecided"))
TRENDS = ((1.0, 0.7, 0.4, 0.1), (0.9, 0.3, 0.8, 0.1), (0.5, 0.5, 0.5, 0.5))  # a fall, one with a rise in it, neither
DEGREES = [dict(zip(("size-9", "start-2", "start-3", "start-4"), shares, strict=True)) for shares in TRENDS]
COUNTS = [dict(zip(("cycles-0", "cycles-1", "cycles-4", "cycles-16"), shares, strict=True)) for shares in TRENDS]
TRAINED = [dict(zip(("", "-p01", "-p10", "-p50"), shares, strict=True)) for shares in TRENDS]


@pytest.fixture(scope="module")
def published_world():
    """Records in which the study's claims hold, of every kind of solver."""
    rows = {"limit": CYCLE, "betti": (2, 0), "study_betti": (2, 0), "filling": 1.0}
    records = [
        *seeds_of("dt-net-thin", published, **rows),
        *seeds_of("it-net-thin", published),
        chosen_record("pi-net-thin", 0, published),
        chosen_record("pi-net-thin", 0, published, mode="own"),
        chosen_record("dead-end-filling", 0, published, filling=1.0, trained=False),
    ]
    variants = ("p10", "p50", "tuned-100", "tuned-1k")
    return records + [chosen_record(f"dt-net-thin-{variant}", 0, published) for variant in variants]


# claim → records that confirm it, that refute it, and that leave it open
RULES = {
    "A DT-Net trained": [lambda s=s: dt({"size-9": 1.0, "size-13": 1.0, "size-21": s}) for s in (1.0, 0.5, 0.9)],
    "An IT-Net trained": [lambda s=s: some("it-net-thin", {"size-9": 1, "size-21": s}) for s in (1.0, 0.5, 0.9)],
    "PI-Net holds up": [
        lambda a=a, b=b: pi({"size-9": 1.0, "size-49": a, "size-65": b})
        for a, b in ((1.0, 0.3), (0.3, 0.1), (1.0, 0.97))
    ],
    "DT-Net falls from 1.00": [lambda s=s: dt({"size-9": 1.0, "start-any": s}) for s in (0.7, 1.0, 0.86)],
    "PI-Net falls from 1.00": [
        lambda a=a, b=b: pi({"size-9": a, "start-any": b}) for a, b in ((1.0, 0.8), (0.9, 1.0), (1.0, 0.97))
    ],
    "degree of the start": [lambda d=d: dt(d) for d in DEGREES],
    "DT-Net collapses": [
        lambda a=a, b=b: dt({"start-any": a, "percolation-0.1": b}) for a, b in ((1.0, 0.2), (1.0, 0.9), (1.0, 0.5))
    ],
    "PI-Net collapses": [
        lambda a=a, b=b: pi({"start-any": a, "percolation-0.1": b}) for a, b in ((1.0, 0.2), (1.0, 0.9), (0.4, 0.3))
    ],
    "exact number of cycles": [lambda c=c: dt(c) for c in COUNTS],
    "not the scoring rule's": [
        lambda s=s, e=e: dt(
            {"start-any": 1.0, "percolation-0.1": s}, stored=lambda cell: e if "percolation" in cell else 1.0
        )
        for s, e in ((0.3, 1.0), (1.0, 0.3), (1.0, 1.0))
    ],
    "on 98.8% of": [
        lambda s=s, f=f: dt({"percolation": s}, filling=f) for s, f in ((0.0, 1.0), (0.2, 0.1), (0.0, 0.9))
    ],
    "Where DT-Net is wrong": [lambda f=f: dt({"percolation-0.3": 0.5}, filling=f) for f in (1.0, 0.1, 0.5)],
    **{
        f"Retraining {name} at percolation .01 brings": [
            lambda f=f, s=s: retrained(f, {"": 0.2, "-p01": s}, "percolation") for s in (0.8, 0.1, 0.25)
        ]
        for name, f in (("DT-Net", "dt-net"), ("IT-Net", "it-net"))
    },
    "Size extrapolation of DT-Net": [lambda t=t: retrained("dt-net", t) for t in TRAINED],
    "Size extrapolation of IT-Net": [lambda t=t: retrained("it-net", t) for t in TRAINED],
    **{
        f"trained DT-Net on {count} mazes": [
            lambda v=v, s=s: retrained("dt-net", {"": 0.2, v: s, "-p10": 0.8}, "percolation") for s in (0.78, 0.25, 0.5)
        ]
        for count, v in (("100", "-tuned-100"), ("1,000", "-tuned-1k"), ("10,000", "-tuned-10k"))
    },
    **{
        f"{how} costs size": [lambda f=f, v=v, s=s: retrained(f, {"": 0.9, v: s}) for s in (0.5, 1.0, 0.88)]
        for how, f, v in (
            ("Retraining DT-Net at percolation .01", "dt-net", "-p01"),
            ("Retraining DT-Net at percolation .1", "dt-net", "-p10"),
            ("Retraining IT-Net at percolation .5", "it-net", "-p50"),
            ("Fine-tuning DT-Net on 1,000 mazes with cycles", "dt-net", "-tuned-1k"),
        )
    },
    "counted by the study's threshold": [
        lambda: on_trees(study_betti=(2, 0)),
        lambda: on_trees("paper-v1"),
        lambda: on_trees(),  # watched too early to refute
    ],
    "counted by our threshold": [lambda: on_trees(betti=(2, 0)), lambda: on_trees("paper-v1"), on_trees],
    "counted by returns": [
        lambda: on_trees(limit=CYCLE),
        lambda: on_trees("paper-v1"),
        lambda: on_trees("paper-v1", limit=OPEN),
    ],
    **{
        f"{name} settles on": [
            lambda r=r: watched(r),
            lambda r=r: watched(r, limit=CYCLE),
            lambda r=r: watched(r, limit=OPEN),
        ]
        for name, r in (("IT-Net", "it-net-thin"), ("PI-Net", "pi-net-thin"))
    },
    "failures settle": [watched, lambda: watched(limit=CHAOS), lambda: watched(limit=OPEN)],
    "right more often where": [
        lambda: watched(limit=lambda right: "fixed point" if right else "chaotic"),
        lambda: watched(limit=lambda right: "cycle" if right else "fixed point"),
        lambda: watched(limit=lambda right: "undecided" if right else "fixed point"),
    ],
    "motion reaches": [
        lambda: watched(limit=CYCLE),
        lambda: watched(limit=CHAOS),
        lambda: watched(limit=CYCLE, motion=1e-12),  # transients do not move
    ],
    "does not depend on its initial": [
        watched,
        lambda: watched(depends=True),
        lambda: watched(depends=True, limit=CYCLE),  # only fixed points tell
    ],
    "fails on longer paths": [lambda h=h: dt({"size": 0.5}, cells=SIZES, hard_when=h) for h in ("long", "short", None)],
    "fails on larger mazes": [
        lambda s=s: dt(dict(zip(SIZES, s, strict=True)))
        for s in ((0.9, 0.6, 0.4, 0.1), (0.1, 0.4, 0.6, 0.9), (0.5,) * 4)
    ],
    "differ widely": [
        lambda s=s: [
            chosen_record("dt-net-thin", seed, lambda cell, x=x: x, part=(128, 16, ("size-9", "size-33")))
            for seed, x in enumerate(s)
        ]
        for s in ((0.2, 0.5, 0.8), (0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
    ],
}
WORDS = (Word.CONFIRMED, Word.REFUTED, Word.NOT_TESTED)


@pytest.mark.parametrize("claim", RULES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_rule_confirms_refutes_and_leaves_open(claim, place):
    """Records made to bear a claim out, to contradict it, and to do neither."""
    assert verdict(claim, RULES[claim][place]()).word == WORDS[place]


def test_without_records_nothing_is_tested():
    """Of solvers that no claim is about: every claim has a rule and lacks evidence, and none is undecided."""
    (pool,) = make_pools(some("ff-net-thin", {}, cells=("size-9",)), partial=True)
    claims = [claim for finding in findings_of(pool) for claim in finding.claims]
    assert {claim.verdict.word for claim in claims} == {Word.NOT_TESTED}
    assert not any(claim.verdict.undecided for claim in claims)
    assert all(claim.rule.startswith("confirmed where") for claim in claims)


@pytest.mark.parametrize(("largest", "word"), [(0.2, Word.REFUTED), (1.0, Word.CONFIRMED), (0.95, Word.NOT_TESTED)])
def test_the_studys_sizes_and_iterations_decide(largest, word):
    """paper-v1 goes to size 99 and 3,000 iterations: there, what happens at the largest size decides."""
    sizes = {f"size-{9 + 10 * step}": 1.0 for step in range(9)} | {"size-99": largest}
    assert verdict("size 9 to 99", some("dt-net-e2h", sizes, suite="paper-v1")).word == word
    early = verdict("size 9 to 99", dt({"size-9": 1.0, "size-21": largest}))
    assert early.undecided
    assert largest > 0.2 or "of 3,000 iterations" in early.why


def test_the_size_that_decides_is_twice_the_trained_one():
    """Size 13 does not decide where 21 was run; where nothing so large was, the text says so; and how far it goes."""
    far = verdict("A DT-Net trained", dt({"size-9": 1.0, "size-13": 0.2, "size-21": 1.0}))
    assert far.word == Word.CONFIRMED
    assert "90% is held up to size 9" in far.why
    near = verdict("A DT-Net trained", dt({"size-9": 1.0, "size-13": 1.0}))
    assert near.word == Word.CONFIRMED
    assert "less than twice 9" in near.why


def test_a_solver_that_knows_no_trees_does_not_collapse():
    """From 40 to 30 % is no refutation of a collapse: there was nothing to fall from."""
    assert "little to fall from" in verdict("PI-Net collapses", RULES["PI-Net collapses"][2]()).why


def test_columns_stand_in_for_cells():
    """smoke-v1 has no cells by degree and cycles: its mazes have both in their rows."""
    cells = ("size-9", "percolation-0.05", "percolation-0.1", "start-any")
    records = some("dt-net-thin", {"size": 1.0, "percolation": 0.4}, cells=cells, suite="smoke-v1")
    (pool,) = make_pools(records, partial=True)
    exact = by_column(pool, cells[:3], "cycles", "cycles")
    assert list(exact.groups) == [0, 1, 2, 3]
    assert exact.right(pool.entrants[0], 0).shape == (2, 128 + 64)
    assert exact.right(pool.entrants[0], 3).mean() < 0.6
    text = findings_text(records, "x", partial=True)
    assert "| cycles, in the percolated cells (mazes) | 0 (192) | 1 (64) | 2 (64) | 3 (64) |" in text
    assert "| degree of the start, in start-any (mazes) | 1 (43) | 2 (43) | 3 (42) |" in text


def test_open_trajectories_count_both_ways():
    """Half at rest and half undecided: between a half and all, so that neither is said."""
    limit = iter(["fixed point", "undecided"] * 10_000)
    found = verdict("IT-Net settles on", watched("it-net-thin", limit=lambda _: next(limit)))
    assert found.undecided
    assert (found.figure.value, found.figure.upto) == (0.5, 1.0)
    assert "50.0 to 100.0%" in found.why


def test_seeds_that_meet_a_claim_bound_the_share_of_all():
    """All of S seeds: at least .05^(1/S); one of two says next to nothing; every verdict on several seeds says it."""
    assert share_of_seeds(4, 4) == (pytest.approx(0.05**0.25), 1.0)
    assert share_of_seeds(0, 2) == (0.0, pytest.approx(1 - 0.05**0.5))
    low, high = share_of_seeds(1, 2)
    assert low < 0.03
    assert high > 0.97
    assert "all 2 seeds meet it, and so would at least 22% of all seeds" in verdict("A DT-Net", dt({"size": 1.0})).why
    assert "none of 2 seeds meets it, and at most 78%" in verdict("A DT-Net trained", dt({"size": 0.3})).why


def test_accuracy_is_judged_by_the_published_inference():
    """PI-Net's own inference decides where it was run, with the plain iteration beside it; limits need iterates."""
    shares = {"size-9": 1.0, "start-any": 1.0, "size-49": 0.1, "size-65": 0.1}
    free = pi(shares, limit=CYCLE)
    own = pi({**shares, "size-49": 1.0}, mode="own", limit=lambda right: "fixed point")
    assert verdict("PI-Net holds up", free).word == Word.REFUTED
    held = verdict("PI-Net holds up", free + own)
    assert held.word == Word.CONFIRMED
    assert "pi-net-thin (own inference)" in held.why
    assert "by the plain iteration 9.4%" in held.why
    assert verdict("PI-Net settles on", free + own).word == Word.REFUTED
    text = findings_text(free + own, "x", partial=True)
    assert "pi-net-thin, own inference (2 seeds)" in text
    assert "--mode own" in text


def test_marked_seeds_do_not_refute():
    """Training that fell short may be why; recipes trained on cycles are marked by those and refute all the same."""
    shares = {"size-9": 0.9, "size-21": 0.3}
    marked = [
        chosen_record("dt-net-thin", s, lambda c: shares[c], part=(128, 16, tuple(shares)), mark=mark)
        for s, mark in enumerate((None, "97.50%"))
    ]
    found = verdict("A DT-Net trained", marked)
    assert found.undecided
    assert "dt-net-thin @1 (97.50%)" in found.why
    assert "| dt-net-thin (2 seeds, 1 marked) | 0, 1 | " in findings_text(marked, "x", partial=True)
    new = seeds_of("dt-net-thin-p10", lambda c: 1.0, part=(128, 16, tuple(shares)), mark="94.12%")
    assert verdict("Retraining DT-Net at percolation .1 costs", new + dt(shares)).word == Word.REFUTED


def test_seeds_that_contradict_leave_odds_open():
    """A sure sum of strata is no finding where a seed surely says the contrary; one wrong maze does not."""
    sure = Figure(2.0, 1.5, 3.0, "odds", 2, 100)
    alike, unsure, contrary = (
        common_odds(np.array([counts])) for counts in ([[40, 10], [20, 30]], [[50, 1], [50, 0]], [[10, 40], [40, 10]])
    )
    assert Pooled(sure, (alike, alike)).judge(above, "x").word == Word.CONFIRMED
    assert unsure.ratio < 1
    assert Pooled(sure, (alike, unsure)).judge(above, "x").word == Word.CONFIRMED
    assert Pooled(sure, (alike, contrary)).judge(above, "x").undecided
    assert Pooled(sure, (alike, alike)).judge(below, "x").word == Word.REFUTED
    assert Pooled(None, ()).judge(above, "x").word == Word.NOT_TESTED


def test_path_length_and_size_are_told_apart():
    """Wrong on the longest paths of each size alike, or wrong by size whatever the path."""
    longer, larger = RULES["fails on longer paths"][0](), RULES["fails on larger mazes"][0]()
    assert verdict("fails on larger mazes", longer).word != Word.CONFIRMED
    assert verdict("fails on longer paths", larger).word != Word.CONFIRMED


def test_what_hangs_on_the_threshold_is_said():
    """Two-point cycles by the study's threshold and not by ours: two verdicts, and a sentence."""
    said = "hangs on the threshold by which they are counted"
    assert said in findings_text(on_trees("paper-v1", study_betti=(2, 0)), "x", partial=True)
    assert said not in findings_text(on_trees("paper-v1"), "x", partial=True)


def test_a_noise_floor_stands_beside_the_difference():
    """Rounding that turns as many answers as a start does leaves the fall untold."""
    noise = [CellNoise(cell=cell, mazes=64, block=32, dtype=32, either=32) for cell in ("size-9", "start-any")]
    shares = {"size-9": 1.0, "start-any": 0.7}
    quiet, loud = dt(shares), dt(shares, noise=noise)
    assert verdict("DT-Net falls from 1.00", quiet).word == Word.CONFIRMED
    assert verdict("DT-Net falls from 1.00", loud).undecided
    text = findings_text(loud, "x", partial=True)
    assert "50.00% for dt-net-thin" in text
    assert "evaluate runs/$recipe-$seed --suite laptop-v1 --noise-floor" in text
    said = "None of these records says how many answers rounding alone turns"
    assert findings_text(quiet, "x", partial=True).count(said) == 1
    assert said not in text


def only(recipe, records):
    return [record for record in records if record.summary.plan.solver.recipe == recipe]


def test_any_set_of_records_makes_a_text(published_world, tiny_records):
    """One solver, one seed, one algorithm, a suite of one's own, parts, all suites together: none is too little."""
    part = (8, 2, ("start-any", "cycles-4"))
    sets = [
        published_world[:1],
        only("dead-end-filling", published_world),
        only("it-net-thin", published_world),
        only("dt-net-thin-tuned-1k", published_world) + only("dt-net-thin-p50", published_world),
        [chosen_record("mine", 7, lambda cell: 0.0)],
        [chosen_record("dt-net-thin", 0, lambda cell: 0.0, limit=lambda right: "diverged")],
        list(tiny_records.values()),
        [chosen_record("pi-net-e2h", 0, published, suite="paper-v1"), *published_world[:3]],
    ]
    for records in sets:
        text = findings_text(records, "extramaze findings")
        assert len(re.findall(r"^## \d\. ", text, re.MULTILINE)) == 8
        assert "nan" not in text.lower()
    single = findings_text([chosen_record("dt-net-thin", 0, published, part=part)], "x", partial=True)
    assert "Partial records are among these" in single


def test_a_text_has_every_verdict_of_every_suite(published_world):
    """A column a suite in the table, a line a suite below each claim; figures stand in the table beside the words."""
    records = [*seeds_of("dt-net-thin", published, suite="smoke-v1"), *published_world]
    text = findings_text(records, "x")
    assert "|  | claim | laptop-v1 | smoke-v1 |" in text
    (pool, _) = make_pools(records)
    found = [claim.verdict for finding in findings_of(pool) for claim in finding.claims]
    assert len(re.findall(r"^- laptop-v1: \*\*", text, re.MULTILINE)) == len(found)
    assert len(re.findall(r"^- smoke-v1: \*\*", text, re.MULTILINE)) == len(found)
    for word in Word:
        count = sum(verdict.word == word for verdict in found)
        assert len(re.findall(rf"^- laptop-v1: \*\*{word}", text, re.MULTILINE)) == count > 0
    (row,) = re.findall(r"^\| 3 \| DT-Net collapses .*$", text, re.MULTILINE)
    assert "not tested (undecided): 50.0 points (" in row
    assert "asked above 50.0 points" in row


def test_smoke_tables_leave_out_whom_laptop_has():
    """With as many seeds; who has fewer there, or is not there, keeps its row."""
    laptop, cells = dt({"size": 1.0}), ("size-9", "size-13")
    other = some("it-net-thin", {}, cells=cells, suite="smoke-v1")
    titles = r"^\*smoke-v1.\* \*\*Optimal answers at the last rung by size.*?\n\n(.*?)\n\n"

    def shown(seeds):
        records = [*laptop, *other, *some("dt-net-thin", {}, cells=cells, suite="smoke-v1", seeds=seeds)]
        (found,) = re.findall(titles, findings_text(records, "x", partial=True), re.MULTILINE | re.DOTALL)
        return "| dt-net-thin (" in found

    assert not shown((0, 1))
    assert shown((0, 1, 2))


def test_parts_are_no_findings():
    """Records of a part of a suite are refused unless asked for, and then never join whole ones."""
    part = chosen_record("dt-net-thin", 0, published, part=(8, 2))
    with pytest.raises(InputError, match="--partial"):
        make_pools([part])
    whole = chosen_record("dt-net-thin", 1, published)
    (pool,) = make_pools([part, whole], partial=True)
    assert [entrant.seeds for entrant in pool.entrants] == [(1,)]
    assert len(pool.left_out) == 1
    assert "at most 8 mazes" in pool.left_out[0]
    (pool,) = make_pools([part, whole])
    assert pool.left_out == ()


def test_two_records_of_one_seed_are_refused():
    """As the board refuses them."""
    with pytest.raises(InputError, match="two records of dt-net-thin"):
        make_pools([chosen_record("dt-net-thin", 0, published)] * 2)


def test_cells_are_found_by_their_specifications():
    """Ladders of laptop-v1, smoke-v1 and paper-v1 differ in one field alone."""
    (laptop,) = make_pools([chosen_record("a", 0, published)])
    assert list(laptop.ladder("size")) == [9, 13, 17, 21, 33, 49, 65]
    assert list(laptop.ladder("start")) == ["deadend", 2, 3, 4, "any"]
    assert laptop.ladder("percolation")[0.0] == "start-any"
    assert list(laptop.ladder("cycles")) == [0, 1, 2, 4, 8, 16]
    (smoke,) = make_pools([chosen_record("a", 0, published, suite="smoke-v1")])
    assert smoke.ladder("percolation")[0.0] == "size-9"
    assert smoke.ladder("cycles") == {}
    (paper,) = make_pools([chosen_record("a", 0, published, suite="paper-v1")])
    assert paper.ladder("size")[99] == "size-99"


def test_dead_end_filling_fails_as_itself(tmp_path):
    """On real records: all wrong answers of the algorithm are its own, and hardly any of a breadth-first search's."""
    part = make_part(24, 1, ("size-9", "percolation-0.3", "start-any"))
    for name in ("dead-end-filling", "wavefront"):
        evaluate(load(name), "laptop-v1", "cpu", part=part, quiet=True).write(tmp_path / name)
    out = tmp_path / "FINDINGS.md"
    assert run(["findings", str(tmp_path), "--out", str(out)]) == 2
    assert run(["findings", str(tmp_path), "--partial", "--out", str(out)]) == 0
    text = out.read_text()
    table = text.split("**Answers on the ")[1]
    rows = {line.split(" (")[0]: line.split("|")[2:] for line in table.splitlines()[:8] if "algorithm" in line}
    assert [cell.split(" ± ")[0].strip() for cell in rows["| dead-end-filling"][:4]] == [
        "100.0",
        "24",
        "100.0",
        "100.0",
    ]
    assert [cell.split(" ± ")[0].strip() for cell in rows["| wavefront"][:4]] == ["0.0", "0", "–", "–"]
    assert f"`extramaze findings {tmp_path} --partial`" in text


def test_commands_are_the_programs_own(published_world):
    """Every command of a text names a verb, options that it has, and recipes that are shipped."""
    import typer

    verbs = typer.main.get_command(app).commands
    text = findings_text(published_world, "x")
    lines = [line.strip() for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert any("--init-from dt-net-thin@$seed" in line for line in lines)
    for line in lines:
        if line.startswith("extramaze"):
            _, verb, *words = shlex.split(line)
            known = {name for parameter in verbs[verb].params for name in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= known, line
        elif line.startswith("for recipe in"):
            names = line.removeprefix("for recipe in ").split(";")[0].split()
            assert set(names) <= set(recipe_names())
        else:
            assert line == "done; done"


def test_the_shipped_findings_are_those_of_the_shipped_records(root):
    """results/FINDINGS.md is what the command writes."""
    shipped = root / "results" / "FINDINGS.md"
    if not shipped.exists():
        pytest.skip("no findings are shipped yet")
    assert shipped.read_text() == findings_text(shipped_records(), "extramaze findings")
