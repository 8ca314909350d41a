import struct

import numpy as np
import polars as pl
import pytest

from extramaze.cli import run
from extramaze.evaluation.evaluate import evaluate
from extramaze.evaluation.predictions import evaluate_predictions
from extramaze.mazes import InputError, raster
from extramaze.models import load
from extramaze.pictures.accuracy import plane_of
from extramaze.pictures.answers import failures_by_kind, solving
from extramaze.pictures.record import plot_record
from extramaze.schema.plan import make_part
from extramaze.suites import cell_mazes, load_suite
from extramaze.verification.noise import noise_floor
from tests.benchmark.test_compare import resealed


def test_every_picture_of_a_record_is_drawn(tiny_records, tmp_path):
    """With its solver a record gives every kind of PNG but for the plane, which needs several sizes with cycles."""
    paths = plot_record(tiny_records["dt-net-thin@0"], tmp_path / "plots", load("dt-net-thin@0"))
    names = "difficulty iterations failures solving limits residuals motion trajectory persistence"
    assert [path.stem for path in paths] == names.split()
    for path in paths:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG")
        assert min(struct.unpack(">II", content[16:24])) > 300


def test_another_solvers_answers_are_not_drawn(tiny_records, tmp_path, capsys):
    """A solver given for another's record is refused; a shipped one that is no longer the record's is left out."""
    record = tiny_records["dt-net-thin@0"]
    with pytest.raises(InputError, match="not the solver of the record"):
        plot_record(record, tmp_path / "plots", load("dt-net-thin@1"))
    solver = record.summary.plan.solver.model_copy(update={"weights_sha256": "0" * 64})
    resealed(record, solver=solver).write(tmp_path / "r")
    assert run(["plot", str(tmp_path / "r"), "--out", str(tmp_path / "p")]) == 0
    assert "no answers are drawn" in capsys.readouterr().err
    assert not (tmp_path / "p" / "failures.png").exists()


def test_a_chosen_maze_is_drawn(tiny_records, tmp_path, capsys):
    """By cell and index, with the answer; a maze that the record lacks is refused by name."""
    tiny_records["dt-net-thin@0"].write(tmp_path / "r")
    plot = ["plot", str(tmp_path / "r"), "--maze"]
    assert run([*plot, "cycles:69", "--maze", "easy:0"]) == 0
    assert (tmp_path / "r" / "plots" / "mazes.png").read_bytes().startswith(b"\x89PNG")
    for maze, said in {"cycles:70": "0 to 69", "cycle:1": "did you mean cycles", "cycles": "CELL:INDEX"}.items():
        assert run([*plot, maze]) == 2
        assert said in capsys.readouterr().err


def test_answers_made_elsewhere_are_drawn_as_they_were_kept(tiny_suite, tmp_path, capsys):
    """No solver here gives them again, and one that is named is refused; nor are they drawn where none were kept."""
    suite = load_suite(tiny_suite)
    masks = {cell.name: raster(cell_mazes(suite, cell.name), suite.scale)[1] for cell in suite.cells}
    masks["easy"][:] = 0
    np.savez(tmp_path / "a.npz", **masks)
    record = evaluate_predictions(tmp_path / "a.npz", "dead-end-filling", suite, tmp_path / "r")
    plot = ["plot", str(tmp_path / "r")]
    assert run(plot) == 0
    drawn = {path.stem for path in (tmp_path / "r" / "plots").iterdir()}
    assert drawn == {"difficulty", "failures"}  # one rung is no curve
    assert run([*plot, "--maze", "easy:0"]) == 0
    assert (tmp_path / "r" / "plots" / "mazes.png").exists()
    record.changed(answers=None).write(tmp_path / "none")
    for folder, options in (("r", ["--solver", "dead-end-filling"]), ("none", ["--maze", "easy:0"])):
        assert run(["plot", str(tmp_path / folder), *options]) == 2
        assert "made elsewhere (evaluate --predictions)" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "mode"), [("dt-net-thin@0", "free-running"), ("pi-net-thin@0", "own")])
def test_the_maze_being_solved_is_the_records(name, mode, tiny_suite):
    """The last frame, at the first rung that the record has right, is the true path: by its own inference too."""
    record = evaluate(load(name), tiny_suite, "cpu", quiet=True, mode=mode)
    cell, index, drawings = solving(load(name), record)
    (row,) = record.mazes.filter((pl.col("cell") == cell) & (pl.col("index") == index)).rows(named=True)
    assert drawings[-1].title == f"after {row['first_right']}"
    assert np.array_equal(drawings[-1].prediction, drawings[-1].target)
    assert not np.array_equal(drawings[0].prediction, drawings[0].target)


def test_failures_are_those_of_the_record(tiny_records):
    """Each drawn answer, made once more, is wrong in the very way that its row says."""
    from extramaze.scoring import score

    record = tiny_records["dead-end-filling"]
    rows = failures_by_kind(record, load("dead-end-filling"))
    kinds = set(record.mazes["failure"].drop_nulls())
    assert {row[0].title.split(":")[0] for row in rows} == kinds
    for drawing in (drawing for row in rows for drawing in row):
        outcome = score(drawing.image[None], drawing.target[None], drawing.prediction[None])
        assert outcome.failure[0] == drawing.title.split(":")[0]


def test_the_plane_holds_what_differs_in_two_things(tmp_path):
    """Sizes and percolations of laptop-v1 meet on the plane; cells with exact cycles, braids or other starts do not."""
    part = make_part(1, 1, ("size-9", "start-any", "percolation-0.1", "plane-13-0.1", "plane-13-0.3", "cycles-4"))
    record = evaluate(load("dead-end-filling"), "laptop-v1", "cpu", part=part, quiet=True)
    sizes, shares, found = plane_of(record)
    assert (sizes, shares) == ([9, 13], [0.0, 0.1, 0.3])
    assert found.keys() == {(9, 0.0), (9, 0.1), (13, 0.1), (13, 0.3)}
    assert (tmp_path / "p" / "plane.png") in plot_record(record, tmp_path / "p")


@pytest.mark.parametrize("name", ["dead-end-filling"])
def test_an_algorithm_on_whole_numbers_has_no_noise(name, tiny_suite):
    """Neither the block's size nor float64 changes an answer that is exact in float32; every maze is compared."""
    noise = noise_floor(load(name), load_suite(tiny_suite), "cpu", None, quiet=True)
    assert [(n.cell, n.mazes, n.block, n.dtype) for n in noise] == [
        ("easy", 40, 0, 0),
        ("cycles", 64, 0, 0),
        ("large", 33, 0, 0),
    ]


def test_noise_is_seen(tiny_suite):
    """A solver whose answers depend on precision and batch is told by the counts."""
    import torch

    from extramaze.models.dead_end_filling import DeadEndFilling

    class Noisy(DeadEndFilling):
        def readout(self, state):
            usual = state.dtype == torch.float32 and len(state) in (32, 64, 128)
            halved = len(state) in (32,) and state.shape[-1] == 11
            return super().readout(state if usual and not halved else torch.zeros_like(state))

    noise = {n.cell: n for n in noise_floor(Noisy(), load_suite(tiny_suite), "cpu", None, quiet=True)}
    assert noise["large"].block > 0
    assert noise["large"].dtype == noise["large"].block
    assert noise["easy"].block == 0 < noise["easy"].dtype
