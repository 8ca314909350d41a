"""What findings say of records whose every answer is known."""

import re
import shlex

import numpy as np
import pytest

from extramaze.cli import app, run
from extramaze.evaluation import evaluate
from extramaze.findings import Word, findings_of, findings_text, make_pools
from extramaze.findings.figures import Figure, contrast, fall, mean_share, ratio
from extramaze.findings.pooled_odds import Pooled
from extramaze.findings.spread import deviation
from extramaze.findings.verdicts import UNDECIDED, Verdict, above, below, every, not_tested
from extramaze.leaderboard import score_interval, shipped_records
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.recipe import recipe_names
from extramaze.plan import make_part
from extramaze.rank_groups import Evidence, difference_test
from extramaze.record_schema import CellNoise
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
        first, second = (random.random((s, 80)) < rate for s, rate in ((3, 0.7), (2, 0.7 - random.random() * 0.5)))
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


def contrary(cell):
    """Accuracy by cell in a world where they fail."""
    return 0.5 if cell.startswith("size-1") else 0.97


def verdicts(records, suite="laptop-v1"):
    """Return words by number of finding, claims in order."""
    (pool,) = (pool for pool in make_pools(records) if pool.suite.name == suite)
    return [[claim.verdict.word for claim in finding.claims] for finding in findings_of(pool)]


def by_axis(**shares):
    """Return an accuracy by a cell's first word; 0.9 for others."""
    return lambda cell: shares.get(cell.split("-")[0], 0.9)


def seeds_of(recipe, right, **rows):
    return [chosen_record(recipe, seed, right, **rows) for seed in SEEDS]


@pytest.fixture(scope="module")
def published_world():
    """Records in which the study's claims hold."""
    rows = {"limit": lambda right: "cycle", "betti": (2, 0), "study_betti": (2, 0), "filling": 1.0}
    pi = {"size-65": 0.3, "start-any": 0.9}
    records = [
        *seeds_of("dt-net-thin", published, **rows),
        *seeds_of("it-net-thin", published),
        *seeds_of("pi-net-thin", lambda cell: pi.get(cell, published(cell))),
        chosen_record("dead-end-filling", 0, published, filling=1.0, trained=False),
    ]
    for family in ("dt-net", "it-net"):
        for place, variant in enumerate(("p01", "p10", "p50")):
            records += seeds_of(f"{family}-thin-{variant}", by_axis(size=0.9 - 0.3 * place, percolation=0.8))
    for variant, share in (("100", 0.25), ("1k", 0.5), ("10k", 0.78)):
        records += seeds_of(f"dt-net-thin-tuned-{variant}", by_axis(percolation=share))
    return records


def test_where_the_claims_hold_they_are_confirmed(published_world):
    """All that laptop-v1 can decide, which has no size 99; 100 mazes repair too little."""
    yes, no, open_ = Word.CONFIRMED, Word.REFUTED, Word.NOT_TESTED
    found = verdicts(published_world)
    assert found[0] == [yes, yes, open_, yes]
    assert found[1] == [yes, yes, yes]
    assert found[2] == [yes, yes, yes, yes]
    assert found[3] == [yes, yes]
    assert found[4][:4] == [yes, yes, yes, yes]
    assert found[4][4] == no
    assert found[4][6] == yes
    assert found[5] == [yes, yes, yes, yes, yes]


def test_where_the_claims_fail_they_are_refuted():
    """The same claims on records that contradict them; what only 3,000 iterations can refute stays open."""
    yes, no, open_ = Word.CONFIRMED, Word.REFUTED, Word.NOT_TESTED
    rows = {"limit": lambda right: "cycle"}
    names = ("dt-net-thin", "it-net-thin", "pi-net-thin")
    found = verdicts([record for name in names for record in seeds_of(name, contrary, **rows)])
    assert found[0][:3] == [no, no, open_]
    assert found[1] == [no, open_, open_]  # 128 mazes cannot tell no fall from one of 3 points
    assert found[2][:2] == [no, no]
    assert found[3][1] == no
    assert found[4] == [open_] * 7
    assert found[5] == [no, no, yes, no, no]  # cycles of two steps whose Betti numbers are said to be those of a point
    assert found[7] == [no]
    assert yes not in found[0]


@pytest.mark.parametrize(("largest", "word"), [(0.2, Word.REFUTED), (1.0, Word.CONFIRMED), (0.9, Word.NOT_TESTED)])
def test_the_studys_sizes_and_iterations_decide(largest, word):
    """paper-v1 goes to size 99 and 3,000 iterations: there, what happens at the largest size decides."""
    right = {"size-99": largest}
    records = seeds_of("dt-net-e2h", lambda cell: right.get(cell, 1.0), suite="paper-v1")
    assert verdicts(records, "paper-v1")[0][2] == word


def test_the_scoring_rule_can_be_the_whole_fall():
    """Where exact answers fall with percolation and valid ones do not, the fall is the rule's."""
    exact = {"percolation-0.1": 0.3}
    records = seeds_of("dt-net-thin", lambda cell: 1.0, stored=lambda cell: exact.get(cell, 1.0))
    assert verdicts(records)[2][3] == Word.REFUTED


@pytest.mark.parametrize(
    ("limit", "settle", "odds", "flips"),
    [
        (lambda right: "cycle" if right else "fixed point", Word.CONFIRMED, Word.REFUTED, Word.CONFIRMED),
        (lambda right: "fixed point" if right else "chaotic", Word.REFUTED, Word.CONFIRMED, Word.REFUTED),
    ],
)
def test_failures_that_settle_are_told_from_those_that_wander(limit, settle, odds, flips):
    """Limit and answer go together one way or the other; only cycles flip the answer here."""
    found = verdicts(seeds_of("dt-net-thin", lambda cell: 0.5, limit=limit))[6]
    assert found[:4] == [settle, odds, flips, Word.CONFIRMED]


def test_an_answer_that_hangs_on_its_beginning_is_told():
    """Other initial states that always give another answer refute path independence."""
    assert verdicts(seeds_of("dt-net-thin", published, depends=True))[6][3] == Word.REFUTED


def test_path_length_and_size_are_told_apart():
    """Wrong on the longest paths of each size alike, or wrong by size whatever the path."""
    sizes = {"size-9": 0.95, "size-13": 0.8, "size-17": 0.6, "size-21": 0.4, "size-33": 0.2, "size-49": 0.1}
    by_path = verdicts(seeds_of("dt-net-thin", lambda cell: 0.5, hard_when_long=True))[6][4:]
    by_size = verdicts(seeds_of("dt-net-thin", lambda cell: sizes.get(cell, 0.1)))[6][4:]
    assert by_path[0] == Word.CONFIRMED
    assert by_path[1] != Word.CONFIRMED
    assert by_size[0] != Word.CONFIRMED
    assert by_size[1] == Word.CONFIRMED


def test_seeds_that_disagree_leave_odds_open():
    """A sure sum of strata is no finding where one seed's own odds lie on the other side."""
    sure = Figure(2.0, 1.5, 3.0, "odds", 2, 100)
    assert Pooled(sure, (2.0, 2.5)).judge(above, "x").word == Word.CONFIRMED
    assert Pooled(sure, (0.7, 4.0)).judge(above, "x").word == Word.NOT_TESTED
    assert Pooled(sure, (2.0, 2.5)).judge(below, "x").word == Word.REFUTED
    assert Pooled(None, ()).judge(above, "x").word == Word.NOT_TESTED


def test_what_hangs_on_the_rule_of_counting_is_said():
    """Two-point cycles by the study's rule and not by ours: two verdicts, and a sentence."""
    said = "hangs on the rule by which they are counted"
    differ = seeds_of("dt-net-thin", published, study_betti=(2, 0))
    assert verdicts(differ)[5][:3] == [Word.CONFIRMED, Word.REFUTED, Word.REFUTED]
    assert said in findings_text(differ, "x")
    assert said not in findings_text(seeds_of("dt-net-thin", published), "x")


def test_a_noise_floor_stands_beside_the_difference():
    """Rounding that turns as many answers as a start does leaves the fall untold."""
    noise = [CellNoise(cell=cell, mazes=64, block=32, dtype=32, either=32) for cell in ("size-9", "start-any")]
    quiet, loud = seeds_of("dt-net-thin", published), seeds_of("dt-net-thin", published, noise=noise)
    assert verdicts(quiet)[1][0] == Word.CONFIRMED
    assert verdicts(loud)[1][0] == Word.NOT_TESTED
    assert "50.00% for dt-net-thin" in findings_text(loud, "x")
    assert "--noise-floor" in findings_text(loud, "x")


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
    """A column a suite in the table, a line a suite below each claim; smoke-v1 has no tables beside laptop-v1."""
    records = [chosen_record("dt-net-thin", s, published, suite="smoke-v1") for s in SEEDS] + published_world
    text = findings_text(records, "x")
    assert "|  | claim | laptop-v1 | smoke-v1 |" in text
    found = verdicts(published_world)
    claims = sum(map(len, found))
    assert len(re.findall(r"^- laptop-v1: \*\*", text, re.MULTILINE)) == claims
    assert len(re.findall(r"^- smoke-v1: \*\*", text, re.MULTILINE)) == claims
    assert "*laptop-v1.* " in text
    assert "*smoke-v1.* " not in text
    confirmed = sum(word == Word.CONFIRMED for words in found for word in words)
    assert len(re.findall(r"^- laptop-v1: \*\*confirmed", text, re.MULTILINE)) == confirmed


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
    part = make_part(12, 1, ("size-9", "percolation-0.3", "start-any"))
    for name in ("dead-end-filling", "wavefront"):
        evaluate(load(name), "laptop-v1", "cpu", part=part, quiet=True).write(tmp_path / name)
    out = tmp_path / "FINDINGS.md"
    assert run(["findings", str(tmp_path), "--out", str(out)]) == 2
    assert run(["findings", str(tmp_path), "--partial", "--out", str(out)]) == 0
    text = out.read_text()
    (row,) = (line for line in text.splitlines() if line.startswith("| dead-end-filling") and " of " in line)
    assert "100.0 ± " in row
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
