"""Every rule of the findings, on records whose every answer is known."""

import pytest

from extramaze.findings import Word, findings_of, findings_text, make_pools
from extramaze.findings.ladders import by_column
from extramaze.findings.limit_sets import enough
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
    verdict,
    watched,
)

SIZES = ("size-13", "size-17", "size-21", "size-33")
TRENDS = ((1.0, 0.7, 0.4, 0.1), (0.9, 0.3, 0.8, 0.1), (0.5, 0.5, 0.5, 0.5))  # a fall, one with a rise in it, neither
DEGREES = [dict(zip(("size-9", "start-2", "start-3", "start-4"), shares, strict=True)) for shares in TRENDS]
COUNTS = [dict(zip(("cycles-0", "cycles-1", "cycles-4", "cycles-16"), shares, strict=True)) for shares in TRENDS]
TRAINED = [dict(zip(("", "-p01", "-p10", "-p50"), shares, strict=True)) for shares in TRENDS]


FAILING = (("DT-Net", "dt-net-thin"), ("IT-Net", "it-net-thin"))
# claim → records that confirm it, that refute it, and that leave it open
RULES = {
    "A DT-Net trained": [
        lambda s=s: dt({"size-9": 1.0, "size-13": 1.0, "size-21": s}, held=True) for s in (1.0, 0.5, 0.9)
    ],
    "An IT-Net trained": [
        lambda s=s: some("it-net-thin", {"size-9": 1, "size-21": s}, held=True) for s in (1.0, 0.5, 0.9)
    ],
    "Without recall DT-Net does not": [
        lambda s=s: some("dt-net-no-recall-thin", {"size-9": 1, "size-21": s}) for s in (0.1, 0.9, 0.5)
    ],
    "Without recall DT-Net overthinks": [
        lambda: some("dt-net-no-recall-thin", {"size-9": 0.2, "size-13": 0.1}, spoilt=True),
        lambda: some("dt-net-no-recall-thin", {"size-9": 1.0, "size-13": 0.1}),
        lambda: some("dt-net-no-recall-thin", {"size-9": 0.2, "size-13": 0.1}),  # it never learnt
    ],
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
        lambda: some("dt-l-kernel-e2h", {}, cells=("size-9", "size-19"), suite="paper-v1", count=60),
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
            lambda r=r: some(r, {}, cells=("size-9", "size-19"), suite="limits-v1", count=32),
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
    assert all("with all that have not come to rest: 0.0%" in part.why for _, part in early.parts)
    late = verdict("counted by the study's rule", on_trees(limit=CHAOS))
    assert all("watched after 600 steps" in part.why for _, part in late.parts)


def test_too_few_alike_confirm_nothing():
    """Of 16 mazes a size all at rest, another ten in a hundred may not be; the rule says how many it takes."""
    assert [enough(margin) for margin in (0.1, 0.05)] == [23, 51]
    few = verdict("IT-Net settles on", watched("it-net-thin"))
    assert few.word == Word.UNDECIDED
    assert few.figure.value == pytest.approx(1.0)


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
    never = verdict("Without recall DT-Net does not", some("dt-net-no-recall-thin", {"size-9": 0.1, "size-21": 0.0}))
    assert never.word == Word.UNDECIDED
    assert "has not learnt size 9" in never.why


def test_overthinking_is_no_failure_to_extrapolate():
    """What is judged is the last rung at which 9×9 is still solved, for every size; the last rung stands beside it."""
    shares = {"size-9": 0.1, "size-13": 0.0, "size-21": 0.0}
    found = verdict("Without recall DT-Net does not", some("dt-net-no-recall-thin", shares, spoilt=True))
    assert found.word == Word.REFUTED
    assert found.figure.value == pytest.approx(1.0)
    assert "at size 21 after 100 iterations" in found.why
    assert "0.0% after 200" in found.why
    spoilt = verdict("A DT-Net trained", dt(shares, spoilt=True))
    assert spoilt.word == Word.CONFIRMED
    assert verdict("A DT-Net trained", dt({**shares, "size-9": 1.0}, spoilt=True)).figure.value == pytest.approx(0.0)


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


def test_path_length_and_size_are_told_apart():
    """Wrong on the longest paths of each size alike, or wrong by size whatever the path."""
    longer, larger = RULES["DT-Net fails on longer paths"][0](), RULES["DT-Net fails on larger mazes"][0]()
    assert verdict("DT-Net fails on larger mazes", longer).word != Word.CONFIRMED
    assert verdict("DT-Net fails on longer paths", larger).word != Word.CONFIRMED
