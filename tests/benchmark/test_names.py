"""Whose a name is: nobody's record stands in a row of extramaze's own that is not of it."""

import json
import shutil
from dataclasses import replace

import pytest

from extramaze.cli import run
from extramaze.core.names import folded, taken_for
from extramaze.leaderboard.board import boards
from extramaze.leaderboard.sources import find_records
from extramaze.mazes import InputError
from extramaze.models.shipped import recipe_names, shipped_results
from extramaze.models.training.recipe import recipe_text
from extramaze.records import Record
from extramaze.schema.solver import SolverInfo
from extramaze.trust.names import claim_of, own_name, own_names
from extramaze.verification.validate import problems
from tests.benchmark.test_compare import resealed

OTHER = "f" * 64
SHIPPED = {(found.recipe, found.seed): found.weights_sha256 for found in shipped_results()}
OURS = {
    "name": "dt-net-thin@0",
    "recipe": "dt-net-thin",
    "seed": 0,
    "weights_sha256": SHIPPED["dt-net-thin", 0],
    "code_sha256": None,
    "parameters": 59472,
    "notes": (),
}
ALGORITHM = {"name": "wavefront", "recipe": "wavefront", "seed": None, "weights_sha256": None, "parameters": 0}


def solver(**changes):
    return SolverInfo(**{**OURS, **changes})


def test_extramazes_own_names_look_unlike_one_another():
    """Each is taken for itself alone."""
    assert [own_name(name) for name in own_names()] == list(own_names())
    assert {"dt-net-thin", "wavefront", "wall-follower"} <= set(own_names())


@pytest.mark.parametrize(
    "name",
    [
        "dt-net-thin",
        "DT-Net-thin",
        "dt.net.thin",
        "dt_net+thin",
        "dtnetthin",
        "dt-net-thin.",
        "dt-net-thin-",
        "dt-net-thin@9",
        "dt-net-thin@0@1",
        "dt-net-th1n",
        "dt-net-thIn",
        "dt-net-thin-retrained",
    ],
)
def test_what_looks_like_an_own_name_is_taken(name):
    """Case, signs between and after letters, a seed, and letters that look alike make no other name."""
    assert own_name(name) == "dt-net-thin"


@pytest.mark.parametrize("name", ["my-net", "dt-net", "dt-net-thin-wide", "gated-net@0", "wave", "net-retrained"])
def test_other_names_are_free(name):
    """Names of people's own, be they near."""
    assert own_name(name) is None
    assert taken_for("m", ("rn",)) == "rn"
    assert folded("Mine.") == folded("mine")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights_sha256": OTHER}, "not those that are shipped as dt-net-thin@0"),
        ({"weights_sha256": None}, "not those that are shipped"),
        ({"weights_sha256": SHIPPED["dt-net-thin", 1]}, "not those that are shipped"),
        ({"seed": 1, "name": "dt-net-thin@1"}, "not those that are shipped as dt-net-thin@1"),
        ({"seed": 7, "name": "dt-net-thin@7", "weights_sha256": OTHER}, "put its recipe.yaml beside the record"),
        ({"seed": None, "name": "dt-net-thin@None", "weights_sha256": OTHER}, "not shipped under that name"),
        ({"seed": 0, "name": "dt-net-thin@1"}, "taken for extramaze's own dt-net-thin"),
        ({"name": "dt-net-thin"}, "taken for extramaze's own dt-net-thin"),
        ({"name": "mine@0"}, "taken for extramaze's own dt-net-thin"),
        ({"recipe": "mine"}, "taken for extramaze's own dt-net-thin"),
        ({"recipe": "DT-net-thin", "name": "DT-net-thin@0"}, "taken for extramaze's own dt-net-thin"),
        ({"recipe": "dt-net-thin.", "name": "x"}, "taken for extramaze's own dt-net-thin"),
        ({"code_sha256": OTHER}, "the code is not"),
        ({**ALGORITHM, "code_sha256": OTHER}, "the code is not"),
        ({**ALGORITHM, "weights_sha256": OTHER}, "neither seed nor weights"),
        ({**ALGORITHM, "seed": 0}, "neither seed nor weights"),
        ({**ALGORITHM, "parameters": 5}, "neither seed nor weights"),
        ({**ALGORITHM, "name": "wavefront@0"}, "taken for extramaze's own wavefront"),
        ({**ALGORITHM, "recipe": "WaveFront", "name": "WaveFront"}, "taken for extramaze's own wavefront"),
        ({**ALGORITHM, "recipe": "record", "name": "record"}, "that of a file of extramaze's"),
        ({"recipe": "dt-net-thin-fast", "name": "dt-net-thin-fast@0"}, "not shipped under that name"),
    ],
)
def test_a_taken_name_is_refused(changes, said):
    """Another's weights, code, seed or spelling under a name of extramaze's own."""
    assert said in claim_of(solver(**changes)).problem


@pytest.mark.parametrize(
    "name", ["dt‑net‑thin", "dt-net-thіn", "dt-net-thin\u200b", " dt-net-thin", "dt-net-thin\n", "ｄt-net"]
)
def test_a_name_has_letters_of_one_alphabet(name):
    """Look-alikes of other alphabets, signs without width and line breaks are no letters of a name."""
    with pytest.raises(ValueError, match="should match pattern"):
        solver(recipe=name)


def forged(record, **stated):
    """A record sealed anew that says that every answer is right, of another solver."""
    solver = record.summary.plan.solver.model_copy(update=stated)
    return resealed(record, solver=solver)


RETRAINED = {"name": "dt-net-thin@7", "seed": 7, "weights_sha256": OTHER}


def test_a_forged_record_moves_no_row(tiny_records, tmp_path, capsys):
    """Of dt-net-thin and other weights: validate refuses it, the board leaves it out with a note, and is the same."""
    for name, record in tiny_records.items():
        record.write(tmp_path / "records" / name)
    (before,) = boards(find_records([tmp_path / "records"]))
    forged(tiny_records["dt-net-thin@1"], **RETRAINED).write(tmp_path / "records" / "a forged one")
    (after,) = boards(find_records([tmp_path / "records"]))
    assert replace(after, notes=()) == before
    assert len(after.notes) == 1
    assert "a forged one: left out: dt-net-thin is extramaze's own" in after.notes[0]
    (wrong,) = problems(tmp_path / "records" / "a forged one")
    assert wrong.startswith("record.json: plan.solver: dt-net-thin is extramaze's own")
    assert run(["validate", str(tmp_path / "records" / "a forged one")]) == 1
    assert run(["leaderboard", str(tmp_path / "records")]) == 0
    assert "a forged one: left out" in capsys.readouterr().out


@pytest.mark.parametrize("header", ["", "# seed 7\n", "# seed 7\n# init-from dt-net-thin@0 0123\n"])
def test_who_trains_a_shipped_recipe_has_a_row_beside(header, tiny_records, tmp_path):
    """Another seed beside the recipe's very text is sound, and in a row of its own, not in the shipped one."""
    tiny_records["dt-net-thin@0"].write(tmp_path / "shipped")
    again = forged(tiny_records["dt-net-thin@1"], **RETRAINED)
    again.write(tmp_path / "again")
    (tmp_path / "again" / "recipe.yaml").write_text(header + recipe_text("dt-net-thin"))
    assert problems(tmp_path / "again") == []
    (board,) = boards(find_records([tmp_path]))
    assert {(row.recipe, row.seeds) for row in board.rows} == {("dt-net-thin", (0,)), ("dt-net-thin (retrained)", (7,))}
    assert board.notes == ()


def test_findings_draw_on_nobody_elses_records(tiny_records, tmp_path, capsys):
    """A forged record and a retrained seed are left out, and counted."""
    for name in ("dt-net-thin@0", "dead-end-filling"):
        tiny_records[name].write(tmp_path / name)
    assert run(["findings", str(tmp_path)]) == 0
    before = capsys.readouterr().out
    forged(tiny_records["dt-net-thin@1"], **RETRAINED).write(tmp_path / "a forged one")
    assert run(["findings", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert printed.out == before
    assert "left out: 1 of 3 records" in printed.err


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        ("# seed 8\n" + recipe_text("dt-net-thin"), 7),
        ("# seed 07\n" + recipe_text("dt-net-thin"), 7),
        ("# seed " + "9" * 5000 + "\n", 7),
        (recipe_text("dt-net-thin") + "\n", 7),
        (recipe_text("it-net-thin"), 7),
        (recipe_text("dt-net-thin"), 3),
        ("", 7),
    ],
)
def test_another_text_or_a_shipped_seed_is_not_retrained(text, seed, tmp_path):
    """Not a byte more or less, and no seed that is shipped."""
    (tmp_path / "recipe.yaml").write_text(text)
    stated = solver(name=f"dt-net-thin@{seed}", seed=seed, weights_sha256=OTHER)
    assert claim_of(stated, tmp_path).problem is not None


def test_a_recipe_elsewhere_is_not_beside(tmp_path):
    """A link out of the folder is not followed."""
    (tmp_path / "elsewhere.yaml").write_text(recipe_text("dt-net-thin"))
    (tmp_path / "record").mkdir()
    (tmp_path / "record" / "recipe.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    assert claim_of(solver(**RETRAINED), tmp_path / "record").problem is not None
    shutil.copy(tmp_path / "elsewhere.yaml", tmp_path / "recipe.yaml")
    assert claim_of(solver(**RETRAINED), tmp_path).problem is None


def test_names_that_differ_by_case_share_no_board(tiny_records):
    """The second is left out, and named."""
    record = tiny_records["dt-net-thin@0"]
    one = forged(record, name="gated@0", recipe="gated", weights_sha256="1" * 64)
    other = forged(record, name="Gated@0", recipe="Gated", weights_sha256="2" * 64)
    (board,) = boards([one, other])
    assert [row.recipe for row in board.rows] == ["gated"]
    assert board.notes == ("Gated@0: left out: the name Gated would be taken for gated, that of gated@0",)


def test_a_board_of_which_nothing_is_left_stands(tiny_records, tmp_path, capsys):
    """Where every record is left out there is a board without rows, in every format."""
    forged(tiny_records["dt-net-thin@1"], **RETRAINED).write(tmp_path / "one")
    for style in ("table", "markdown", "json"):
        assert run(["leaderboard", str(tmp_path), "--format", style]) == 0
        assert "left out" in capsys.readouterr().out
    assert run(["leaderboard", str(tmp_path), "--pictures", str(tmp_path / "pictures")]) == 0


def test_a_recipe_of_ones_own_needs_another_name(tmp_path):
    """Before anything is trained."""
    for name in ("dt-net-thin", "dt-net-th1n", "dtnetthin"):
        (tmp_path / "own.yaml").write_text(
            recipe_text("dt-net-thin").replace("name: dt-net-thin\n", f"name: {name}\n") + "\n"
        )
        with pytest.raises(InputError, match=f"the name {name} is"):
            recipe_text(str(tmp_path / "own.yaml"))
    assert all(recipe_text(name) for name in recipe_names())


HOSTILE = "x\n::error title=a::b\n##[error]\x1b[31m\u202e|`<script>](javascript:"


def test_a_hostile_folder_is_one_harmless_line(tiny_records, tmp_path, capsys):
    """A name of a folder, with line breaks, a runner's commands and markup, is shown wherever it is printed."""
    folder = tmp_path / HOSTILE.replace("/", "")
    record = forged(tiny_records["dt-net-thin@1"], **RETRAINED)
    record.write(folder)
    (folder / "::error ##[warning]\nsolver.py").write_text("")
    (folder / "verification.json").write_text("{}")
    for command in (
        ["validate"],
        ["leaderboard"],
        ["leaderboard", "--format", "markdown"],
        ["verify"],
        ["compare", str(folder)],
    ):
        run([*command, str(folder)])
        printed = capsys.readouterr()
        for line in (printed.out + printed.err).splitlines():
            assert line.isprintable()
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
        if "markdown" in command:
            assert r"\|\`\<script\>\]" in printed.out
    assert run(["validate", str(folder), "--json"]) == 1
    printed = capsys.readouterr().out
    assert "##[" not in printed
    assert str(folder) in json.loads(printed)


def test_a_hostile_note_marks_nothing_up(tiny_records, capsys, tmp_path):
    """A note is one printable line; in Markdown its signs are text, in a log it commands nothing."""
    note = "a | b ` <script>alert(1)</script> [x](javascript:y) ##[error] www.evil.com @all"
    mine = {"name": "mine@0", "recipe": "mine", "weights_sha256": OTHER, "notes": (note,)}
    forged(tiny_records["dt-net-thin@0"], **mine).write(tmp_path / "mine")
    assert run(["leaderboard", str(tmp_path)]) == 0
    assert "##[" not in capsys.readouterr().out
    assert run(["leaderboard", str(tmp_path), "--format", "markdown"]) == 0
    printed = capsys.readouterr().out
    for sign in ("<script>", "[x](", " ` ", "##[", "www.evil", " @all", "a | b"):
        assert sign not in printed
    assert r"a \| b \` \<script\>" in printed


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("run", "finished"), "2026-01-01T00:00:00+00:00\n::error"),
        (("run", "finished"), "2026-13-01T00:00:00+00:00"),
        (("run", "finished"), "<script>"),
        (("run", "command"), "extramaze\n::error::x"),
        (("run", "command"), "x" * 70_000),
        (("plan", "device"), "cpu\x1b[2J"),
        (("plan", "solver", "weights_sha256"), "a|b"),
        (("plan", "solver", "code_sha256"), "A" * 64),
        (("plan", "suite_sha256"), "`" * 64),
        (("table_sha256",), "f" * 63),
        (("plan", "packages"), {"torch": "2\n## x"}),
        (("plan", "suite", "name"), f"{'x' * 99}-v1"),
    ],
)
def test_free_text_of_a_record_is_of_its_kind(place, value, tiny_records, tmp_path):
    """Digests are of hexadecimal digits, times are times, all else is a printable line; a key is named."""
    tiny_records["dt-net-thin@0"].write(tmp_path)
    content = json.loads((tmp_path / "record.json").read_text())
    node = content
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    (tmp_path / "record.json").write_text(json.dumps(content))
    assert any(line.startswith(f"record.json: {'.'.join(place)}") for line in problems(tmp_path))


def test_in_memory_and_on_disk_a_claim_is_the_same(tiny_records):
    """A record that was not read from a folder has no recipe beside it."""
    record = forged(tiny_records["dt-net-thin@1"], **RETRAINED)
    assert isinstance(record, Record)
    (board,) = boards([record])
    assert board.rows == ()
    assert "dt-net-thin@7: left out" in board.notes[0]
