"""YAML and JSON have one meaning each, or are refused with the key."""

import shutil

import pytest

from extramaze.comparing.baselines import History, init_baseline
from extramaze.core.checked import parse_json, parse_yaml
from extramaze.core.errors import InputError
from extramaze.core.json_files import load_json
from extramaze.core.sealed import parse_sealed
from extramaze.core.yaml_files import load_yaml
from extramaze.suites import Suite
from extramaze.verification.validate import problems
from tests.benchmark.conftest import TINY


def test_plain_values_are_what_people_mean():
    """Numbers with exponents among them, which PyYAML takes for text."""
    text = "a: 1e-3\nb: 1.5\nc: -2\nd: [true, null, ~, '010', \"yes\", 1-5, size=9, v1.2.3]\ne:\nf: .5\ng: 0\n"
    expected = [True, None, None, "010", "yes", "1-5", "size=9", "v1.2.3"]
    assert load_yaml(text, "") == {"a": 1e-3, "b": 1.5, "c": -2, "d": expected, "e": None, "f": 0.5, "g": 0}


AMBIGUOUS = [
    "010",
    "08",
    "0x10",
    "0o10",
    "0b11",
    "1_000",
    "1:30",
    "12:30:45",
    ".inf",
    "-.inf",
    ".nan",
    "yes",
    "No",
    "ON",
    "off",
    "2026-01-01",
    "2026-99-99",
    "1e999",
]
BUILT = (
    '"\\ud800"',
    "!!int x",
    "!!python/name:os.system x",
    "&a 1",
    "*a",
    "{<<: {x: 1}}",
    "{x: 1, x: 2}",
    "{? [a] : 1}",
)


@pytest.mark.parametrize("text", [*AMBIGUOUS, "2026-01-01 10:00:00", "9" * 5000, '"\\ud800"', *BUILT])
def test_what_has_two_readings_is_refused_with_its_key(text):
    """So is what would be built of something else."""
    with pytest.raises(InputError, match=r"suite: line 2: limits\.count(\.x|\.<<)?: "):
        load_yaml(f"name: a\nlimits: {{window: 3, count: {text}}}\n", "suite")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("scale: 1", "scale: true", "scale: expected a whole number, got true"),
        ("count: 40", "count: true", r"cells\.0\.count: expected a whole number, got true"),
        ("count: 40", 'count: "40"', r"cells\.0\.count: expected a whole number, got the text '40'; write one without"),
        ("window: 10", "window: 10.0", r"limits\.window: expected a whole number, got 10.0"),
        ("split: test", "split: test\n---\na: 1", "a second document"),
    ],
)
def test_nothing_is_converted(before, after, said):
    """True is no number, and text is none."""
    with pytest.raises(InputError, match=said):
        parse_yaml(Suite, TINY.replace(before, after), "suite")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": {"b": 1, "b": 1}}', r"f: a\.b: given twice"),
        ('{"a": [NaN]}', r"f: a\.0: NaN is no finite number"),
        ('{"a": -Infinity}', "f: a: -Infinity is no finite number"),
        ('{"a": 1e999}', "f: a: 1e999 is no finite number"),
        ('{"a": ' + "1" * 5000 + "}", "f: a: a number of 5,000 characters"),
        ('{"a": "\\ud800"}', "f: a: half of a character"),
        ("[" * 100_000, "f: nested more than 32 deep"),
        ("[" * 40 + "]" * 40, "nested more than 32 deep"),
        ("{", "f: not readable as JSON"),
    ],
)
def test_json_is_read_strictly(text, said):
    """Each refusal names the key."""
    with pytest.raises(InputError, match=said):
        load_json(text.encode(), "f")


def test_json_numbers_are_not_truths():
    """In what is read from JSON as in YAML."""
    with pytest.raises(InputError, match=r"entries\.0\.reason: expected text, got true; put it in quotes"):
        parse_json(History, b'{"schema": "extramaze-baseline-1", "entries": [{"reason": true}]}', "f")


def test_changed_line_ends_are_named(tiny_records, tmp_path):
    """Where Git made CRLF of LF, sealed files say so, and how they are restored."""
    tiny_records["dead-end-filling"].write(tmp_path / "record")
    path = tmp_path / "record" / "record.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    (problem,) = problems(tmp_path / "record")
    assert problem.startswith("record.json: line ends were changed")
    assert "git config core.autocrlf false" in problem
    assert parse_sealed(path.read_bytes().replace(b"\r\n", b"\n"), "record.json")[1] == []


def test_git_is_told_to_keep_a_baseline(tiny_records, tmp_path):
    """Its folder holds the attributes that keep line ends."""
    init_baseline(tmp_path / "baseline", tiny_records["dead-end-filling"])
    assert (tmp_path / "baseline" / ".gitattributes").read_bytes() == b"* -text\n"


def test_a_submission_may_tell_git_to_keep_it_and_nothing_else(submitted, tmp_path):
    """Without the attributes it is sound, as older ones are; with others it is not."""
    folder = tmp_path / "submission"
    shutil.copytree(submitted, folder)
    assert (folder / ".gitattributes").read_bytes() == b"* -text\n"
    assert problems(folder) == []
    (folder / ".gitattributes").write_text("* filter=mine\n")
    assert problems(folder) == [".gitattributes: not the line '* -text' that extramaze writes; remove it"]
    (folder / ".gitattributes").unlink()
    assert problems(folder) == []
    source = folder / "solver.py"
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
    assert any(line.startswith("solver.py: line ends were changed") for line in problems(folder))
