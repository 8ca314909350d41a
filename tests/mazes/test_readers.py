"""Real output of maze-dataset 1.4.2, made by tests/data/make_maze_dataset.py, is read right."""

from types import SimpleNamespace

import numpy as np
import pytest

from extramaze.mazes import InputError, Mazes, describe, from_maze_dataset, raster, read_easy_to_hard, solve
from extramaze.mazes.readers import NEEDED

KINDS = ("dfs", "percolated")


@pytest.fixture
def folder(root):
    return root / "tests" / "data" / "easy-to-hard"


@pytest.fixture
def stored(root):
    with np.load(root / "tests" / "data" / "maze-dataset.npz") as arrays:
        return dict(arrays)


def objects(stored, kind):
    columns = [stored[f"{kind}_{name}"] for name in NEEDED]
    return [SimpleNamespace(**dict(zip(NEEDED, row, strict=True))) for row in zip(*columns, strict=True)]


def test_our_raster_is_the_easy_to_hard_format_bit_for_bit(folder):
    """Decoded and drawn again at scale 2, the images of another program come back to the last pixel."""
    mazes = read_easy_to_hard(folder)
    images, targets = raster(mazes, 2)
    assert np.array_equal(images, np.load(folder / "inputs.npy"))
    solutions = np.load(folder / "solutions.npy")
    same = (targets == solutions).all(axis=(1, 2))
    only = describe(mazes).n_shortest == 1
    assert same[only].all()
    assert only.sum() >= 10
    assert np.array_equal(targets.sum(axis=(1, 2)), solutions.sum(axis=(1, 2)))  # as short where several are shortest


@pytest.mark.parametrize("kind", KINDS)
def test_maze_dataset_objects_become_our_mazes(stored, folder, kind):
    """Connections, start and end carry over; path lengths equal its own, and paths too where there is one alone."""
    mazes = from_maze_dataset(objects(stored, kind))
    half = slice(0, 8) if kind == "dfs" else slice(8, 16)
    assert mazes.digest() == read_easy_to_hard(folder)[half].digest()
    paths, lengths = solve(mazes), stored[f"{kind}_lengths"]
    assert np.array_equal(paths.lengths + 1, lengths)
    if kind == "dfs":
        assert np.array_equal(paths.cells, stored["dfs_solutions"])


def test_a_part_of_a_folder(folder):
    """``most`` reads the first mazes alone."""
    assert read_easy_to_hard(folder, most=3).digest() == read_easy_to_hard(folder)[:3].digest()


def test_a_folder_without_mazes_is_refused(tmp_path):
    """A missing file, a file of something else and an image that is no maze's are one clear error each."""
    with pytest.raises(InputError, match="cannot read"):
        read_easy_to_hard(tmp_path)
    (tmp_path / "inputs.npy").write_bytes(b"not an array")
    with pytest.raises(InputError, match="cannot read"):
        read_easy_to_hard(tmp_path)
    np.save(tmp_path / "inputs.npy", np.zeros((4, 24, 24)))
    with pytest.raises(InputError, match=r"expected an array \(N, 3, H, W\)"):
        read_easy_to_hard(tmp_path)
    np.save(tmp_path / "inputs.npy", np.ones((4, 3, 24, 24)))
    with pytest.raises(InputError, match="maze 0"):
        read_easy_to_hard(tmp_path)


def test_objects_that_are_no_solved_mazes_are_refused(stored):
    """A maze without an end, none at all, and mazes of several sizes are one clear error each."""
    found = objects(stored, "dfs")
    del found[2].end_pos
    with pytest.raises(InputError, match="maze 2: expected a maze with start and end, got SimpleNamespace without end"):
        from_maze_dataset(found)
    with pytest.raises(InputError, match="of one size, got none"):
        from_maze_dataset([])
    mixed = objects(stored, "dfs")[:2]
    mixed[1].connection_list = mixed[1].connection_list[:, :4, :4]
    with pytest.raises(InputError, match="of one size, got shapes"):
        from_maze_dataset(mixed)


def test_connections_of_both_conventions_are_equal(stored):
    """maze-dataset's connection_list needs no conversion: it is ``Mazes.connections``."""
    mazes = from_maze_dataset(objects(stored, "percolated"))
    assert np.array_equal(mazes.connections, stored["percolated_connection_list"])
    assert isinstance(mazes, Mazes)
