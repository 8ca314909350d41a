import pytest

from extramaze.cli import run
from extramaze.evaluation import evaluate
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.plots import plane_of, plot_axes, plot_iterations, plot_plane
from extramaze.replay import failures_by_kind, strip
from extramaze.scoring import score

PLANE = """
name: plane-v1
scale: 1
split: test
iterations: [2, 5]
cells:
  - {name: plane-5-0.1, axis: plane, spec: "size=5,percolation=0.1,start=any", count: 8}
  - {name: plane-5-0.5, axis: plane, spec: "size=5,percolation=0.5,start=any", count: 8}
  - {name: plane-9-0.1, axis: plane, spec: "size=9,percolation=0.1,start=any", count: 8}
  - {name: wilson, axis: other, spec: "size=9,algorithm=wilson,start=any", count: 8}
limits: {burn_in: 2, window: 2, count: 1, cells: []}
"""
PNG = b"\x89PNG"


def test_charts_are_written(tmp_path, tiny_records):
    """Several records share one chart of the axes; one has its chart of iterations. The same bytes each time."""
    records = list(tiny_records.values())
    for name in ("a", "b"):
        plot_axes(records, tmp_path / f"{name}-axes.png")
        plot_iterations(records[0], tmp_path / f"{name}-iterations.png")
    for chart in ("axes", "iterations"):
        first, second = ((tmp_path / f"{name}-{chart}.png").read_bytes() for name in ("a", "b"))
        assert first.startswith(PNG)
        assert first == second


def test_the_plane_holds_the_cells_that_differ_in_size_and_percolation_alone(tmp_path, tiny_records):
    """Other algorithms are left out; a suite without such cells has no plane."""
    path = tmp_path / "plane-v1.yaml"
    path.write_text(PLANE)
    record = evaluate(load("dead-end-filling"), str(path), "cpu", quiet=True)
    assert sorted(plane_of(record)) == [(5, 0.1), (5, 0.5), (9, 0.1)]
    assert plot_plane(record, tmp_path / "plane.png")
    assert (tmp_path / "plane.png").read_bytes().startswith(PNG)
    assert not plot_plane(tiny_records["dead-end-filling"], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_failures_are_drawn_under_their_kind(tiny_records):
    """Each drawn answer scores as the failure that it is drawn under."""
    record = tiny_records["dt-net-thin@0"]
    drawn = failures_by_kind(load("dt-net-thin@0"), record, most=2)
    assert set(drawn) == set(record.mazes["failure"].drop_nulls())
    for kind, drawings in drawn.items():
        assert 1 <= len(drawings) <= 2
        for drawing in drawings:
            assert score(drawing.image[None], drawing.target[None], drawing.prediction[None]).failure[0] == kind


def test_a_strip_ends_on_the_plain_iteration(tiny_records):
    """The last drawing is the answer after the last rung; an algorithm's strip ends on its own budget."""
    record = tiny_records["dead-end-filling"]
    drawings = strip(load("dead-end-filling"), record, "large", 3)
    last = next(cell.rungs[-1] for cell in record.summary.plan.cells if cell.name == "large")
    assert drawings[-1].title == f"after {last}"
    row = record.mazes.filter((record.mazes["cell"] == "large") & (record.mazes["index"] == 3)).row(0, named=True)
    outcome = score(drawings[-1].image[None], drawings[-1].target[None], drawings[-1].prediction[None])
    assert outcome.optimal[0] == row["optimal"][-1]


def test_another_solver_or_maze_is_refused(tiny_records):
    """Answers are drawn by the record's own solver, on mazes of its suite."""
    record = tiny_records["dt-net-thin@0"]
    with pytest.raises(InputError, match="the record is of dt-net-thin@0"):
        strip(load("dt-net-thin@1"), record, "easy")
    with pytest.raises(InputError, match="no maze 99 in a cell 'easy'"):
        strip(load("dt-net-thin@0"), record, "easy", 99)


def test_plot_from_the_command_line(tmp_path, tiny_records, capsys, monkeypatch):
    """``extramaze plot`` writes every chart and says where; a solver that does not ship is asked for."""
    monkeypatch.chdir(tmp_path)
    tiny_records["dt-net-thin@0"].write(tmp_path / "record")
    assert run(["plot", "record", "--out", "charts"]) == 0
    named = capsys.readouterr().out.split()
    assert sorted(named) == [f"charts/{name}.png" for name in ("axes", "failures", "iterations", "strip")]
    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in named)
    assert run(["plot", "record", "--maze", "easy"]) == 2
    assert "CELL:INDEX" in capsys.readouterr().err
    assert run(["plot", "nowhere"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
