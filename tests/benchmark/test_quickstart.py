import shutil
from pathlib import Path

import pytest

import extramaze.models.loading as loading
import extramaze.models.shipped as shipped
from extramaze.cli import run
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.pictures.mazes import Drawing, save_failures, save_samples
from extramaze.quickstart import failures
from extramaze.scoring import score


def test_deleted_weights_are_one_line(monkeypatch, tmp_path, capsys):
    """Without the shipped weights quickstart fails at once, and says how to make them."""
    root = tmp_path / "package"
    shutil.copytree(Path(loading.__file__).parent / "recipes", root / "recipes")
    for module in (loading, shipped):
        monkeypatch.setattr(module, "files", lambda _: root)
    assert run(["quickstart", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no weights are shipped for dt-net-thin; train them: extramaze train --recipe dt-net-thin" in error
    assert not (tmp_path / "out").exists()


def test_pictured_failures_are_failures(tiny_records):
    """Mazes drawn as wrong are wrong, one of each cell in turn."""
    drawings = failures(tiny_records["dt-net-thin@0"], most=5)
    assert len(drawings) == 5
    assert {drawing.title.split()[0] for drawing in drawings} == {"cycles", "large"}
    for drawing in drawings:
        outcome = score(drawing.image[None], drawing.target[None], drawing.prediction[None])
        assert not outcome.optimal[0]


@pytest.mark.parametrize("scale", [1, 2])
def test_pictures_are_written(tmp_path, scale):
    """Failures and samples become PNG files, the same bytes each time."""
    images, targets = raster(generate(MazeSpec(9, percolation=0.2), 5), scale)
    drawings = [Drawing(i, str(n), t, i.max(axis=0)) for n, (i, t) in enumerate(zip(images, targets, strict=True))]
    for name in ("a.png", "b.png"):
        save_failures(drawings, "heading", tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    save_samples({s: generate(s, 3) for s in (MazeSpec(9), MazeSpec(13, start="any"))}, tmp_path / "c.png")
    assert (tmp_path / "c.png").stat().st_size > 5000
