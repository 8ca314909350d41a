"""A record against a baseline."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
import yaml

from extramaze.cli import run
from extramaze.comparing.baselines import accept_baseline, init_baseline, read_baseline
from extramaze.comparing.check import check, judge
from extramaze.comparing.report import Margins, Outcome
from extramaze.comparing.text import as_json, report_junit, report_markdown, report_text
from extramaze.mazes import InputError
from extramaze.records import Record
from extramaze.records.tallies import tally_answers, tally_limits, tally_rungs
from extramaze.statistics import Paired, holm, mcnemar, smallest_drop
from tests.benchmark.test_compare import resealed


def altered(record, wrong=0, unsettled=0, non_finite=0, cycling=0):
    """Make a sound record with so many right answers of its largest cell made wrong, and so many limits changed."""
    rows = record.mazes.to_dicts()
    right = [row for row in rows if row["optimal"][-1]]
    for row in right[:wrong]:
        row["optimal"] = row["exact"] = row["valid"] = [False] * len(row["optimal"])
        row["as_dead_end_filling"] = False
        row["first_right"] = row["last_right"] = None
        row["failure"] = "broken path"
    settled = [row for row in rows if row["limit"] == "fixed point"]
    for row in settled[:unsettled]:
        row.update(limit="undecided", period=0, residual=0.1)
    for row in settled[:cycling]:
        row.update(limit="cycle", period=2, residual=0.1)
    for row in settled[:non_finite]:
        row.update(limit="diverged", period=0, residual=float("nan"))
    mazes = pl.DataFrame(rows, schema=record.mazes.schema)
    plan, cells = record.summary.plan, []
    for cell, planned in zip(record.summary.cells, plan.cells, strict=True):
        part = mazes.filter(pl.col("cell") == cell.name)
        update = {"rungs": tally_rungs(part, planned.rungs), **tally_answers(part)}
        cells.append(cell.model_copy(update=update))
    limits = [tally_limits(mazes, result.cell, plan.suite) for result in record.summary.limits]
    return Record.seal(plan, cells, limits, mazes, record.summary.run)


@pytest.fixture
def good(tiny_records):
    return tiny_records["dead-end-filling"]


@pytest.fixture
def baseline(good, tmp_path):
    """A baseline's folder, from an algorithm's record."""
    init_baseline(tmp_path / "baseline", good)
    return tmp_path / "baseline"


def verdicts(report):
    return {finding.name: finding.verdict for finding in report.findings}


def test_the_same_record_is_equivalent(good, baseline):
    """No maze changed: equivalent in all that is gated, and time is shown without a verdict."""
    report = check(good, read_baseline(baseline), Margins(accuracy=0.05, convergence=0.25))
    assert report.verdict == Outcome.EQUIVALENT
    assert report.changes == ()
    found = verdicts(report)
    assert found.pop("wall-clock, s") is None
    assert found["function evaluations a maze"] == Outcome.EQUIVALENT


def test_the_same_record_may_be_too_small_to_tell(good, baseline):
    """143 mazes without a change bound the difference by 1.9 %: a margin of 1 % is inconclusive, never a pass."""
    report = check(good, read_baseline(baseline), Margins(accuracy=0.01, convergence=0.25))
    assert verdicts(report)["optimal, all mazes"] == Outcome.INCONCLUSIVE
    assert report.verdict == Outcome.INCONCLUSIVE


def test_a_drop_is_regressed_and_its_reverse_improved(good, tmp_path):
    """Twenty of 143 answers lost: regressed; the worse record as the baseline: improved."""
    worse = altered(good, wrong=20)
    new, old = init_baseline(tmp_path / "new", good), init_baseline(tmp_path / "old", worse)
    report = check(worse, new, Margins(convergence=0.25))
    assert report.verdict == Outcome.REGRESSED
    assert verdicts(report)["optimal, all mazes"] == Outcome.REGRESSED
    assert sum(change.worse for change in report.changes) == 20
    assert check(good, old, Margins(convergence=0.25)).verdict == Outcome.IMPROVED


def test_what_no_longer_settles_is_regressed(good, baseline):
    """Convergence is gated by itself: answers alike, trajectories that no longer rest."""
    report = check(altered(good, unsettled=12), read_baseline(baseline), Margins(0.05, 0.25))
    assert verdicts(report)["settled"] == Outcome.REGRESSED
    assert verdicts(report)["optimal, all mazes"] == Outcome.EQUIVALENT
    assert report.verdict == Outcome.REGRESSED


def test_one_new_trajectory_that_is_not_finite_is_regressed(good, baseline):
    """Infinities and NaN are a fault, not a matter of chance; those that were there before are not new."""
    broken = altered(good, non_finite=1)
    assert verdicts(check(broken, read_baseline(baseline)))["finite"] == Outcome.REGRESSED
    accept_baseline(baseline, broken, "known")
    assert verdicts(check(broken, read_baseline(baseline)))["finite"] == Outcome.EQUIVALENT


def test_more_work_is_regressed(good, baseline):
    """Evaluations of the step beyond the margin are regressed; time never is."""
    run_ = good.summary.run.model_copy(update={"seconds": 1e6})
    slow = Record.seal(good.summary.plan, list(good.summary.cells), list(good.summary.limits), good.mazes, run_)
    found = verdicts(check(slow, read_baseline(baseline)))
    assert found["wall-clock, s"] is None
    cells = [cell.model_copy(update={"mean_evaluations": 2 * cell.rungs[-1].iterations}) for cell in good.summary.cells]
    costly = Record.seal(good.summary.plan, cells, list(good.summary.limits), good.mazes, run_)
    assert verdicts(check(costly, read_baseline(baseline)))["function evaluations a maze"] == Outcome.REGRESSED


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dtype": "float64"}, "dtype: float64 and float32"),
        ({"tf32": True}, "tf32: True and False"),
    ],
)
def test_another_arithmetic_is_not_comparable(good, baseline, change, said):
    """What is not the same measurement is not judged; the difference is named."""
    report = check(resealed(good, **change), read_baseline(baseline))
    assert report.verdict == Outcome.NOT_COMPARABLE
    assert report.differs == (said,)
    assert report.findings == ()


def test_a_drop_within_the_margin_is_equivalence(good):
    """A sure drop of 1 % among 10,000 mazes passes a margin of 2 %, and fails one of half a percent."""
    pairs = Paired(10_000, 0, 100)
    assert mcnemar(pairs) < 1e-9
    assert judge(pairs, mcnemar(pairs), 0.02) == Outcome.EQUIVALENT
    assert judge(pairs, mcnemar(pairs), 0.005) == Outcome.REGRESSED
    assert judge(Paired(10_000, 100, 0), 1e-9, 0.02) == Outcome.IMPROVED
    assert judge(Paired(30, 1, 2), 1.0, 0.02) == Outcome.INCONCLUSIVE


@pytest.mark.parametrize("flips", [0.02, 0.2])
def test_an_unchanged_solver_is_seldom_called_regressed(flips):
    """300 checks of 8 cells whose answers turn by chance alone: regressed in at most 5 % of them."""
    random = np.random.default_rng(3)
    regressed = 0
    for _ in range(300):
        cells = []
        for _ in range(8):
            wins, losses, _ = random.multinomial(256, [flips, flips, 1 - 2 * flips])
            cells.append(Paired(256, int(wins), int(losses)))
        family = [Paired(2048, sum(c.wins for c in cells), sum(c.losses for c in cells)), *cells]
        adjusted = holm([mcnemar(pairs) for pairs in family])
        found = [judge(pairs, p, 0.02) for pairs, p in zip(family, adjusted, strict=True)]
        regressed += Outcome.REGRESSED in found
    assert regressed / 300 <= 0.05


def test_all_lines_of_a_check_are_adjusted_together(good, baseline):
    """Holm over every paired line, and the smallest drop at the strictest level of them."""
    report = check(altered(good, wrong=6, unsettled=3), read_baseline(baseline))
    tested = [line for line in report.findings if line.pairs]
    assert [line.p_value for line in tested] == holm([mcnemar(line.pairs) for line in tested])
    assert len(tested) == 6
    assert any(line.p_value > mcnemar(line.pairs) for line in tested)
    for line in tested:
        pairs = line.pairs
        drop = smallest_drop(pairs.n, (min(pairs.wins, pairs.losses) + 0.5) / pairs.n, 0.05 / 6)
        assert line.smallest_drop == pytest.approx(drop) or (line.smallest_drop is None and np.isnan(drop))


def test_new_cycles_are_regressed(good, baseline):
    """What circles where it rested is worse, in the verdict and maze by maze."""
    report = check(altered(good, cycling=12), read_baseline(baseline), Margins(0.05, 0.25))
    assert verdicts(report)["no cycle"] == Outcome.REGRESSED
    assert {change.measure: change.worse for change in report.changes} == {"not settled": True, "cycling": True}


def test_what_is_open_goes_before_what_improved(good, tmp_path):
    """A sure gain does not hide that too few trajectories were watched to tell."""
    old = init_baseline(tmp_path / "old", altered(good, wrong=20))
    report = check(good, old, Margins(convergence=0.1))
    assert verdicts(report)["optimal, all mazes"] == Outcome.IMPROVED
    assert report.verdict == Outcome.INCONCLUSIVE


def test_memory_is_gated_on_one_device(good, baseline):
    """Twice the memory is regressed on the same device, and only shown on another."""
    summary = good.summary
    more = summary.run.model_copy(update={"peak_memory_bytes": 2 * summary.run.peak_memory_bytes})
    for device, said in ((summary.plan.device, Outcome.REGRESSED), ("another", None)):
        plan = summary.plan.model_copy(update={"device": device})
        record = Record.seal(plan, list(summary.cells), list(summary.limits), good.mazes, more)
        assert verdicts(check(record, read_baseline(baseline)))["peak memory, MiB"] == said


def test_changed_mazes_come_with_the_command_that_draws_them(good, baseline, tmp_path, monkeypatch, capsys):
    """The command is one that runs, and its maze is the one that changed."""
    report = check(altered(good, wrong=2, unsettled=1), read_baseline(baseline))
    assert {(change.measure, change.worse) for change in report.changes} == {
        ("not optimal", True),
        ("not settled", True),
    }
    monkeypatch.chdir(tmp_path)
    change = report.changes[0]
    arguments = shlex.split(change.command)
    assert arguments[0] == "extramaze"
    assert run(arguments[1:]) == 0
    assert Path(f"{change.cell}-{change.index}.png").read_bytes().startswith(b"\x89PNG")


def test_a_baseline_keeps_its_past(good, baseline):
    """Accepting puts a new record in force, with its reason, and the old one stays readable."""
    worse = altered(good, wrong=20)
    accept_baseline(baseline, worse, "new data")
    found = read_baseline(baseline)
    assert (found.number, found.entry.reason) == (2, "new data")
    assert found.record.summary == worse.summary
    history = json.loads((baseline / "baseline.json").read_text())
    assert [entry["reason"] for entry in history["entries"]] == ["first baseline", "new data"]
    assert (baseline / "0001" / "record.json").exists()


def test_baselines_are_not_rows_of_a_board(good, baseline):
    """A search for records passes by the copies that a baseline keeps."""
    from extramaze.leaderboard.sources import find_records

    good.write(baseline.parent / "record")
    assert len(find_records([baseline.parent])) == 1


def test_a_swapped_record_is_noticed(good, baseline):
    """A baseline whose record is another sound one is refused."""
    altered(good, wrong=20).write(baseline / "0001")
    with pytest.raises(InputError, match="not the record that"):
        read_baseline(baseline)


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 501, "bell\a"])
def test_a_reason_is_one_line(good, baseline, reason):
    """A reason that says nothing, or breaks lines, changes nothing on disk."""
    before = sorted(baseline.rglob("*"))
    with pytest.raises(InputError, match="reason"):
        accept_baseline(baseline, good, reason)
    assert sorted(baseline.rglob("*")) == before


def test_every_output_tells_the_same(good, baseline):
    """Terminal, Markdown, JSON and JUnit hold every finding; what regressed fails, and only that."""
    report = check(altered(good, wrong=20), read_baseline(baseline))
    content, junit = json.loads(as_json(report)), ElementTree.fromstring(report_junit(report))
    text, markdown = report_text(report), report_markdown(report)
    assert content["verdict"] == "regressed"
    assert [case.get("name") for case in junit.iter("testcase")] == [finding.name for finding in report.findings]
    failed = {case.get("name") for case in junit.iter("testcase") if case.find("failure") is not None}
    assert failed == {finding.name for finding in report.findings if finding.verdict == Outcome.REGRESSED}
    assert junit.get("failures") == str(len(failed))
    for finding, stated in zip(report.findings, content["findings"], strict=True):
        assert stated["name"] == finding.name
        assert f"\n{finding.name} " in text
        assert f"| {finding.name} |" in markdown
    assert content["changes"][0]["command"] in text
    differing = check(resealed(good, dtype="float64"), read_baseline(baseline))
    assert ElementTree.fromstring(report_junit(differing)).get("failures") == "1"
    assert "dtype: float64 and float32" in report_markdown(differing)


@pytest.fixture
def place(good, baseline, tmp_path, monkeypatch):
    """A working folder: the baseline, and records that are the same, worse, and worse in one maze."""
    monkeypatch.chdir(tmp_path)
    good.write(tmp_path / "same")
    altered(good, wrong=20).write(tmp_path / "worse")
    altered(good, wrong=1).write(tmp_path / "nearly")
    return tmp_path


WIDE = "--margin 0.05 --convergence-margin 0.25"
CODES = {
    f"check same --baseline baseline {WIDE}": 0,
    "check same --baseline baseline --margin 0.01": 0,
    "check same --baseline baseline --margin 0.01 --strict": 0,
    "check nearly --baseline baseline --margin 0.01": 0,
    "check nearly --baseline baseline --margin 0.01 --strict": 4,
    f"check worse --baseline baseline {WIDE}": 1,
    f"check worse --baseline baseline {WIDE} --json": 1,
    "check same --baseline lost": 2,
    "check same --baseline same": 2,
    "check same --baseline baseline --init": 0,  # the very same one is there
    "check worse --baseline baseline --init": 2,
    "check same --baseline same --init": 2,
    "check same --baseline baseline --accept": 2,
    "check same --baseline baseline --reason why": 2,
    "check same --baseline baseline --init --accept --reason why": 2,
    "check same --baseline baseline --margin 0": 2,
    "check same --baseline baseline --margin nan": 2,
    "check lost --baseline baseline": 2,
    "check same --baseline new --init --junit x.xml": 2,
    "check worse --baseline lost --accept --reason why": 2,
}


@pytest.mark.parametrize("command", CODES)
def test_exit_codes(command, place, capsys):
    """Passed 0, regressed 1, refused 2, with --strict 4 where a change is inconclusive; nothing is written unasked."""
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert run(command.split()) == CODES[command], capsys.readouterr()
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_not_comparable_is_exit_3(good, place, capsys):
    """A record of other rules is neither passed nor failed, by check and by compare."""
    cells = [cell.model_copy(update={"mazes_sha256": "0" * 64}) for cell in good.summary.cells]
    other = Record.seal(good.summary.plan, cells, list(good.summary.limits), good.mazes, good.summary.run)
    other.write(place / "other")
    assert run(["check", "other", "--baseline", "baseline", "--junit", "x.xml"]) == 3
    assert "not comparable" in Path("x.xml").read_text()
    assert run(["compare", "other", "same"]) == 3
    assert "mazes of easy" in capsys.readouterr().err


def test_init_then_accept_by_command(place, capsys):
    """From no baseline to the second one."""
    assert run(["check", "same", "--baseline", "new", "--init"]) == 0
    assert run(f"check worse --baseline new {WIDE}".split()) == 1
    assert run([*f"check worse --baseline new {WIDE} --accept --reason".split(), "the data changed"]) == 0
    assert run(f"check worse --baseline new {WIDE}".split()) == 0
    assert "number 2" in capsys.readouterr().out


CONFTEST = 'pytest_plugins = ["extramaze.pytest_plugin"]\n'
USED = """
def test_same(extramaze_check):
    assert extramaze_check("same", "baseline", accuracy=0.05, convergence=0.25).verdict == "equivalent"

def test_worse(extramaze_check):
    extramaze_check("worse", "baseline", accuracy=0.05)

def test_strict(extramaze_check):
    extramaze_check("nearly", "baseline", strict=True, accuracy=0.01)
"""


def test_the_fixture_fails_tests_that_regressed(place):
    """In somebody's test run: equivalent passes, regressed fails with the report, inconclusive fails where strict."""
    (place / "conftest.py").write_text(CONFTEST)
    (place / "test_mine.py").write_text(USED)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    process = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert "2 failed, 1 passed" in process.stdout
    assert "regressed: dead-end-filling on tiny-v1" in process.stdout
    assert "inconclusive: dead-end-filling on tiny-v1" in process.stdout


@pytest.fixture
def action(root):
    return yaml.safe_load((root / ".github" / "actions" / "check" / "action.yml").read_text())


@pytest.mark.parametrize(
    ("record", "margin", "strict", "code"),
    [
        pytest.param("same", "0.05", "false", 0, marks=pytest.mark.slow),  # what others show, as another code
        ("worse", "0.05", "false", 1),
        pytest.param("nearly", "0.01", "true", 4, marks=pytest.mark.slow),
        ("lost", "0.05", "x", 2),
    ],
)
def test_the_action_runs(action, place, record, margin, strict, code):
    """The action's own script: the check's exit code, JUnit in its file, Markdown added to the job's summary."""
    (step,) = action["runs"]["steps"]
    (place / "bin").mkdir()
    (place / "bin" / "extramaze").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m extramaze "$@"\n')
    (place / "bin" / "extramaze").chmod(0o755)
    (place / "summary").write_text("before\n")
    inputs = {name: stated.get("default") for name, stated in action["inputs"].items()}
    inputs |= {
        "record": record,
        "baseline": "baseline",
        "margin": margin,
        "strict": strict,
        "convergence-margin": "0.25",
    }
    environment = {name: inputs[text.split("inputs.")[1].split()[0]] for name, text in step["env"].items()}
    environment |= {"GITHUB_STEP_SUMMARY": str(place / "summary"), "PATH": f"{place / 'bin'}:{os.environ['PATH']}"}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    process = subprocess.run(command, cwd=place, env=os.environ | environment, capture_output=True, text=True)
    assert process.returncode == code, process
    summary = (place / "summary").read_text()
    assert summary.startswith("before\n")
    assert ("### extramaze check" in summary) == (code != 2)
    assert (place / "extramaze-check.xml").exists() == (code != 2)


def test_the_repository_checks_itself(root):
    """The workflow runs the action on a baseline that is there, of the very record it makes."""
    workflow = yaml.safe_load((root / ".github" / "workflows" / "ci.yml").read_text())
    steps = workflow["jobs"]["check"]["steps"]
    (used,) = (step["with"] for step in steps if step.get("uses") == "./.github/actions/check")
    (command,) = (step["run"] for step in steps if "extramaze evaluate" in step.get("run", ""))
    plan = read_baseline(root / used["baseline"]).record.summary.plan
    assert command.split()[2] == plan.solver.name
    assert f"--suite {plan.suite.name}" in command
    assert f"--out {used['record']}" in command
    assert plan.part is None
