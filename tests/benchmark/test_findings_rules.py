"""Every rule of the findings, on records whose every answer is known."""

import re

import numpy as np
import pytest

from extramaze.findings import Word, findings_of, findings_text, make_pools
from extramaze.findings.failures import less_right
from extramaze.findings.figures import Figure, odds_of_seeds, stratified
from extramaze.findings.ladders import by_column
from extramaze.findings.pooled_odds import Pooled
from extramaze.findings.verdicts import above, below, share_of_seeds
from extramaze.odds import common_odds
from extramaze.records.schema import CellNoise
from tests.benchmark.findings_records import (
    CHAOS,
    CYCLE,
    OPEN,
    chosen_record,
    dt,
    on_trees,
    pi,
    retrained,
    seeds_of,
    some,
    watched,
)

SIZES = ("size-13", "size-17", "size-21", "size-33")
TRENDS = ((1.0, 0.7, 0.4, 0.1), (0.9, 0.3, 0.8, 0.1), (0.5, 0.5, 0.5, 0.5))  # a fall, one with a rise in it, neither
DEGREES = [dict(zip(("size-9", "start-2", "start-3", "start-4"), shares, strict=True)) for shares in TRENDS]
COUNTS = [dict(zip(("cycles-0", "cycles-1", "cycles-4", "cycles-16"), shares, strict=True)) for shares in TRENDS]
TRAINED = [dict(zip(("", "-p01", "-p10", "-p50"), shares, strict=True)) for shares in TRENDS]


def verdict(text, records):
    """Judge the one claim that says so."""
    (pool,) = make_pools(records, partial=True)
    (found,) = [claim for finding in findings_of(pool) for claim in finding.claims if text in claim.text]
    return found.verdict


FAILING = (("DT-Net", "dt-net-thin"), ("IT-Net", "it-net-thin"))
# claim → records that confirm it, that refute it, and that leave it open
RULES = {
    "A DT-Net trained": [
        lambda s=s: dt({"size-9": 1.0, "size-13": 1.0, "size-21": s}, held=True) for s in (1.0, 0.5, 0.9)
    ],
    "An IT-Net trained": [
        lambda s=s: some("it-net-thin", {"size-9": 1, "size-21": s}, held=True) for s in (1.0, 0.5, 0.9)
    ],
    "Without recall": [lambda s=s: some("dt-net-no-recall-thin", {"size-9": 1, "size-21": s}) for s in (0.1, 0.9, 0.5)],
    "PI-Net holds up": [
        lambda a=a, b=b: pi({"size-9": 1.0, "size-49": a, "size-65": b}, mode="own")
        for a, b in ((1.0, 0.3), (0.3, 0.1), (1.0, 0.97))
    ],
    "DT-Net falls from 1.00": [lambda s=s: dt({"size-9": 1.0, "start-any": s}) for s in (0.7, 1.0, 0.86)],
    "PI-Net falls from 1.00": [
        lambda a=a, b=b: pi({"size-9": a, "start-any": b}, mode="own") for a, b in ((1.0, 0.8), (0.9, 1.0), (1.0, 0.97))
    ],
    "degree of the start": [lambda d=d: dt(d) for d in DEGREES],
    "DT-Net collapses": [
        lambda a=a, b=b: dt({"start-any": a, "percolation-0.1": b}) for a, b in ((1.0, 0.2), (1.0, 0.9), (1.0, 0.5))
    ],
    "PI-Net collapses": [
        lambda a=a, b=b: pi({"start-any": a, "percolation-0.1": b}, mode="own")
        for a, b in ((1.0, 0.2), (1.0, 0.9), (0.4, 0.3))
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
    "counted by the study's rule": [
        lambda: on_trees(study_betti=(2, 0)),
        lambda: on_trees("paper-v1"),
        lambda: on_trees(limit=CHAOS),  # watched too early to refute of what still moves
    ],
    "counted by our rule": [
        lambda: on_trees(betti=(2, 0)),
        lambda: on_trees("paper-v1"),
        lambda: on_trees(limit=CHAOS),
    ],
    "hardly ever comes to rest": [lambda: on_trees(limit=CYCLE), on_trees, lambda: on_trees(limit=OPEN)],
    "DT-L has a single": [
        lambda: watched("dt-l-kernel-thin"),
        lambda: watched("dt-l-kernel-thin", depends=True),
        lambda: watched("dt-l-kernel-thin", limit=OPEN),
    ],
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
    **{
        f"{word} answer at a fixed point does not depend": [
            lambda s=share: watched(share=s),
            lambda s=share: watched(share=s, depends=True),
            lambda s=share: watched(share=s, depends=True, limit=CYCLE),  # only fixed points tell
        ]
        for word, share in (("right", 1.0), ("wrong", 0.0))
    },
    **{
        f"{name} fails on longer paths": [
            lambda r=r, h=h: some(r, {"size": 0.5}, cells=SIZES, hard_when=h) for h in ("long", "short", None)
        ]
        for name, r in FAILING
    },
    **{
        f"{name} fails on larger mazes": [
            lambda r=r, s=s: some(r, dict(zip(SIZES, s, strict=True)))
            for s in ((0.9, 0.6, 0.4, 0.1), (0.1, 0.4, 0.6, 0.9), (0.5,) * 4)
        ]
        for name, r in FAILING
    },
    "differ widely": [
        lambda s=s: [
            chosen_record("dt-net-thin", seed, lambda cell, x=x: x, part=(128, 16, ("size-9", "size-33")))
            for seed, x in enumerate(s)
        ]
        for s in ((0.2, 0.5, 0.8), (0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
    ],
}
WORDS = ({Word.CONFIRMED}, {Word.REFUTED}, {Word.UNDECIDED, Word.NOT_TESTED})


@pytest.mark.parametrize("claim", RULES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_rule_confirms_refutes_and_leaves_open(claim, place):
    """Records made to bear a claim out, to contradict it, and to do neither."""
    assert verdict(claim, RULES[claim][place]()).word in WORDS[place]


def test_without_records_nothing_is_tested():
    """Of solvers that no claim is about: every claim has a rule and lacks evidence, and none is undecided."""
    (pool,) = make_pools(some("ff-net-thin", {}, cells=("size-9",)), partial=True)
    claims = [claim for finding in findings_of(pool) for claim in finding.claims]
    assert {claim.verdict.word for claim in claims} == {Word.NOT_TESTED}
    assert all(claim.rule.startswith("confirmed where") for claim in claims)


@pytest.mark.parametrize(("largest", "word"), [(0.2, Word.REFUTED), (1.0, Word.CONFIRMED), (0.95, Word.UNDECIDED)])
def test_the_studys_sizes_and_iterations_decide(largest, word):
    """paper-v1 goes to size 99 and 3,000 iterations: there, what happens at the largest size decides."""
    sizes = {f"size-{9 + 10 * step}": 1.0 for step in range(9)} | {"size-99": largest}
    assert verdict("size 9 to 99", some("dt-net-e2h", sizes, suite="paper-v1")).word == word
    early = verdict("size 9 to 99", dt({"size-9": 1.0, "size-21": largest}))
    assert early.word == Word.UNDECIDED
    assert largest > 0.2 or "of 3,000 iterations" in early.why


def test_the_size_that_decides_is_twice_the_trained_one():
    """Size 13 does not decide, whether 21 was run or nothing so large; the text says so, and how far it goes."""
    far = verdict("A DT-Net trained", dt({"size-9": 1.0, "size-13": 0.2, "size-21": 1.0}))
    assert far.word == Word.CONFIRMED
    assert "90% is held up to size 9" in far.why
    near = verdict("A DT-Net trained", dt({"size-9": 1.0, "size-13": 1.0}))
    assert near.word == Word.UNDECIDED
    assert "no size of at least 18 was run" in near.why


def test_a_share_that_still_rises_refutes_nothing():
    """The study ran 3,000 iterations; the suites here stop before, so that more of them might have solved the rest."""
    rising = verdict("An IT-Net trained", some("it-net-thin", {"size-9": 1, "size-21": 0.5}))
    assert rising.word == Word.UNDECIDED
    assert "still rises at 200 iterations" in rising.why


def test_what_rests_early_refutes_cycles():
    """What has come to rest by 600 steps has by 3,000; what still moves might yet cycle: no refutation."""
    early = verdict("counted by the study's rule", on_trees())
    assert early.word == Word.REFUTED
    assert "with all that have not come to rest: 0.0%" in early.why
    assert "watched after 600 steps" in verdict("counted by the study's rule", on_trees(limit=CHAOS)).why


def test_a_collapse_is_asked_of_mazes_with_cycles():
    """A quarter of these percolated mazes have none, and count as trees: they are left out of the fall."""
    records = dt({"start-any": 1.0, "percolation-0.1": 0.5})
    (pool,) = make_pools(records, partial=True)
    (entrant,) = pool.entrants
    right, cyclic = entrant.right("percolation-0.1"), entrant.column("percolation-0.1", "cycles")[0] > 0
    assert 0 < cyclic.sum() < len(cyclic)
    assert verdict("DT-Net collapses", records).figure.value == pytest.approx(1 - right[:, cyclic].mean())


def test_what_never_learnt_its_own_size_extrapolates_nothing():
    """A network without recall that solves no 9×9 maze at any rung bears out nothing about recall."""
    never = verdict("Without recall", some("dt-net-no-recall-thin", {"size-9": 0.1, "size-21": 0.0}))
    assert never.word == Word.UNDECIDED
    assert "has not learnt size 9" in never.why


def test_a_collapse_needs_mazes_with_cycles():
    """Of three mazes too few have one for a share to say anything."""
    names = ("start-any", "percolation-0.1")
    few = seeds_of("dt-net-thin", lambda c: 1.0, part=(3, 1, names))
    assert verdict("DT-Net collapses", few).word == Word.NOT_TESTED


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
    assert found.word == Word.UNDECIDED
    assert (found.figure.value, found.figure.upto) == (0.5, 1.0)
    assert "50.0 to 100.0%" in found.why


def test_seeds_that_meet_a_claim_bound_the_share_of_all():
    """All of S seeds: at least .05^(1/S); one of two says next to nothing; every verdict on several seeds says it."""
    assert share_of_seeds(4, 4) == (pytest.approx(0.05**0.25), 1.0)
    assert share_of_seeds(0, 2) == (0.0, pytest.approx(1 - 0.05**0.5))
    low, high = share_of_seeds(1, 2)
    assert low < 0.03
    assert high > 0.97
    assert "both seeds meet it (of all seeds: at least 22%)" in verdict("A DT-Net", dt({"size": 1.0})).why
    against = verdict("A DT-Net trained", dt({"size": 0.3}, held=True))
    assert "none of 2 seeds meets it (of all seeds: at most 78%)" in against.why


def test_accuracy_is_judged_by_the_published_inference():
    """PI-Net's own inference decides where it was run, with the plain iteration beside it; limits need iterates."""
    shares = {"size-9": 1.0, "start-any": 1.0, "size-49": 0.1, "size-65": 0.1}
    free = pi(shares, limit=CYCLE)
    own = pi({**shares, "size-49": 1.0}, mode="own", limit=lambda right: "fixed point")
    alone = verdict("PI-Net holds up", free)
    assert alone.word == Word.NOT_TESTED
    assert "run by the plain iteration" in alone.why
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
        chosen_record("dt-net-thin", s, lambda c: shares[c], part=(128, 16, tuple(shares)), mark=mark, held=True)
        for s, mark in enumerate((None, 0.975))
    ]
    found = verdict("A DT-Net trained", marked)
    assert found.word == Word.UNDECIDED
    assert "dt-net-thin @1 (97.50%)" in found.why
    assert "| dt-net-thin (2 seeds, 1 marked) | 0, 1 | " in findings_text(marked, "x", partial=True)
    new = seeds_of("dt-net-thin-p10", lambda c: 1.0, part=(128, 16, tuple(shares)), mark=0.9412)
    assert verdict("Retraining DT-Net at percolation .1 costs", new + dt(shares)).word == Word.REFUTED


def test_a_difference_within_strata_counts_seeds():
    """Seeds that agree decide, those that contradict one another do not; weights are Mantel and Haenszel's."""
    tables = np.array([[[40, 10], [20, 30]], [[9, 1], [20, 20]]])
    same = stratified([tables, tables])
    weights = np.array([50 * 50 / 100, 10 * 40 / 50])
    assert same.value == pytest.approx(weights @ [0.8 - 0.4, 0.9 - 0.5] / weights.sum())
    assert above(same, 0.0, "x").word == Word.CONFIRMED
    assert below(same, 0.0, "x").word == Word.REFUTED
    assert above(stratified([tables, tables[:, ::-1]]), 0.0, "x").word == Word.UNDECIDED
    assert stratified([np.array([[[3, 4], [0, 0]]])]) is None
    lone = stratified([tables, np.array([[[3, 4], [0, 0]]])])
    assert (lone.seeds, lone.value) == (1, pytest.approx(same.value))
    assert lone.high - lone.low == pytest.approx(same.high - same.low)


def test_what_is_no_longer_solved_at_9_is_no_cost_in_size():
    """A fine-tuned solver that is worse everywhere by as much has lost nothing by size."""
    shares = {"size-9": 1.0, "size-21": 0.9}
    worse = {cell: share - 0.4 for cell, share in shares.items()}
    tuned = some("dt-net-thin-tuned-100", worse)
    assert verdict("Fine-tuning DT-Net on 100 mazes with cycles costs", tuned + dt(shares)).word != Word.CONFIRMED


def test_a_seed_that_solves_by_its_own_inference_is_not_marked_there():
    """The mark is of the plain iteration; by its root finder the seed is right on all training-like mazes."""
    shares = {"size-9": 1.0, "start-any": 1.0}
    both = [
        record
        for mode, share in (("free-running", 0.9), ("own", 1.0))
        for record in seeds_of(
            "pi-net-thin",
            lambda c, share=share: share * shares[c],
            part=(128, 16, tuple(shares)),
            mark=0.97,
            mode=mode,
        )
    ]
    assert verdict("PI-Net falls from 1.00", both).word == Word.REFUTED


def test_odds_are_each_seeds_own():
    """Their geometric mean; the interval widens with what seeds differ by; none where a seed has none."""
    tables = np.array([[[40, 10], [20, 30]], [[9, 1], [20, 20]]])
    same, apart = odds_of_seeds([tables, tables]), odds_of_seeds([tables, tables[:, ::-1]])
    with_, against = 40 * 30 / 100 + 9 * 20 / 50, 10 * 20 / 100 + 1 * 20 / 50
    assert same.value == pytest.approx(with_ / against)
    assert same.value == pytest.approx(common_odds(np.concatenate([tables, tables])).ratio)
    assert [value for value, _ in apart.each] == pytest.approx([with_ / against, against / with_])
    assert apart.value == pytest.approx(1)
    assert apart.high > 100 * same.high
    assert odds_of_seeds([tables, np.array([[[40, 10], [20, 5]], [[3, 0], [4, 0]]])]).seeds == 2
    assert odds_of_seeds([tables, np.array([[[40, 0], [20, 30]]])]) is None
    assert odds_of_seeds([tables, tables[:0]]) is None


def test_shares_and_odds_must_agree_on_paths():
    """All right but for a few on the largest: sure by odds, and by shares too little to be."""
    points = Figure(-0.01, -0.03, 0.01, "points", 5, 100)
    odds, equal = (Figure(value, value / 2, value * 1.4, "odds", 5, 100) for value in (0.2, 1.0))
    less = Figure(-0.1, -0.12, -0.08, "points", 5, 100)
    apart = less_right(Pooled(None, points, odds), "x")
    assert apart.word == Word.UNDECIDED
    assert "shares or odds" in apart.why
    assert "by odds ratios 0.2 (0.1 to 0.28" in apart.why
    assert less_right(Pooled(None, less, odds), "x").word == Word.CONFIRMED
    assert less_right(Pooled(None, less, equal), "x").word == Word.UNDECIDED
    assert less_right(Pooled(None, less, None), "x").word == Word.CONFIRMED


def test_path_length_and_size_are_told_apart():
    """Wrong on the longest paths of each size alike, or wrong by size whatever the path."""
    longer, larger = RULES["DT-Net fails on longer paths"][0](), RULES["DT-Net fails on larger mazes"][0]()
    assert verdict("DT-Net fails on larger mazes", longer).word != Word.CONFIRMED
    assert verdict("DT-Net fails on longer paths", larger).word != Word.CONFIRMED


def test_what_hangs_on_the_rule_is_said():
    """Two-point cycles by the study's rule and not by ours: two verdicts, and a sentence."""
    said = "hangs on the rule by which they are counted"
    assert said in findings_text(on_trees("paper-v1", study_betti=(2, 0)), "x", partial=True)
    assert said not in findings_text(on_trees("paper-v1"), "x", partial=True)


def test_a_noise_floor_stands_beside_the_difference():
    """Rounding that turns as many answers as a start does leaves the fall untold."""
    noise = [CellNoise(cell=cell, mazes=64, block=32, dtype=32, either=32) for cell in ("size-9", "start-any")]
    shares = {"size-9": 1.0, "start-any": 0.7}
    quiet, loud = dt(shares), dt(shares, noise=noise)
    assert verdict("DT-Net falls from 1.00", quiet).word == Word.CONFIRMED
    assert verdict("DT-Net falls from 1.00", loud).word == Word.UNDECIDED
    text = findings_text(loud, "x", partial=True)
    assert "50.00% for dt-net-thin" in text
    assert "evaluate runs/$recipe-$seed --suite laptop-v1 --noise-floor" in text
    said = "None of these records says how many answers rounding alone turns"
    assert findings_text(quiet, "x", partial=True).count(said) == 1
    assert said not in text


def test_one_seed_has_an_interval_over_mazes_alone():
    """And the text says so, in the short answers and beside the verdict; two seeds are each named."""
    shares = {"size-9": 1.0, "start-any": 0.7}
    (lone,) = [r for r in dt(shares) if r.summary.plan.solver.seed == 0]
    found = verdict("DT-Net falls from 1.00", [lone])
    assert "one seed decides nothing" in found.why
    assert "(mazes only: " in found.why
    assert "dt-net-thin (1 seed, laptop-v1): 29.7 points (mazes only: " in findings_text([lone], "x", partial=True)
    both = findings_text(dt(shares), "x", partial=True)
    assert "mazes only" not in both
    assert "29.7 points (seeds: 29.7 and 29.7) lost" in both


def test_only_what_returned_or_diverged_will_never_rest():
    """What moves without returning may rest later: it refutes nothing, however little rests."""
    assert verdict("IT-Net settles on", watched("it-net-thin", limit=CHAOS)).word == Word.UNDECIDED
    assert verdict("IT-Net settles on", watched("it-net-thin", limit=lambda _: "diverged")).word == Word.REFUTED


def test_what_drifts_has_no_betti_numbers_by_our_rule():
    """It counts as open, and in the table as none, rather than as another pair."""
    found = verdict("counted by our rule", on_trees("paper-v1", limit=lambda _: "drifting", betti=None))
    assert found.word == Word.UNDECIDED
    assert (found.figure.value, found.figure.upto) == (0.0, 1.0)
    text = findings_text(on_trees("paper-v1", limit=lambda _: "drifting", betti=None), "x", partial=True)
    (row,) = re.findall(
        r"^\| dt-net-e2h \(2 seeds\) \| size-19 \|(.*)\|$", text.split("**Betti numbers")[1], re.MULTILINE
    )
    assert [cell.strip() for cell in row.split("|")] == [*"00000", "100", "100", *"00000"]


def test_where_the_wrong_trajectories_are_is_said():
    """Cell by cell, all seeds together."""
    text = findings_text(watched(share=0.0), "x", partial=True)
    assert "dt-net-thin's wrong watched trajectories: 32 in size-9, 32 in size-13, " in text


def test_a_noise_floor_is_asked_for_where_a_record_has_one():
    """Not for the other recipes of as many seeds."""
    noise = [CellNoise(cell="size-9", mazes=64, block=0, dtype=0, either=0)]
    cells = ("size-9", "start-any")
    records = [*dt({}, noise=noise, cells=cells), *some("it-net-thin", {}, cells=cells)]
    text = findings_text(records, "x", partial=True)
    loops = re.findall(r"for recipe in (\S+);.*?\n(.*?)done; done", text, re.DOTALL)
    asked = {recipe: "--noise-floor" in lines for recipe, lines in loops}
    assert asked == {"dt-net-thin": True, "it-net-thin": False}
