"""Submissions: one sealed folder that says everything, made from a file, a package, a recipe or a template."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from extramaze.cli import run
from extramaze.core.files import write_atomically
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.records import read_record
from extramaze.schema.card import Card, TrainedOn, read_card, read_statement
from extramaze.submission.submit import BrokenContract, submit
from extramaze.verification.validate import problems
from extramaze.verification.verify import verify
from tests.benchmark.conftest import CARD, SOLVER, rewrite_card
from tests.models.test_plugins import install

FILES = [
    *(".gitattributes", "answers.npz", "card.json", "mazes.parquet", "record.json", "solver.py"),
    "weights.safetensors",
]


@pytest.fixture
def unexamined(monkeypatch):
    """Leave the check of the contract out, where it is not what is looked at."""
    monkeypatch.setattr("extramaze.submission.submit.examine", lambda make: [])


def test_a_submission_is_one_folder_that_says_everything(submitted):
    """Record, weights, code and card; the card has what was written and what was gathered; validate finds nothing."""
    assert sorted(path.name for path in submitted.iterdir()) == FILES
    card, record = read_card(submitted), read_record(submitted)
    assert card.statement.authors == ("A. Person", "Ö. Other")
    assert card.training == TrainedOn(specs=("size=9",), split="train", mazes=256_000)
    assert (card.source.kind, card.source.target) == ("file", "solver.py:make")
    assert (card.solver.name, card.solver.parameters) == ("borrowed@0", 59_472)
    assert (card.overlap.known, card.overlap.shared, card.overlap.tested) == ("by construction", 0, 60)
    assert (card.record_sha256, card.device) == (record.summary.sha256, record.summary.plan.device)
    assert set(card.files) == set(FILES) - {".gitattributes", "card.json"}
    assert problems(submitted) == []
    assert load(f"{submitted / 'solver.py'}:make").card.name == "borrowed@0"


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
    from extramaze.evaluation.work import Worker

    target, out = f"{workshop / 'solver.py'}:make", tmp_path / "out"
    plain, left = Worker._compute, [0, 1]

    def dying(worker, task):
        if task.number == left[0] + 1:
            raise KeyboardInterrupt
        return plain(worker, task)

    monkeypatch.setattr(Worker, "_compute", dying)
    with pytest.raises(KeyboardInterrupt):
        submit(target, statement, suite, out, "cpu", quiet=True)
    assert (tmp_path / ".out.part" / "plan.json").exists()
    assert not out.exists()
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
    """Submitting again with another statement names what differs, and leaves the folder as it is."""
    before = sorted(path.name for path in submission.iterdir())
    other = statement.model_copy(update={"license": "none at all"})
    with pytest.raises(InputError, match=r"holds another submission \(it differs in: statement\)"):
        submit(f"{workshop / 'solver.py'}:make", other, suite, submission, "cpu", quiet=True)
    assert sorted(path.name for path in submission.iterdir()) == before


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("from neighbour import HELP\n" + SOLVER, None),
        ("from helpers.layers import HELP\n" + SOLVER, None),
        ("open('../aside.txt').close()\n" + SOLVER, r"does not load from a folder of its own.*aside\.txt"),
        ("from pathlib import Path\nPath(__file__).with_name('w.pt').read_bytes()\n" + SOLVER, "opens w.pt, a pickle"),
        ("import importlib\nimportlib.import_module('a b')\n" + SOLVER, "a b.py cannot be submitted under this name"),
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
    """What it imports and opens beside it goes with it; one that leans on anything else is refused with advice."""
    place = tmp_path / "place"
    place.mkdir()
    for name in ("weights.safetensors", "mine.safetensors"):
        shutil.copy(workshop / "weights.safetensors", place / name)
    (place / "neighbour.py").write_text("HELP = 1")
    (place / "helpers").mkdir()
    (place / "helpers" / "layers.py").write_text("HELP = 1")
    (place / "a b.py").write_text("HELP = 1")
    (place / "w.pt").write_text("")
    (place.parent / "aside.txt").write_text("")
    (place / "solver.py").write_text(code)
    monkeypatch.chdir(place)
    monkeypatch.setenv("WORKSHOP", str(place))
    monkeypatch.setattr("extramaze.submission.submit.examine", lambda make: pytest.fail("it was accepted"))
    if problem is None:
        with pytest.raises(pytest.fail.Exception, match="it was accepted"):
            submit("solver.py:make", statement, suite, tmp_path / "out", "cpu", quiet=True)
        return
    with pytest.raises(InputError, match=problem):
        submit("solver.py:make", statement, suite, tmp_path / "out", "cpu", quiet=True)
    assert not (tmp_path / "out").exists()


def test_helpers_are_submitted_in_their_folders(tmp_path, workshop, statement, suite, unexamined):
    """Exactly what the solver is known by; it is verified from them alone, and a changed or stray one is named."""
    place, out = tmp_path / "place", tmp_path / "out"
    (place / "parts" / "deep").mkdir(parents=True)
    code = "import parts.deep.layers\nOPEN = (Path(__file__).parent / 'parts' / 'sizes.json').read_text()\n"
    (place / "solver.py").write_text(SOLVER.replace("def make", f"{code}def make") + "    from parts import late\n")
    for name in ("parts/deep/layers.py", "parts/late.py", "parts/unused.py", "parts/sizes.json", "unused.py"):
        (place / name).write_text("1\n")
    (place / "parts" / "__init__.py").write_text("")
    shutil.copy(workshop / "weights.safetensors", place)
    _, card = submit(f"{place / 'solver.py'}:make", statement, suite, out, "cpu", quiet=True)
    inside = ["parts/__init__.py", "parts/deep/layers.py", "parts/late.py", "parts/sizes.json"]
    assert sorted(card.files) == sorted(
        [*inside, *(name for name in FILES if name not in (".gitattributes", "card.json"))]
    )
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == sorted(
        [*inside, *FILES]
    )
    assert problems(out) == []
    shutil.rmtree(place)
    assert verify(out, trust=True, mazes=5, seed=0, quiet=True).reproduced
    (out / "parts" / "more.py").write_text("")
    (out / "parts" / "late.py").write_text("2\n")
    assert [line.partition(":")[0] for line in problems(out)] == ["parts/late.py", "parts/more.py"]
    (out / "parts" / "more.py").unlink()
    (out / "parts").rename(tmp_path / "parts")
    (out / "parts").symlink_to(tmp_path / "parts")
    assert "parts/sizes.json: a link that leaves its folder; put the file itself there" in problems(out)
    assert "parts: no part of this submission; remove it" in problems(out)


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
    rewrite_card(out, lambda c: c["training"].update(mazes=384_000))
    rewrite_card(out, lambda c: c["statement"].update(external_data="a language model"))
    (wrong,) = problems(out)
    assert "does not rule out tested layouts: unknown" in wrong


def test_what_began_with_unknown_weights_is_not_called_clean(root, tmp_path, suite, statement, unexamined):
    """Its own training is known, and that of the solver it began with is not."""
    folder = shutil.copytree(root / "models" / "weights" / "it-net-thin" / "0", tmp_path / "tuned")
    result = json.loads((folder / "training.json").read_text()) | {"init_from": "somebody@0"}
    (folder / "training.json").write_text(json.dumps(result))
    bare = statement.model_copy(update={"training": None})
    out, card = submit(str(folder), bare, suite, tmp_path / "out", "cpu", quiet=True)
    assert (card.overlap.known, card.overlap.shared) == ("unknown", None)
    rewrite_card(out, lambda c: c["overlap"].update(known="by construction", shared=0))
    assert any("it began with somebody@0" in line for line in problems(out))


def test_a_solver_of_extramaze_is_submitted_by_name(tmp_path, suite, statement, unexamined):
    """It brings neither code nor weights."""
    nothing = statement.model_copy(update={"training": TrainedOn(mazes=0)})
    out, card = submit("dead-end-filling", nothing, suite, tmp_path / "out", "cpu", quiet=True)
    assert sorted(path.name for path in out.iterdir()) == FILES[:5]
    assert (card.source.kind, card.overlap.why) == ("shipped", "nothing was trained, as stated")
    assert problems(out) == []


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
    assert "authors.0: still to be filled in" in capsys.readouterr().err
    card = (folder / "card.yaml").read_text()
    filled = card.replace("FILL IN: who made it", "A. Person").replace("FILL IN: of weights and code, for example ", "")
    write_atomically(folder / "card.yaml", filled.encode())
    assert run(["submit", "solver.py:make", *suite]) == 0
    out = capsys.readouterr().out
    assert "trained on what is tested: 0 of 60 tested mazes" in out
    assert "small-v1 is no shipped suite" in out
    row = "submissions/small-v1/my-net@0"
    assert run(["validate", row]) == 0
    assert run(["verify", row, "--quiet"]) == 2
    assert "runs the code of solver.py:make by A. Person" in capsys.readouterr().err
    believing = ["leaderboard", "submissions", "--verifications", "verified", "--format", "markdown"]
    assert run(["verify", row, "--quiet", "--trust", "--mazes", "30", "--out", "verified"]) == 0
    assert run(believing) == 0
    assert "| reproduced (30 of 60 mazes: at most 9.5% of them differ) |" in capsys.readouterr().out
    assert run(["verify", row, "--quiet", "--trust", "--out", "verified"]) == 0
    assert "all 60 mazes run again: 0 differ" in capsys.readouterr().out
    assert run(["validate", row]) == 0
    assert run(believing) == 0
    assert "| reproduced |" in capsys.readouterr().out
    (folder / "solver.py").write_text((folder / "solver.py").read_text().replace("SEED = 0", "SEED = 1"))
    assert run(["submit", "solver.py:make", *suite]) == 2
    assert f"my-net@1 has the weights of {row}; train seed 1" in capsys.readouterr().err
    done = subprocess.run(
        [sys.executable, "train.py", "2"], capture_output=True, text=True, env=environment, check=True
    )
    assert "training: mazes: 128" in done.stdout
    assert load("solver.py:make").card.name == "my-net@1"


INSTALLED = """
import json, sys
from pathlib import Path
from extramaze.schema.card import read_card, read_statement
from extramaze.core.errors import NotComparable
from extramaze.verification.verify import verify
from extramaze.verification.verify import verify
from extramaze.submission.submit import submit
from extramaze.suites import load_suite
from extramaze.verification.validate import problems
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
        assert files == ["answers.npz", "mazes.parquet", "record.json", "weights.safetensors"]
        assert (wrong, reproduced) == ([], True)
    assert "code_sha256" in answers["another release"]
