import json
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from extramaze.cli import run
from extramaze.leaderboard.board import Row, boards
from extramaze.leaderboard.columns import hardest
from extramaze.leaderboard.grouping import rows_of
from extramaze.leaderboard.notes import notes_of
from extramaze.leaderboard.score import axis_scores, record_score, score_interval
from extramaze.leaderboard.sources import find_records
from extramaze.leaderboard.text import board_json, board_table
from extramaze.mazes import InputError
from extramaze.models.shipped import shipped_results, training_mazes
from extramaze.records import Record, read_record
from extramaze.records.measures import FATE_NAMES
from extramaze.records.tallies import tally
from extramaze.records.text import limits_table
from extramaze.schema.plan import make_part
from extramaze.schema.record import Rung
from tests.benchmark.test_compare import resealed

pytestmark = pytest.mark.numeric


def made(record, name, recipe, seed, right):
    """Make a record of another solver whose share of right answers at each rung is given, by cell."""
    random = np.random.default_rng(seed)
    cells, tables = [], []
    for cell in record.summary.cells:
        n = cell.n
        optimal = np.stack([random.permutation(n) < round(share * n) for share in right[cell.name]], axis=1)
        tallies = [tally(int(column.sum()), n) for column in optimal.T]
        rungs = tuple(
            Rung(iterations=rung.iterations, exact=tally, valid=tally, optimal=tally)
            for rung, tally in zip(cell.rungs, tallies, strict=True)
        )
        cells.append(cell.model_copy(update={"rungs": rungs}))
        rows = record.mazes.filter(pl.col("cell") == cell.name)
        tables.append(rows.with_columns(pl.Series("optimal", optimal.tolist(), dtype=pl.List(pl.Boolean))))
    summary = record.summary
    who = {
        "name": name,
        "recipe": recipe,
        "seed": seed,
        "weights_sha256": sha256(f"{name} {seed}".encode()).hexdigest(),
    }
    solver = summary.plan.solver.model_copy(update=who)
    plan = summary.plan.model_copy(update={"solver": solver})
    return Record.seal(plan, cells, list(summary.limits), pl.concat(tables), summary.run)


@pytest.fixture
def base(tiny_records):
    return tiny_records["dt-net-thin@0"]


def test_the_last_rung_ranks_never_the_best(base):
    """A solver that was right once and is wrong at the end ranks below one that is steadily mediocre."""
    peaked = made(base, "p@0", "peaked", 0, {"easy": [1, 1, 1], "cycles": [0, 1, 0.1], "large": [0, 1, 0.1]})
    steady = made(base, "s@0", "steady", 0, {"easy": [0, 0, 0], "cycles": [0, 0, 0.3], "large": [0, 0, 0.3]})
    (board,) = boards([peaked, steady])
    assert [row.recipe for row in board.rows] == ["steady", "peaked"]


def test_the_score_is_the_mean_of_the_hard_axes(base):
    """In-distribution cells do not enter; each axis counts once. Ranking version 1."""
    record = made(base, "a@0", "a", 0, {"easy": [0, 0, 1], "cycles": [0, 0, 0.5], "large": [0, 0, 32 / 33]})
    assert axis_scores(record) == pytest.approx({"in-distribution": 1, "cycles": 0.5, "size": 32 / 33})
    assert record_score(record) == pytest.approx((0.5 + 32 / 33) / 2)


def test_a_row_is_a_recipe_with_all_its_seeds(base):
    """Seeds are averaged into one row; a single seed is marked."""
    records = [
        made(base, f"a@{seed}", "a", seed, {"easy": [1] * 3, "cycles": [share] * 3, "large": [share] * 3})
        for seed, share in enumerate((0.0, 1.0))
    ]
    (board,) = boards([*records, made(base, "b@5", "b", 5, {"easy": [1] * 3, "cycles": [0.2] * 3, "large": [0.2] * 3})])
    assert [(row.recipe, row.seeds) for row in board.rows] == [("a", (0, 1)), ("b", (5,))]
    assert board.rows[0].score == pytest.approx(0.5)
    assert (board.rows[0].low, board.rows[0].high) == pytest.approx((0, 1))  # two seeds that differ so say nothing
    assert "one seed" in board.rows[1].notes[0]
    assert board.rows[1].low < 0.2 < board.rows[1].high


def test_a_note_of_several_seeds_is_said_once(base):
    """A note says whose it is, and one that several seeds have is one."""
    noted = [("on a laptop", "slow"), ("on a laptop",), ("elsewhere",)]
    records = []
    for seed, notes in enumerate(noted):
        other = made(base, f"a@{seed}", "a", seed, {"easy": [1, 1, 1], "cycles": [0, 0, 1], "large": [0, 1, 1]})
        stated = other.summary.plan.solver.model_copy(update={"notes": notes})
        plan = other.summary.plan.model_copy(update={"solver": stated})
        records.append(Record.seal(plan, other.summary.cells, other.summary.limits, other.mazes, other.summary.run))
    assert list(notes_of(records)) == ["seeds 0, 1: on a laptop", "seed 0: slow", "seed 2: elsewhere"]


def test_the_interval_of_one_seed_is_that_of_its_mazes(base):
    """With one seed it is the normal one of a mean of shares; a row all right is not sure to the last maze."""
    record = made(base, "a@0", "a", 0, {"easy": [0.5] * 3, "cycles": [0.5] * 3, "large": [16 / 33] * 3})
    low, high = score_interval([record])
    expected = 1.96 * np.sqrt(0.25 / 70 + 0.25 / 33) / 2
    assert (high - low) / 2 == pytest.approx(expected, rel=0.1)
    low, high = score_interval([made(base, "a@0", "a", 0, {"easy": [1] * 3, "cycles": [1] * 3, "large": [1] * 3})])
    assert 0.9 < low < 0.99
    assert high == 1


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
def test_intervals_cover_what_they_say(base, seeds, monkeypatch):
    """Over 400 simulated rows with known truth the interval holds it in at least 92 % of them."""
    import extramaze.leaderboard.score as module

    random = np.random.default_rng(seeds)
    spread, count = 0.08 if seeds > 1 else 0.0, 200  # of skill between seeds; mazes a cell
    truth = norm.cdf(0.25 / np.sqrt(2 + spread**2)) if seeds > 1 else norm.cdf(0.25 / np.sqrt(2))
    monkeypatch.setattr(module, "last_rung", lambda record, cell: record.right[cell])
    hard = ("cycles", "large")
    monkeypatch.setattr(module, "record_score", lambda record: np.mean([record.right[c].mean() for c in hard]))
    hits = 0
    for _ in range(400):
        difficulty = {cell: random.normal(size=count) for cell in ("easy", "cycles", "large")}
        records = []
        for skill in 0.25 + random.normal(scale=spread, size=seeds):
            right = {cell: (d + random.normal(size=count) < skill) * 1.0 for cell, d in difficulty.items()}
            records.append(SimpleNamespace(summary=base.summary, right=right))
        low, high = module.score_interval(records)
        hits += low <= truth <= high
    assert hits / 400 >= 0.92


def test_what_may_not_be_compared_is_not(base):
    """Other suites, versions or precision, and parts of suites, get boards of their own; parts carry no rank."""
    plan = base.summary.plan
    changes = [
        {"part": make_part(1000, 1000)},
        {"suite_sha256": "f" * 64},
        {"contracts": {**plan.contracts, "score": 2}},
        {"dtype": "float64"},
    ]
    others = [
        Record.seal(plan.model_copy(update=change), list(base.summary.cells), [], base.mazes, base.summary.run)
        for change in changes
    ]
    found = boards([others[0], base, *others[1:]])
    assert len(found) == 5
    assert [len(board.rows) for board in found] == [1] * 5
    assert found[-1].partial == "at most 1000 mazes per cell, 1000 of them watched"
    assert [board.rows[0].rank for board in boards([others[0], base, *others[1:]], version=1)] == [1, 1, 1, 1, None]
    assert "not ranked" in board_table(found[-1])
    assert "\n–     dt-net-thin" in board_table(found[-1])
    assert found[0].contracts["ranking"] == 2


def renamed(record, **solver):
    """The same record of another solver, made where nothing else is said of it."""
    stated = record.summary.plan.solver.model_copy(update=solver)
    return resealed(record, solver=stated)


MINE = {"name": "mine@0", "recipe": "mine", "weights_sha256": "a" * 64}


def test_a_second_record_of_a_seed_is_left_out(base):
    """A row counts no seed and no weights twice: the later is named, and the board stands."""
    one, other = (replace(renamed(base, **MINE), folder=Path(name)) for name in ("one", "other"))
    (board,) = boards([one, other])
    assert [(row.recipe, row.seeds) for row in board.rows] == [("mine", (0,))]
    assert board.notes == ("other: left out: seed 0 of mine is there already, one; keep one of them",)
    again = renamed(base, **{**MINE, "name": "mine@7", "seed": 7})
    (board,) = boards([one, again])
    assert board.notes == ("mine@7: left out: seed 7 has the weights of seed 0, one",)
    assert "mine@7: left out" in board_table(board)
    assert "mine@7: left out" in board_table(board, markdown=True)


def test_of_two_records_of_a_seed_the_verified_one_stands(base):
    """Whoever comes first in the alphabet does not push out what was run again."""
    first, second = (replace(renamed(base, **{**MINE, "notes": (n,)}), folder=Path(n)) for n in ("a", "b"))
    found = {second.summary.sha256: SimpleNamespace(reproduced=True)}
    assert [record.folder for record in rows_of([first, second], found).by_name["mine"]] == [Path("b")]
    assert [record.folder for record in rows_of([first, second]).by_name["mine"]] == [Path("a")]


def test_a_board_reads_alike_in_every_format(tiny_records):
    """Table, Markdown and JSON hold the same rows in the same order, at any width; no row vanishes."""
    found = boards(tiny_records.values())
    (board,) = found
    expected = [row.recipe for row in board.rows]
    assert sorted(expected) == ["dead-end-filling", "dt-net-thin"]
    (content,) = json.loads(board_json(found))
    assert [row["recipe"] for row in content["rows"]] == expected
    markdown = [line.split(" | ") for line in board_table(board, markdown=True).splitlines() if line.startswith("| ")]
    assert [line[1] for line in markdown[2:4]] == expected
    assert [line[0].removeprefix("| ") for line in markdown[6:8]] == expected
    for width in (None, 200, 100, 60, 10):
        lines = board_table(board, width=width).splitlines()[3 : 3 + len(expected)]
        assert [line.split()[1] for line in lines] == expected
        for line, row in zip(lines, board.rows, strict=True):
            assert f"{row.score:.1%}" in line


def test_every_column_is_in_markdown_and_json(tiny_records):
    """What the board says of a row stands in both; a terminal too narrow for a column names it."""
    (board,) = boards(tiny_records.values())
    answers, beside = (line for line in board_table(board, markdown=True).splitlines() if "| solver |" in line)
    for name in ("rank", "seeds", "in-dist.", "percolation", "≥ 90 % up to"):
        assert f" {name} |" in answers
    for name in (*FATE_NAMES, "first right", "parameters", "training mazes", "evaluations", "badge", "date"):
        assert f" {name} |" in beside
    (content,) = json.loads(board_json([board]))
    assert {field.name for field in fields(Row)} == content["rows"][0].keys()
    narrow = board_table(board, width=60)
    assert max(map(len, narrow.splitlines()[2:5])) <= 60
    for name in ("settled", "first right", "parameters"):
        assert name in narrow.split("left out, as they do not fit: ")[1]


def test_columns_are_read_off_the_records(base):
    """Hardest cell still right, fates, first right rung, evaluations and date, each by a plain count."""
    right = {"easy": [1] * 3, "cycles": [0, 0, 0.89], "large": [0, 1, 1]}
    (board,) = boards([made(base, "a@0", "a", 0, right)])
    (row,) = board.rows
    assert row.hardest == {"in-distribution": "easy", "cycles": None, "size": "large"}
    limits = base.mazes["limit"].drop_nulls().to_list()
    assert row.fates["settled"] == pytest.approx(limits.count("fixed point") / 12)
    assert sum(row.fates.values()) == pytest.approx(1)
    assert row.fates.keys() == {"settled", "cycling", "diverged", "undecided"}
    shown = dict(zip(*([cell.strip() for cell in line.split("|")] for line in _header_and_row(board)), strict=True))
    assert (shown["wandering"], shown["drifting"]) == ("–", "–")
    assert shown["settled"].endswith("%")
    first = sorted(value or 10**9 for value in base.mazes["first_right"].to_list())
    assert row.median_first_right == first[len(first) // 2]
    assert row.function_evaluations == 20
    assert (row.standing.badge, row.date) == ("claimed", base.summary.run.finished[:10])


def _header_and_row(board):
    """Return the two lines of a board of one row that say what the iterates did."""
    lines = [line for line in board_table(board, markdown=True).splitlines() if line.startswith("|")]
    return lines[-3], lines[-1]


def test_the_hardest_cell_ends_at_the_first_below(root):
    """A cell right again after one that is not does not count: the first below 90 % ends it."""
    record = read_record(root / "results" / "smoke-v1" / "it-net-thin@0")
    cells = [cell.model_copy(update={"axis": "all"}) for cell in record.summary.cells]
    shares = [cell.rungs[-1].optimal.share for cell in cells]
    summary = record.summary.model_copy(update={"cells": tuple(cells)})
    end = next(place for place, share in enumerate(shares) if share < 0.9)
    assert shares[-1] >= 0.9
    assert hardest([Record(summary, record.mazes, record.table)]) == {"all": cells[end - 1].name}


def test_the_limit_table_counts_every_trajectory(tiny_records):
    """Limit by right and wrong, with the number of trajectories seen."""
    text = limits_table(list(tiny_records.values()))
    for record in tiny_records.values():
        lines = [line.split("  ") for line in text.splitlines() if line.startswith(record.summary.plan.solver.name)]
        cells = [[part.strip() for part in line if part.strip()] for line in lines]
        assert sum(int(c[2]) + int(c[3]) for c in cells) == 12
        assert {c[4] for c in cells} == {"12"}


def test_folders_are_searched_for_records(tiny_records, tmp_path):
    """Every record below a folder is found; a folder without one is an error."""
    for name, record in tiny_records.items():
        record.write(tmp_path / "records" / name)
    assert len(find_records([tmp_path])) == 3
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no record"):
        find_records([tmp_path / "empty"])


@pytest.mark.parametrize("verb", ["leaderboard", "findings"])
def test_a_record_that_cannot_be_read_is_named_and_left_out(tiny_records, tmp_path, capfd, verb):
    """Below a folder: the others are shown, and the exit code is that of refused input; named itself it ends all."""
    for name, record in tiny_records.items():
        record.write(tmp_path / "records" / name)
    assert run([verb, str(tmp_path / "records"), "--quiet"]) == 0
    whole = capfd.readouterr().out
    for name, content in (("cut", b'{"sch'), ("empty", b""), ("other", b"[1]")):
        (tmp_path / "records" / name).mkdir()
        (tmp_path / "records" / name / "record.json").write_bytes(content)
    assert run([verb, str(tmp_path / "records"), "--quiet"]) == 2
    out, err = capfd.readouterr()
    assert out == whole
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        ["left out", str(tmp_path / "records" / name / "record.json")] for name in ("cut", "empty", "other")
    ]
    assert run([verb, *(str(tmp_path / "records" / name) for name in ("", "cut")), "--quiet"]) == 2
    assert capfd.readouterr().out == ""


def test_where_no_record_can_be_read_the_first_one_says_why(tmp_path):
    """There is nothing to show."""
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "record.json").write_text("{}")
    with pytest.raises(InputError, match=r"one/record\.json: "):
        find_records([tmp_path], refused=print)


def test_training_mazes_are_those_of_the_weights():
    """A fine-tuned seed has its own and those of the seed it began with; unknown weights have none."""
    found = training_mazes()
    results = {(result.recipe, result.seed): result for result in shipped_results()}
    plain, tuned = results["dt-net-thin", 0], results["dt-net-thin-tuned-1k", 0]
    assert found[plain.weights_sha256] == plain.mazes == 256_000
    assert found[tuned.weights_sha256] == plain.mazes + tuned.mazes
    assert found.keys() == {result.weights_sha256 for result in results.values()}


def test_rows_say_what_a_maze_costs(tiny_records):
    """In counted operations, which networks of another kind can be compared by; algorithms have none."""
    network, algorithm = tiny_records["dt-net-thin@0"], tiny_records["dead-end-filling"]
    rows = {row.recipe: row for row in boards(tiny_records.values())[0].rows}
    cells = network.summary.plan.cells
    spent = np.average([cell.operations * cell.rungs[-1] for cell in cells], weights=[cell.mazes for cell in cells])
    assert rows["dt-net-thin"].operations == pytest.approx(spent)
    assert {cell.operations for cell in algorithm.summary.plan.cells} == {0}
    assert rows["dead-end-filling"].operations is None
    assert "GFLOP" in board_table(boards([network])[0], markdown=True)
