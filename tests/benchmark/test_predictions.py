import json

import numpy as np
import pytest

from extramaze.filling import filled
from extramaze.leaderboard import boards
from extramaze.mazes import InputError, raster
from extramaze.predictions import evaluate_predictions, write_tokens
from extramaze.records import read_record
from extramaze.suites import cell_mazes, load_suite

CELLS = ("easy", "cycles", "large")


@pytest.fixture
def suite(tiny_suite):
    return load_suite(tiny_suite)


def drawn(suite, cell):
    return raster(cell_mazes(suite, cell), suite.scale)


def write_text(path, answers):
    lines = [{"cell": c, "index": i, "rows": rows} for c, mazes in answers.items() for i, rows in enumerate(mazes)]
    path.write_text("\n".join(json.dumps(line) for line in lines[::-1]))
    return path


def test_stored_paths_are_all_right_as_masks_and_as_text(suite, tmp_path):
    """The true paths handed in score 100 % in either form and any order; the record survives the disk."""
    paths = {cell: drawn(suite, cell) for cell in CELLS}
    np.savez(tmp_path / "p.npz", **{cell: targets for cell, (_, targets) in paths.items()})
    text = {cell: write_tokens(*pair) for cell, pair in paths.items()}
    for file in (tmp_path / "p.npz", write_text(tmp_path / "p.jsonl", text)):
        record = evaluate_predictions(file, suite, "mine", tmp_path / file.suffix)
        assert [cell.rungs[-1].exact.share for cell in record.summary.cells] == [1, 1, 1]
        assert record.summary.plan.part is None
        assert read_record(tmp_path / file.suffix).summary == record.summary
        assert boards([record])[0].mode == "predictions"


def test_dead_end_fillings_answers_score_as_the_solver(suite, tiny_records, tmp_path):
    """Handed in, dead-end filling's answers get the rows that the solver gets at its last rung."""
    np.savez(tmp_path / "p.npz", **{cell: filled(drawn(suite, cell)[0]) for cell in CELLS})
    record = evaluate_predictions(tmp_path / "p.npz", suite, "mine")
    solver = tiny_records["dead-end-filling"]
    assert record.mazes["failure"].equals(solver.mazes["failure"])
    assert record.mazes["optimal"].list.last().equals(solver.mazes["optimal"].list.last())
    assert all(cell.as_dead_end_filling.share == 1 for cell in record.summary.cells)


def test_a_part_says_so(suite, tmp_path):
    """Fewer mazes, or fewer cells, make a partial record, which is not ranked."""
    np.savez(tmp_path / "p.npz", cycles=drawn(suite, "cycles")[1][:10])
    record = evaluate_predictions(tmp_path / "p.npz", suite, "mine")
    assert [(cell.name, cell.n) for cell in record.summary.cells] == [("cycles", 10)]
    assert "only cycles" in str(record.summary.plan.part)
    assert boards([record])[0].rows[0].rank is None


def test_text_says_what_the_image_says(suite):
    """Walls, open pixels, start and goal are the image's, and the path is the target between them."""
    images, targets = drawn(suite, "easy")
    letters = np.array([[list(row) for row in maze] for maze in write_tokens(images, targets)])
    assert np.array_equal(letters == "#", images.max(axis=1) == 0)
    assert np.array_equal(np.isin(letters, ("S", "G", "o")), targets > 0)
    assert np.array_equal(letters == "S", (images[:, 1] > images[:, 0]))
    assert np.array_equal(letters == "G", (images[:, 0] > images[:, 1]))


def test_bad_answers_are_refused(suite, tmp_path):
    """An unknown cell, another shape, probabilities, gaps, repeats and strange letters each get one sentence."""
    images, targets = drawn(suite, "easy")
    rows = write_tokens(images, targets)
    for arrays, problem in (
        ({"eazy": targets}, "did you mean easy"),
        ({"easy": targets[:, :3]}, r"expected \(N, 7, 7\)"),
        ({"easy": np.repeat(targets, 2, axis=0)}, "N from 1 to 40"),
        ({"easy": targets * 0.5}, "take the argmax"),
        ({}, "no answers"),
    ):
        np.savez(tmp_path / "p.npz", **arrays)
        with pytest.raises(InputError, match=problem):
            evaluate_predictions(tmp_path / "p.npz", suite, "mine")
    for lines, problem in (
        ([("easy", 1, rows[0])], "maze 0 is left out"),
        ([("easy", 0, rows[0])] * 2, "line 2: easy 0 is answered twice"),
        ([("easy", 0, rows[0][1:])], "expected 7 rows of 7"),
        ([("easy", 0, ["xxxxxxx"] * 7)], "got 'x'"),
        ([("easy", -1, rows[0])], "index"),
    ):
        text = "\n".join(json.dumps({"cell": c, "index": i, "rows": r}) for c, i, r in lines)
        (tmp_path / "p.jsonl").write_text(text)
        with pytest.raises(InputError, match=problem):
            evaluate_predictions(tmp_path / "p.jsonl", suite, "mine")
    with pytest.raises(InputError, match=r"a \.npz or \.jsonl"):
        evaluate_predictions(tmp_path / "p.csv", suite, "mine")
    (tmp_path / "p.npz").write_bytes(b"junk")
    with pytest.raises(InputError, match="not an archive"):
        evaluate_predictions(tmp_path / "p.npz", suite, "mine")
