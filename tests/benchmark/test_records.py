import hashlib
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from extramaze.blocks.identity import solver_info
from extramaze.core.sealed import content_sha256
from extramaze.evaluation.evaluate import evaluate
from extramaze.mazes import InputError
from extramaze.models.contract import SolverCard
from extramaze.models.wavefront import Wavefront
from extramaze.records import read_record
from extramaze.records.row_problems import row_problems
from extramaze.records.tallies import tally
from extramaze.schema.record import PER_MAZE, SCHEMA
from tests.benchmark.conftest import TINY

STORED = Path(__file__).parent / "data" / "schema-3" / "wavefront"


def test_the_columns_are_frozen():
    """A stored record is read for ever: the columns of its table keep their names and types."""
    record = read_record(STORED)
    assert SCHEMA == "extramaze-record-4"
    assert {name: str(kind) for name, kind in record.mazes.schema.items()} == COLUMNS
    assert {name: str(kind) for name, kind in PER_MAZE.items()} == COLUMNS
    assert [cell.rungs[-1].optimal.right for cell in record.summary.cells] == [40, 70, 33]


@pytest.fixture
def folder(tiny_records, tmp_path):
    """A record on disk."""
    tiny_records["dt-net-thin@0"].write(tmp_path / "record")
    return tmp_path / "record"


def test_a_record_survives_the_disk(folder, tiny_records):
    """What was written is what is read."""
    record = read_record(folder)
    assert record.summary == tiny_records["dt-net-thin@0"].summary
    assert record.mazes.equals(tiny_records["dt-net-thin@0"].mazes)
    assert dict(record.mazes.schema) == PER_MAZE


def test_a_record_says_how_it_was_made(folder):
    """Suite, digests, weights, precision, blocks, device, versions and packages are in it."""
    plan = json.loads((folder / "record.json").read_text())["plan"]
    assert plan["suite"]["name"] == "tiny-v1"
    assert plan["solver"]["weights_sha256"]
    assert plan["solver"]["seed"] == 0
    assert (plan["dtype"], plan["tf32"], plan["mode"], plan["limit_block"]) == ("float32", False, "free-running", 4)
    assert [(cell["name"], cell["block"], cell["rungs"]) for cell in plan["cells"]] == [
        ("easy", 128, [2, 5, 20]),
        ("cycles", 64, [2, 5, 20]),
        ("large", 32, [2, 5, 20]),
    ]
    assert plan["device"].startswith("cpu")
    assert plan["contracts"] == {"generator": 1, "solution": 1, "raster": 1, "score": 1, "dynamics": 6}
    assert {"extramaze", "torch", "numpy"} <= plan["packages"].keys()


def test_the_summary_is_written_last(tiny_records, tmp_path, monkeypatch):
    """Killed between its two files a record is none yet, and its evaluation goes on."""
    written = []
    monkeypatch.setattr("extramaze.records.record.write_atomically", lambda path, _: written.append(path.name))
    tiny_records["dt-net-thin@0"].write(tmp_path)
    assert written == ["mazes.parquet", "answers.npz", "record.json"]


def test_intervals_hold_their_share():
    """A tally's interval contains its share."""
    for right in range(11):
        counted = tally(right, 10)
        assert counted.low <= counted.share <= counted.high


@pytest.mark.parametrize(
    ("file", "change", "problem"),
    [
        ("record.json", lambda b: b.replace(b'"seed": 0', b'"seed": 1'), "altered"),
        ("record.json", lambda b: b[: len(b) // 2], "not readable as JSON"),
        (
            "record.json",
            lambda b: b.replace(b"extramaze-record-4", b"extramaze-record-2"),
            "of schema 2, which is read no longer",
        ),
        ("record.json", lambda b: b.replace(b'"parameters"', b'"params"'), "altered"),
        ("record.json", lambda b: b.replace(b'"sha256"', b'"sha"'), "sha256: "),
        ("answers.npz", lambda b: b[:-1], "sha256 differs"),
        ("mazes.parquet", lambda b: b[:-1], "sha256 differs"),
        ("mazes.parquet", lambda b: b[:100] + bytes([b[100] ^ 1]) + b[101:], "sha256 differs"),
    ],
)
def test_an_altered_record_is_noticed(folder, file, change, problem):
    """One digit, one byte, half a file: each is one clear sentence."""
    path = folder / file
    content = path.read_bytes()
    changed = change(content)
    assert changed != content
    path.write_bytes(changed)
    with pytest.raises(InputError, match=problem):
        read_record(folder)


def forge(folder, change):
    """Change a record's content and state its digest anew, as a forger would."""
    content = json.loads((folder / "record.json").read_text())
    change(content)
    content["sha256"] = content_sha256(content)
    (folder / "record.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c["cells"][1]["rungs"][-1]["optimal"].update(right=70, share=1.0, low=1.0, high=1.0), "scores"),
        (lambda c: c["cells"][1]["rungs"][-1]["valid"].update(share=0.99), "scores"),
        (lambda c: c["cells"].pop(), "they are not the"),
        (lambda c: c["cells"][0].update(spec="size=3"), "axis and specification"),
        (
            lambda c: c["plan"]["cells"][1].update(rungs=[2, 5, 30]),
            "is not its first right rung",
        ),
        (lambda c: c["plan"]["suite"]["cells"][0].update(count=4), "suite is not the one"),
        (lambda c: c["plan"].update(suite_sha256="0" * 64), "suite is not the one"),
        (lambda c: c["limits"][0]["counts"][0].update(right=99), "limits: the summary's are not those"),
        (lambda c: c["cells"][0]["overthought"].update(right=1), "overthought is not that"),
        (lambda c: c["cells"][0]["means"].update(cycles=1.0), r"means\.cycles is not that"),
        (lambda c: c["cells"][1].update(failures={}), r"failures\..* is not that"),
        (lambda c: c["limits"].pop(), "limits: the summary's are not those"),
    ],
)
def test_a_forged_summary_is_noticed(folder, change, problem):
    """A summary that its own rows and plan do not give is refused, even under a digest stated anew."""
    forge(folder, change)
    with pytest.raises(InputError, match=problem):
        read_record(folder)


def test_a_table_of_other_rows_is_noticed(folder):
    """Rows missing, doubled or of no cell are refused under digests stated anew."""
    whole = pl.read_parquet(folder / "mazes.parquet")
    for rows in (whole.head(100), pl.concat([whole, whole.head(1)]), whole.with_columns(cell=pl.lit("easy"))):
        rows.write_parquet(folder / "mazes.parquet")
        digest = hashlib.sha256((folder / "mazes.parquet").read_bytes()).hexdigest()
        forge(folder, lambda content, digest=digest: content.update(table_sha256=digest))
        with pytest.raises(InputError, match=r"contradicts itself|143 rows are expected"):
            read_record(folder)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\x00" * 50, b"[]", b"null", b""])
def test_junk_is_refused(folder, content):
    """Anything that is no record is one InputError."""
    (folder / "record.json").write_bytes(content)
    with pytest.raises(InputError, match=r"record\.json"):
        read_record(folder)


def test_a_record_read_and_written_is_the_same_bytes(folder, tmp_path):
    """Copying a record through memory changes nothing."""
    read_record(folder).write(tmp_path / "copy")
    for name in ("record.json", "mazes.parquet"):
        assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes()


def test_a_missing_table_is_noticed(folder):
    """A record without its per-maze rows is not a record."""
    (folder / "mazes.parquet").unlink()
    with pytest.raises(InputError, match=r"mazes\.parquet: missing"):
        read_record(folder)


def test_rows_are_compact(tiny_records):
    """One row a maze, in the cells' order."""
    mazes = tiny_records["dt-net-thin@0"].mazes
    assert mazes.group_by("cell", maintain_order=True).len().rows() == [("easy", 40), ("cycles", 70), ("large", 33)]
    assert isinstance(mazes["optimal"].dtype, pl.List)


COLUMNS = {
    "cell": "String",
    "index": "UInt32",
    "path_length": "Int64",
    "cycles": "Int64",
    "n_shortest": "Int64",
    "dead_ends": "Int64",
    "start_degree": "Int64",
    "goal_degree": "Int64",
    "path_junctions": "Int64",
    "tortuosity": "Float64",
    "exact": "List(Boolean)",
    "valid": "List(Boolean)",
    "optimal": "List(Boolean)",
    "first_right": "Int32",
    "last_right": "Int32",
    "failure": "String",
    "as_dead_end_filling": "Boolean",
    "evaluations": "Int32",
    "limit": "String",
    "period": "Int32",
    "residual": "Float64",
    "limit_right": "Boolean",
    "exponent": "Float64",
    "exponent_error": "Float64",
    "betti": "List(Int32)",
    "study_betti": "List(Int32)",
    "latent_motion": "Float64",
    "logit_motion": "Float64",
    "flipping": "Float64",
    "alignment": "Float64",
    "depends": "Boolean",
}


class Logarithms(Wavefront):
    """Answers in logarithms of probabilities, which are 0 and 1."""

    def readout(self, state):
        return torch.log(super().readout(state).clamp(0, 1))


@pytest.mark.parametrize("kind", [Wavefront, Logarithms])
def test_what_was_measured_can_be_read(kind, tmp_path):
    """Also of what comes to rest within the window, and of logits without end."""
    (tmp_path / "suite.yaml").write_text(TINY.replace("burn_in: 20, window: 10", "burn_in: 1, window: 200"))
    evaluate(kind(), str(tmp_path / "suite.yaml"), "cpu", tmp_path / "record", quiet=True)
    rows = read_record(tmp_path / "record").mazes.filter(pl.col("limit").is_not_null())
    assert set(rows["limit"]) == {"fixed point"}


def test_what_could_not_be_read_is_not_written(tiny_records, tmp_path):
    """A record that contradicts itself leaves what is there alone."""
    record = tiny_records["dead-end-filling"]
    record.write(tmp_path)
    before = (tmp_path / "record.json").read_bytes()
    wrong = replace(record, mazes=record.mazes.with_columns(period=pl.col("period") * 0))
    with pytest.raises(InputError, match=r"is not written: .*a period that its limit does not have"):
        wrong.write(tmp_path)
    assert (tmp_path / "record.json").read_bytes() == before


@pytest.mark.parametrize(
    ("notes", "problem"),
    [
        (("fine", "\x1b[31mred"), r"one line of printable text, got '\\x1b"),
        (("two\nlines",), "one line of printable text"),
        (("",), "expected 1 to 500 characters, got 0"),
        (("long" * 200,), "expected 1 to 500 characters, got 800"),
        (("many",) * 21, "a tuple of up to 20 sentences"),
        ("a sentence", "a tuple of up to 20 sentences"),
        ((7,), "a tuple of up to 20 sentences"),
    ],
)
def test_notes_are_lines_that_a_terminal_shows(notes, problem):
    """A solver's card says what is wrong with its notes before anything runs."""
    with pytest.raises(InputError, match=problem):
        SolverCard("mine", "mine", notes=notes)


def test_a_card_that_no_record_holds_is_refused():
    """A seed beyond all counts is one clear error, and no fault."""
    solver = Wavefront()
    solver.card = SolverCard("mine", "mine", seed=2**60)
    with pytest.raises(InputError, match="the solver's card: seed"):
        solver_info(solver)


def test_rules_are_asked_of_all_cells_at_once(root, monkeypatch):
    """A record of 41 cells takes about as many queries of its table as one of 7."""
    asked = []
    for name in ("select_seq", "select", "filter"):
        ask = getattr(pl.DataFrame, name)
        monkeypatch.setattr(pl.DataFrame, name, lambda *a, ask=ask, **k: asked.append(1) or ask(*a, **k))
    counts = []
    for suite in ("smoke-v1", "laptop-v1"):
        record = read_record(root / "results" / suite / "dt-net-thin@0")
        asked.clear()
        assert list(row_problems(record.summary, record.mazes)) == []
        counts.append((len(record.summary.cells), len(asked)))
    (few, once), (many, again) = counts
    assert many > 5 * few
    assert again < 1.2 * once
