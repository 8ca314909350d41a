import io
import json
import warnings
import zipfile

import numpy as np
import pytest
import torch

from extramaze.blocks.answering import answer_block
from extramaze.core.files import make_folder
from extramaze.evaluation.evaluate import evaluate
from extramaze.evaluation.predictions import evaluate_predictions, questions
from extramaze.leaderboard.board import boards
from extramaze.mazes import InputError, from_tokens, raster, to_tokens
from extramaze.models import load
from extramaze.models.devices import reference_arithmetic
from extramaze.records import read_record
from extramaze.schema.plan import make_part
from extramaze.suites import cell_mazes, load_suite


@pytest.fixture
def suite(tiny_suite):
    return load_suite(tiny_suite)


def solved(suite):
    return {cell.name: to_tokens(cell_mazes(suite, cell.name), solved=True) for cell in suite.cells}


def write_lines(path, texts):
    lines = [json.dumps({"cell": cell, "index": i, "answer": t}) for cell in texts for i, t in enumerate(texts[cell])]
    path.write_text("\n".join(reversed(lines)))
    return path


def write_masks(path, suite, change=lambda masks: masks):
    path.mkdir(exist_ok=True)
    path = path / "answers.npz"
    np.savez_compressed(path, **change({c.name: raster(cell_mazes(suite, c.name), 1)[1] for c in suite.cells}))
    return path


def test_right_answers_score_all_in_both_forms(suite, tmp_path):
    """The stored paths, as strings in any order or as masks, are optimal and exact on every maze."""
    for path in (write_lines(tmp_path / "answers.jsonl", solved(suite)), write_masks(tmp_path, suite)):
        record = evaluate_predictions(path, "oracle", suite)
        assert [cell.rungs[-1].exact.share for cell in record.summary.cells] == [1.0, 1.0, 1.0]
        assert [len(cell.rungs) for cell in record.summary.cells] == [1, 1, 1]
        assert record.summary.plan.mode == "predictions"
        assert record.summary.limits == ()


def test_the_answers_of_a_solver_score_as_the_solver_does(suite, tmp_path, tiny_records):
    """Masks read off a record's solver give its scores at the last rung, maze by maze."""
    solver = load("dead-end-filling")
    record = evaluate(solver, suite, "cpu", quiet=True)
    plan, masks, cpu = record.summary.plan, {}, torch.device("cpu")
    for cell, planned in zip(suite.cells, plan.cells, strict=True):
        with reference_arithmetic():
            blocks = range(-(-planned.mazes // planned.block))
            found = [answer_block(solver, plan, cell, planned, b, cpu) for b in blocks]
            answers = [block.answers.rungs[-1] for block in found]
        masks[cell.name] = np.concatenate([a.numpy() for a in answers])[: planned.mazes]
    scored = evaluate_predictions(write_masks(tmp_path, suite, lambda _: masks), "replay", suite)
    for kind in ("exact", "valid", "optimal"):
        assert scored.mazes[kind].list.last().to_list() == record.mazes[kind].list.last().to_list()
    assert scored.mazes["failure"].to_list() == record.mazes["failure"].to_list()


def test_unreadable_answers_count_as_empty_and_are_counted(suite, tmp_path):
    """A language model's null, cut-off and garbled answers are wrong, not refused; the record says how many."""
    texts = solved(suite)
    first = texts["easy"][0].replace("o", "x")
    texts["easy"][0], texts["easy"][1], texts["easy"][2] = first, texts["easy"][1][:-1], None
    record = evaluate_predictions(write_lines(tmp_path / "a.jsonl", texts), "model", suite)
    easy = record.summary.cells[0]
    assert easy.rungs[-1].exact.right == easy.n - 3
    assert easy.failures == {"empty": 3}
    (_, note) = record.summary.plan.solver.notes
    assert note.startswith("3 of 143 answers could not be read and count as empty, such as easy #")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "null"),
        ("x" * 49, "'x' in it; only '# SGo' and line ends are read, and o marks the path"),
        ("S" * 49, "more than one S or G; the path is marked with o"),
        ("#" * 48, "48 characters, not 7 × 7"),
    ],
)
def test_why_an_answer_could_not_be_read(suite, tmp_path, answer, why):
    """The first of them is shown with its reason."""
    texts = solved(suite)
    texts["easy"][0] = answer
    record = evaluate_predictions(write_lines(tmp_path / "a.jsonl", texts), "model", suite)
    assert f"such as easy #0: {why}" in record.summary.plan.solver.notes[1]


def test_nothing_is_masked(suite, tmp_path):
    """An answer that goes through a wall is wrong."""
    texts = solved(suite)
    texts["easy"][0] = texts["easy"][0].replace("#", "o", 1)
    record = evaluate_predictions(write_lines(tmp_path / "a.jsonl", texts), "model", suite)
    assert record.summary.cells[0].failures == {"wall pixels": 1}


def test_line_ends_within_an_answer_are_ignored(suite, tmp_path):
    """A model may write a maze in rows."""
    texts = solved(suite)
    texts["easy"] = ["\n".join(text[i : i + 7] for i in range(0, 49, 7)) + "\n" for text in texts["easy"]]
    record = evaluate_predictions(write_lines(tmp_path / "a.jsonl", texts), "model", suite)
    assert record.summary.cells[0].rungs[-1].exact.share == 1


def test_questions_are_the_mazes_of_the_cell(suite):
    """The lines written for a sequence model hold the cell's mazes and no path."""
    lines = [json.loads(line) for line in questions(cell_mazes(suite, "cycles"), "cycles").splitlines()]
    assert [line["index"] for line in lines] == list(range(70))
    assert from_tokens([line["maze"] for line in lines]).digest() == cell_mazes(suite, "cycles").digest()
    assert not any("o" in line["maze"] for line in lines)
    assert {(line["width"], len(line["maze"])) for line in lines} == {(11, 121)}


def test_answers_may_stand_beside_their_questions(suite, tmp_path):
    """Whoever adds the answer to each line of questions has a file of answers."""
    texts = solved(suite)
    lines = [
        {**json.loads(line), "answer": texts[cell.name][index]}
        for cell in suite.cells
        for index, line in enumerate(questions(cell_mazes(suite, cell.name), cell.name).splitlines())
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    record = evaluate_predictions(tmp_path / "a.jsonl", "model", suite)
    assert {cell.rungs[-1].exact.share for cell in record.summary.cells} == {1}


def transposed(text):
    side = round(len(text) ** 0.5)
    return "".join(text[column::side] for column in range(side))


OTHER_QUESTIONS = {
    "walls erased": (lambda texts: texts[0].replace("#", " "), "walls"),
    "ends swapped": (lambda texts: texts[0].translate(str.maketrans("SG", "GS")), "start, goal"),
    "transposed": (lambda texts: transposed(texts[0]), "walls"),
    "another maze's": (lambda texts: texts[1], "walls"),
    "no start": (lambda texts: texts[0].replace("S", " "), "start"),
    "walls around a bare path": (lambda texts: texts[0].replace(" ", "#"), "walls"),
}


@pytest.mark.parametrize("name", OTHER_QUESTIONS)
def test_answers_that_draw_another_question_are_counted(suite, tmp_path, name):
    """Their paths are scored as ever, and a note says how many draw other walls, or another start or goal."""
    change, what = OTHER_QUESTIONS[name]
    texts = solved(suite)
    texts["easy"][0] = change(texts["easy"])
    record = evaluate_predictions(write_lines(tmp_path / "a.jsonl", texts), "model", suite)
    (_, note) = record.summary.plan.solver.notes
    assert note.startswith("1 of 143 answers draw another maze than their question")
    assert f"such as easy #0: other {what}" in note


def test_what_is_marked_as_path_draws_no_question(suite, tmp_path):
    """An o on a wall is a wrong answer, one on the start a right one, and neither is another question."""
    texts = solved(suite)
    texts["easy"][0] = texts["easy"][0].replace("#", "o", 1)
    texts["easy"][1] = texts["easy"][1].replace("S", "o").replace("G", "o")
    record = evaluate_predictions(write_lines(tmp_path / "a.jsonl", texts), "model", suite)
    assert record.summary.plan.solver.notes == ("answers made elsewhere",)
    assert record.summary.cells[0].rungs[-1].exact.right == record.summary.cells[0].n - 1


def beside(suite, **other):
    """One line a maze of the first cell, the question beside the answer; other: what the third line says instead."""
    for index, line in enumerate(questions(cell_mazes(suite, "easy"), "easy").splitlines()):
        yield {**json.loads(line), "answer": None, **(other if index == 2 else {})}


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ({"maze": "#" * 49}, "line 3: its maze is not the question, maze 2 of easy"),
        ({"maze": "#####"}, "line 3: its maze is not the question"),
        ({"width": 9}, "line 3: width 9, but the question, maze 2 of easy, has 7"),
        ({"index": 1}, "line 3: two answers for maze 1 of easy"),
        ({"index": "2"}, "line 3: index: expected a whole number"),
        ({"index": 2.0}, "line 3: index: expected a whole number"),
        ({"index": True}, "line 3: index: expected a whole number"),
        ({"index": 4000}, "line 3: an answer for maze 4000 of easy, whose mazes are 0 to 39"),
        ({"cell": "eazy"}, "line 3: unknown cell 'eazy'; did you mean easy"),
    ],
)
def test_lines_for_other_questions_are_refused(suite, tmp_path, other, problem):
    """By the number of the line: another maze beside the answer, an index twice or as text, a cell that is none."""
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, beside(suite, **other))))
    with pytest.raises(InputError, match=problem):
        evaluate_predictions(tmp_path / "a.jsonl", "x", suite, part=make_part(40, 1, ("easy",)))


def test_lines_as_other_programs_write_them(suite, tmp_path):
    """A mark of UTF-8, blank lines and CRLF are no part of the answers; a question may be in rows."""
    lines = [
        line | {"maze": "\r\n".join(line["maze"][at : at + 7] for at in range(0, 49, 7))} for line in beside(suite)
    ]
    text = "\r\n\r\n  \r\n".join(map(json.dumps, lines))
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + text.encode())
    record = evaluate_predictions(tmp_path / "a.jsonl", "x", suite, part=make_part(40, 1, ("easy",)))
    assert record.summary.cells[0].failures == {"empty": 40}
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-16")
    with pytest.raises(InputError, match="its text is UTF-16; save it as UTF-8"):
        evaluate_predictions(tmp_path / "a.jsonl", "x", suite)


def test_no_archive_is_loaded_as_a_pickle(suite, tmp_path):
    """What an archive of answers is instead is named, and objects in one are refused, with no word of loading them."""
    (tmp_path / "a.npz").write_text("<!doctype html>")
    with pytest.raises(InputError, match=r"not a readable archive \(.npz\) but a web page"):
        evaluate_predictions(tmp_path / "a.npz", "x", suite)
    np.savez(tmp_path / "a.npz", easy=np.array([{}]))
    with pytest.raises(InputError, match="it holds Python objects") as caught:
        evaluate_predictions(tmp_path / "a.npz", "x", suite)
    assert "allow_pickle" not in str(caught.value)


@pytest.mark.parametrize(
    ("members", "problem"),
    [([("easy", b"hello")], "easy is no array"), ([("easy.npy", None), ("easy.npy", None)], "two arrays called easy")],
)
def test_odd_members_of_an_archive_are_refused(suite, tmp_path, members, problem):
    """What is no array, and what is there twice."""
    array = io.BytesIO()
    np.save(array, np.zeros((40, 7, 7), np.uint8))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own, of the double name
        for name, content in members:
            archive.writestr(name, array.getvalue() if content is None else content)
    with pytest.raises(InputError, match=problem):
        evaluate_predictions(tmp_path / "a.npz", "x", suite)


def test_a_record_written_meanwhile_is_left_alone(suite, tmp_path, monkeypatch):
    """Two start at once: the one that comes second into the folder finds a record of other answers, and refuses."""
    first, folder = write_masks(tmp_path, suite), tmp_path / "r"
    late = write_masks(tmp_path / "late", suite, lambda masks: {cell: 0 * found for cell, found in masks.items()})

    def meanwhile(path):
        monkeypatch.undo()
        evaluate_predictions(first, "first", suite, folder)
        make_folder(path)

    monkeypatch.setattr("extramaze.evaluation.predictions.make_folder", meanwhile)
    with pytest.raises(InputError, match="holds another evaluation"):
        evaluate_predictions(late, "late", suite, folder)
    assert read_record(folder).summary.plan.solver.name == "first"


def test_a_part_and_a_folder(suite, tmp_path):
    """A part needs answers to its mazes alone; a record in a folder is read back, and another one refused."""
    path = write_masks(tmp_path, suite, lambda masks: {cell: found[:5] for cell, found in masks.items()})
    record = evaluate_predictions(path, "some", suite, tmp_path / "record", make_part(5, 1))
    assert [cell.n for cell in record.summary.cells] == [5, 5, 5]
    assert read_record(tmp_path / "record").summary == record.summary
    assert evaluate_predictions(path, "some", suite, tmp_path / "record", make_part(5, 1)).summary == record.summary
    with pytest.raises(InputError, match="holds another evaluation"):
        evaluate_predictions(path, "other", suite, tmp_path / "record", make_part(5, 1))


def test_anothers_folder_is_left_alone(suite, tmp_path):
    """What a stopped evaluation left behind is not written over, and a lock of somebody else's is not taken."""
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "plan.json").write_text("{}")
    (tmp_path / "r" / ".lock").write_text("theirs")
    with pytest.raises(InputError, match="holds no record of answers; choose another --out"):
        evaluate_predictions(write_masks(tmp_path, suite), "oracle", suite, tmp_path / "r")
    found = {path.name: path.read_text() for path in (tmp_path / "r").iterdir()}
    assert found == {"plan.json": "{}", ".lock": "theirs"}


def test_one_file_of_answers_says_nothing_of_seeds(suite, tmp_path):
    """Whoever made it may have had luck: unlike an algorithm it is told apart from none by one file."""
    (board,) = boards([evaluate_predictions(write_masks(tmp_path, suite), "oracle", suite)])
    assert any(note.startswith("one seed") for note in board.rows[0].notes)


def test_boards_keep_predictions_apart(suite, tmp_path, tiny_records):
    """Answers made elsewhere are never ranked with solvers that were run."""
    record = evaluate_predictions(write_masks(tmp_path, suite), "oracle", suite)
    found = boards([record, *tiny_records.values()])
    assert sorted(board.mode for board in found) == ["free-running", "predictions"]


def without(masks, cell):
    return {name: found for name, found in masks.items() if name != cell}


BAD_MASKS = {
    "a cell missing": (lambda masks: without(masks, "large"), "33 of 33 mazes of large have no answer, first maze 0"),
    "a maze missing": (lambda masks: masks | {"easy": masks["easy"][:-1]}, "1 of 40 mazes of easy .* first maze 39"),
    "a cell too many": (lambda masks: masks | {"eazy": masks["easy"]}, "did you mean easy"),
    "another shape": (lambda masks: masks | {"easy": masks["easy"][:, :5]}, r"easy must be \(N, 7, 7\)"),
    "records": (lambda masks: masks | {"easy": np.zeros((40, 7, 7), "i4,f4")}, r"of 0 and 1, got \(40, 7, 7\) of \[.*"),
    "complex numbers": (lambda masks: masks | {"easy": masks["easy"] + 0j}, "of 0 and 1, got .* of complex128"),
    "other values": (lambda masks: masks | {"easy": masks["easy"] * 2}, "of 0 and 1"),
    "an index twice": (lambda masks: masks | {"easy.index": np.zeros(40, int)}, "two answers for maze 0 of easy"),
    "an index too large": (
        lambda masks: masks | {"easy.index": np.arange(40) + 1},
        "maze 40 of easy, whose mazes are 0 to",
    ),
    "an index alone": (lambda masks: masks | {"eazy.index": np.arange(40)}, "eazy.index stands alone"),
    "a bad index": (lambda masks: masks | {"easy.index": np.arange(40) - 1}, "40 maze indices from 0"),
}


@pytest.mark.parametrize("name", BAD_MASKS)
def test_bad_archives_are_refused(suite, tmp_path, name):
    """What is missing, twice or of another shape is one clear error."""
    change, problem = BAD_MASKS[name]
    with pytest.raises(InputError, match=problem):
        evaluate_predictions(write_masks(tmp_path, suite, change), "x", suite)


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("a.jsonl", "{", "line 1: not readable as JSON"),
        ("a.jsonl", '\n{"cell": "easy", "index": 0}', "line 2: answer: missing, and needed"),
        ("a.jsonl", '{"cell": "easy", "index": -1, "answer": ""}', "index: expected a number of at least 0, got -1"),
        ("a.npz", "no archive", "not a readable archive"),
        ("a.txt", "", "expected masks in an .npz archive, or strings"),
    ],
)
def test_bad_files_are_refused(suite, tmp_path, file, content, problem):
    """A file that is neither form says where it is wrong."""
    (tmp_path / file).write_text(content)
    with pytest.raises(InputError, match=problem):
        evaluate_predictions(tmp_path / file, "x", suite)
