"""A reader on another machine computes the same numbers up to rounding."""

import math

import pytest

from extramaze.alike import alike
from extramaze.records import Record, read_record
from extramaze.records.tallies import tally


def test_floats_to_within_rounding_all_else_exactly():
    """One unit in the last place is alike, a millionth is not; counts, keys, lengths and types are exact."""
    assert alike({"a": [1.0, math.nan]}, {"a": (math.nextafter(1.0, 2), math.nan)})
    for one, other in [(1.0, 1.000001), (3, 4), ([1], [1, 2]), ({"a": 1}, {"b": 1}), (None, 0.0), ("1", 1)]:
        assert not alike(one, other)
    assert alike(tally(3, 7), tally(3, 7))
    assert not alike(tally(3, 7), tally(4, 7))


def test_a_record_of_another_processor_is_read(tiny_records, tmp_path, monkeypatch):
    """Intervals and odds that differ in the last place from what is computed here do not contradict the rows."""
    record = tiny_records["dt-net-thin@0"]
    odds = [found.model_copy(update={"low": math.nextafter(found.low, math.inf)}) for found in record.summary.odds]
    monkeypatch.setattr("extramaze.records.record.tally_odds", lambda limits: odds)
    plan, run = record.summary.plan, record.summary.run
    other = Record.seal(plan, list(record.summary.cells), list(record.summary.limits), record.mazes, run)
    monkeypatch.undo()
    assert other.summary.odds != record.summary.odds
    other.write(tmp_path / "r")
    assert read_record(tmp_path / "r").summary.odds[0].low == pytest.approx(record.summary.odds[0].low)
