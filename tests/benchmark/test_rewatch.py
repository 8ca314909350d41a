import shutil
from collections import Counter
from dataclasses import replace

import polars as pl
import pytest

from extramaze.blocks.watching import watch_block
from extramaze.cli import run
from extramaze.core.errors import NotComparable
from extramaze.core.files import write_atomically
from extramaze.evaluation.tasks import tasks
from extramaze.leaderboard.sources import find_records
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.records import Record, read_record
from extramaze.records.tallies import tally_limits
from extramaze.schema.plan import CONTRACTS
from extramaze.verification.noise import add_noise
from extramaze.verification.rewatch import _stands, rewatch
from extramaze.verification.validate import problems
from extramaze.verification.verification import read_verifications
from tests.benchmark.test_compare import resealed
from tests.benchmark.test_verification import made


@pytest.fixture
def outdated(tiny_records, tmp_path):
    """A folder with a record of older limits, in which every trajectory cycles."""
    record = tiny_records["dt-net-thin@0"]
    plan = record.summary.plan.model_copy(update={"contracts": {**CONTRACTS, "dynamics": 2}})
    seen = pl.col("limit").is_not_null()
    mazes = record.mazes.with_columns(
        limit=pl.when(seen).then(pl.lit("cycle")),
        period=pl.when(seen).then(2).cast(pl.Int32),
        betti=pl.when(seen).then(pl.lit([2, 0], dtype=pl.List(pl.Int32))),
    )
    limits = [tally_limits(mazes, cell.name, plan.suite) for cell in plan.cells if cell.watched]
    Record.seal(plan, record.summary.cells, limits, mazes, record.summary.run).write(tmp_path / "tiny-v1" / "r")
    return tmp_path / "tiny-v1" / "r"


def test_limits_are_told_anew_and_answers_stay(outdated, tiny_records):
    """The record becomes the one that this version would have written, and says so; nothing else is left behind."""
    before, whole = read_record(outdated), tiny_records["dt-net-thin@0"]
    assert before.summary.limits != whole.summary.limits
    found = rewatch(outdated, load("dt-net-thin@0"), "cpu", quiet=True)
    assert found.mazes.equals(whole.mazes)
    assert found.summary.limits == whole.summary.limits
    assert found.summary.cells == before.summary.cells
    assert found.summary.plan.contracts == CONTRACTS
    assert found.summary.run.command.endswith(" && extramaze rewatch")
    assert read_record(outdated).summary == found.summary
    assert problems(outdated) == []
    assert sorted(path.name for path in outdated.iterdir()) == ["mazes.parquet", "record.json"]


def test_what_other_beginnings_led_to_stays(outdated, monkeypatch):
    """It is no limit's rule: it is not measured again, and the rows keep it."""
    monkeypatch.setattr("extramaze.blocks.watching.path_independence", None)
    before = read_record(outdated).mazes.select("alignment", "depends")
    assert (
        rewatch(outdated, load("dt-net-thin@0"), "cpu", quiet=True).mazes.select("alignment", "depends").equals(before)
    )


def test_stopped_and_started_again_it_goes_on(outdated, tiny_records, monkeypatch):
    """Finished blocks are not watched again, and what a killed write left behind is gone with them in the end."""
    before, calls = read_record(outdated), []

    def watch(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return watch_block(*arguments)

    monkeypatch.setattr("extramaze.evaluation.work.watch_block", watch)
    with pytest.raises(KeyboardInterrupt):
        rewatch(outdated, load("dt-net-thin@0"), "cpu", quiet=True)
    assert read_record(outdated).summary == before.summary
    (outdated / "rewatching" / ".plan.json.12345678.tmp").write_text("{")
    found = rewatch(outdated, load("dt-net-thin@0"), "cpu", quiet=True)
    assert found.summary.limits == tiny_records["dt-net-thin@0"].summary.limits
    assert len(calls) == 1 + sum(-(-cell.watched // 4) for cell in found.summary.plan.cells)
    assert sorted(path.name for path in outdated.iterdir()) == ["mazes.parquet", "record.json"]


def test_killed_between_its_two_files_it_goes_on(outdated, tiny_records, monkeypatch):
    """Before the summary is written the old record is read, and from then on the new one; the board lists it once."""
    before = read_record(outdated).summary

    def stop(path, other):
        raise KeyboardInterrupt

    def write(path, content):
        if path == outdated / "record.json":
            raise KeyboardInterrupt
        write_atomically(path, content)

    for name, stopping in (("write_atomically", write), ("replace_file", stop)):
        monkeypatch.setattr(f"extramaze.records.record.{name}", stopping)
        with pytest.raises(KeyboardInterrupt):
            rewatch(outdated, load("dt-net-thin@0"), "cpu", quiet=True)
        monkeypatch.undo()
        (found,) = find_records([outdated])
        assert (found.summary == before) == (name == "write_atomically")
        assert problems(outdated) == []
    assert run(["rewatch", str(outdated), "--device", "cpu", "--quiet"]) == 0
    assert read_record(outdated).summary.limits == tiny_records["dt-net-thin@0"].summary.limits
    assert sorted(path.name for path in outdated.iterdir()) == ["mazes.parquet", "record.json"]


def test_blocks_whose_limits_stand_are_not_watched_again(tiny_records, tmp_path, monkeypatch):
    """Of version 3, rest to the bit and divergence are judged as now; one other limit has its whole block watched."""
    record = tiny_records["dt-net-thin@0"]
    place = (pl.col("cell") == "cycles") & (pl.col("index") == 1)
    seen = pl.col("limit").is_not_null()
    mazes = record.mazes.with_columns(
        limit=pl.when(place).then(pl.lit("undecided")).when(seen).then(pl.lit("fixed point")),
        period=pl.when(place).then(0).when(seen).then(1).cast(pl.Int32),
        betti=pl.when(seen & ~place).then(pl.lit([1, 0], dtype=pl.List(pl.Int32))),
        residual=pl.when(seen).then(0.0),
    )
    plan = record.summary.plan.model_copy(update={"contracts": {**CONTRACTS, "dynamics": 3}})
    limits = [tally_limits(mazes, cell.name, plan.suite) for cell in plan.cells if cell.watched]
    Record.seal(plan, record.summary.cells, limits, mazes, record.summary.run).write(tmp_path / "r")
    calls = []
    monkeypatch.setattr(
        "extramaze.evaluation.work.watch_block", lambda *given: calls.append(given[2:4]) or watch_block(*given)
    )
    found = rewatch(tmp_path / "r", load("dt-net-thin@0"), "cpu", quiet=True)
    assert [(cell.name, block) for cell, block in calls] == [("cycles", 0)]
    again = found.mazes.filter((pl.col("cell") == "cycles") & (pl.col("index") < plan.limit_block))
    assert again.equals(record.mazes.filter((pl.col("cell") == "cycles") & (pl.col("index") < plan.limit_block)))
    assert found.mazes.filter(~pl.col("index").is_in(range(plan.limit_block))).equals(
        mazes.filter(~pl.col("index").is_in(range(plan.limit_block)))
    )


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ({"limit": "fixed point", "residual": 0.0}, 0),
        ({"limit": "fixed point", "residual": 1e-16}, 1),
        ({"limit": "fixed point", "residual": 1e-16, "exponent": -0.1}, 0),
        ({"limit": "cycle"}, 1),
        ({"limit": "drifting", "exponent": -1.0}, 1),
        ({"limit": "undecided"}, 0),
        ({"limit": "chaotic"}, 0),
        ({"limit": "quasi-periodic"}, 0),
        ({"limit": "diverged", "residual": None}, 0),
    ],
)
def test_what_the_rules_before_told_alike_is_not_watched_again(tiny_records, version, changed, again):
    """Rest to the bit, rest when followed, and what neither rested, returned nor drifted stand; the others do not."""
    record = tiny_records["dt-net-thin@0"]
    place = (pl.col("cell") == "cycles") & (pl.col("index") == 1)
    stands = {"limit": "undecided", "residual": 1.0, "exponent": None}
    mazes = record.mazes.with_columns(
        pl.when(place)
        .then(pl.lit((stands | changed)[name]))
        .when(pl.col("limit").is_not_null())
        .then(pl.lit(stands[name]))
        .cast(record.mazes.schema[name])
        .alias(name)
        for name in stands
    )
    plan = record.summary.plan.model_copy(update={"contracts": {**CONTRACTS, "dynamics": version}})
    old = Record(record.summary.model_copy(update={"plan": plan}), mazes, b"")
    assert sum(not _stands(old, task) for task in tasks(plan) if task.watched) == again


def test_what_a_noise_floor_is_not_of(tiny_records, tmp_path):
    """Answers in float64 or with products rounded to TF32, and those of another kind of device."""
    record = tiny_records["dt-net-thin@0"]
    for change in ({"dtype": "float64"}, {"device": "NVIDIA H100", "tf32": True}, {"device": "NVIDIA H100"}):
        plan = record.summary.plan.model_copy(update=change)
        folder = tmp_path / "-".join(change)
        Record.seal(plan, record.summary.cells, record.summary.limits, record.mazes, record.summary.run).write(folder)
        with pytest.raises(InputError, match=r"float32 answers|made on NVIDIA"):
            add_noise(folder, load("dt-net-thin@0"), "cpu", quiet=True)


def test_a_kill_before_the_record_is_written_keeps_its_verification(tiny_records, tmp_path, monkeypatch):
    """The floor comes out the same the second time, and so does the record that the verification names already."""
    record = tiny_records["dt-net-thin@0"]
    folder, kept = tmp_path / "tiny-v1" / "dt-net-thin@0", tmp_path / "verifications" / "tiny-v1" / "any.json"
    record.write(folder)
    made(record_sha256=record.summary.sha256, mazes=143, drawn=143, compared=143, watched=0).write(kept)
    monkeypatch.setattr(Record, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        add_noise(folder, load("dt-net-thin@0"), "cpu", quiet=True)
    monkeypatch.undo()
    found = add_noise(folder, load("dt-net-thin@0"), "cpu", quiet=True)
    assert list(read_verifications(kept.parent.parent)) == [found.summary.sha256]


def test_a_verification_of_answers_stays(outdated):
    """The answers are the same ones: the verification is of the new record, and sound."""
    kept = outdated.parent.parent / "verifications" / "tiny-v1" / "dt-net-thin@0.json"
    made(record_sha256=read_record(outdated).summary.sha256, seed=1, mazes=143, compared=70, watched=0).write(kept)
    assert run(["rewatch", str(outdated), "--device", "cpu", "--quiet"]) == 0
    assert problems(kept.parent) == []
    assert list(read_verifications(kept.parent.parent)) == [read_record(outdated).summary.sha256]


@pytest.mark.parametrize("old", [True, False])
def test_a_noise_floor_is_added_to_an_old_and_to_a_new_record(old, outdated, tiny_records):
    """Without watching anything again where the limits are of this version."""
    if not old:
        tiny_records["dt-net-thin@0"].write(outdated)
    assert run(["rewatch", str(outdated), "--noise-floor", "--device", "cpu", "--quiet"]) == 0
    found = read_record(outdated)
    assert [cell.mazes for cell in found.summary.noise] == [40, 64, 33]
    assert found.mazes.equals(tiny_records["dt-net-thin@0"].mazes)
    assert found.summary.run.command.endswith("rewatch") == old
    with pytest.raises(InputError, match="not the solver of the record"):
        add_noise(_without_noise(outdated), load("dt-net-thin@1"), "cpu", quiet=True)


def _without_noise(folder):
    read_record(folder).changed(noise=()).write(folder)
    return folder


def test_a_verification_of_the_old_record_is_named(outdated, capsys):
    """It speaks of the record as it was; whoever renews that is told to verify again."""
    kept = outdated.parent.parent / "verifications" / "tiny-v1" / "dt-net-thin@0.json"
    made(record_sha256=read_record(outdated).summary.sha256, mazes=143, drawn=143, compared=143).write(kept)
    assert run(["rewatch", str(outdated), "--device", "cpu", "--quiet"]) == 0
    assert f"{kept} is of the record as it was" in capsys.readouterr().err


def test_what_cannot_be_watched_again_is_refused(outdated, tiny_records, tmp_path, capsys):
    """Another solver, a record that is up to date, and one whose other rules have moved on too."""
    with pytest.raises(InputError, match="not the solver of the record"):
        rewatch(outdated, load("dt-net-thin@1"), "cpu", quiet=True)
    record = tiny_records["dt-net-thin@0"]
    record.write(tmp_path / "new")
    assert run(["rewatch", str(tmp_path / "new")]) == 2
    assert "of this version" in capsys.readouterr().err
    resealed(record, contracts={**CONTRACTS, "dynamics": 1, "generator": 0}).write(tmp_path / "old")
    with pytest.raises(NotComparable, match="generator"):
        rewatch(tmp_path / "old", load("dt-net-thin@0"), "cpu", quiet=True)
    (outdated / "card.json").write_text("{}")
    with pytest.raises(InputError, match="is a submission"):
        rewatch(outdated, load("dt-net-thin@0"), "cpu", quiet=True)
    older = {**CONTRACTS, "dynamics": 1}
    resealed(record, device="NVIDIA H200", contracts=older).write(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="was made on NVIDIA H200, and goes on saying so"):
        rewatch(tmp_path / "elsewhere", load("dt-net-thin@0"), "cpu", quiet=True)
    foreign = record.summary.plan.solver.model_copy(update={"name": "somebody@0"})
    resealed(record, solver=foreign).write(tmp_path / "foreign")
    assert run(["rewatch", str(tmp_path / "foreign")]) == 2
    assert "somebody@0 is no shipped solver" in capsys.readouterr().err


def test_a_record_of_an_older_schema_is_brought_up_to_date(root, tmp_path):
    """Nothing is computed: figures stay, and what its solver's training was becomes a fact."""
    shutil.copytree(root / "tests" / "benchmark" / "data" / "schema-3" / "marked", tmp_path / "r")
    before = read_record(tmp_path / "r")
    found = rewatch(tmp_path / "r", load("dt-net-thin-tuned-100@0"), "cpu", quiet=True)
    assert found.read_as is None
    assert found.summary.made_as.sha256 == before.sha256
    assert (found.summary.cells, found.summary.limits) == (before.summary.cells, before.summary.limits)
    trained = found.summary.plan.solver.trained
    assert (trained.on.mazes, trained.begun_with.name, trained.accuracy.mazes) == (64_000, "dt-net-thin@0", 4_096)
    assert rewatch(tmp_path / "r", load("dt-net-thin-tuned-100@0"), "cpu", quiet=True).sha256 == found.sha256


def test_what_became_known_of_a_training_is_told(root, tmp_path):
    """A share that was counted since is written into a record that is of this version already."""
    shutil.copytree(root / "tests" / "benchmark" / "data" / "schema-3" / "marked", tmp_path / "r")
    solver = load("dt-net-thin-tuned-100@0")
    known = solver.card.provenance
    before = known.model_copy(update={"accuracy": known.accuracy.model_copy(update={"optimal": None})})
    solver.card = replace(solver.card, provenance=before)
    assert rewatch(tmp_path / "r", solver, "cpu", quiet=True).summary.plan.solver.accuracy.optimal is None
    solver.card = replace(solver.card, provenance=known)
    found = rewatch(tmp_path / "r", solver, "cpu", quiet=True)
    assert found.summary.plan.solver.accuracy.optimal == known.accuracy.optimal


def test_answers_are_added_to_a_record_that_kept_none(tiny_records, tmp_path):
    """They are those that its evaluation would have kept; given again, nothing changes."""
    whole = tiny_records["dt-net-thin@0"]
    whole.changed(answers=None).write(tmp_path / "r")
    found = rewatch(tmp_path / "r", load("dt-net-thin@0"), "cpu", quiet=True, answers=True)
    assert found.answers == whole.answers
    assert problems(tmp_path / "r") == []
    assert rewatch(tmp_path / "r", load("dt-net-thin@0"), "cpu", quiet=True, answers=True).sha256 == found.sha256


def test_answers_are_not_added_to_rows_of_other_ones(tiny_records, tmp_path, capsys):
    """A row whose failure the solver's answer does not have is named, and the record stays as it was."""
    whole = tiny_records["dt-net-thin@0"]
    wrong = whole.mazes.filter(pl.col("failure").is_not_null() & (pl.col("cycles") > 0)).row(0, named=True)
    here = (pl.col("cell") == wrong["cell"]) & (pl.col("index") == wrong["index"])
    other = next(kind for kind in ("empty", "broken path") if kind != wrong["failure"])
    mazes = whole.mazes.with_columns(failure=pl.when(here).then(pl.lit(other)).otherwise("failure"))
    failures = dict(sorted(Counter(mazes.filter(cell=wrong["cell"])["failure"].drop_nulls()).items()))
    cells = [
        cell.model_copy(update={"failures": failures}) if cell.name == wrong["cell"] else cell
        for cell in whole.summary.cells
    ]
    whole.changed(answers=None, mazes=mazes, cells=cells).write(tmp_path / "r")
    before = {path.name: path.read_bytes() for path in (tmp_path / "r").iterdir()}
    assert run(["rewatch", str(tmp_path / "r"), "--answers", "--device", "cpu", "--quiet"]) == 1
    assert f"  {wrong['cell']} #{wrong['index']}" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in (tmp_path / "r").iterdir()} == before
