import numpy as np
import pytest
from matplotlib.figure import Figure

from extramaze.dynamics import Limit
from extramaze.pictures import dynamics as pictures

LIMITS = [Limit.FIXED_POINT] * 6 + [Limit.CYCLE] * 5 + [Limit.DIVERGED]
TURN = np.linspace(0, 20, 60)
CIRCLE = np.stack([np.cos(TURN), np.sin(TURN)], axis=1) @ np.eye(2, 30) + 50
DIAGRAMS = np.array([[0.0, 0.2], [0.0, 0.3], [0.0, np.inf]]), np.array([[0.3, 1.7]])
SIZES = np.array([*[1e-15] * 6, 0.1, 0.2, 0.3, 0.1, 0.4, np.nan])
DRAWINGS = {
    "residuals": lambda axes: pictures.draw_residuals(axes, LIMITS, SIZES),
    "limits": lambda axes: pictures.draw_limit_by_correct(axes, {Limit.FIXED_POINT: (5, 1), Limit.CYCLE: (2, 3)}),
    "projection": lambda axes: pictures.draw_projection(axes, CIRCLE, first=3000),
    "persistence": lambda axes: pictures.draw_persistence(axes, DIAGRAMS),
    "amplitudes": lambda axes: pictures.draw_amplitudes(axes, LIMITS, SIZES, SIZES / 10),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_pictures_are_saved(name, tmp_path):
    """Each picture is a PNG, the same bytes each time."""
    for copy in ("one", "two"):
        pictures.save(DRAWINGS[name], tmp_path / f"{copy}.png", "a solver on a suite")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize("name", DRAWINGS)
def test_words_stay_within_the_picture(name, tmp_path, monkeypatch):
    """Titles and labels are broken into lines that fit, and the words at bars stand inside the frame."""
    kept = []
    monkeypatch.setattr(pictures, "save_png", lambda figure, path: kept.append(figure))
    pictures.save(DRAWINGS[name], tmp_path / "p.png", "a-solver-with-a-name-of-sixty-four-letters@0 on a suite " * 2)
    (figure,) = kept
    figure.canvas.draw()
    axes = figure.axes[0]
    for words in (figure._suptitle, axes.title, axes.xaxis.label):
        box = words.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
    for words in axes.texts:
        box = words.get_window_extent()
        assert box.x0 > axes.bbox.x0
        assert box.y1 < axes.bbox.y1


def test_a_projection_keeps_distances_of_a_plane():
    """Frames that lie in a plane keep their distances when drawn."""
    axes = Figure().subplots()
    pictures.draw_projection(axes, CIRCLE)
    drawn = axes.collections[0].get_offsets()
    plain = np.linalg.norm(CIRCLE[:, None] - CIRCLE[None], axis=2)
    assert np.allclose(np.linalg.norm(drawn[:, None] - drawn[None], axis=2), plain, atol=1e-6)
