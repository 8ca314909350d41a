"""What schema 3 wrote is read for good: records, a submission, a baseline and a verification of it, as made then."""

import hashlib
import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from extramaze.cli import run
from extramaze.comparing.baselines import read_baseline
from extramaze.core.errors import InputError
from extramaze.core.sealed import content_sha256
from extramaze.leaderboard.badges import standing
from extramaze.leaderboard.notes import mark_of
from extramaze.records import read_record
from extramaze.verification.validate import problems
from extramaze.verification.verification import read_verifications

MADE = Path(__file__).parent / "data" / "schema-3"
RECORDS = ("wavefront", "marked", "handed-in", "submission", "tiny-v1/dead-end-filling")


def written(name):
    return json.loads((MADE / name / "record.json").read_text())


@pytest.mark.parametrize("name", RECORDS)
def test_an_old_record_keeps_every_figure(name):
    """Cells, limits, odds, noise, run and rows are as written; it says what it was, and its sha256 then."""
    record, old = read_record(MADE / name), written(name)
    now = json.loads(record.summary.model_dump_json(by_alias=True))
    assert now["cells"] == [{key: cell[key] for key in cell if key != "audit"} for cell in old["cells"]]
    for part in ("limits", "odds", "noise", "run", "table_sha256"):
        assert now[part] == old[part]
    assert now["made_as"] == {"schema": "extramaze-record-3", "sha256": old["sha256"]}
    assert record.sha256 == old["sha256"]
    assert now["plan"]["suite"] == old["plan"]["suite"]
    assert problems(MADE / name) == []


def test_a_mark_that_was_a_sentence_is_a_figure():
    """What training fell short with stood among the notes; it is a fact now, and no note."""
    solver = read_record(MADE / "marked").summary.plan.solver
    assert solver.notes == ()
    assert solver.accuracy.exact == pytest.approx(0.7214)
    assert mark_of([read_record(MADE / "marked")]) == "72.14%"
    assert read_record(MADE / "wavefront").summary.plan.solver.provenance is None


def test_an_old_verification_is_of_the_migrated_record():
    """A badge that was given stays: it names the record by the sha256 that lies on disk."""
    record = read_record(MADE / "tiny-v1" / "dead-end-filling")
    assert standing([record], read_verifications(MADE / "verifications")).badge == "reproduced"


def test_a_record_that_only_says_what_it_was_has_no_badge(tmp_path):
    """A record of this schema is verified by its own sha256: whatever it says that it was made as is its own word."""
    record = read_record(MADE / "tiny-v1" / "dead-end-filling")
    forged = record.changed()
    forged.write(tmp_path)
    read = read_record(tmp_path)
    assert read.summary.made_as.sha256 == record.sha256
    assert standing([read], read_verifications(MADE / "verifications")).badge == "claimed"


def test_an_old_baseline_is_checked_against(tmp_path):
    """The record that it was made from is equivalent to it."""
    shutil.copytree(MADE / "baseline", tmp_path / "baseline")
    assert read_baseline(tmp_path / "baseline").record.summary.plan.solver.name == "dead-end-filling"
    assert run(["check", str(MADE / "tiny-v1" / "dead-end-filling"), "--baseline", str(tmp_path / "baseline")]) == 0


@pytest.mark.parametrize(
    ("schema", "said"),
    [("extramaze-record-5", "newer than what this extramaze reads"), ("extramaze-record-2", "which is read no longer")],
)
def test_other_schemas_get_one_line(tmp_path, schema, said):
    """A newer one, and one that is too old to be migrated."""
    shutil.copytree(MADE / "wavefront", tmp_path / "record")
    content = written("wavefront") | {"schema": schema}
    (tmp_path / "record" / "record.json").write_text(json.dumps(content | {"sha256": content_sha256(content)}))
    with pytest.raises(InputError, match=said):
        read_record(tmp_path / "record")


def test_an_altered_old_record_is_noticed(tmp_path):
    """Its digest is looked at before it is brought to this schema."""
    shutil.copytree(MADE / "wavefront", tmp_path / "record")
    text = (tmp_path / "record" / "record.json").read_text().replace('"seconds": ', '"seconds": 1')
    (tmp_path / "record" / "record.json").write_text(text)
    with pytest.raises(InputError, match="altered since it was written"):
        read_record(tmp_path / "record")


def rewritten(folder, rows=None, **changes):
    """Copy a record of schema 3 with other content, its digests stated anew."""
    shutil.copytree(MADE / "wavefront", folder)
    content = written("wavefront") | changes
    if rows is not None:
        rows.write_parquet(folder / "mazes.parquet")
        content["table_sha256"] = hashlib.sha256((folder / "mazes.parquet").read_bytes()).hexdigest()
    (folder / "record.json").write_text(json.dumps(content | {"sha256": content_sha256(content)}))
    return folder


def test_a_record_of_retired_mazes_gets_one_line(tmp_path):
    """Stated by the plan, by a cell's audit or by a row: an approximation that nobody makes any longer."""
    content = written("wavefront")
    first, *others = content["cells"]
    audited = [first | {"audit": {"audited": 1, "disagree": 0, "high": 0.95}}, *others]
    rows = pl.read_parquet(MADE / "wavefront" / "mazes.parquet")
    changes = (
        {"plan": content["plan"] | {"retire": True}},
        {"cells": audited},
        {"rows": rows.with_columns(pl.lit(True).alias("audit_agrees"))},
    )
    for number, change in enumerate(changes):
        folder = rewritten(tmp_path / str(number), **change)
        with pytest.raises(InputError, match="settled mazes were left out of it"):
            read_record(folder)
        assert sum("settled mazes were left out of it" in line for line in problems(folder)) == 1


@pytest.mark.parametrize("cells", [None, 3, "no", [1], {"a": 1}, [{"audit": None}]])
def test_what_is_no_list_of_cells_is_named(tmp_path, cells):
    """A migration meets whatever JSON holds: its reader names what is wrong."""
    with pytest.raises(InputError, match="cells"):
        read_record(rewritten(tmp_path / "record", cells=cells))
