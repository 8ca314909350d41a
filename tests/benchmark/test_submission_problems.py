"""A submission is one sealed folder: what is wrong with it is found without running it, and named."""

import pickle
import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load as read_tensors
from safetensors.torch import save

from extramaze.cli import run
from extramaze.mazes import InputError
from extramaze.schema.card import read_card
from extramaze.verification.validate import problems
from tests.benchmark.conftest import rewrite_card

FILES = ["answers.npz", "card.json", "mazes.parquet", "record.json", "solver.py", "weights.safetensors"]


def replace_file(folder, name, content):
    """Replace a file of a submission, and state its digest in the card."""
    (folder / name).write_bytes(content)
    entry = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    rewrite_card(folder, lambda c: c["files"].update({name: entry}))


@pytest.fixture(scope="module")
def pristine(submitted, tmp_path_factory):
    """A copy that the property tests change in place and restore."""
    return Path(shutil.copytree(submitted, tmp_path_factory.mktemp("pristine") / "submission"))


def found_with(path, at, byte):
    """List the problems of a submission with one byte changed."""
    content = path.read_bytes()
    try:
        path.write_bytes(content[:at] + bytes([byte]) + content[at + 1 :])
        return problems(path.parent)
    finally:
        path.write_bytes(content)


def test_any_changed_digit_of_a_card_is_found(pristine, monkeypatch):
    """Every digit of card.json, one after the other: validate says that card.json is not what it was."""
    monkeypatch.setattr(
        "extramaze.verification.validate._record_problems", lambda folder: []
    )  # it does not look at the card
    path = pristine / "card.json"
    content = path.read_bytes()
    digits = [at for at, byte in enumerate(content) if 48 <= byte <= 57]
    assert len(digits) > 300
    for at in digits:
        found = found_with(path, at, 48 + (content[at] - 48 + 1 + at % 9) % 10)
        assert any(line.startswith("card.json: ") for line in found), at


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_changed_byte_of_a_submission_is_found(pristine, name, data):
    """Whatever byte of whatever file becomes another one, validate names the file."""
    content = (pristine / name).read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != content[at]))
    assert any(line.startswith(f"{name}: ") for line in found_with(pristine / name, at, byte))


def outdated(content):
    """Swap two channels of the weights: other numbers under the same names."""
    tensors = read_tensors(content)
    name = next(iter(sorted(tensors)))
    return save({**tensors, name: tensors[name].flip(0).contiguous()})


FORGERIES = [
    (lambda c: c["solver"].update(parameters=1), "card.json: solver: it is not that of record.json"),
    (lambda c: c["solver"].update(name="else@0"), "card.json: solver: it is not that of record.json"),
    (lambda c: c.update(device="a better one"), "card.json: device"),
    (lambda c: c["packages"].update(torch="9"), "card.json: packages"),
    (lambda c: c.update(record_sha256="0" * 64), "card.json: record_sha256"),
    (lambda c: c.update(doctor="is very healthy"), "card.json: doctor"),
    (lambda c: c["overlap"].update(tested=61), "card.json: overlap.tested"),
    (lambda c: c["overlap"].update(shared=5), "card.json: overlap: .*cannot be shared by construction"),
    (lambda c: c["overlap"].update(known="unknown"), "card.json: overlap: .*a number is shared where it is known"),
    (lambda c: c["overlap"].update(known="counted"), "card.json: overlap: .*training_mazes goes with"),
    (lambda c: c["training"].update(mazes=1), "card.json: training: it is not what the statement says"),
    (lambda c: c["statement"].update(external_data="the test set"), "does not rule out tested layouts: unknown"),
    (lambda c: c["statement"].update(authors=[]), r"card.json: statement\.authors"),
    (lambda c: c["statement"].update(license="two\nlines"), r"card.json: statement\.license: .*one line"),
    (lambda c: c["statement"].update(license="\u202etxet"), r"card.json: statement\.license: .*printable"),
    (lambda c: c["statement"]["training"].update(mazes=10**40), r"card.json: statement\.training\.mazes"),
    (lambda c: c.update(schema="extramaze-card-9"), "card.json: schema"),
    (lambda c: c.update(luck=1), "card.json: luck"),
    (lambda c: c["source"].update(target="../solver.py:make"), r"card.json: source\.target"),
    (lambda c: c["source"].update(target="other.py:make"), "card.json: source: other.py:make is no factory in a file"),
    (
        lambda c: c["source"].update(kind="shipped", target="wavefront"),
        "card.json: source: a solver of extramaze's own",
    ),
    (lambda c: c["source"].update(kind="trained", target="."), "card.json: source: a trained folder has recipe.yaml"),
    (lambda c: c["source"].update(distribution="acme 1"), "card.json: source: a distribution goes with"),
    (lambda c: c["files"].pop("mazes.parquet"), "card.json: files: record.json and mazes.parquet"),
    (lambda c: c["files"].update({"../up": c["files"]["solver.py"]}), r"card.json: files\.\.\./up"),
    (lambda c: c["files"].update({"/etc/passwd": c["files"]["solver.py"]}), r"card.json: files\./etc/passwd"),
    (lambda c: c["files"]["solver.py"].update(bytes=10**15), r"card.json: files\.solver\.py\.bytes"),
    (
        lambda c: c["files"].update({f"f{i}": c["files"]["solver.py"] for i in range(300)}),
        "card.json: files: .*at most 200",
    ),
    (lambda c: c["files"].update({"more.py": c["files"]["solver.py"]}), r"cannot read .*more\.py"),
]


@pytest.mark.parametrize(("change", "problem"), FORGERIES)
def test_an_impossible_card_is_named(submission, change, problem):
    """Each impossibility is named under a digest that was stated anew."""
    rewrite_card(submission, change)
    found = problems(submission)
    assert any(re.search(problem, line) for line in found), found


def test_weights_swapped_under_new_digests_are_not_the_records(submission):
    """The record states the digest of what it was made with."""
    replace_file(submission, "weights.safetensors", outdated((submission / "weights.safetensors").read_bytes()))
    assert problems(submission) == [
        "weights.safetensors: not the weights that record.json was made with: another sha256"
    ]


def test_a_pickle_is_refused_wherever_it_hides(submission):
    """By its name, by its content, and as a stray file."""
    replace_file(submission, "weights.safetensors", pickle.dumps({"weight": 1}))
    assert any("weights.safetensors: a pickle inside" in line for line in problems(submission))
    replace_file(submission, "more.pt", b"PK\x03\x04")
    assert any(line.startswith("more.pt: a pickle") for line in problems(submission))


def test_what_is_no_part_of_a_submission_is_named(submission):
    """Stray files and folders, compiled code that would be run in place of the source among them."""
    (submission / "__pycache__").mkdir()
    (submission / "__pycache__" / "solver.cpython-311.pyc").write_bytes(b"")
    (submission / "note.txt").write_text("hello")
    assert problems(submission) == [f"{n}: no part of this submission; remove it" for n in ("__pycache__", "note.txt")]


def test_a_submission_without_its_card_is_no_bare_record(submission):
    """Code and weights beside a record, and no card: named, for nobody looked at them."""
    (submission / "card.json").unlink()
    assert any("files of a submission, and no card.json" in problem for problem in problems(submission))


def test_pictures_of_a_submission_lie_beside_it(submission, monkeypatch):
    """Drawing leaves the folder as its card states it."""
    before = sorted(path.name for path in submission.iterdir())
    monkeypatch.chdir(submission.parent)
    assert run(["plot", submission.name]) == 0
    assert sorted(path.name for path in submission.iterdir()) == before
    assert (Path("runs") / "borrowed@0-plots" / "difficulty.png").exists()


@pytest.mark.parametrize("name", FILES)
def test_a_link_out_of_a_submission_is_not_followed(submission, tmp_path, name):
    """What a link points to elsewhere is not read, be it the very same bytes."""
    (submission / name).rename(tmp_path / name)
    (submission / name).symlink_to(tmp_path / name)
    assert f"{name}: a link that leaves its folder; put the file itself there" in problems(submission)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"[" * 100_000, b"\xff" * 50, b" " * (2**20 + 1)])
def test_junk_in_place_of_a_card_is_named(submission, content):
    """Anything that is no card is one line or more, and never a fault."""
    (submission / "card.json").write_bytes(content)
    assert any("card.json" in line for line in problems(submission))
    with pytest.raises(InputError):
        read_card(submission)
