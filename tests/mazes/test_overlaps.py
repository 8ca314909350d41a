import numpy as np
import pytest

from extramaze.mazes import InputError, Mazes, MazeSpec, contamination, generate
from tests.mazes import plain


def joined(*batches):
    arrays = [np.concatenate([getattr(b, name) for b in batches]) for name in ("connections", "start", "goal")]
    return Mazes.from_arrays(*arrays)


def mirrored(mazes):
    """Mirror each maze left to right."""
    turned = np.stack([plain.symmetries(maze)[2] for maze in mazes.connections])
    side = mazes.shape[1] - 1
    flip = [np.stack([cell[:, 0], side - cell[:, 1]], axis=1) for cell in (mazes.start, mazes.goal)]
    return Mazes.from_arrays(turned, *flip)


def test_planted_test_mazes_are_found_through_symmetries():
    """Of foreign training mazes exactly the planted ones share a layout with the test, mirrored or not."""
    tested = generate(MazeSpec(21, percolation=0.1), 50, split="test")
    ours = generate(MazeSpec(21), 200, split="train")
    found = contamination(joined(ours, mirrored(tested[:7]), tested[3:5]), tested)
    assert (found.mazes, found.shared, found.hit) == (209, 9, 7)
    assert found.by_split == {"train": 200, "val": 0, "test": 9, "sealed": 0}
    assert (found.at_risk, found.layouts) == (9, 207)
    assert "9 of 209 training mazes (4.3%)" in str(found)
    assert "7 of 50 tested mazes (14.0%)" in str(found)


def test_our_training_mazes_are_clean():
    """The train split has no layout of the test or sealed split, whatever the specification."""
    for spec in (MazeSpec(9), MazeSpec(9, percolation=0.5, start="any")):
        assert contamination(generate(spec, 500, split="train")).at_risk == 0


def test_small_lattices_collide():
    """Two seeds are not two splits: mazes of size 5 drawn without a split share their layouts with a test set."""
    found = contamination(generate(MazeSpec(5), 2000), generate(MazeSpec(5), 100, split="test"))
    assert found.hit == 100
    assert found.by_split["test"] > 0


def test_rectangles_are_compared_through_their_transpose():
    """A standing training maze shares its layout with the same maze lying down."""
    lying = generate(MazeSpec(5, width=13), 20, split="test")
    standing = np.stack([lying.connections[:, 1].swapaxes(1, 2), lying.connections[:, 0].swapaxes(1, 2)], axis=1)
    training = Mazes.from_arrays(standing, lying.start[:, ::-1], lying.goal[:, ::-1])
    assert contamination(training, lying).hit == 20


def test_other_sizes_are_refused():
    """Mazes of two sizes share no layout, which is said rather than counted."""
    with pytest.raises(InputError, match=r"5×5 cells, the tested ones 7×7"):
        contamination(generate(MazeSpec(9), 2), generate(MazeSpec(13), 2))
