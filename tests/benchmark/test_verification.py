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
from extramaze.models.weight_files import state_sha256
from extramaze.records import Record, read_record
from extramaze.schema.card import read_card
from extramaze.schema.plan import make_part
from extramaze.statistics import share_at_most
from extramaze.suites import Suite, load_suite
from extramaze.verification.rerun import run_again
from extramaze.verification.validate import problems
from extramaze.verification.verification import (
    Verification,
    file_of,
    keep,
    read_verification,
    verification_problems,
)
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
    """A record, where no verifications are."""
    filled.write(tmp_path / "record")
    return tmp_path / "record"


@pytest.fixture
def shelved(filled, tmp_path):
    """A record among others, with a folder for their verifications."""
    (tmp_path / "results" / "verifications").mkdir(parents=True)
    filled.write(tmp_path / "results" / "small-v1" / "dead-end-filling")
    return tmp_path / "results" / "small-v1" / "dead-end-filling"


MINE = {"name": "mine", "recipe": "mine"}


def verifications(folder):
    """The files that a folder of verifications holds, by where they lie in it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


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
    from extramaze.schema.card import Source
    from extramaze.submission.staging import load_source

    monkeypatch.chdir(submission)
    monkeypatch.setattr("extramaze.models.loading._load_factory", lambda target: pytest.fail("it was run"))
    rewrite_card(submission, lambda c: c["source"].update(kind=kind))
    with pytest.raises(Unsound):
        verify(submission, quiet=True)
    with pytest.raises(InputError):
        load_source(Source(kind=kind, target="solver.py:make", distribution=None), submission)


def test_a_shipped_solvers_record_needs_no_trust(shelved, capsys):
    """Its code and weights come with extramaze; what came out lies with the others, and validate finds it sound."""
    assert run(["verify", str(shelved), "--quiet"]) == 0
    assert "reproduced" in capsys.readouterr().out
    assert sorted(path.name for path in shelved.iterdir()) == ["answers.npz", "mazes.parquet", "record.json"]
    root = shelved.parent.parent / "verifications"
    assert verifications(root) == ["small-v1/dead-end-filling.json"]
    assert problems(shelved) == problems(root / "small-v1") == []
    (root / "small-v1" / "dead-end-filling.json").write_bytes(b" " * (2**20 + 1))  # unreadable: verify replaces it
    assert run(["verify", str(shelved), "--quiet"]) == 0
    assert problems(root / "small-v1") == []


def swap(submission):
    """Put other weights in, and state every digest anew: of weights, record and card."""
    content = (submission / "weights.safetensors").read_bytes()
    tensors = read_tensors(content)
    other = {name: value.flip(0).contiguous() for name, value in tensors.items()}
    record = read_record(submission)
    solver = record.summary.plan.solver.model_copy(update={"weights_sha256": state_sha256(other)})
    plan = record.summary.plan.model_copy(update={"solver": solver})
    summary = record.summary
    forged = Record.seal(
        plan, list(summary.cells), list(summary.limits), record.mazes, summary.run, answers=record.answers
    )
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
    assert run(["verify", str(submission), "--trust", "--quiet", "--out", str(submission.parent / "others")]) == 1
    (board,) = boards(find_records([submission]), find_verified([submission.parent / "others"]))
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
    named = summary.plan.model_copy(update={"solver": summary.plan.solver.model_copy(update=MINE)})
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
    for name in ("record.json", "mazes.parquet", "answers.npz"):
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


def test_any_changed_digit_of_a_verification_is_found(tmp_path):
    """Every digit, one after the other; junk is named too, and neither is believed."""
    path = tmp_path / "verifications" / "small-v1" / "one.json"
    made().write(path)
    assert problems(path.parent) == []
    content = path.read_bytes()
    for at, byte in enumerate(content):
        if 48 <= byte <= 57:
            path.write_bytes(content[:at] + bytes([48 + (byte - 47) % 10]) + content[at + 1 :])
            _, wrong = read_verification(path)
            assert wrong, at
    assert "a" * 64 not in find_verified([tmp_path / "verifications"])
    for junk in (b"", b"[]", b"null", b"[" * 100_000, b" " * (2**20 + 1)):
        path.write_bytes(junk)
        assert any("one.json" in line for line in problems(path.parent))
        assert "a" * 64 not in find_verified([tmp_path / "verifications"])


def test_a_badge_is_of_this_very_record(filled):
    """A verification of so many mazes that are not the record's is none of it."""
    sha256 = filled.summary.sha256
    assert standing([filled], {sha256: made(record_sha256=sha256)}).badge == "reproduced"
    assert standing([filled], {sha256: made(record_sha256=sha256, mazes=61, drawn=61, compared=61)}).badge == "claimed"


def test_of_two_verifications_the_worse_is_believed(filled, tmp_path):
    """A record that once was not reproduced has no badge, whatever else is said of it."""
    sha256 = filled.summary.sha256
    made(record_sha256=sha256, disagree=1).write(tmp_path / "a" / "small-v1" / "one.json")
    made(record_sha256=sha256).write(tmp_path / "b" / "small-v1" / "one.json")
    for order in (("a", "b"), ("b", "a")):
        found = find_verified([tmp_path / name for name in order])
        assert not found[sha256].reproduced
    assert find_verified([tmp_path / "b"])[sha256].reproduced


def board_of(folder, *options, capsys):
    """The only board of a folder's records, as the command line has it."""
    assert run(["leaderboard", str(folder), "--format", "json", *map(str, options)]) == 0
    (board,) = json.loads(capsys.readouterr().out)
    return board


def test_a_forged_verification_makes_no_badge(shelved, filled, capsys):
    """Beside its record it is named and ignored; nor is one believed wherever else its maker could put it."""
    forged = made(record_sha256=filled.summary.sha256)
    results = shelved.parent.parent
    for path in (
        shelved / "verification.json",
        shelved / "small-v1" / "dead-end-filling.json",
        shelved / "verifications" / "small-v1" / "dead-end-filling.json",
        shelved.parent / "verifications" / "small-v1" / "dead-end-filling.json",
        results / "verifications" / "small-v1" / "dead-end-filling.json",
    ):
        forged.write(path)
    board = board_of(results, capsys=capsys)
    assert board["rows"][0]["standing"]["badge"] == "claimed"
    assert [note for note in board["notes"] if "verification.json beside a record is not believed" in note]
    board = board_of(results, "--verifications", results / "verifications", capsys=capsys)
    assert board["rows"][0]["standing"]["badge"] == "reproduced"  # whoever asks to believe it does
    for inside in (shelved, shelved / "verifications"):
        assert run(["leaderboard", str(results), "--verifications", str(inside)]) == 2
        assert "would vouch for itself" in capsys.readouterr().err
    assert problems(shelved) == []
    assert run(["validate", str(shelved)]) == 0
    assert "note: verification.json: beside a record it is not believed" in capsys.readouterr().out


@pytest.mark.parametrize("linked", ["file", "suite"])
def test_a_link_to_a_verification_is_none(linked, filled, tmp_path):
    """A link among the maintainers' to what lies elsewhere, be it one file or a suite's folder, is named instead."""
    made(record_sha256=filled.summary.sha256).write(tmp_path / "elsewhere" / "one.json")
    place = tmp_path / "verifications" / "small-v1"
    place.parent.mkdir()
    if linked == "suite":
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.mkdir()
        (place / "one.json").symlink_to(tmp_path / "elsewhere" / "one.json")
    assert filled.summary.sha256 not in find_verified([place.parent])
    assert "a link" in "".join(verification_problems(place.parent))


def test_a_submission_with_a_verification_is_refused(submission):
    """It vouches for itself."""
    made(record_sha256=read_record(submission).summary.sha256).write(submission / "verification.json")
    assert problems(submission) == [
        "verification.json: a submission does not vouch for itself; maintainers verify it; remove this"
    ]


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


def test_a_weaker_verification_does_not_replace_a_stronger_one(filled, tmp_path):
    """The same finding on fewer mazes leaves it; a contradiction does not."""
    sha256, path = filled.summary.sha256, tmp_path / "one.json"
    few = {"record_sha256": sha256, "seed": 1, "drawn": 5, "compared": 9, "watched": 0}
    assert keep(made(record_sha256=sha256), path)
    assert not keep(made(**few), path)
    assert read_verification(path)[0].whole
    assert keep(made(**few, disagree=1), path)
    assert not read_verification(path)[0].reproduced


def test_a_verification_goes_where_it_can(folder, shelved, tmp_path, monkeypatch, capsys):
    """Where --out says, by suite and solver; nowhere without one; where that cannot be written, nothing is run."""
    assert (
        run(["verify", str(folder), str(shelved), "--quiet", "--mazes", "1", "--out", str(tmp_path / "a" / "b")]) == 0
    )
    assert verifications(tmp_path / "a" / "b") == ["small-v1/dead-end-filling.json"]
    assert verifications(tmp_path / "results" / "verifications") == []
    assert run(["verify", str(folder), "--quiet", "--mazes", "1"]) == 0
    assert "not written: --out FOLDER" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == ["answers.npz", "mazes.parquet", "record.json"]
    assert run(["verify", str(folder), "--quiet", "--out", str(folder / "verifications")]) == 2
    assert "would vouch for itself" in capsys.readouterr().err
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK)
    monkeypatch.setattr("extramaze.verification.verify.verify", lambda *_: pytest.fail("it was run"))
    assert run(["verify", str(shelved), "--quiet"]) == 2
    assert "--out FOLDER" in capsys.readouterr().err


def test_records_of_one_solver_run_otherwise_are_verified_apart(filled):
    """By its own inference, in another precision, in part: each has a file of its own."""
    plan = filled.summary.plan
    changes = ({}, {"mode": "own"}, {"dtype": "float64"}, {"part": make_part(5, 1)})
    files = [file_of(plan.model_copy(update=change), Path("v")) for change in changes]
    assert len(set(files)) == len(files)
    assert files[:2] == [Path("v/small-v1/dead-end-filling.json"), Path("v/small-v1/dead-end-filling-own.json")]


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
