"""What findings take for evidence: seeds and marks, strata and odds, open trajectories, rounding, one seed alone."""

import re

import numpy as np
import pytest

from extramaze.findings import Word, findings_text
from extramaze.findings.failures import less_right
from extramaze.findings.figures import Figure, odds_of_seeds, stratified
from extramaze.findings.pooled_odds import Pooled
from extramaze.findings.verdicts import above, below, share_of_seeds
from extramaze.odds import common_odds
from extramaze.schema.record import CellNoise
from tests.benchmark.findings_records import (
    CHAOS,
    CYCLE,
    chosen_record,
    dt,
    on_trees,
    pi,
    seeds_of,
    some,
    verdict,
    watched,
)

pytestmark = pytest.mark.numeric


def test_open_trajectories_count_both_ways():
    """Half at rest and half undecided: between a half and all, so that neither is said."""
    limit = iter(["fixed point", "undecided"] * 10_000)
    found = verdict("IT-Net settles on", watched("it-net-thin", limit=lambda _: next(limit)))
    assert found.word == Word.UNDECIDED
    assert (found.figure.value, found.figure.upto) == pytest.approx((0.5, 1))
    assert all("50.0 to 100.0%" in part.why for _, part in found.parts)


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
    assert (found.figure.value, found.figure.upto) == pytest.approx((0, 1))
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
