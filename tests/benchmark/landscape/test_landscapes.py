import json
import math
import shutil

import numpy as np
import polars as pl
import pytest
import torch

from extramaze import evaluate
from extramaze.cli import run
from extramaze.core.errors import InputError
from extramaze.core.sealed import sealed_bytes
from extramaze.landscape import directions, measures
from extramaze.landscape.convexity import convexity
from extramaze.landscape.measures import Asked, check_places, evenly
from extramaze.landscape.meter import Meter
from extramaze.landscape.pictures import draw
from extramaze.landscape.record import read_landscape
from extramaze.landscape.setting import make_setting
from extramaze.landscape.spawning import Training, determinism
from extramaze.landscape.text import survey_text
from extramaze.models import load, write_weights
from extramaze.models.blending.blend import Request, make_blend
from extramaze.models.blending.sources import read_source
from extramaze.models.blending.weights import weights_of
from extramaze.models.symmetry import random_move, symmetry_of
from extramaze.models.training.recipe import parse_recipe
from extramaze.schema.plan import Part

pytestmark = pytest.mark.numeric
BASE, TUNED, OTHER = "dt-net-thin@0", "dt-net-thin-tuned-10k@0", "dt-net-thin@1"
SUITE = """
name: little-v1
scale: 1
split: test
iterations: [4, 8]
cells:
  - {name: like, axis: in-distribution, spec: "size=5", count: 24}
  - {name: larger, axis: size, spec: "size=7", count: 24}
  - {name: cyclic, axis: cycles, spec: "size=5,percolation=0.2", count: 24}
limits: {burn_in: 20, window: 16, count: 4, pursuit: 20, cells: [like]}
"""
RECIPE = """
name: little
paper: none
architecture: {builder: dt_net, width: 4, blocks: 1}
data: {spec: "size=3", scale: 1}
training: {gradient: progressive, steps: 6, batch: 4, learning_rate: 0.003, weight_decay: 0.0001, warmup_steps: 2,
  max_iterations: 4, gradient_steps: 2, bf16: false}
validation: {every: 6, count: 4, final_count: 4, iterations: 4}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("landscapes")
    (folder / "little-v1.yaml").write_text(SUITE)
    (folder / "little.yaml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def asked(place):
    return Asked(suite=str(place / "little-v1.yaml"), mazes=6, iterations=8, loss_iterations=5, quiet=True)


@pytest.fixture(scope="module", autouse=True)
def _short_watch():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("BURN_IN", 20), ("WINDOW", 16), ("PURSUIT", 20)):
            patch.setattr(f"extramaze.landscape.setting.{name}", value)
        yield


@pytest.fixture(scope="module")
def surveys(place, asked):
    """One landscape of each kind, in folders of its name."""
    watching = Asked(**{**vars(asked), "limits": True, "watched": 3})
    thirds = (0.0, 0.5, 1.0)
    return {
        "line": measures.line(BASE, TUNED, place / "line", thirds, asked=watching),
        "curve": measures.curve(BASE, TUNED, place / "curve", 2, places=thirds, asked=asked),
        "plane": measures.plane([BASE, TUNED, OTHER], place / "plane", 3, asked=asked),
        "direction": directions.direction(BASE, TUNED, place / "direction", thirds, 1, 0, [(OTHER, BASE)], asked),
        "convexity": convexity([BASE, TUNED], place / "convexity", 1, 2, 2, 2, 1, asked=asked),
        "determinism": determinism(str(place / "little.yaml"), place / "determinism", [0, 3], points=3, asked=asked),
    }


def at(table, x):
    """The rows of a place on a path."""
    return table.filter((pl.col("x") - x).abs() < 1e-9)


KINDS = ("line", "curve", "plane", "direction", "convexity", "determinism")


@pytest.mark.parametrize("kind", KINDS)
def test_a_landscape_is_read_back(surveys, place, kind):
    """As it was written; given again it is not measured again."""
    read = read_landscape(place / kind)
    assert read.summary == surveys[kind].summary
    assert read.table.equals(surveys[kind].table)
    assert kind in survey_text(read)
    assert sorted(path.name for path in (place / kind).iterdir() if path.is_file())[-2:] == [
        "landscape.json",
        "points.parquet",
    ]


def test_the_ends_are_what_evaluate_says(surveys, place):
    """Maze by maze, cell by cell, of the same suite at the same rung."""
    table = surveys["line"].table
    for end, name in ((0.0, BASE), (1.0, TUNED)):
        record = evaluate(load(name), suite=str(place / "little-v1.yaml"), part=Part(mazes=6, watched=1), quiet=True)
        rows = record.mazes.select("cell", "index", pl.col("optimal").list.last())
        assert at(table, end).select("cell", "index", "optimal").equals(rows)


def test_the_middle_is_the_blend_there(surveys, place):
    """A line's point and a blend at the same place are one network."""
    make_blend(Request("line", (BASE, TUNED), "middle", at=0.5)).write(place / "blend")
    record = evaluate(load(place / "blend"), str(place / "little-v1.yaml"), part=Part(mazes=6, watched=1), quiet=True)
    rows = record.mazes.select("cell", "index", pl.col("optimal").list.last())
    middle = at(surveys["line"].table, 0.5).select("cell", "index", "optimal")
    assert middle.equals(rows)


def test_the_loss_is_the_training_loss(surveys, asked):
    """Mean over open pixels of the cross-entropy after that many plain iterations."""
    from extramaze.mazes import MazeSpec, generate, raster
    from extramaze.models.training.gradients import masked_loss

    images, targets = raster(generate(MazeSpec(5), 6, split="test"), 1)
    x = torch.from_numpy(images).float()
    with torch.inference_mode():
        expected = float(masked_loss(load(BASE)(x, 5), torch.from_numpy(targets).long(), x))
    (found,) = [f for f in surveys["line"].summary.figures if (f.measure, f.of) == ("at 0", "loss like")]
    assert math.isclose(found.value, expected, rel_tol=1e-3)


def test_watched_mazes_have_limits_and_exponents(surveys):
    """Of the cells that the suite watches alone, at every point."""
    seen = surveys["line"].table.filter(pl.col("limit").is_not_null())
    assert seen["cell"].unique().to_list() == ["like"]
    assert len(seen) == 3 * 3
    assert seen["exponent"].is_not_null().all()
    measured = {figure.of for figure in surveys["line"].summary.figures}
    assert {"exponent", "settled", "spectral radius"} <= measured


def test_three_networks_are_at_the_corners(surveys):
    """Of a plane, with the answers that they have themselves."""
    summary, table = surveys["plane"].summary, surveys["plane"].table
    assert [mark.path for mark in summary.marks] == [BASE, TUNED, OTHER]
    assert len(summary.places) == 3 + 9
    line = surveys["line"].table
    for number, end in ((0, 0.0), (1, 1.0)):
        ours = table.filter(pl.col("point") == number).select("cell", "index", "optimal")
        assert ours.equals(at(line, end).select("cell", "index", "optimal"))


def test_a_hidden_copy_is_found(place, asked):
    """Permuted, rescaled and stored as float32: no barrier after alignment, one before; limits too, kind by kind."""
    solver = load(BASE)
    symmetry = symmetry_of(solver)
    moved = random_move(symmetry, 5).apply(symmetry, weights_of(solver.state_dict()))
    folder = shutil.copytree(str(_weights_folder(BASE)), place / "copy")
    solver.load_state_dict({name: torch.from_numpy(np.array(value)).float() for name, value in moved.items()})
    digest = write_weights(solver, place / "copy" / "weights.safetensors")
    path = place / "copy" / "training.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "weights_sha256": digest}))
    watching = Asked(**{**vars(asked), "limits": True, "watched": 2})
    aligned = measures.line(BASE, str(folder), place / "aligned", (0.0, 0.5, 1.0), True, 3, watching)
    raw = measures.line(BASE, str(folder), place / "raw", (0.0, 0.5, 1.0), asked=asked)
    assert aligned.summary.options["cosine"] > 1 - 1e-6
    found = {f.of: f for f in aligned.summary.figures if f.measure == "barrier"}
    assert found["accuracy like"].high == pytest.approx(0)
    assert found["loss like"].value < 1e-4
    assert next(f.value for f in raw.summary.figures if (f.measure, f.of) == ("barrier", "loss like")) > 0.1
    limits = aligned.table.filter(pl.col("limit").is_not_null())
    kinds = [at(limits, x)["limit"].to_list() for x in (0.0, 0.5, 1.0)]
    assert kinds[0] == kinds[1] == kinds[2]


def _weights_folder(name):
    from extramaze.models.loading import weights_folder

    with weights_folder(name) as folder:
        return folder


def test_a_stopped_run_goes_on(place, asked, monkeypatch, surveys):
    """Killed after any point, it ends with the table of one that was not, and measures no point twice."""
    measured = []
    plain = Meter.measure

    def counting(self, weights):
        if len(measured) == 2:
            measured.append("stopped")
            raise KeyboardInterrupt
        measured.append("point")
        return plain(self, weights)

    monkeypatch.setattr(Meter, "measure", counting)
    with pytest.raises(KeyboardInterrupt):
        measures.line(BASE, TUNED, place / "stopped", (0.0, 0.5, 1.0), asked=asked)
    assert not (place / "stopped").exists()
    found = measures.line(BASE, TUNED, place / "stopped", (0.0, 0.5, 1.0), asked=asked)
    assert measured == ["point", "point", "stopped", "point"]
    expected = surveys["line"].table
    assert found.table.select("x", "cell", "index", "optimal").equals(expected.select("x", "cell", "index", "optimal"))
    assert not list(place.glob(".stopped*"))


def test_what_was_begun_is_not_mixed(place, asked, monkeypatch, surveys):
    """Another landscape in the same place is refused, begun or finished."""

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(measures, "measure_places", stopped)
        with pytest.raises(KeyboardInterrupt):
            measures.line(BASE, TUNED, place / "begun", asked=asked)
    with pytest.raises(InputError, match="another landscape was begun"):
        measures.line(BASE, OTHER, place / "begun", asked=asked)
    with pytest.raises(InputError, match=r"holds another landscape .*solvers"):
        measures.line(BASE, OTHER, place / "line", (0.0, 0.5, 1.0), asked=asked)


@pytest.mark.parametrize("kind", KINDS)
def test_an_altered_figure_is_named(surveys, place, tmp_path, kind):
    """Also where the forger states sha256s that fit: it does not follow from the table."""
    folder = tmp_path / kind
    shutil.copytree(place / kind, folder)
    content = json.loads((folder / "landscape.json").read_text())
    number = next(i for i, figure in enumerate(content["figures"]) if figure["value"] is not None)
    content["figures"][number]["value"] += 0.25
    (folder / "landscape.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="altered"):
        read_landscape(folder)
    (folder / "landscape.json").write_bytes(sealed_bytes(content))
    with pytest.raises(InputError, match="do not follow from the table"):
        read_landscape(folder)


def test_an_altered_table_is_noticed(surveys, place, tmp_path):
    """By its sha256."""
    shutil.copytree(place / "line", tmp_path / "line")
    table = pl.read_parquet(tmp_path / "line" / "points.parquet")
    table.with_columns(optimal=pl.lit(True)).write_parquet(tmp_path / "line" / "points.parquet")
    with pytest.raises(InputError, match="sha256"):
        read_landscape(tmp_path / "line")


def test_the_bend_moves_and_is_kept(surveys, place):
    """A curve's bend is a file of its own with a stated sha256, and its ends are the networks."""
    summary = surveys["curve"].summary
    assert summary.bend_sha256 is not None
    assert (place / "curve" / "bend.safetensors").exists()
    line, curve = surveys["line"].table, surveys["curve"].table
    columns = ("cell", "index", "optimal")
    assert at(curve, 1.0).select(columns).equals(at(line, 1.0).select(columns))
    ours, theirs = (at(t, 0.5)["loss"].to_numpy() for t in (curve, line))
    assert not np.allclose(ours, theirs)


def test_directions_have_controls(surveys):
    """The same doses along a Gaussian direction and a shuffling, and at dose 0 the same network."""
    table = surveys["direction"].table
    assert table["path"].unique(maintain_order=True).to_list() == ["line", "gaussian 1", "shuffled 1"]
    at_base = [part["optimal"].to_list() for _, part in at(table, 0).group_by("path")]
    assert at_base[0] == at_base[1] == at_base[2]
    options = surveys["direction"].summary.options
    ranks = [value for name, value in options.items() if name.startswith("stable rank")]
    assert ranks
    assert all(1 - 1e-9 <= rank <= 32 for rank in ranks)
    assert any(name.startswith("cosine with") for name in options)


def test_children_of_the_same_draws_are_the_same(place):
    """Bit for bit; other draws give other children, and copies do not touch their parent."""
    recipe = parse_recipe(RECIPE, "")
    parent = Training(recipe, 0, torch.device("cpu")).run(3, 0)
    before = parent.stored()
    same = [parent.spawned().run(6, 7).stored() for _ in range(2)]
    other = parent.spawned().run(6, 8).stored()
    assert same[0] == same[1] != other
    assert parent.stored() == before
    assert parent.run(6, 0).stored() == Training(recipe, 0, torch.device("cpu")).run(6, 0).stored()


def test_determinism_of_gradient_noise():
    """In a convex bowl children never part; from the top of a double well they do half of the time, from 0.9 never."""
    from scipy.stats import binomtest

    from extramaze.landscape.barriers import height

    def child(x, slope, key):
        random = np.random.default_rng(key)
        for step in range(400):
            x -= 0.02 * (slope(x) + random.normal() * (1 - step / 400))
        return x

    def parted(begin, slope, loss, pairs=200):
        places, count = np.linspace(0, 1, 21), 0
        for pair in range(pairs):
            a, b = (child(begin, slope, (pair, number)) for number in (0, 1))
            count += height(loss(a + places * (b - a)), places) > 0.5
        return count

    assert parted(0.0, lambda x: 2 * x, lambda x: x**2) == 0
    well = (lambda x: 4 * x * (x**2 - 1), lambda x: (x**2 - 1) ** 2)
    assert binomtest(parted(0.0, *well), 200, 0.5).pvalue > 1e-4
    assert parted(0.9, *well) == 0


def test_limits_along_a_parameter():
    """The logistic map rests until r = 3, then cycles, and is chaotic at 3.9: what a path of maps shows."""
    from extramaze.dynamics import Limit, observe
    from extramaze.landscape.barriers import crossing, medians

    rates = np.array([2.9, 3.2, 3.9])
    reports = [
        observe(
            lambda z, r=r: r * z * (1 - z), torch.tensor([[0.4], [0.7]], dtype=torch.float64), 4000, 64, lyapunov=True
        )
        for r in rates
    ]
    assert [report.limit[0] for report in reports] == [Limit.FIXED_POINT, Limit.CYCLE, Limit.CHAOTIC]
    exponents = np.stack([report.lyapunov for report in reports])
    assert math.isclose(crossing(rates, medians(exponents)), 3.9)
    assert math.isclose(exponents[0, 0], math.log(0.9), abs_tol=1e-3)


def test_pictures_are_drawn(surveys, place, tmp_path):
    """The six of them: profile, trade-off, plane, spectrum, determinism, and the matrix of several lines."""
    drawn = draw([surveys[kind] for kind in KINDS], [tmp_path / kind for kind in KINDS])
    names = {path.name for path in drawn}
    wanted = {"profile-line.png", "trade-off.png", "plane.png", "spectrum.png", "determinism.png", "barriers.png"}
    assert wanted <= names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda a, out: measures.line(BASE, "it-net-thin@0", out, asked=a), "4 tensors differ"),
        (lambda a, out: measures.line(BASE, "wavefront", out, asked=a), "algorithm"),
        (lambda a, out: measures.line(BASE, TUNED, out, (0.0, 1.0), asked=a), "at least 3 points"),
        (lambda a, out: measures.line(BASE, TUNED, out, (0.0, 0.5, 0.5), asked=a), "different finite numbers"),
        (lambda a, out: measures.curve(BASE, TUNED, out, 0, asked=a), "--steps"),
        (lambda a, out: measures.curve(BASE, TUNED, out, 1, "arc", asked=a), "bezier or polygon"),
        (lambda a, out: measures.plane([BASE, TUNED], out, asked=a), "3 networks, or from 1"),
        (lambda a, out: measures.plane([BASE], out, 2, asked=a), "--points"),
        (lambda a, out: measures.plane([BASE], out, 3, reach=0.0, asked=a), "--reach"),
        (lambda a, out: directions.direction(BASE, TUNED, out, (0.1, 0.5, 1.0), asked=a), "0 and 1 among them"),
        (lambda a, out: convexity([BASE], out, top=0, asked=a), "--top"),
        (lambda a, out: determinism("dt-net-thin-fast", out, [10**6], asked=a), "steps from 0 to"),
        (lambda a, out: determinism("dt-net-thin-fast", out, [], asked=a), "got none"),
        (lambda a, out: determinism("dt-net-e2h", out, [0], asked=a), "scale"),
        (lambda a, out: measures.line("dt-net-e2h@0", "dt-net-e2h@1", out, asked=a), "raster"),
    ],
)
def test_what_cannot_be_measured_is_refused(asked, tmp_path, call, said):
    """With one sentence, before anything is computed or written."""
    with pytest.raises(InputError, match=said):
        call(asked, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_settings_that_do_not_fit_are_refused(place):
    """Cells that there are not, too few mazes, and a suite without a cell like training's."""
    solver = load(BASE)
    with pytest.raises(InputError, match="did you mean size-9"):
        make_setting(solver, cells=("size-8",))
    with pytest.raises(InputError, match="--mazes"):
        make_setting(solver, mazes=0)
    (place / "none-v1.yaml").write_text(SUITE.replace("in-distribution", "size").replace("little", "none"))
    with pytest.raises(InputError, match="--training CELL"):
        make_setting(solver, str(place / "none-v1.yaml"))
    assert make_setting(solver, str(place / "none-v1.yaml"), training="larger").training == "larger"


def test_places():
    """Even ones have both ends; given ones are sorted."""
    assert np.allclose(evenly(5), [0, 0.25, 0.5, 0.75, 1])
    assert np.allclose(check_places((1, 0, 0.5)), [0, 0.5, 1])
    with pytest.raises(InputError, match="--from"):
        evenly(3, 1, 0)


def test_the_commands(surveys, place, capsys):
    """The verb shows, draws and measures; bad input is one line and exit 2."""
    assert run(["landscape", "show", str(place / "line"), str(place / "plane"), "--pictures"]) == 0
    shown = capsys.readouterr().out
    assert "connectivity: line of dt-net-thin@0, dt-net-thin-tuned-10k@0" in shown
    assert "our measures for the survey's four words" in shown
    assert (place / "line" / "plots" / "profile-line.png").exists()
    again = ["landscape", "line", BASE, TUNED, "--at", "0,0.5,1", "--suite", str(place / "little-v1.yaml")]
    again += ["--mazes", "6", "--iterations", "8", "--loss-at", "5", "--limits", "--watched", "3", "--json"]
    assert run([*again, "--out", str(place / "line")]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "line"
    assert run(["landscape", "line", BASE, TUNED, "--at", "x", "--out", str(place / "new")]) == 2
    assert "numbers with commas" in capsys.readouterr().err
    assert read_source(BASE).name == BASE
