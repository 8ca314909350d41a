"""What is said of the shipped records, in results/ and README.md, is what they hold."""

import json
import re
from pathlib import Path

import pytest

from extramaze.leaderboard.board import boards
from extramaze.leaderboard.sources import shipped_records
from extramaze.models.loading import ALGORITHMS
from extramaze.models.shipped import shipped_seeds
from extramaze.pages import README, RESULTS, main, pages, with_block
from extramaze.trust.names import claim_of


@pytest.fixture(scope="module")
def shipped():
    """The records that come with the package."""
    return shipped_records()


@pytest.fixture(scope="module")
def written(shipped):
    """The pages of those records."""
    return pages(shipped)


@pytest.mark.parametrize("name", ["LEADERBOARD.md", "SOLVERS.md", "FINDINGS.md", "../README.md"])
def test_pages_are_those_of_the_records(name, written):
    """Otherwise ``python -m extramaze.pages`` writes them anew."""
    path = README if name == "../README.md" else RESULTS / name
    assert path.read_text() == written[path]


def test_bold_sentences_of_the_readme_are_confirmed_claims():
    """What cycles cost, and whatever else stands there in the words of a claim, FINDINGS holds confirmed."""
    table = (RESULTS / "FINDINGS.md").read_text().split("## Every claim")[1].split("\n## ")[0]
    claims = re.findall(r"^\| \d \| (.+?) \| (.+?)(?:<br>| \|)", table, re.MULTILINE)
    section = README.read_text().split("## What we found")[1].split("\n## ")[0]
    bold = [" ".join(words.split()).rstrip(":") for words in re.findall(r"\*\*(.+?)\*\*", section, re.DOTALL)]
    found = {words: verdict for words in bold for text, verdict in claims if text.startswith(words)}
    assert {words for words in bold if re.search("cost|cycle|percolation|recall", words)} <= found.keys()
    assert "Retraining DT-Net at percolation .1 costs size extrapolation" in found
    assert set(found.values()) == {"**confirmed**"}


def test_a_block_is_replaced_where_it_stands():
    """The first fenced block after the words, and no other; without one nothing is written."""
    text = "```\na\n```\n## Here\nwords\n```\nb\n```\n```\nc\n```\n"
    assert with_block(text, "## Here", r"\1 new") == text.replace("b", r"\1 new")
    with pytest.raises(ValueError, match="## There"):
        with_block(text, "## There", "new")


def test_pages_are_written_in_a_clone_alone(tmp_path, monkeypatch, capsys):
    """An installed package has no README.md beside it: one line and exit code 2."""
    monkeypatch.setattr("extramaze.pages.README", tmp_path / "README.md")
    monkeypatch.setattr("sys.argv", ["pages"])
    assert main() == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_every_shipped_record_keeps_its_name(shipped):
    """All stand in the row of their recipe, none is left out, and no note is on their boards."""
    assert len(shipped) >= 115
    for record in shipped:
        stated = record.summary.plan.solver
        assert claim_of(stated, record.folder) == claim_of(stated) == claim_of(stated, Path("nowhere"))
        assert (claim_of(stated).row, claim_of(stated).problem) == (stated.recipe, None)


@pytest.mark.parametrize(("suite", "raster"), [("smoke-v1", "thin"), ("smoke-e2h-v1", "e2h")])
def test_every_shipped_solver_is_on_the_board(suite, raster, shipped):
    """Each has a whole record of its raster's small suite, free running, and each recipe its row with all its seeds."""
    assert not any(record.summary.plan.part for record in shipped)
    board = next(board for board in boards(shipped) if (board.suite, board.mode) == (suite, "free-running"))
    assert board.partial is None
    trained = {recipe: tuple(seeds) for recipe, seeds in shipped_seeds().items() if f"-{raster}" in recipe}
    assert {row.recipe: row.seeds for row in board.rows} == {**dict.fromkeys(ALGORITHMS, ()), **trained}


def test_ranking_1_still_ranks_as_it_did(shipped, root):
    """Ranks, scores and intervals of version 1 are those that its boards had."""
    golden = json.loads((root / "tests" / "benchmark" / "data" / "ranking-1.json").read_text())
    found = {(board.suite, board.mode): board for board in boards(shipped, version=1)}
    for expected in golden:
        rows = {row.recipe: row for row in found[expected["suite"], expected["mode"]].rows}
        for row in expected["rows"]:
            ours = rows[row["recipe"]]
            assert (ours.score, ours.low, ours.high) == pytest.approx((row["score"], row["low"], row["high"]), abs=1e-6)
            if len(rows) == len(expected["rows"]):  # ranks are among the rows that a board has
                assert [ours.rank, list(ours.ranks)] == [row["rank"], row["ranks"]]


def test_what_the_shipped_records_show(shipped):
    """Breadth-first search is perfect, dead-end filling on trees; DT-Net extrapolates in size and fails with cycles."""
    smoke = [record for record in shipped if record.summary.plan.suite.name == "smoke-v1"]
    for record in smoke:
        optimal = {cell.name: cell.rungs[-1].optimal.share for cell in record.summary.cells}
        recipe = record.summary.plan.solver.recipe
        trees = [name for name in optimal if not name.startswith("percolation")]
        if recipe == "wavefront":
            assert set(optimal.values()) == {1.0}
        if recipe == "dead-end-filling":
            assert all(optimal[name] == 1 for name in trees)
            assert optimal["percolation-0.3"] < 0.1
        if recipe == "dt-net-thin":
            assert optimal["size-9"] >= 0.99
            assert optimal["size-13"] >= 0.95
            assert optimal["percolation-0.3"] < optimal["percolation-0.05"] < 0.9
