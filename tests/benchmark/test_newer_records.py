"""Records with more in them than is known here: read without it, and said; nothing else is affected."""

import hashlib
import io
import json
import sys

import polars as pl
import pytest

from extramaze.core.errors import InputError
from extramaze.core.sealed import content_sha256, sealed_bytes
from extramaze.leaderboard.board import boards
from extramaze.leaderboard.notes import notes_of
from extramaze.models import load
from extramaze.records import read_record
from extramaze.verification.rewatch import rewatch


@pytest.fixture
def folder(tiny_records, tmp_path):
    """A record on disk."""
    tiny_records["dt-net-thin@0"].write(tmp_path / "record")
    return tmp_path / "record"


def with_more(folder, change, column=None):
    """Write a record as an extramaze would that knows more: other keys, and another column of its table."""
    content = json.loads((folder / "record.json").read_text())
    change(content)
    if column is not None:
        buffer = io.BytesIO()
        table = pl.read_parquet(folder / "mazes.parquet").with_columns(pl.lit(0.5).alias(column))
        table.write_parquet(buffer, compression="zstd", statistics=False)
        (folder / "mazes.parquet").write_bytes(buffer.getvalue())
        content["table_sha256"] = hashlib.sha256(buffer.getvalue()).hexdigest()
    content["sha256"] = content_sha256(content)
    (folder / "record.json").write_bytes(sealed_bytes(content))


def measured(content):
    content["plan"]["compressor"] = {"package": "antigravity"}
    content["cells"][0]["mood"] = 3


def test_a_measure_that_nobody_here_has_is_left_out_and_named(folder, tiny_records):
    """Of the summary and of the table; what is known is what it was, and a board's notes say what is not."""
    with_more(folder, measured, "acme.mood")
    record, known = read_record(folder), tiny_records["dt-net-thin@0"]
    assert record.unread == (
        "record.json: plan.compressor",
        "record.json: cells.mood",
        "mazes.parquet: column acme.mood",
    )
    assert record.summary.cells == known.summary.cells
    assert record.mazes.equals(known.mazes)
    assert any("acme.mood" in note for note in notes_of([record]))
    assert [row.score for row in boards([record])[0].rows] == [row.score for row in boards([known])[0].rows]


def test_reading_imports_nothing_because_a_record_names_it(folder):
    """A record is data."""
    with_more(folder, measured)
    read_record(folder)
    assert "antigravity" not in sys.modules


def test_what_is_not_known_is_not_lost_by_bringing_a_record_up_to_date(folder):
    """It would be written without it."""
    with_more(folder, measured)
    before = (folder / "record.json").read_bytes()
    with pytest.raises(InputError, match=r"plan\.compressor.*would be lost"):
        rewatch(folder, load("dt-net-thin@0"), "cpu", quiet=True, answers=True)
    assert (folder / "record.json").read_bytes() == before


def test_a_suite_with_more_in_it_is_another_suite(folder):
    """Whoever does not know a rule of a suite does not know what was asked."""
    with_more(folder, lambda content: content["plan"]["suite"].update(rule="odd"))
    with pytest.raises(InputError, match=r"plan\.suite\.rule"):
        read_record(folder)
