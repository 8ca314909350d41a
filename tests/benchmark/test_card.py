"""What a person states of a solver, and how much of what is tested it was trained on."""

import numpy as np
import pytest

from extramaze.core.checked import parse_yaml
from extramaze.mazes import InputError, Mazes, MazeSpec, generate, layout_hashes, write_npz
from extramaze.schema.card import Statement
from extramaze.submission.overlap import find_overlap
from extramaze.submission.submit import submit
from tests.benchmark.conftest import CARD


def said(text):
    return parse_yaml(Statement, text, "card.yaml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('authors: ["FILL IN: who"]', "authors.0: still to be filled in, got 'FILL IN: who'; license"),
        (
            "paper: 2410.03020",
            "paper: expected text, got 2410.0302; put it in quotes.*external_data: missing, and needed",
        ),
        (CARD.replace("external_data: none", "external_dat: none"), "external_dat"),
        (CARD.replace("mazes: 256000", "mazes: -1"), "training.mazes"),
        (CARD.replace("size=9", "size=8"), "size must be an odd integer"),
        (CARD.replace('["size=9,start=deadend"]', "[]"), "made elsewhere; say where in external_data"),
        ("- authors", "expected keys with values, got a list"),
        ("", "expected keys with values, got nothing"),
        ("{", "not readable as YAML"),
    ],
)
def test_a_statement_with_gaps_lists_them(text, problem):
    """What is missing, misspelt or still to be filled in is named, all of it together."""
    with pytest.raises(InputError, match=f"(?s){problem}"):
        said(text)


def test_training_must_be_stated(workshop, tmp_path, statement, suite):
    """Only a trained folder may leave it out."""
    bare = statement.model_copy(update={"training": None})
    with pytest.raises(InputError, match="say what the solver was trained on"):
        submit(f"{workshop / 'solver.py'}:make", bare, suite, tmp_path / "out", "cpu", quiet=True)


def test_overlap_is_counted_known_or_unknown(suite, statement, tmp_path):
    """Mazes of the test, turned and mirrored, are found to the last; what is not known is never called none."""
    tested = generate(MazeSpec(5), 20, split="test")
    other = generate(MazeSpec(5), 50, split="train")
    swapped = tested.connections[:6, ::-1].transpose(0, 1, 3, 2).copy()  # mirrored at the diagonal
    mirrored = Mazes.from_arrays(swapped, tested.start[:6, ::-1], tested.goal[:6, ::-1])
    write_npz(mirrored, tmp_path / "mirrored.npz")
    write_npz(other, tmp_path / "other.npz")
    training = statement.training
    found = find_overlap(suite, statement, training, [tmp_path / "mirrored.npz", tmp_path / "other.npz"])
    hashes = layout_hashes(tested.connections)
    assert found.shared == int(np.isin(hashes, hashes[:6]).sum()) >= 6
    assert (found.known, found.tested, found.training_mazes) == ("counted", 60, 56)
    assert find_overlap(suite, statement, training, [tmp_path / "other.npz"]).shared == 0
    assert find_overlap(suite, statement, training).shared == 0
    foreign = statement.model_copy(update={"external_data": "mazes from the web"})
    for unknown in (
        find_overlap(suite, foreign, training),
        find_overlap(suite, statement, training.model_copy(update={"split": "none"})),
        find_overlap(suite, statement, training.model_copy(update={"split": "test"})),
        find_overlap(suite, statement, training, start="somebody@0"),
    ):
        assert (unknown.known, unknown.shared) == ("unknown", None)
        assert str(unknown).startswith("unknown (")
