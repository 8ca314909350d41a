"""Running a record again: what is true is reproduced, what is not is found, and what rounding does is told apart."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load as read_tensors
from safetensors.torch import save

from extramaze.blocks.identity import state_sha256
from extramaze.cli import run
from extramaze.core.checked import parse_yaml
from extramaze.core.errors import NotComparable
from extramaze.evaluation.evaluate import evaluate, make_evaluation
from extramaze.evaluation.work import Worker
from extramaze.leaderboard.badges import standing
from extramaze.leaderboard.board import boards
from extramaze.leaderboard.sources import find_records, find_verified
from extramaze.mazes import InputError
from extramaze.models import IterativeSolver, load
from extramaze.models.dead_end_filling import DeadEndFilling
from extramaze.records import Record, read_record
from extramaze.statistics import share_at_most
from extramaze.submission.card import read_card
from extramaze.suites import Suite, load_suite
from extramaze.verification.rerun import run_again
from extramaze.verification.validate import problems
from extramaze.verification.verification import Verification, keep, read_verification
from extramaze.verification.verify import Unsound, prepare, verify
from tests.benchmark.conftest import SMALL, rewrite_card
from tests.benchmark.test_check import altered
from tests.benchmark.test_submission_problems import replace_file


@pytest.fixture(scope="module")
def small(workshop):
    return load_suite(str(workshop / "small-v1.yaml"))


@pytest.fixture(scope="module")
def filled(small):
    """The record of a shipped algorithm: right on trees, often wrong with cycles."""
    return evaluate(load("dead-end-filling"), small, "cpu", quiet=True)


@pytest.fixture
def folder(filled, tmp_path):
    filled.write(tmp_path / "record")
    return tmp_path / "record"


def made(**changes):
    """A sound verification of some record."""
    counts = dict.fromkeys(
        ("disagree", "rounding", "beside", "favourable", "unfavourable", "limits_disagree", "limits_rounding"), 0
    )
    content = {
        "record_sha256": "a" * 64,
        "finished": "2026-01-01T00:00:00+00:00",
        "device": "cpu",
        "packages": {"torch": "2"},
        "seed": None,
        "mazes": 60,
        "drawn": 60,
        "compared": 60,
        "watched": 4,
        "named": (),
    }
    return Verification.seal(**{**content, **counts, **changes})


def test_a_true_record_is_reproduced_whole(submission):
    """Every maze and every watched trajectory comes out as stated; nothing remains open; no file has changed."""
    before = {path.name: path.read_bytes() for path in submission.iterdir()}
    found = verify(submission, trust=True, quiet=True)
    assert found.reproduced
    assert found.whole
    assert (found.drawn, found.compared, found.watched, found.high, found.named) == (60, 60, 4, 0, ())
    assert found.record_sha256 == read_record(submission).summary.sha256
    assert {path.name: path.read_bytes() for path in submission.iterdir()} == before


def test_a_sample_bounds_what_it_did_not_see(submission, monkeypatch):
    """k mazes drawn by a seed, only the blocks that hold them, and Clopper and Pearson's bound."""
    seen = []
    plain = Worker.compute
    monkeypatch.setattr(
        Worker, "compute", lambda self, chosen, quiet: seen.append(chosen) or plain(self, chosen, quiet)
    )
    found = verify(submission, trust=True, mazes=2, seed=1, quiet=True)
    rows = read_record(submission).mazes.select("cell", "index").rows()
    drawn = {rows[row] for row in np.random.default_rng(1).choice(60, 2, replace=False)}
    plan = read_record(submission).summary.plan
    blocks = {(cell, index // plan.cells[[c.name for c in plan.cells].index(cell)].block) for cell, index in drawn}
    assert len(seen[0]) == len(blocks) < 3
    assert found.reproduced
    assert not found.whole
    assert (found.drawn, found.seed, found.watched) == (2, 1, 0)
    assert found.high == share_at_most(0, 2)
    assert "at 95 % confidence at most 77.6% of the record's mazes differ" in found.sentence()
    assert verify(submission, trust=True, mazes=1, quiet=True).seed is not None


def test_the_bound_covers_what_it_says():
    """Of samples from a record of which 7 % differ, 95 % or more give a bound of at least 7 %."""
    random = np.random.default_rng(0)
    record = np.arange(1000) < 70
    for count in (10, 50, 300):
        high = {differ: share_at_most(differ, count) for differ in range(count + 1)}
        bounds = [high[int(random.choice(record, count, False).sum())] for _ in range(1000)]
        assert np.mean(np.array(bounds) >= 0.07) >= 0.94


def test_code_is_not_run_without_trust(submission, tmp_path, capsys):
    """Exit 2, one line that names the file and its author, and nothing written or run."""
    (tmp_path / "ran").mkdir()
    code = f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).rmdir()\n".encode()
    replace_file(submission, "solver.py", code + (submission / "solver.py").read_bytes())
    before = {path.name: path.read_bytes() for path in submission.iterdir()}
    assert run(["verify", str(submission), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "runs the code of solver.py:make by A. Person, Ö. Other with all your rights" in said
    assert {path.name: path.read_bytes() for path in submission.iterdir()} == before
    assert problems(submission) == []
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["shipped", "trained"])
def test_a_card_cannot_talk_itself_out_of_trust(submission, tmp_path, kind, monkeypatch):
    """Code called shipped or trained is not loaded: the card is named, and where it is not, loading is refused."""
    from extramaze.submission.card import Source
    from extramaze.submission.staging import load_source

    monkeypatch.chdir(submission)
    monkeypatch.setattr("extramaze.models.loading._load_factory", lambda target: pytest.fail("it was run"))
    rewrite_card(submission, lambda c: c["source"].update(kind=kind))
    with pytest.raises(Unsound):
        verify(submission, quiet=True)
    with pytest.raises(InputError):
        load_source(Source(kind=kind, target="solver.py:make", distribution=None), submission)


def test_a_shipped_solvers_record_needs_no_trust(folder, capsys):
    """Its code and weights come with extramaze; the verification is written, and validate finds it sound."""
    assert run(["verify", str(folder), "--quiet"]) == 0
    assert "reproduced" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == ["mazes.parquet", "record.json", "verification.json"]
    assert problems(folder) == []
    (folder / "verification.json").write_bytes(b" " * (2**20 + 1))  # unreadable: it is what verify replaces
    assert run(["verify", str(folder), "--quiet"]) == 0
    assert problems(folder) == []


def swap(submission):
    """Put other weights in, and state every digest anew: of weights, record and card."""
    content = (submission / "weights.safetensors").read_bytes()
    tensors = read_tensors(content)
    other = {name: value.flip(0).contiguous() for name, value in tensors.items()}
    record = read_record(submission)
    solver = record.summary.plan.solver.model_copy(update={"weights_sha256": state_sha256(other)})
    plan = record.summary.plan.model_copy(update={"solver": solver})
    summary = record.summary
    forged = Record.seal(plan, list(summary.cells), list(summary.limits), record.mazes, summary.run)
    forged.write(submission)
    for name, new in (
        ("weights.safetensors", save(other)),
        ("record.json", (submission / "record.json").read_bytes()),
        ("mazes.parquet", (submission / "mazes.parquet").read_bytes()),
    ):
        replace_file(submission, name, new)
    rewrite_card(submission, lambda c: c.update(record_sha256=forged.summary.sha256))


def test_swapped_weights_are_caught(submission, capsys):
    """Validate, which runs nothing, cannot see it; verify does: exit 1, mazes named, and no badge."""
    swap(submission)
    assert problems(submission) == []
    assert run(["verify", str(submission), "--trust", "--quiet"]) == 1
    out = capsys.readouterr().out
    assert "NOT reproduced" in out
    assert "easy #" in out
    assert problems(submission) == []
    (board,) = boards(find_records([submission]), find_verified([submission]))
    assert (board.rows[0].standing.badge, board.rows[0].standing.high) == ("claimed", None)


def test_claims_that_its_rows_back_up_are_caught(filled, tmp_path):
    """Three right answers stated as wrong and two limits changed, everything sealed anew: the very ones are named."""
    altered(filled, wrong=3, unsettled=2).write(tmp_path / "record")
    assert problems(tmp_path / "record") == []
    found = verify(tmp_path / "record", quiet=True)
    assert not found.reproduced
    assert (found.disagree, found.rounding, found.limits_disagree, found.limits_rounding) == (3, 0, 2, 0)
    assert found.high == pytest.approx(3 / 60)
    rows = filled.mazes.filter(pl.col("optimal").list.last())["index"].to_list()[:3]
    assert [(one.cell, one.index) for one in found.named if one.what == "answers"] == [("easy", i) for i in rows]


def test_a_record_of_another_solver_is_not_run(filled, folder, tmp_path):
    """The name of a shipped solver over another's numbers of parameters, or more iterations than it would get."""
    plan = filled.summary.plan
    for change in (
        {"solver": plan.solver.model_copy(update={"parameters": 5})},
        {"cells": (plan.cells[0], plan.cells[1].model_copy(update={"rungs": (2, 9)}))},
    ):
        forged = plan.model_copy(update=change)
        record = Record(filled.summary.model_copy(update={"plan": forged}), filled.mazes, filled.table)
        with pytest.raises(Unsound) as caught:
            prepare(record, load("dead-end-filling"), read_source(), None, True)
        assert "not of this solver" in caught.value.problems[0]


def read_source():
    from extramaze.submission.staging import shipped_source

    return shipped_source("dead-end-filling")


def test_an_unsound_record_is_not_run(submission, capsys, monkeypatch):
    """What validate finds is listed, exit 1."""
    monkeypatch.setattr("extramaze.models.loading._load_factory", lambda target: pytest.fail("it was run"))
    content = (submission / "record.json").read_text()
    (submission / "record.json").write_text(content.replace('"seed": 0', '"seed": 9'))
    assert run(["verify", str(submission), "--trust", "--quiet"]) == 1
    assert "record.json: altered" in capsys.readouterr().out
    assert not (submission / "verification.json").exists()


def test_what_cannot_be_run_again_says_why(folder, filled, submission, tmp_path, monkeypatch, capsys):
    """Other versions exit 3; answers handed in, foreign names, no record and bad numbers exit 2."""
    summary = filled.summary
    named = summary.plan.model_copy(update={"solver": summary.plan.solver.model_copy(update={"name": "mine@0"})})
    Record.seal(named, list(summary.cells), list(summary.limits), filled.mazes, summary.run).write(tmp_path / "mine")
    handed = summary.plan.model_copy(update={"mode": "predictions"})
    Record.seal(handed, list(summary.cells), list(summary.limits), filled.mazes, summary.run).write(tmp_path / "handed")
    for arguments, problem in (
        ([str(tmp_path / "mine")], "say which solver it was: --solver"),
        ([str(tmp_path / "mine"), "--solver", "wavefront"], "runs the code of wavefront"),
        ([str(tmp_path / "handed")], "answers that were handed in"),
        ([str(tmp_path)], "holds no record"),
        ([str(folder), "--mazes", "0"], "--mazes must be at least 1"),
        ([str(folder), "--seed", "1"], "--seed draws mazes"),
        ([str(folder), "--mazes", "1", "--seed", "-1"], "--seed must be from 0"),
        ([str(submission), "--solver", "wavefront", "--trust"], "leave --solver out"),
    ):
        assert run(["verify", "--quiet", *arguments]) == 2, arguments
        said = capsys.readouterr().err
        assert problem in said
        assert len(said.strip().splitlines()) == 1
    assert run(["verify", "--quiet", str(tmp_path / "mine"), "--solver", "wavefront", "--trust"]) == 3
    assert "not the solver of the record" in capsys.readouterr().err
    monkeypatch.setattr("extramaze.verification.verify.CONTRACTS", {**summary.plan.contracts, "score": 99})
    assert run(["verify", "--quiet", str(folder)]) == 3
    assert "score 1 (here 99)" in capsys.readouterr().err
    with pytest.raises(NotComparable):
        verify(folder, quiet=True)


def test_a_solver_can_be_named_for_a_record_without_a_card(workshop, submitted, tmp_path):
    """The record of a file's solver, and the file."""
    for name in ("record.json", "mazes.parquet"):
        (tmp_path / "row").mkdir(exist_ok=True)
        shutil.copy(submitted / name, tmp_path / "row")
    found = verify(tmp_path / "row", trust=True, mazes=1, seed=0, solver=f"{workshop / 'solver.py'}:make", quiet=True)
    assert found.reproduced


class Wavering(IterativeSolver):
    """Dead-end filling whose answer is wiped out where a chaotic number, begun a little beside ``nudge``, is small."""

    def __init__(self, nudge=0.0, always=False):
        super().__init__()
        self.filling, self.nudge, self.always = DeadEndFilling(), nudge, always

    def initial_state(self, x):
        state = self.filling.initial_state(x)
        ramp = torch.linspace(0, 1, x[0].numel(), dtype=x.dtype)
        seed = 0.2 + 0.3 * torch.frac(x.flatten(1) @ ramp + self.nudge)
        return torch.cat([state, seed[:, None, None, None].expand(-1, 1, *x.shape[2:])], dim=1)

    def step(self, state, x):
        number = state[:, -1:]
        for _ in range(40):
            number = torch.frac(3 * number + 0.1)  # it expands alike everywhere
        return torch.cat([self.filling.step(state[:, :-1], x), number], dim=1)

    def readout(self, state):
        logits = self.filling.readout(state[:, :-1])
        keep = (state[:, -1:] > 0.5) | self.always
        return torch.where(keep, logits, torch.stack([logits[:, 0] * 0 + 1, logits[:, 1] * 0], dim=1))


def held_against(stated, ours):
    """Hold the record of one solver against another, as if it were the other's on another machine."""
    small = parse_yaml(Suite, SMALL.replace("count: 20", "count: 80"), "a suite")
    truth = make_evaluation(ours, small, "cpu")
    record = evaluate(stated, small, "cpu", quiet=True)
    other = record.summary
    summary = Record.seal(truth.plan, list(other.cells), list(other.limits), record.mazes, other.run)
    ready = prepare(summary, ours, read_source(), "cpu", True)
    return run_again(ready, list(record.mazes.select("cell", "index").iter_rows()), None)


def test_rounding_is_told_from_contradiction():
    """Answers that a last digit decides differ between machines, and by themselves: no contradiction, and no side."""
    found = held_against(Wavering(nudge=1e-4), Wavering())
    assert found.disagree > 20
    assert found.rounding == found.disagree
    assert found.limits_rounding == found.limits_disagree
    assert found.reproduced
    assert min(found.favourable, found.unfavourable) > 5


def test_rounding_does_not_excuse_a_record_that_errs_in_its_own_favour():
    """A record that is right wherever chance decides is not reproduced, though every single maze could be rounding."""
    found = held_against(Wavering(always=True), Wavering())
    assert found.favourable > 10
    assert found.unfavourable == 0
    assert found.lopsided
    assert not found.reproduced
    assert "chance does not favour one side so" in found.sentence()


def test_verifications_say_what_they_establish():
    """Whole or in part, with and without rounding, in words."""
    assert made().sentence().startswith("all 60 mazes run again: 0 differ from the record")
    part = made(seed=1, drawn=20, compared=50, watched=0, disagree=3, rounding=1)
    assert part.high == share_at_most(2, 20)
    for words in ("20 of 60 mazes", "2 differ", "1 more within rounding", "Of 30 more", "Limits were not looked at"):
        assert words in part.sentence()
    assert not part.reproduced
    assert made(disagree=1, rounding=1).reproduced
    assert not made(seed=1, drawn=20, compared=50, beside=1).reproduced
    assert not made(limits_disagree=1).reproduced
    assert made(limits_disagree=1, limits_rounding=1).reproduced


@pytest.mark.parametrize(
    "changes",
    [
        {"disagree": 61},
        {"rounding": 1},
        {"drawn": 20},
        {"compared": 59},
        {"limits_disagree": 5},
        {"seed": 1, "drawn": 20, "compared": 30, "beside": 11},
        {"watched": 61},
    ],
)
def test_counts_that_cannot_be_are_refused(changes):
    """More of a part than of the whole, and the like."""
    with pytest.raises(ValueError, match=r"does not hold|more mazes|drawn by a seed|less than|greater than"):
        made(**changes)


def test_any_changed_digit_of_a_verification_is_found(folder, filled):
    """Every digit, one after the other; one of another record is named too; junk is named."""
    sha256 = filled.summary.sha256
    made(record_sha256=sha256).write(folder)
    path = folder / "verification.json"
    assert problems(folder) == []
    content = path.read_bytes()
    for at, byte in enumerate(content):
        if 48 <= byte <= 57:
            path.write_bytes(content[:at] + bytes([48 + (byte - 47) % 10]) + content[at + 1 :])
            _, wrong = read_verification(folder)
            assert wrong, at
    assert find_verified([folder]) == {}
    made().write(folder)
    assert problems(folder) == ["verification.json: of another record: the sha256 it names is not that of record.json"]
    assert find_verified([folder]) == {}
    made(record_sha256=sha256, mazes=61, drawn=61, compared=61).write(folder)
    assert problems(folder) == ["verification.json: mazes: 61 is not the number that record.json has"]
    for junk in (b"", b"[]", b"null", b"[" * 100_000, b" " * (2**20 + 1)):
        path.write_bytes(junk)
        assert any("verification.json" in line for line in problems(folder))
        assert find_verified([folder]) == {}


def test_a_row_is_reproduced_when_all_its_seeds_are(tiny_records):
    """One seed of two is not enough, nor a sample too small to say much; what it rests on is stated."""
    records = [tiny_records[f"dt-net-thin@{seed}"] for seed in (0, 1)]
    first, second = (record.summary.sha256 for record in records)
    whole = made(record_sha256=first, mazes=143, drawn=143, compared=143)

    def part(drawn, **changes):
        return made(record_sha256=second, seed=1, mazes=143, drawn=drawn, compared=drawn, watched=0, **changes)

    assert standing(records, {}).badge == "claimed"
    assert standing(records, {first: whole}).badge == "claimed"
    assert standing(records, {first: whole, second: part(10)}).badge == "claimed"
    assert standing(records, {first: whole, second: part(40, disagree=1)}).badge == "claimed"
    found = standing(records, {first: whole, second: part(40)})
    assert str(found) == "reproduced (183 of 286 mazes: at most 7.2% of a record's differ)"
    assert str(standing(records, {first: whole})) == "claimed (1 of 2 records run again)"
    (board,) = boards(records, {first: whole, second: part(40)})
    assert board.rows[0].standing == found


def test_a_weaker_verification_does_not_replace_a_stronger_one(folder, filled):
    """The same finding on fewer mazes leaves it; a contradiction does not."""
    sha256 = filled.summary.sha256
    few = {"record_sha256": sha256, "seed": 1, "drawn": 5, "compared": 9, "watched": 0}
    assert keep(made(record_sha256=sha256), folder)
    assert not keep(made(**few), folder)
    assert read_verification(folder)[0].whole
    assert keep(made(**few, disagree=1), folder)
    assert not read_verification(folder)[0].reproduced


def test_a_verification_goes_where_it_can(folder, tmp_path, monkeypatch, capsys):
    """Elsewhere with --out; a folder that cannot be written is one line, before anything is run."""
    assert run(["verify", str(folder), "--quiet", "--mazes", "1", "--out", str(tmp_path / "new" / "place")]) == 0
    assert (tmp_path / "new" / "place" / "verification.json").exists()
    assert not (folder / "verification.json").exists()
    capsys.readouterr()
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK)
    monkeypatch.setattr("extramaze.verification.verify.verify", lambda *_: pytest.fail("it was run"))
    assert run(["verify", str(folder), "--quiet"]) == 2
    assert "--out FOLDER" in capsys.readouterr().err


def test_the_copy_that_runs_is_the_one_that_was_checked(submission):
    """Compiled code beside a submission's file is neither sealed nor run."""
    assert read_card(submission).source.kind == "file"
    (submission / "__pycache__").mkdir()
    with pytest.raises(Unsound) as caught:
        verify(submission, trust=True, quiet=True)
    assert caught.value.problems == ["__pycache__: no part of this submission; remove it"]


def test_a_submission_is_json_that_anyone_can_read(submission):
    """No tool is needed to read a card."""
    card = json.loads((Path(submission) / "card.json").read_text("ascii"))
    assert card["statement"]["authors"][1] == "Ö. Other"
