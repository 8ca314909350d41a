"""A record keeps its answers: a bit a pixel, scored again by whoever reads it."""

import io

import numpy as np
import pytest

from extramaze.cli import run
from extramaze.core.errors import InputError
from extramaze.evaluation.evaluate import evaluate
from extramaze.mazes import raster
from extramaze.mazes.pixels import raster_shape
from extramaze.models import load
from extramaze.records import read_record
from extramaze.records.answers import answers_bytes, pack, unpack
from extramaze.scoring import score
from extramaze.suites import cell_mazes
from extramaze.verification.validate import problems


@pytest.fixture
def record(tiny_records):
    """A record whose solver is sometimes wrong."""
    return tiny_records["dt-net-thin@0"]


def with_answers(record, change):
    """Return the record with its answers changed, sealed anew."""
    packed = {name: array.copy() for name, array in record.packed_answers().items()}
    change(packed)
    return record.changed(answers=answers_bytes(packed))


def test_answers_are_packed_without_loss():
    """What is packed comes back, on images whose pixels are no multiple of eight."""
    answers = np.random.default_rng(0).random((5, 11, 11)) < 0.4
    assert pack(answers).shape == (5, 16)
    assert (unpack(pack(answers), (11, 11)) == answers).all()


def test_the_same_answers_are_the_same_bytes(record):
    """A record made again from the same answers has the same sha256."""
    assert answers_bytes(record.packed_answers()) == record.answers


def test_any_name_of_a_cell_is_kept(record):
    """Also one that numpy takes for an argument of its own."""
    content = answers_bytes({"file": np.ones((2, 3), np.uint8), "a.b-c": np.zeros((1, 3), np.uint8)})
    with np.load(io.BytesIO(content)) as archive:
        assert {name: archive[name].tolist() for name in archive.files} == {"file": [[1] * 3] * 2, "a.b-c": [[0] * 3]}


@pytest.mark.parametrize("cell", ["easy", "cycles", "large"])
def test_kept_answers_have_the_scores_of_the_rows(record, tiny_suite, cell):
    """Drawn anew and scored, every maze is exact, valid and optimal as its row says, and fails as it says."""
    mazes = cell_mazes(tiny_suite, cell)
    images, targets = raster(mazes, 1)
    outcome = score(images, targets, unpack(record.packed_answers()[cell], raster_shape(mazes.shape, 1)))
    rows = record.mazes.filter(cell=cell)
    for kind in ("exact", "valid", "optimal"):
        assert rows[kind].list.last().to_list() == getattr(outcome, kind).tolist()
    assert rows["failure"].fill_null("none").to_list() == outcome.failure.tolist()


def test_a_partly_coloured_tile_survives(tmp_path):
    """On doubled rasters a bit is of a pixel, not of a tile: what was partly coloured fails as that again."""
    found = evaluate(load("dt-net-e2h@0"), "smoke-e2h-v1", "cpu", tmp_path / "r", part=_few(), quiet=True)
    assert problems(tmp_path / "r") == []
    assert all(array.shape[0] == 2 for array in found.packed_answers().values())


def _few():
    from extramaze.schema.plan import make_part

    return make_part(2, 1, ("percolation-0.3",))


def test_an_answer_that_was_flipped_is_named(record, tmp_path):
    """A pixel of one answer, in a file that is sealed again: validate names cell, maze and score."""

    def flip(packed):
        packed["easy"][3, 0] ^= 1

    with_answers(record, flip).write(tmp_path)
    assert any("answers.npz: easy: maze 3: " in problem for problem in problems(tmp_path))


def test_a_score_that_was_raised_is_named(record, tmp_path):
    """Answers of another solver, under the rows of this one."""

    def empty(packed):
        packed["cycles"][:] = 0

    with_answers(record, empty).write(tmp_path)
    assert any("answers.npz: cycles: maze 0 and " in problem for problem in problems(tmp_path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda packed: packed.pop("easy"), "answers to other cells"),
        (lambda packed: packed.update(easy=packed["easy"][:-1]), "easy: answers of 39 × 7 bytes"),
        (lambda packed: packed.update(easy=packed["large"][:, :7]), "easy: answers of 33 × 7 bytes"),
        (lambda packed: packed.update(easy=packed["easy"].astype(np.int32)), "expected bytes"),
    ],
)
def test_answers_to_other_mazes_are_refused(record, tmp_path, change, said):
    """Fewer, or of another length: neither written nor read."""
    with pytest.raises(InputError, match=said):
        with_answers(record, change).write(tmp_path)


def test_a_missing_file_of_answers_is_named(record, tmp_path, capsys):
    """One line says what is missing, and the rest of a board is shown."""
    record.write(tmp_path / "one")
    (tmp_path / "one" / "answers.npz").unlink()
    with pytest.raises(InputError, match=r"answers\.npz: missing"):
        read_record(tmp_path / "one")
    assert any("answers.npz: missing" in problem for problem in problems(tmp_path / "one"))


def test_without_answers_a_record_is_as_before(tmp_path, tiny_suite, capsys):
    """Whoever wants none leaves them out."""
    arguments = ["--suite", tiny_suite, "--limit", "2", "--out", str(tmp_path / "r"), "--device", "cpu", "--quiet"]
    assert run(["evaluate", "dead-end-filling", "--no-answers", *arguments]) == 0
    capsys.readouterr()
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["mazes.parquet", "record.json"]
    assert read_record(tmp_path / "r").answers is None
    assert problems(tmp_path / "r") == []


def test_a_record_written_over_another_takes_its_answers_along(record, tiny_records, tmp_path):
    """The answers in a folder are those of its summary, also where the second record has none."""
    tiny_records["dead-end-filling"].write(tmp_path)
    record.write(tmp_path)
    assert read_record(tmp_path).answers == record.answers
    record.changed(answers=None).write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mazes.parquet", "record.json"]
