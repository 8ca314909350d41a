"""A submission is one sealed folder: what is wrong with it is found without running it, and named."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load as read_tensors
from safetensors.torch import save

from extramaze.card import Card, Statement, Training, read_card, read_statement
from extramaze.cli import run
from extramaze.mazes import InputError, Mazes, MazeSpec, generate, layout_hashes, write_npz
from extramaze.mazes.files import write_atomically
from extramaze.models import load
from extramaze.models.schema import parse_yaml
from extramaze.overlap import find_overlap
from extramaze.records import content_sha256, read_record
from extramaze.reproduce import verify
from extramaze.submission import BrokenContract, submit
from extramaze.suites import load_suite
from extramaze.validate import problems
from tests.benchmark.conftest import CARD, SOLVER
from tests.models.test_plugins import install

FILES = ["card.json", "mazes.parquet", "record.json", "solver.py", "weights.safetensors"]


@pytest.fixture
def suite(workshop):
    return load_suite(str(workshop / "small-v1.yaml"))


@pytest.fixture
def statement(workshop):
    return read_statement(workshop / "card.yaml")


@pytest.fixture
def unexamined(monkeypatch):
    """Leave the check of the contract out, where it is not what is looked at."""
    monkeypatch.setattr("extramaze.submission.examine", lambda make: [])


def rewrite_card(folder, change):
    """Change a card's content and state its digest anew, as a forger would."""
    content = json.loads((folder / "card.json").read_text())
    change(content)
    content["sha256"] = content_sha256(content)
    (folder / "card.json").write_text(json.dumps(content, indent=1) + "\n")


def replace_file(folder, name, content):
    """Replace a file of a submission, and state its digest in the card."""
    (folder / name).write_bytes(content)
    entry = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    rewrite_card(folder, lambda c: c["files"].update({name: entry}))


def test_a_submission_is_one_folder_that_says_everything(submitted):
    """Record, weights, code and card; the card has what was written and what was gathered; validate finds nothing."""
    assert sorted(path.name for path in submitted.iterdir()) == FILES
    card, record = read_card(submitted), read_record(submitted)
    assert card.statement.authors == ("A. Person", "Ö. Other")
    assert card.training == Training(specs=("size=9",), split="train", mazes=256_000)
    assert (card.source.kind, card.source.target) == ("file", "solver.py:make")
    assert (card.solver.name, card.solver.parameters) == ("borrowed@0", 59_472)
    assert (card.overlap.known, card.overlap.shared, card.overlap.tested) == ("by construction", 0, 60)
    assert (card.record_sha256, card.device) == (record.summary.sha256, record.summary.plan.device)
    assert set(card.files) == set(FILES) - {"card.json"}
    assert problems(submitted) == []
    assert load(f"{submitted / 'solver.py'}:make").card.name == "borrowed@0"


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
    monkeypatch.setattr("extramaze.validate._record_problems", lambda folder: [])  # it does not look at the card
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
        lambda c: c["files"].update({f"f{i}": c["files"]["solver.py"] for i in range(20)}),
        "card.json: files: .*at most 16",
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


def test_a_submission_made_twice_is_the_same(submission, workshop, statement, suite, unexamined):
    """A finished one is found finished; one killed before its card was written goes on, and evaluates nothing again."""
    before = {name: (submission / name).read_bytes() for name in FILES}
    target = f"{workshop / 'solver.py'}:make"
    submit(target, statement, suite, submission, "cpu", quiet=True)
    (submission / "card.json").unlink()
    (submission / "weights.safetensors").unlink()
    submit(target, statement, suite, submission, "cpu", quiet=True)
    assert {path.name: path.read_bytes() for path in submission.iterdir()} == before


def test_a_killed_submission_goes_on(workshop, tmp_path, statement, suite, unexamined, monkeypatch, submitted):
    """Killed between two blocks, and again before the card: the third call ends with the same numbers."""
    from extramaze.work import Worker

    target, out = f"{workshop / 'solver.py'}:make", tmp_path / "out"
    plain, left = Worker._compute, [0, 1]

    def dying(worker, task):
        if task.number == left[0] + 1:
            raise KeyboardInterrupt
        return plain(worker, task)

    monkeypatch.setattr(Worker, "_compute", dying)
    with pytest.raises(KeyboardInterrupt):
        submit(target, statement, suite, out, "cpu", quiet=True)
    assert (out / "plan.json").exists()
    monkeypatch.setattr(Worker, "_compute", plain)
    write = Card.write
    monkeypatch.setattr(Card, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        submit(target, statement, suite, out, "cpu", quiet=True)
    monkeypatch.setattr(Card, "write", write)
    submit(target, statement, suite, out, "cpu", quiet=True)
    assert problems(out) == []
    assert (out / "mazes.parquet").read_bytes() == (submitted / "mazes.parquet").read_bytes()


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (lambda out: (out / "notes.txt").write_text("mine"), "holds notes.txt, which is no part of a submission"),
        (lambda out: (out / "solver.py").write_text("pass"), "holds another solver.py"),
        (
            lambda out: shutil.copytree(out.parent / "other", out, dirs_exist_ok=True),
            "holds another (evaluation|weights)",
        ),
    ],
)
def test_anothers_folder_is_left_alone(
    tmp_path, workshop, statement, suite, unexamined, tiny_records, prepare, problem
):
    """What is no part of this very submission is named, and nothing there changes."""
    tiny_records["dead-end-filling"].write(tmp_path / "other")
    out = tmp_path / "out"
    out.mkdir()
    prepare(out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(InputError, match=problem):
        submit(f"{workshop / 'solver.py'}:make", statement, suite, out, "cpu", quiet=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_another_card_is_not_overwritten(submission, workshop, statement, suite, unexamined):
    """Submitting again with another statement names what differs."""
    other = statement.model_copy(update={"license": "none at all"})
    with pytest.raises(InputError, match=r"holds another submission \(it differs in: statement\)"):
        submit(f"{workshop / 'solver.py'}:make", other, suite, submission, "cpu", quiet=True)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("from neighbour import HELP\n" + SOLVER, "does not load from a folder of its own.*neighbour"),
        (SOLVER.replace('Path(__file__).with_name("weights.safetensors")', '"weights.safetensors"'), None),
        (SOLVER.replace("weights.safetensors", "mine.safetensors"), "does not load from a folder of its own"),
        (
            SOLVER.replace('Path(__file__).with_name("weights.safetensors")', 'PLACE / "weights.safetensors"')
            + "\nimport os; PLACE = Path(os.environ['WORKSHOP'])",
            None,
        ),
        (SOLVER.replace('recipe="borrowed"', 'recipe="dt-net-thin"'), "which is extramaze's own"),
    ],
)
def test_a_file_stands_alone(tmp_path, workshop, statement, suite, code, problem, monkeypatch):
    """A solver that leans on a neighbour or on another name of its weights is refused with advice."""
    place = tmp_path / "place"
    place.mkdir()
    for name in ("weights.safetensors", "mine.safetensors"):
        shutil.copy(workshop / "weights.safetensors", place / name)
    (place / "neighbour.py").write_text("HELP = 1")
    (place / "solver.py").write_text(code)
    monkeypatch.chdir(place)
    monkeypatch.setenv("WORKSHOP", str(place))
    monkeypatch.setattr("extramaze.submission.examine", lambda make: pytest.fail("it was accepted"))
    if problem is None:
        with pytest.raises(pytest.fail.Exception, match="it was accepted"):
            submit("solver.py:make", statement, suite, tmp_path / "out", "cpu", quiet=True)
        return
    with pytest.raises(InputError, match=problem):
        submit("solver.py:make", statement, suite, tmp_path / "out", "cpu", quiet=True)
    assert not (tmp_path / "out").exists()


def test_a_module_of_no_package_is_refused(tmp_path, statement, suite, monkeypatch):
    """Nobody else could load it."""
    (tmp_path / "loose.py").write_text("from extramaze.models.wavefront import Wavefront as make")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="loose is in no installed package"):
        submit("loose:make", statement, suite, tmp_path / "out", "cpu", quiet=True)


def test_a_broken_contract_is_not_submitted(tmp_path, workshop, suite, capsys, monkeypatch):
    """Exit 1 with the doctor's findings, and no folder."""
    broken = SOLVER.replace("    return solver", "    solver.step = lambda state, x: state.add_(1)\n    return solver")
    (tmp_path / "solver.py").write_text(broken)
    (tmp_path / "card.yaml").write_text(CARD)
    shutil.copy(workshop / "weights.safetensors", tmp_path)
    monkeypatch.chdir(tmp_path)
    command = ["submit", "solver.py:make", "--suite", str(workshop / "small-v1.yaml"), "--quiet", "--device", "cpu"]
    assert run(command) == 1
    assert "likely cause" in capsys.readouterr().out
    assert not (tmp_path / "submissions").exists()
    with pytest.raises(BrokenContract):
        submit("solver.py:make", read_statement(tmp_path / "card.yaml"), suite, tmp_path / "out", "cpu", quiet=True)


def test_a_trained_folder_is_submitted_with_its_recipe(root, tmp_path, suite, statement, unexamined):
    """What it trained on is read off the recipe; stating otherwise is refused; validate looks at both."""
    folder = root / "models" / "weights" / "it-net-thin" / "0"
    with pytest.raises(InputError, match=r"is not what recipe\.yaml and training\.json say"):
        submit(str(folder), statement, suite, tmp_path / "out", "cpu", quiet=True)
    bare = statement.model_copy(update={"training": None})
    out, card = submit(str(folder), bare, suite, tmp_path / "out", "cpu", quiet=True)
    assert (card.source.kind, card.training.specs, card.training.mazes) == ("trained", ("size=9",), 384_000)
    assert {"recipe.yaml", "training.json", "log.jsonl", "weights.safetensors"} < set(card.files)
    assert problems(out) == []
    assert verify(out, mazes=5, seed=0, quiet=True).reproduced  # a recipe is data: it needs no trust
    rewrite_card(out, lambda c: c["training"].update(mazes=1))
    assert problems(out) == ["card.json: training: it is not what recipe.yaml and training.json say"]


def test_a_solver_of_extramaze_is_submitted_by_name(tmp_path, suite, statement, unexamined):
    """It brings neither code nor weights."""
    nothing = statement.model_copy(update={"training": Training(mazes=0)})
    out, card = submit("dead-end-filling", nothing, suite, tmp_path / "out", "cpu", quiet=True)
    assert sorted(path.name for path in out.iterdir()) == ["card.json", "mazes.parquet", "record.json"]
    assert (card.source.kind, card.overlap.why) == ("shipped", "nothing was trained, as stated")
    assert problems(out) == []


def said(text):
    return parse_yaml(Statement, text, "card.yaml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('authors: ["FILL IN: who"]', "authors.0: .*still to be filled in"),
        ("paper: 2410.03020", "paper: .*valid string.*license: Field required.*external_data: Field required"),
        (CARD.replace("external_data: none", "external_dat: none"), "external_dat"),
        (CARD.replace("mazes: 256000", "mazes: -1"), "training.mazes"),
        (CARD.replace("size=9", "size=8"), "size must be an odd integer"),
        (CARD.replace('["size=9,start=deadend"]', "[]"), "made elsewhere; say where in external_data"),
        ("- authors", "valid dictionary"),
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


@pytest.mark.parametrize("name", ["my net", "-x", "Net", "../x", "", "dt-net-thin", "wavefront", "a" * 50, "é"])
def test_a_bad_name_for_a_new_submission_is_refused(tmp_path, monkeypatch, name, capsys):
    """One line, exit 2, and no folder."""
    monkeypatch.chdir(tmp_path)
    assert run(["submit", "new", "--", name]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_usage_of_submit(tmp_path, monkeypatch, capsys):
    """A name goes with new, and with nothing else; a missing card is named; a full folder is left alone."""
    monkeypatch.chdir(tmp_path)
    for command in ("submit new", "submit wavefront twice", "submit wavefront", "submit wavefront --card no.yaml"):
        assert run(command.split()) == 2
        assert capsys.readouterr().err.startswith("error: ")
    (tmp_path / "my-net").mkdir()
    (tmp_path / "my-net" / "thesis.txt").write_text("years of work")
    assert run(["submit", "new", "my-net"]) == 2
    assert "not empty" in capsys.readouterr().err


def test_from_a_template_to_a_badge(tmp_path, workshop, monkeypatch, capsys):
    """submit new → its own test → train → fill in → submit → validate → verify, whole and in part → the board."""
    monkeypatch.chdir(tmp_path)
    assert run(["submit", "new", "my-net"]) == 0
    folder = tmp_path / "my-net"
    own = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    for command in (own, [sys.executable, "train.py", "3"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.chdir(folder)
    suite = ["--suite", str(workshop / "small-v1.yaml"), "--device", "cpu", "--quiet"]
    capsys.readouterr()
    assert run(["submit", "solver.py:make", *suite]) == 2
    assert "authors.0: Value error, still to be filled in" in capsys.readouterr().err
    card = (folder / "card.yaml").read_text()
    filled = card.replace("FILL IN: who made it", "A. Person").replace("FILL IN: of weights and code, for example ", "")
    write_atomically(folder / "card.yaml", filled.encode())
    assert run(["submit", "solver.py:make", *suite]) == 0
    out = capsys.readouterr().out
    assert "trained on what is tested: 0 of 60 tested mazes" in out
    assert "results/small-v1/my-net@0" in out
    row = "submissions/small-v1/my-net@0"
    assert run(["validate", row]) == 0
    assert run(["verify", row, "--quiet"]) == 2
    assert "runs the code of solver.py:make by A. Person" in capsys.readouterr().err
    assert run(["verify", row, "--quiet", "--trust", "--mazes", "30"]) == 0
    assert run(["leaderboard", "submissions", "--format", "markdown"]) == 0
    assert "| reproduced (30 of 60 mazes: at most 9.5% differ) |" in capsys.readouterr().out
    assert run(["verify", row, "--quiet", "--trust"]) == 0
    assert "all 60 mazes run again: 0 differ" in capsys.readouterr().out
    assert run(["validate", row]) == 0
    assert run(["leaderboard", "submissions", "--format", "markdown"]) == 0
    assert "| reproduced |" in capsys.readouterr().out


INSTALLED = """
import json, sys
from pathlib import Path
from extramaze.card import read_card, read_statement
from extramaze.mazes.errors import NotComparable
from extramaze.reproduce import verify
from extramaze.reproduce import verify
from extramaze.submission import submit
from extramaze.suites import load_suite
from extramaze.validate import problems
import acme_mazes
place, workshop = Path(sys.argv[1]), Path(sys.argv[2])
statement, suite = read_statement(workshop / "card.yaml"), load_suite(str(workshop / "small-v1.yaml"))
answers = {}
for name in ("gated-net", "acme_mazes.gated:make"):
    folder, card = submit(name, statement, suite, place / name.partition(":")[0], "cpu", quiet=True)
    found = verify(folder, trust=True, mazes=20, quiet=True)
    answers[name] = [card.source.model_dump(), sorted(card.files), problems(folder), found.reproduced]
source = Path(acme_mazes.__file__).with_name("gated.py")
source.write_text(source.read_text() + "# another release")
try:
    verify(folder, trust=True, mazes=20, quiet=True)
except NotComparable as problem:
    answers["another release"] = str(problem)
print(json.dumps(answers))
"""


def test_a_packages_solver_is_submitted_with_its_weights(root, workshop, tmp_path):
    """Really installed: its distribution and version are on the card; another release of it is not comparable."""
    install(root / "tests" / "data" / "acme-mazes", tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-c", INSTALLED, str(tmp_path / "out"), str(workshop)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for name in ("gated-net", "acme_mazes.gated:make"):
        source, files, wrong, reproduced = answers[name]
        assert source == {"kind": "installed", "target": name, "distribution": "acme-mazes 1.2"}
        assert files == ["mazes.parquet", "record.json", "weights.safetensors"]
        assert (wrong, reproduced) == ([], True)
    assert "code_sha256" in answers["another release"]
