"""Two records, maze by maze."""

import json

import polars as pl
import pytest

from extramaze.cli import run
from extramaze.comparing.compare import compare, differences, names_of
from extramaze.comparing.text import as_json, comparison_text
from extramaze.core.errors import NotComparable
from extramaze.records import Record, read_record
from extramaze.records.limit_problems import MEASURABLE, MEASURED
from extramaze.schema.plan import make_part
from extramaze.statistics import holm, mcnemar

pytestmark = pytest.mark.numeric


def resealed(record, **changes):
    """Make a record with another plan."""
    plan = record.summary.plan.model_copy(update=changes)
    return Record.seal(plan, list(record.summary.cells), list(record.summary.limits), record.mazes, record.summary.run)


def plain_counts(first, second, cell, answer):
    """Count wins and losses of a cell in plain Python."""
    rows = [record.mazes.filter(pl.col("cell") == cell).to_dicts() for record in (first, second)]
    pairs = [(answer(a), answer(b)) for a, b in zip(*rows, strict=True) if answer(a) is not None]
    return len(pairs), sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)


MEASURES = {
    "optimal": lambda row: row["optimal"][-1],
    "settled": lambda row: None if row["limit"] is None else row["limit"] == "fixed point",
    "cycling": lambda row: None if row["limit"] is None else row["limit"] == "cycle",
    "wandering": lambda row: None if row["limit"] is None else row["limit"] in ("quasi-periodic", "chaotic"),
    "drifting": lambda row: None if row["limit"] is None else row["limit"] == "drifting",
    "diverged": lambda row: None if row["limit"] is None else row["limit"] == "diverged",
    "undecided": lambda row: None if row["limit"] is None else row["limit"] == "undecided",
}


def test_every_line_is_counted_from_the_rows(tiny_records):
    """Wins and losses of every measure and cell equal a plain count; the pooled line is their sum.

    Where nothing is followed beyond the window, nothing could wander or drift, and neither is compared.
    """
    first, second = tiny_records["dt-net-thin@0"], tiny_records["dead-end-filling"]
    found = compare(first, second)
    told = [name for name in MEASURES if name not in ("wandering", "drifting")]
    assert [compared.measure for compared in found.measures] == told
    for compared in found.measures:
        for line in compared.cells:
            expected = plain_counts(first, second, line.cell, MEASURES[compared.measure])
            assert (line.pairs.n, line.pairs.wins, line.pairs.losses) == expected
        for part in ("n", "wins", "losses"):
            whole = sum(getattr(line.pairs, part) for line in compared.cells)
            assert getattr(compared.pooled.pairs, part) == whole
    assert [line.cell for line in found.measures[0].cells] == ["easy", "cycles", "large"]
    assert [line.cell for line in found.measures[1].cells] == ["cycles", "large"]
    assert found.measures[0].pooled.pairs.wins + found.measures[0].pooled.pairs.losses > 10


def test_records_of_one_name_are_told_apart_by_their_folders(tiny_records, tmp_path):
    """By the shortest ends of their paths that differ, without folders by their order; one record twice is said."""
    record = tiny_records["dead-end-filling"]
    places = [tmp_path / place for place in ("before", "after", "one/run", "two/run")]
    for place in places:
        place.mkdir(parents=True)
        record.write(place)
    before, after, one, two = map(read_record, places)
    assert names_of(before, after) == ("dead-end-filling (before)", "dead-end-filling (after)")
    assert names_of(one, two) == ("dead-end-filling (one/run)", "dead-end-filling (two/run)")
    assert names_of(before, before) == ("dead-end-filling (the first)", "dead-end-filling (the second)")
    assert names_of(record, record) == names_of(before, before)
    assert names_of(before, tiny_records["dt-net-thin@0"]) == ("dead-end-filling", "dt-net-thin@0")
    text = comparison_text(compare(before, after))
    assert "dead-end-filling (before) against dead-end-filling (after)" in text
    assert "one and the same record" in text
    assert not compare(before, tiny_records["dt-net-thin@0"]).same


def test_what_was_watched_in_one_alone_is_not_compared(tiny_records):
    """Answers are compared all the same, and a note says that the iterates of one were not watched."""
    first = tiny_records["dt-net-thin@0"]
    limits = [name for name in first.mazes.columns if name in MEASURED + MEASURABLE]
    unwatched = first.mazes.with_columns(pl.lit(None, dtype=first.mazes.schema[name]).alias(name) for name in limits)
    summary = first.summary
    second = Record.seal(summary.plan, list(summary.cells), [], unwatched, summary.run)
    for found in (compare(first, second), compare(second, first)):
        assert [compared.measure for compared in found.measures] == ["optimal"]
        assert any(note.startswith("iterates watched: ") for note in found.notes)


def test_p_values_are_adjusted_over_the_cells(tiny_records):
    """Holm's adjustment is that of the cells' own exact p-values; the pooled line is one test."""
    found = compare(tiny_records["dt-net-thin@0"], tiny_records["dead-end-filling"])
    for compared in found.measures:
        plain = [mcnemar(line.pairs) for line in compared.cells]
        assert [line.p_value for line in compared.cells] == plain
        assert [line.adjusted for line in compared.cells] == holm(plain)
        assert compared.pooled.adjusted is None


def test_turned_round_wins_are_losses(tiny_records):
    """compare(B, A) is compare(A, B) with every difference turned."""
    a, b = tiny_records["dt-net-thin@0"], tiny_records["dt-net-thin@1"]
    for there, back in zip(compare(a, b).measures, compare(b, a).measures, strict=True):
        assert (there.pooled.pairs.wins, there.pooled.pairs.losses) == (
            back.pooled.pairs.losses,
            back.pooled.pairs.wins,
        )
        assert there.pooled.p_value == pytest.approx(back.pooled.p_value)
        assert (there.pooled.low, there.pooled.high) == pytest.approx((-back.pooled.high, -back.pooled.low), abs=1e-9)


def test_what_differs_is_named(tiny_records):
    """Other suites, parts, versions or mazes are refused by name; other machines and precision are noted."""
    base = tiny_records["dt-net-thin@0"]
    contracts = {**base.summary.plan.contracts, "score": 2}
    assert differences(base, base) == []
    assert differences(base, resealed(base, suite_sha256="f" * 64)) == ["two suites called tiny-v1"]
    assert differences(base, resealed(base, contracts=contracts)) == ["version of score: 1 and 2"]
    (part,) = differences(base, resealed(base, part=make_part(5, 5)))
    assert part.startswith("mazes: the whole suite, and at most 5 mazes per cell, 5 of them watched (")
    cells = list(base.summary.cells)
    cells[1] = cells[1].model_copy(update={"mazes_sha256": "0" * 64})
    other = Record.seal(base.summary.plan, cells, list(base.summary.limits), base.mazes, base.summary.run)
    assert differences(base, other) == ["mazes of cycles"]
    with pytest.raises(NotComparable, match="mazes of cycles"):
        compare(base, other)
    other_way = "fused" if base.summary.plan.iteration == "plain" else "plain"
    for name, value in {"dtype": "float64", "tf32": True, "iteration": other_way}.items():
        was = getattr(base.summary.plan, name)
        assert compare(base, resealed(base, **{name: value})).notes == (f"{name}: {was} and {value}",)
    foreign = compare(base, tiny_records["dead-end-filling"]).notes
    assert not any(note.startswith("iteration: ") for note in foreign)


def test_text_and_json_hold_every_line(tiny_records):
    """Every cell of every measure is in both."""
    found = compare(tiny_records["dt-net-thin@0"], tiny_records["dead-end-filling"])
    content, text = json.loads(as_json(found)), comparison_text(found)
    for compared, stated in zip(found.measures, content["measures"], strict=True):
        assert [cell["cell"] for cell in stated["cells"]] == [line.cell for line in compared.cells]
        assert stated["pooled"]["pairs"]["wins"] == compared.pooled.pairs.wins
        differs = compared.pooled.pairs.wins + compared.pooled.pairs.losses > 0
        assert (f"\n{compared.measure} " in text) == differs
        assert differs or compared.measure in text.split("no maze differs in: ")[1]
    assert "noise floor" not in text


def test_compare_exits_3_where_the_mazes_differ(tiny_records, tmp_path, capsys):
    """Comparable: 0 and a table. Not comparable: 3 and one line that names what differs."""
    base = tiny_records["dt-net-thin@0"]
    base.write(tmp_path / "a")
    tiny_records["dt-net-thin@1"].write(tmp_path / "b")
    resealed(base, part=make_part(5, 5)).write(tmp_path / "part")
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["second"] == "dt-net-thin@1"
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "95 % interval" in capsys.readouterr().out
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "part")]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert "at most 5 mazes per cell" in said.err
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "nowhere")]) == 2
    capsys.readouterr()
