"""Whatever is wrong with a record or with weights is found, named, and listed with the rest."""

import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extramaze.cli import run
from extramaze.mazes import InputError, MazeSpec, describe, generate, layout_hashes
from extramaze.mazes.description import COLUMNS
from extramaze.records import read_record, redrawn
from extramaze.records.parquet import open_table
from extramaze.suites import load_suite
from extramaze.verification.validate import find, problems
from tests.benchmark.test_check import altered
from tests.benchmark.test_records import STORED, forge

WEIGHTS = Path(__file__).parent.parent.parent / "models" / "weights" / "it-net-thin" / "0"


@pytest.fixture
def folder(tiny_records, tmp_path):
    """A record on disk."""
    tiny_records["dt-net-thin@0"].write(tmp_path / "record")
    return tmp_path / "record"


def restate(folder, rows):
    """Write other rows, and state their digest and the summary's anew, as a forger would."""
    rows.write_parquet(folder / "mazes.parquet")
    digest = hashlib.sha256((folder / "mazes.parquet").read_bytes()).hexdigest()
    forge(folder, lambda content: content.update(table_sha256=digest))
    content = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(content, indent=1) + "\n")


def rewrite(folder, change):
    """Change a summary, and write it as extramaze would, its digest stated anew."""
    forge(folder, change)
    content = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(content, indent=1) + "\n")


def test_what_is_sound_has_no_problems(folder, tiny_records, tmp_path):
    """Records of networks and algorithms, the stored one, and shipped weights."""
    altered(tiny_records["dead-end-filling"], wrong=3, unsettled=2, non_finite=1).write(tmp_path / "altered")
    for place in (folder, tmp_path / "altered", STORED, WEIGHTS):
        assert problems(place) == []


def overdrawn(content):
    """State so many attempts that drawing the mazes anew would seem to take long, and other mazes."""
    for cell in content["cells"]:
        cell.update(drawn=cell["drawn"] + 10**9, rejected_split=cell["rejected_split"] + 10**9)
    content["cells"][2].update(mazes_sha256="0" * 64)


NOISE = {"cell": "easy", "mazes": 9, "block": 3, "dtype": 0, "either": 1}
SUMMARY_FORGERIES = [
    (lambda c: c["cells"][1]["rungs"][2]["exact"].update(right=c["cells"][1]["rungs"][2]["optimal"]["right"] + 1), "≤"),
    (lambda c: c["cells"][1]["rungs"][0]["valid"].update(right=0), r"cycles: @2: exact .* ≤ optimal .* does not hold"),
    (lambda c: c["cells"][1]["rungs"][0]["optimal"].update(right=10**9), r"cycles: @2: .* does not hold"),
    (lambda c: c["cells"][1]["rungs"][1]["valid"].update(low=0.0), r"@5: valid: share and interval"),
    (lambda c: c["cells"][0].update(failures={"broken path": 41}), "failures add up to 41"),
    (lambda c: c["cells"][0].update(drawn=c["cells"][0]["drawn"] + 1), r"drawn \d+ is not"),
    (lambda c: c["cells"][0].update(acceptance=0.5), "acceptance 0.5"),
    (lambda c: c["cells"][0].update(layouts=39), "layouts: 39"),
    (lambda c: c["cells"][0]["means"].update(cycles=1.5), r"means\.cycles: 1\.5"),
    (lambda c: c["cells"][0]["means"].update(beauty=1.0), r"means\.beauty"),
    (lambda c: c["cells"][2].update(mazes_sha256="0" * 64), "large: mazes_sha256"),
    (lambda c: c["cells"][2].update(median_first_right=7.5), "median_first_right"),
    (lambda c: c["cells"][2].update(spec="size=11"), "large: axis and specification"),
    (lambda c: c["plan"]["contracts"].update(score=2), r"contracts\.score: version 2 is not known"),
    (lambda c: c["plan"]["contracts"].update(luck=1), r"contracts\.luck"),
    (lambda c: c["plan"]["contracts"].pop("raster"), r"contracts\.raster: version None"),
    (lambda c: c["plan"].update(suite_sha256="0" * 64), "suite_sha256"),
    (lambda c: c["plan"]["suite"].update(name="smoke-v1"), "is not the shipped suite"),
    (lambda c: c["plan"]["cells"][0].update(mazes=39), "cells: they are not the plan's"),
    (lambda c: c["plan"]["cells"][0].update(rungs=[2, 5, 30]), r"rungs \[2, 5, 30\]"),
    (lambda c: c["limits"][0]["counts"][0].update(right=99), "limits: the summary's"),
    (lambda c: c["odds"][0].update(low=12345.0), "odds: the summary's are not those"),
    (lambda c: c.update(noise=[NOISE]), "do not make 1 together"),
    (lambda c: c["limits"][0]["counts"][0].update(limit="bliss"), r"limits\.0\.counts\.0\.limit"),
    (lambda c: c["plan"].update(limit_block=2), "plan.limit_block: 2"),
    (lambda c: c["plan"]["cells"][0].update(block=10**9), "easy: blocks of 1000000000 mazes"),
    (lambda c: c["run"].update(finished="yesterday"), "run.finished"),
    (lambda c: c["run"].update(seconds=-1), "run.seconds"),
    (lambda c: c.update(schema="extramaze-record-9"), "of schema 9, newer than"),
    (lambda c: c["plan"]["solver"].update(extra=1), r"plan\.solver\.extra"),
    (overdrawn, "large: mazes_sha256"),
    (overdrawn, r"cycles: drawn: \d+ is stated; drawing its mazes gives"),
    (lambda c: (c["plan"]["contracts"].update(dynamics=1), c["cells"][0].update(layouts=39)), "layouts: 39"),
    (lambda c: c["plan"].update(tf32=True), "plan.tf32: it is a GPU's"),
    (lambda c: c["cells"][0].update(batch=129), "easy: batch 129"),
    (lambda c: c.update(noise=[NOISE | {"mazes": 41}]), "easy: of 41 mazes, where 40 were run"),
    (lambda c: c["plan"]["solver"].update(seed=-1), r"plan\.solver\.seed"),
    (lambda c: c["plan"]["solver"].update(notes=["fine", "\x1b[31mred"]), r"plan\.solver\.notes\.1: .* one line"),
    (lambda c: c["plan"]["solver"].update(notes=["two\nlines"]), r"plan\.solver\.notes\.0: .* one line"),
    (lambda c: c["plan"]["solver"].update(notes=["long" * 200]), r"plan\.solver\.notes\.0: .*, got 800"),
    (lambda c: c["plan"]["packages"].update({"\x1b[31m": "1"}), r"plan\.packages\.\\x1b\[31m"),
]


@pytest.mark.parametrize(("change", "problem"), SUMMARY_FORGERIES)
def test_an_impossible_summary_is_named(folder, change, problem):
    """Each impossibility is named, under digests that were stated anew."""
    rewrite(folder, change)
    found = problems(folder)
    assert any(re.search(problem, line) for line in found), found


def first_where(condition):
    return pl.int_range(pl.len()) == condition.arg_max()


AT_REST = first_where(pl.col("limit") == "fixed point")
RIGHT = first_where(pl.col("optimal").list.last())
WRONG = first_where(~pl.col("valid").list.last())
NEVER = pl.lit([False, False, False], dtype=pl.List(pl.Boolean))
NOTHING_RIGHT = dict.fromkeys(("exact", "valid", "optimal"), (RIGHT, NEVER))
NOTHING_RIGHT |= {"first_right": (RIGHT, None), "last_right": (RIGHT, None)}
ALWAYS = pl.lit([True, True, True], dtype=pl.List(pl.Boolean))
LONGER = NOTHING_RIGHT | {"valid": (RIGHT, ALWAYS)}
PIECES, ONE_NUMBER = (pl.lit(pair, dtype=pl.List(pl.Int32)) for pair in ([2, 0], [1]))
GAPS = pl.col("optimal").list.eval(pl.when(pl.element().cum_count() > 1).then(pl.element()))
ROW_FORGERIES = [
    ({"valid": (RIGHT, NEVER)}, "optimal and not valid"),
    ({"optimal": (RIGHT, NEVER)}, "exact and not optimal"),
    ({"last_right": (RIGHT, 1)}, "last right before first right"),
    ({"first_right": (RIGHT, None)}, "first_right is not its first right rung"),
    ({"last_right": (RIGHT, 1000)}, "last_right is not its last right rung"),
    ({"failure": (RIGHT, "broken path")}, "a failure where it is optimal"),
    ({"failure": (WRONG, "bad luck")}, "a kind of failure not known"),
    ({"failure": (WRONG, "longer way")}, "called longer way"),
    ({"residual": (AT_REST, float("nan"))}, "a residual that is no number"),
    ({"residual": (AT_REST, -1e-12)}, "a residual below 0"),
    ({"residual": (AT_REST, None)}, "residual on a maze not watched, or missing"),
    ({"period": (AT_REST, 2)}, "a period that its limit does not have"),
    ({"betti": (AT_REST, PIECES)}, "Betti numbers that its limit does not have"),
    ({"study_betti": (AT_REST, ONE_NUMBER)}, "study_betti that are no two numbers"),
    ({"flipping": (AT_REST, 1.5)}, "flipping outside 0 to 1"),
    ({"latent_motion": (AT_REST, -1.0)}, "latent_motion outside 0"),
    ({"alignment": (AT_REST, 1.5)}, "an alignment beyond 1"),
    ({"exponent_error": (AT_REST, -1.0)}, "an exponent's error below 0"),
    ({"limit": (AT_REST, "bliss")}, "a limit not known"),
    ({"limit": (AT_REST, "cycle"), "period": (AT_REST, None)}, "period on a maze not watched, or missing"),
    ({"limit": (first_where(pl.col("limit").is_null()), "cycle")}, "limit on a maze not watched"),
    ({"index": (RIGHT, 5000)}, "its rows are not mazes 0 to"),
    ({"cell": (RIGHT, "nowhere")}, "rows are of no cell"),
    ({"optimal": (RIGHT, pl.lit([True], dtype=pl.List(pl.Boolean)))}, "does not have one answer a rung"),
    ({"exact": (RIGHT, None)}, "does not have one answer a rung"),
    ({"path_length": (RIGHT, 999)}, "means.path_length is not that of its rows"),
    ({"cycles": (RIGHT, None)}, "cycles: missing in 1 rows"),
    ({"evaluations": (RIGHT, 3)}, "evaluations are not 20"),
    ({"evaluations": (RIGHT, None)}, "evaluations are not 20"),
    ({"as_dead_end_filling": (RIGHT, False)}, "as_dead_end_filling is not exact"),
    ({"as_dead_end_filling": (RIGHT, None)}, "as_dead_end_filling: missing"),
    ({"exact": (RIGHT, NEVER)}, "optimal, of one shortest path, and not exact"),
    (LONGER | {"failure": (RIGHT, "longer way")}, "valid, of a maze without cycles, and not optimal"),
    (NOTHING_RIGHT | {"failure": (RIGHT, "loop kept")}, "loop kept in a maze without cycles"),
    ({"failure": (WRONG, "partial tiles")}, "partial tiles on a raster of one pixel a tile"),
    ({"failure": (WRONG, "wall pixels")}, "wall pixels in an answer"),
    ({"optimal": (RIGHT, GAPS)}, "optimal: a row does not have one answer a rung (3)"),
    ({"valid": (RIGHT, pl.col("valid").list.head(2))}, "valid: a row does not have one answer a rung (3)"),
    ({"exact": (RIGHT, None)}, "exact: a row does not have one answer a rung (3)"),
    ({"exponent": (AT_REST, 0.1), "exponent_error": (AT_REST, 0.1)}, "an exponent, and nothing was pursued"),
    ({"exponent": (AT_REST, 0.1)}, "an exponent without its error"),
    ({"exponent": (AT_REST, float("inf"))}, "an exponent that is no number"),
    ({"exponent": (AT_REST, float("nan"))}, "an exponent that is no number"),
    ({"exponent_error": (AT_REST, float("nan"))}, "an exponent's error below 0, or no number"),
    ({"alignment": (AT_REST, float("nan"))}, "an alignment beyond 1, or no number"),
    ({"limit": (AT_REST, "drifting"), "period": (AT_REST, 0)}, "a limit that only a pursuit tells"),
    ({"limit": (AT_REST, "chaotic"), "period": (AT_REST, 0)}, "chaotic without an exponent above 0"),
    ({"limit": (AT_REST, "quasi-periodic"), "period": (AT_REST, 0)}, "quasi-periodic without an exponent"),
]


@pytest.mark.parametrize(("change", "problem"), ROW_FORGERIES)
def test_an_impossible_row_is_named(folder, tiny_records, change, problem):
    """Each impossibility is named with its cell, under digests that were stated anew, and the record is not read."""
    tiny_records["dead-end-filling"].write(folder)
    rows = pl.read_parquet(folder / "mazes.parquet")
    kinds = rows.schema
    columns = [
        pl.when(where)
        .then(value if isinstance(value, pl.Expr) else pl.lit(value))
        .otherwise(pl.col(name))
        .cast(kinds[name])
        .alias(name)
        for name, (where, value) in change.items()
    ]
    restate(folder, rows.with_columns(columns))
    found = problems(folder)
    assert any(problem in line for line in found), found
    with pytest.raises(InputError, match="contradicts itself"):
        read_record(folder)


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "start_degree"])  # which is 1 in all of them
def test_measures_of_other_mazes_are_named(folder, column):
    """Measures that changed places keep their mean; each is held against the maze itself, drawn anew."""
    rows = pl.read_parquet(folder / "mazes.parquet")
    restate(folder, rows.with_columns(pl.col(column).reverse().over("cell")))
    assert any(re.search(rf"maze \d+.*: {column}: .* is stated; the maze has", line) for line in problems(folder))


def test_a_budget_ends_the_drawing_of_what_is_large(folder, monkeypatch):
    """Small cells come first; of a cell that is not whole, the mazes that were drawn are compared, and no more."""
    monkeypatch.setattr(redrawn, "MAX_CARVED", 30_000)
    rewrite(folder, lambda c: [cell.update(mazes_sha256="0" * 64) for cell in c["cells"]])
    assert problems(folder) == ["record.json: easy: mazes_sha256: not that of the mazes its specification gives"]
    rows = pl.read_parquet(folder / "mazes.parquet")
    restate(folder, rows.with_columns(pl.col("path_length").reverse().over("cell")))
    found = problems(folder)
    assert {line.split(": ")[1] for line in found if "path_length: " in line} == {"easy", "cycles", "large"}


def test_mazes_are_drawn_in_parts_and_not_kept(monkeypatch):
    """Whatever the parts, what is stated of a cell is that of all its mazes; beyond the most, no part is drawn."""
    monkeypatch.setattr(redrawn, "PART_MAZES", 7)
    cells = (("size=9,percolation=0.1", 50), ("size=5", 10**6))
    found, many = redrawn._drawn(cells, "test", 10**9, 400)
    mazes = generate(MazeSpec.parse(cells[0][0]), 50, "test")
    assert found.measures.equals(describe(mazes).frame())
    assert found.whole["mazes_sha256"] == mazes.digest()
    assert found.whole["layouts"] == len(set(layout_hashes(mazes.connections).tolist()))
    assert found.whole["drawn"] == mazes.generation.drawn
    assert (many.whole, many.problem) == (None, "")
    assert 300 < len(many.measures) <= 400


def test_a_cell_that_cannot_be_drawn_is_named(monkeypatch):
    """Its reason is kept, and the other cells are drawn all the same."""
    monkeypatch.setattr(sys.modules["extramaze.mazes.generation"], "MAX_CELLS_TRIED", 1000)
    cells = (("size=9,start=4,min_path=24", 5), ("size=9", 40))
    lost, found = redrawn._drawn(cells, "test", 10**9, 10**6)
    assert "cannot draw maze 0" in lost.problem
    assert (lost.whole, len(lost.measures)) == (None, 0)
    assert found.whole["mazes_sha256"] == generate(MazeSpec.parse("size=9"), 40, "test").digest()


def test_all_mazes_of_a_shipped_suite_are_drawn(root):
    """Also of the cell of laptop-v1 of which one attempt in 1,400 is kept."""
    drawn = redrawn.redraw(read_record(root / "results" / "laptop-v1" / "wavefront").summary)
    assert len(drawn) == len(load_suite("laptop-v1").cells)
    assert all(cell.whole for cell in drawn.values())


def numbers(content, path=()):
    """List the paths to numbers of nested data, one of each kind: of the items of a list the last one's."""
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else list(enumerate(content))[-1:]
        return [place for key, value in items for place in numbers(value, (*path, key))]
    return [path] if isinstance(content, int | float) and not isinstance(content, bool) else []


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 10**400])
def test_a_number_beyond_all_counts_is_named(folder, number):
    """Wherever it stands in a summary it is a problem with a name, and never a fault of the reader."""
    content = (folder / "record.json").read_text()
    for path in numbers(json.loads(content)):

        def change(whole, path=path):
            for key in path[:-1]:
                whole = whole[key]
            whole[path[-1]] = number

        (folder / "record.json").write_text(content)
        rewrite(folder, change)
        duration = path == ("run", "seconds") and number < 10**300
        assert bool(problems(folder)) != duration, path


def test_all_problems_are_listed(folder):
    """Not the first alone: three things wrong in three places give at least three lines."""

    def change(content):
        content["plan"]["contracts"]["score"] = 7
        content["cells"][0]["failures"] = {"broken path": 41}
        content["run"]["seconds"] = -1

    forge(folder, change)
    (folder / "mazes.parquet").write_bytes(b"PAR1")
    found = "\n".join(problems(folder))
    for part in (
        "contracts.score",
        "failures add up",
        "run.seconds",
        "mazes.parquet: altered",
        "as extramaze writes it",
    ):
        assert part in found


@pytest.fixture(scope="module")
def pristine(tiny_records, tmp_path_factory):
    """A record and a trained solver that the property tests change in place and restore."""
    folder = tmp_path_factory.mktemp("pristine")
    tiny_records["dt-net-thin@0"].write(folder / "record")
    shutil.copytree(WEIGHTS, folder / "solver")
    return folder


def with_changed(path, at, byte, check):
    """Change one byte of a file, run a check, and put the file back."""
    content = path.read_bytes()
    try:
        path.write_bytes(content[:at] + bytes([byte]) + content[at + 1 :])
        return check()
    finally:
        path.write_bytes(content)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_changed_digit_of_a_record_is_found(pristine, data):
    """Whatever digit of record.json becomes another one, validate says that record.json is not what it was."""
    path = pristine / "record" / "record.json"
    content = path.read_bytes()
    digits = [at for at, byte in enumerate(content) if 48 <= byte <= 57]
    at = data.draw(st.sampled_from(digits))
    byte = data.draw(st.sampled_from([b for b in range(48, 58) if b != content[at]]))
    found = with_changed(path, at, byte, lambda: problems(pristine / "record"))
    assert any(line.startswith("record.json") for line in found), (at, byte)


@pytest.mark.parametrize("name", ["record/mazes.parquet", "solver/weights.safetensors"])
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_changed_byte_is_found(pristine, name, data):
    """Whatever byte of the Parquet file or of the weights becomes another one, validate names the file."""
    path = pristine / name
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != content[at]))
    found = with_changed(path, at, byte, lambda: problems(path.parent))
    assert any(line.startswith(path.name) for line in found)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    """A record's files lie in its folder; what a link points to elsewhere is not read."""
    for name in ("record.json", "mazes.parquet"):
        (folder / name).rename(tmp_path / name)
        (folder / name).symlink_to(tmp_path / name)
    assert problems(folder) == [
        f"{n}: a link that leaves its folder; put the file itself there" for n in ("record.json", "mazes.parquet")
    ]


def bomb(rows, length):
    """A small file: one list of many equal values a row takes a few bytes."""
    lists = pl.Series("optimal", [[True] * length], dtype=pl.List(pl.Boolean))
    return pl.DataFrame({"optimal": pl.concat([lists] * rows)})


@pytest.mark.parametrize("name", ["record.json", "mazes.parquet"])
def test_a_pipe_is_not_waited_for(folder, name):
    """A pipe in a record's place would keep whoever validates it waiting for ever."""
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert f"{folder / name} is a pipe, no regular file; only such are read" in problems(folder)


def test_a_table_that_unpacks_to_too_much_is_not_unpacked(folder, monkeypatch):
    """40 million values in a few kilobytes, or more rows than mazes, are refused before anything is allocated."""
    rows = bomb(20, 2_000_000)
    rows.write_parquet(folder / "mazes.parquet", compression="zstd")
    content = (folder / "mazes.parquet").read_bytes()
    assert len(content) < 100_000
    monkeypatch.setattr(pl, "read_parquet", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(InputError, match="announces more than 60 values"):
        open_table(content, 20, 3)
    with pytest.raises(InputError, match="143 rows are expected"):
        open_table(content, 143, 3)
    with pytest.raises(InputError, match="at most 10,000,000"):
        open_table(content, 10**9, 3)


def test_a_table_nested_without_end_is_refused():
    """Lists of lists in a Parquet footer are followed no deeper than a table needs."""
    footer = b"\x19" * 5000
    content = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    with pytest.raises(InputError):
        open_table(content, 10, 2)


def test_a_table_is_opened_as_it_is(folder):
    """Plain, compressed and dictionary-encoded tables of the right size open, and equal what polars reads."""
    whole = pl.read_parquet(folder / "mazes.parquet")
    for compression in ("zstd", "snappy", "uncompressed", "gzip"):
        for size in (10, 1000):
            whole.write_parquet(folder / "mazes.parquet", compression=compression, row_group_size=size)
            assert open_table((folder / "mazes.parquet").read_bytes(), len(whole), 3).equals(whole)


def test_weights_of_another_architecture_are_named(tmp_path):
    """A recipe of another width: every tensor that differs; one that the file cannot hold is not built."""
    shutil.copytree(WEIGHTS, tmp_path / "other")
    recipe = (tmp_path / "other" / "recipe.yaml").read_text()
    (tmp_path / "other" / "recipe.yaml").write_text(recipe.replace("width: 32", "width: 24"))
    found = problems(tmp_path / "other")
    assert len(found) > 5
    assert all("weights.safetensors: " in line and "expected (" in line for line in found)
    (tmp_path / "other" / "recipe.yaml").write_text(recipe.replace("width: 32", "width: 1024"))
    (found,) = problems(tmp_path / "other")
    assert "of width 1024 has at least" in found


def test_a_folder_of_something_else_is_refused(tmp_path):
    """Nothing to validate is a refusal, not a pass."""
    with pytest.raises(InputError, match="neither a record"):
        find([tmp_path])


def test_exit_codes_of_validate(folder, tmp_path, capsys):
    """Sound 0, unsound 1 with the list, nothing there 2; read_record refuses what validate lists."""
    assert run(["validate", str(tmp_path)]) == 0
    assert "sound" in capsys.readouterr().out
    rewrite(folder, lambda c: c["cells"][0].update(layouts=39))
    assert run(["validate", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {str(folder): problems(folder)}
    (folder / "mazes.parquet").write_bytes(b"")
    assert run(["validate", str(folder)]) == 1
    with pytest.raises(InputError):
        read_record(folder)
    assert run(["validate", str(tmp_path / "nowhere")]) == 2
