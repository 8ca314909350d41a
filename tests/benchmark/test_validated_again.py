"""A training's last validation, run again: what it states is seen to be so, and the optimal share is added."""

import json
import shutil

import pytest

from extramaze.cli import run
from extramaze.models import load


@pytest.fixture
def folder(root, tmp_path):
    """A seed that was tuned on mazes with cycles, as if it had been validated on few of them."""
    shutil.copytree(root / "models" / "weights" / "dt-net-thin-tuned-100" / "0", tmp_path / "0")
    path = tmp_path / "0" / "training.json"
    content = json.loads(path.read_text()) | {"validation_count": 64, "validation_accuracy": 46 / 64}
    path.write_text(json.dumps({key: value for key, value in content.items() if key != "validation_optimal"}))
    return tmp_path / "0"


def stated(folder):
    return json.loads((folder / "training.json").read_text())


def test_what_a_training_states_is_validated_again(folder, capsys):
    """Both shares are said, and nothing is written; a share that is not so is a failure."""
    before = stated(folder)
    code = run(["verify", str(folder), "--device", "cpu"])
    said = capsys.readouterr().out
    assert "64 fresh mazes like those of its training: the stored path" in said
    assert "any shortest one" in said
    assert stated(folder) == before
    (folder / "training.json").write_text(json.dumps(before | {"validation_accuracy": 0.1}))
    assert run(["verify", str(folder), "--device", "cpu"]) == 1
    assert code in (0, 1)


def test_the_optimal_share_is_added_where_it_is_asked_for(folder, capsys):
    """It is at least the exact one, and a loaded solver states both."""
    run(["verify", str(folder), "--device", "cpu", "--complete"])
    accuracy = load(str(folder)).card.provenance.accuracy
    assert stated(folder)["validation_optimal"] == accuracy.optimal
    assert accuracy.exact <= accuracy.optimal <= 1
    assert accuracy.ranked == accuracy.optimal


def test_of_trees_both_shares_are_one():
    """A tree has one path: nothing needs to be counted again."""
    accuracy = load("dt-net-thin@0").card.provenance.accuracy
    assert accuracy.optimal == accuracy.exact
