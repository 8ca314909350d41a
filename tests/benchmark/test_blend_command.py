import json

import pytest

from extramaze.cli import run
from extramaze.schema.blend import BlendFacts

BASE, TUNED = "dt-net-thin@0", "dt-net-thin-tuned-10k@0"
METHODS = ("line", "soup", "slerp", "task", "ties", "dare", "fisher", "ensemble", "check")


@pytest.mark.parametrize("method", METHODS)
def test_help_teaches_each_method(method, capsys):
    """With its formula or purpose, and a command that can be copied."""
    assert run(["blend", method, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"extramaze blend {method} " in said
    assert "--out" in said or method == "check"


def test_a_blend_is_made_and_made_again(tmp_path, capsys):
    """The folder's name without its number is the blend's, and the next command is said."""
    out = tmp_path / "wise-0"
    assert run(["blend", "line", BASE, TUNED, "--at", "0.75", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "wise@0: a blend: 0.25 × dt-net-thin@0 + 0.75 × dt-net-thin-tuned-10k@0; chosen by hand" in said
    assert "evaluate it: extramaze evaluate" in said
    assert run(["blend", "check", str(out)]) == 0
    assert "follows from its parents" in capsys.readouterr().out


def test_a_forged_blend_fails_the_check(tmp_path, capsys):
    """With exit 1 and the coefficient's name."""
    out = tmp_path / "part"
    assert run(["blend", "task", TUNED, "--base", BASE, "--coefficients", "0.5", "--out", str(out), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    content["parents"][0]["coefficient"] = 0.75
    forged = BlendFacts.model_validate_json(json.dumps(content)).sealed()
    (out / "blend.json").write_text(forged.model_dump_json(by_alias=True, indent=1) + "\n")
    assert run(["blend", "check", str(out)]) == 1
    assert f"coefficient of {TUNED}: 0.75 stated, the weights have 0.5" in capsys.readouterr().out


def test_a_parent_that_is_not_at_hand_is_named(tmp_path, capsys):
    """With exit 2 and what to do."""
    assert run(["blend", "line", BASE, TUNED, "--out", str(tmp_path / "a")]) == 0
    assert run(["blend", "line", str(tmp_path / "a"), TUNED, "--out", str(tmp_path / "b")]) == 0
    assert run(["blend", "check", str(tmp_path / "b")]) == 2
    assert "a@0; say where, --parents FOLDER" in capsys.readouterr().err
    assert run(["blend", "check", str(tmp_path / "b"), "--parents", str(tmp_path / "a")]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["line", BASE, TUNED, "--at", "half"], "--at is a number"),
        (["soup", BASE, TUNED, "--coefficients", "a,b"], "numbers with commas"),
        (["soup", BASE, TUNED, "--coefficients", "0.5,0.5", "--greedy"], "leave out --coefficients"),
        (["line", BASE, TUNED, "--at", "best", "--split", "test"], "val split alone"),
        (["sup", BASE, TUNED], "Did you mean 'soup'?"),
        (["task", TUNED], "base"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments, said, tmp_path, capsys):
    """Before anything is written."""
    assert run(["blend", *arguments, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().split("\n")) == 1
    assert list(tmp_path.iterdir()) == []
