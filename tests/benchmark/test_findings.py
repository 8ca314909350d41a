"""What the findings say of records, as text."""

import re
import shlex

import numpy as np
import pytest

from extramaze.cli import app, run
from extramaze.evaluation.evaluate import evaluate
from extramaze.findings import Word, findings_of, findings_text, make_pools
from extramaze.findings.figures import Figure
from extramaze.findings.standing import deciding
from extramaze.findings.together import headlines
from extramaze.findings.verdicts import Verdict
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.shipped import recipe_names
from extramaze.schema.plan import make_part
from extramaze.statistics import holm
from tests.benchmark.findings_records import CYCLE, chosen_record, dt, mixed_limits, published, seeds_of, some


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
    """A line below each claim of each suite that has evidence, of all where none has.

    In the table the claim stands with its figure, by the suite that decides it.
    """
    records = [*seeds_of("dt-net-thin", published, suite="smoke-v1"), *published_world]
    text = findings_text(records, "x")
    found = [[claim for finding in findings_of(pool) for claim in finding.claims] for pool in make_pools(records)]
    somewhere = [any(claim.verdict.figure for claim in claims) for claims in zip(*found, strict=True)]
    for name, claims in zip(("laptop-v1", "smoke-v1"), found, strict=True):
        said = [c for c, seen in zip(claims, somewhere, strict=True) if c.verdict.figure or not seen]
        assert len(re.findall(rf"^- {name}: \*\*", text, re.MULTILINE)) == len(said)
        for word in Word:
            count = sum(claim.verdict.word == word for claim in said)
            assert len(re.findall(rf"^- {name}: \*\*{word}\*\*", text, re.MULTILINE)) == count
            assert count > 0 or word == Word.NOT_TESTED or name == "smoke-v1"
    (row,) = re.findall(r"^\| 3 \| DT-Net collapses .*$", text, re.MULTILINE)
    assert "| undecided<br>**confirmed** | 49.5 points (" in row
    assert row.endswith("| laptop-v1<br>smoke-v1 |")
    table = text.split("## Every claim")[1].split("\n## ")[0]
    assert all(claim.text in table for claim in found[0])


def test_what_stands_for_a_claim():
    """The suite with the most seeds, and beside it those that decide otherwise."""

    def told(word, seeds):
        return Verdict(word, "", Figure(0.5, 0.4, 0.6, "share", seeds, 10))

    sure, against, open_two, open_five = (
        ("a", told(Word.CONFIRMED, 2)),
        ("b", told(Word.REFUTED, 3)),
        ("c", told(Word.UNDECIDED, 2)),
        ("d", told(Word.UNDECIDED, 5)),
    )
    assert deciding([open_two, sure, open_five]) == [open_five, sure]
    assert deciding([sure, open_two, against]) == [against, sure]
    assert deciding([open_two, open_five]) == [open_five]
    assert deciding([against, open_two]) == [against]


def test_the_suite_that_watches_latest_stands_for_limits():
    """Of as many seeds; accuracy is told by the larger suite all the same."""
    records = [
        *dt({"size": 1.0}, cells=("size-9", "size-13", "size-21")),
        *dt({}, suite="limits-v1", cells=("size-9", "size-19")),
    ]
    table = findings_text(records, "x", partial=True).split("## Every claim")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")] for line in table.splitlines() if line.startswith("| ")]
    suites = {row[2]: row[-2] for row in rows}
    limits = suites["DT-Net hardly ever comes to rest: [1,0] in 15% at size 9 and in none above"]
    assert limits.split("<br>")[0] == "limits-v1 (thin)"
    assert suites["A DT-Net trained on 9×9 mazes solves larger ones"] == "laptop-v1"


def test_limits_are_told_by_size_and_raster():
    """At rest at size 9 and moving at 19 is a verdict each, never a mean; thin and e2h stand side by side."""

    def limits(cell):
        return {} if cell == "size-9" else {"limit": CYCLE}

    records = [
        record
        for suite, recipe in (("limits-v1", "dt-net-thin"), ("paper-v1", "dt-net-e2h"))
        for record in mixed_limits(recipe, suite, limits)
    ]
    text = findings_text(records, "x", partial=True)
    (row,) = re.findall(r"^\| 6 \| DT-Net hardly ever .*$", text.split("## Which headline")[0], re.MULTILINE)
    cells = [cell.strip().split("<br>") for cell in row.split("|")[3:7]]
    assert cells[0] == ["**refuted**", "size 9: **refuted**", "size 19: **confirmed**"] * 2
    assert [figure.split(" ")[0] for figure in cells[1]] == ["", "100.0%", "0.0%"] * 2
    assert [suite for suite in cells[3] if suite] == ["paper-v1 (e2h)", "limits-v1 (thin)"]
    assert "  - size 19: **confirmed**: dt-net-thin's fixed points" in text


def test_headline_claims_are_adjusted_together(published_world):
    """Holm over all that have evidence, each by one suite: the p-values of what is undecided are 1 and count."""
    pools = make_pools(published_world)
    found = [findings_of(pool) for pool in pools]
    family = headlines(pools, found)
    claims = [claim for finding in found[0] for claim in finding.claims]
    assert len(family) == sum(claim.headline and claim.verdict.figure is not None for claim in claims)
    assert [one.adjusted for one in family] == pytest.approx(holm([one.verdict.p for one in family]))
    decided = [one for one in family if one.verdict.word in (Word.CONFIRMED, Word.REFUTED)]
    assert decided
    assert all(one.verdict.p <= 0.05 * 2 for one in decided)
    assert all(one.adjusted == 1 for one in family if one not in decided)
    section = findings_text(published_world, "x").split("## Which headline claims hold together")[1].split("\n## ")[0]
    assert len(re.findall(r"\| holds \|$", section, re.MULTILINE)) == sum(one.stands for one in decided)
    assert f"{len(family)} verdicts, of which {len(decided)} decide" in section


def test_short_answers_are_the_records_figures(published_world):
    """Each question with a line a solver; percents are plain means over seeds and mazes."""
    text = findings_text(published_world, "x")
    short = text.split("## In short")[1].split("## Every claim")[0]
    assert re.findall(r"^(\d)\. \*\*", short, re.MULTILINE) == list("12345678")  # of two seeds no spread is told
    (pool,) = make_pools(published_world)
    right = 100 * pool.get("dt-net-thin").right("size-33").mean()
    assert f"{right:.0f} % at 33" in short
    sizes = [cell for size, cell in pool.ladder("size").items() if size > 9]
    larger = 100 * np.mean([pool.get("dt-net-thin-p50").right(cell).mean() for cell in sizes])
    said = rf"trained on percolation .5, .*% of 9×9 trees and {larger:.0f} % of those of sizes 13 to 65 right"
    assert re.search(said, short)
    assert "nan" not in short


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
    with pytest.raises(InputError, match="dt-net-thin@0 and dt-net-thin@0 have one seed"):
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


def test_ladders_of_specifications_that_allow_no_other_value(tmp_path):
    """A cell stands on its ladders also where the others' values would not fit its specification."""
    path = tmp_path / "own-v1.yaml"
    path.write_text(
        "name: own-v1\nscale: 1\nsplit: test\niterations: [2]\ncells:\n"
        "  - {name: easy, axis: in-distribution, spec: size=13, count: 2}\n"
        '  - {name: a, axis: cycles, spec: "size=13,cycles=20", count: 2}\n'
        '  - {name: b, axis: size, spec: "size=21,min_path=40", count: 2}\n'
        '  - {name: c, axis: size, spec: "size=25,min_path=40", count: 2}\n'
        "limits: {burn_in: 10, window: 8, count: 1, cells: []}\n"
    )
    (pool,) = make_pools([evaluate(load("dead-end-filling"), str(path), "cpu", quiet=True)])
    assert pool.ladder("cycles") == {0: "easy", 20: "a"}
    assert pool.ladder("size") == {21: "b", 25: "c"}


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


def test_answers_made_elsewhere_are_no_algorithm():
    """Nobody knows what made them, and the tables say so."""
    handed_in = chosen_record("some-llm", 0, lambda cell: 0.5, trained=False, mode="predictions")
    text = findings_text([handed_in], "x")
    assert "| some-llm (answers made elsewhere) |" in text
    assert "some-llm (algorithm" not in text


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


def test_a_solver_answers_by_the_suite_that_has_most_of_its_seeds():
    """One line a question; what limits are by the suite that watches later, of as many seeds."""
    cells = ("size-9", "size-13", "size-33")
    laptop = some("dt-net-thin", {}, cells=cells, seeds=(0, 1))
    smoke = some("dt-net-thin", {}, cells=("size-9", "size-17"), suite="smoke-v1", seeds=(0, 1, 2))
    late = some("dt-net-thin", {}, cells=("size-9", "size-19"), suite="limits-v1", seeds=(0, 1, 2))

    def answers(records):
        text = findings_text(records, "x", partial=True)
        return re.findall(r"^   - dt-net-thin \((.*?)\)", text.split("## Every claim")[0], re.MULTILINE)

    assert set(answers(laptop)) == {"2 seeds, laptop-v1"}
    assert set(answers([*laptop, *smoke])) == {"3 seeds, smoke-v1"}
    assert set(answers([*laptop, *smoke, *late])) == {"3 seeds, smoke-v1", "3 seeds, limits-v1"}
