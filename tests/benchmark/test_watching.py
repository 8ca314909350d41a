"""What a record says its iterates did, on solvers whose iterates are known."""

import polars as pl
import pytest
import torch

from extramaze.dynamics import Limit
from extramaze.evaluation.evaluate import evaluate
from extramaze.mazes import InputError
from extramaze.models import IterativeSolver, load
from extramaze.models.dead_end_filling import DeadEndFilling
from extramaze.records import Record, read_record
from extramaze.records.association import associate
from extramaze.records.text import limits_table, noise_table, odds_text
from extramaze.schema.record import LimitOdds
from extramaze.suites import load_suite
from extramaze.verification.noise import noise_floor
from tests.benchmark.conftest import TINY

pytestmark = pytest.mark.numeric


class Turning(IterativeSolver):
    """Turns a plane by a fifth of a circle a step, beside an answer that it sees or does not see.

    State (B, 2, H, W): the turning plane. A readout that sees it answers all open pixels where the first number is
    positive, and none elsewhere: the answer flips. ``weight``: the initial state, which a turn keeps.
    """

    def __init__(self, seen):
        super().__init__()
        self.seen = seen
        self.weight = torch.nn.Parameter(torch.tensor([1.0, 0.3]))

    def initial_state(self, x):
        return self.weight.view(1, 2, 1, 1).expand(len(x), 2, *x.shape[2:]).to(x.dtype).clone()

    def step(self, state, x):
        angle = torch.tensor(2 * torch.pi / 5, dtype=x.dtype)
        turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
        return torch.einsum("ij,bjhw->bihw", turn, state)

    def readout(self, state):
        yes = state[:, :1] if self.seen else torch.ones_like(state[:, :1])
        return torch.cat([-yes, yes], dim=1)


class Remembering(IterativeSolver):
    """Never leaves its initial state, so its answer is the state's sign: what path independence must see."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def initial_state(self, x):
        return self.weight * torch.ones_like(x[:, :1])

    def step(self, state, x):
        return state.clone()

    def readout(self, state):
        return torch.cat([-state, state], dim=1)


def watched(solver, suite):
    record = evaluate(solver, suite, "cpu", quiet=True)
    return record, record.mazes.filter(pl.col("limit").is_not_null())


def test_a_suite_that_asks_has_the_studys_procedure_counted_too(tmp_path):
    """In a column of its own, drawn into the summary, checked, written and read; without being asked there is none."""
    asking = tmp_path / "asking-v1.yaml"
    asked = TINY.replace("limits: {", "limits: {dtype: float32, rules: [study-float32-v1], ")
    asking.write_text(asked.replace("tiny-v1", "asking-v1"))
    record, rows = watched(Turning(False), str(asking))
    assert {tuple(pair) for pair in rows["study_float32_betti"]} == {(5, 0)}
    assert record.summary.limits[0].study_float32_betti == {"5,0": rows["cell"].value_counts()["count"][0]}
    record.write(tmp_path / "r")
    read = read_record(tmp_path / "r")
    assert read.summary == record.summary
    assert read.mazes.equals(record.mazes)
    read.write(tmp_path / "again")
    assert read_record(tmp_path / "again").summary == record.summary
    lacking = Record.seal(
        read.summary.plan,
        read.summary.cells,
        read.summary.limits,
        read.mazes.drop("study_float32_betti"),
        read.summary.run,
    )
    with pytest.raises(InputError, match="lacks study_float32_betti"):
        lacking.write(tmp_path / "lacking")


def test_a_suite_that_does_not_ask_has_neither_column_nor_field(tiny_records):
    """What was sealed before the rule came is written as it was."""
    record = tiny_records["dt-net-thin@0"]
    assert "study_float32_betti" not in record.mazes.columns
    assert "study_float32_betti" not in record.summary.limits[0].model_dump()
    assert {"dtype", "rules"}.isdisjoint(record.summary.plan.suite.limits.model_dump())


@pytest.mark.parametrize("seen", [True, False])
def test_a_cycle_that_the_readout_sees_is_told_from_one_that_it_does_not(tiny_suite, seen):
    """Five states, one orbit: the same motion inside, and an answer that flips only where the readout looks at it."""
    record, rows = watched(Turning(seen), tiny_suite)
    assert set(rows["limit"]) == {"cycle"}
    assert set(rows["period"]) == {5}
    assert {tuple(pair) for pair in rows["betti"]} == {(5, 0)}
    assert {tuple(pair) for pair in rows["study_betti"]} == {(5, 0)}
    assert rows["latent_motion"].min() > 1
    assert set(rows["flipping"]) == ({1.0} if seen else {0.0})
    counts = [count for result in record.summary.limits for count in result.counts]
    assert sum(count.flips for count in counts) == (len(rows) if seen else 0)


def test_a_limit_that_hangs_on_its_beginning_is_told(tiny_suite):
    """From a random state this solver answers otherwise; dt-net-thin's own limits at 20 steps are compared alike."""
    record, rows = watched(Remembering(), tiny_suite)
    assert set(rows["limit"]) == {"fixed point"}
    assert rows["depends"].all()
    assert rows["alignment"].max() < 0.9
    assert [count.depends for result in record.summary.limits for count in result.counts] == [6, 6]


def test_an_algorithm_has_one_beginning(tiny_suite):
    """States of algorithms mean something: none is started from noise, and what settles does not move."""
    record, rows = watched(DeadEndFilling(), tiny_suite)
    assert rows["alignment"].null_count() == rows["depends"].null_count() == len(rows)
    assert all(result.alignment is None for result in record.summary.limits)
    still = rows.filter(pl.col("limit") == "fixed point")
    assert len(still) > 0
    assert set(still["latent_motion"]) == set(still["flipping"]) == {0.0}


class Golden(Turning):
    """Turns by the golden angle, which never comes back."""

    def step(self, state, x):
        angle = torch.tensor(torch.pi * (3 - 5**0.5), dtype=x.dtype)
        turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
        return torch.einsum("ij,bjhw->bihw", turn, state)


def test_what_the_window_leaves_open_is_pursued_in_a_record(tmp_path):
    """A suite's ``pursuit`` reaches the verdict, and the record states the exponent that it rests on."""
    (tmp_path / "s.yaml").write_text(TINY.replace("count: 6", "count: 2, pursuit: 400"))
    _, rows = watched(Golden(True), str(tmp_path / "s.yaml"))
    assert set(rows["limit"]) == {"quasi-periodic"}
    assert rows["exponent"].abs().max() < 1e-6
    assert rows["exponent_error"].null_count() == 0


class Blinking(Turning):
    """Answers walls in turn with nothing: what blinks is no part of any answer."""

    def readout(self, state):
        yes = state[:, :1].where(self.walls[: len(state)], -1.0)
        return torch.cat([-yes, yes], dim=1)

    def initial_state(self, x):
        self.walls = x.amax(dim=1, keepdim=True) == 0
        return super().initial_state(x)


def test_pixels_of_walls_do_not_flip(tiny_suite):
    """No answer holds a wall, whatever the readout says of it."""
    _, rows = watched(Blinking(True), tiny_suite)
    assert set(rows["limit"]) == {"cycle"}
    assert set(rows["flipping"]) == {0.0}


def test_odds_are_those_of_the_limits(tiny_records, monkeypatch):
    """The record's odds are Mantel and Haenszel's over its cells; shown a line a limit, of enough trajectories."""
    summary = tiny_records["dt-net-thin@0"].summary
    counts = {r.cell: {Limit(c.limit): (c.right, c.wrong) for c in r.counts} for r in summary.limits}
    expected = associate(counts)
    assert [(found.limit, found.p, found.informative) for found in summary.odds] == [
        (str(e.limit), e.p, e.informative) for e in expected
    ]
    assert "odds" not in limits_table([tiny_records["dt-net-thin@0"]])
    monkeypatch.setattr("extramaze.records.text.ENOUGH", 12)
    table = limits_table([tiny_records["dt-net-thin@0"]])
    assert all(odds_text(found) in table for found in summary.odds) == any(f.informative for f in summary.odds)
    infinite = LimitOdds(limit="cycle", ratio=None, low=1.5, high=None, p=0.1, informative=1, exact=True)
    assert odds_text(infinite) == "∞ (1.5 to ∞)"


def test_a_record_keeps_its_noise_floor(tiny_suite, tiny_records, tmp_path):
    """Noise survives the disk, is shown, and is what a comparison sets its difference beside."""
    from extramaze.comparing.compare import compare
    from extramaze.records import read_record

    record = tiny_records["dt-net-thin@0"]
    noise = noise_floor(load("dt-net-thin@0"), load_suite(tiny_suite), "cpu", quiet=True)
    record.changed(noise=noise).write(tmp_path / "r")
    found = read_record(tmp_path / "r")
    assert found.summary.noise == tuple(noise)
    assert [(cell.cell, cell.mazes) for cell in noise] == [("easy", 40), ("cycles", 64), ("large", 33)]
    share = sum(cell.either for cell in noise) / 137
    assert compare(found, tiny_records["dt-net-thin@1"]).noise_floor == pytest.approx(share)
    assert compare(record, tiny_records["dt-net-thin@1"]).noise_floor is None
    assert "137" in noise_table(noise)
