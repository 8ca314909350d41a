"""Real output of maze-dataset 1.4.2, made by tests/data/make_maze_dataset.py, is read right."""

import gzip
import io
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from extramaze.mazes import InputError, Mazes, describe, from_maze_dataset, raster, read_easy_to_hard, read_npz, solve
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
    with pytest.raises(InputError, match=r"cannot read .*: there is no such file"):
        read_easy_to_hard(tmp_path)
    np.save(tmp_path / "inputs.npy", np.zeros((4, 24, 24)))
    with pytest.raises(InputError, match=r"expected an array \(N, 3, H, W\)"):
        read_easy_to_hard(tmp_path)
    np.save(tmp_path / "inputs.npy", np.ones((4, 3, 24, 24)))
    with pytest.raises(InputError, match="maze 0"):
        read_easy_to_hard(tmp_path)


@pytest.mark.parametrize("most", [-1, 2.5, True, "3", float("inf")])
def test_most_is_a_whole_number(folder, most):
    """As counts are: nothing is dropped from the end."""
    with pytest.raises(InputError, match="most must be an integer of at least 0"):
        read_easy_to_hard(folder, most=most)


def test_numpys_integers_are_whole_numbers(folder):
    """And none is a number too."""
    assert len(read_easy_to_hard(folder, most=np.uint8(3))) == 3
    assert len(read_easy_to_hard(folder, most=0)) == 0


@pytest.mark.parametrize("given", [None, 3, b"folder"])
def test_what_is_no_path(given):
    """A folder is named by a path."""
    with pytest.raises(InputError, match=r"expected the path of a folder that holds inputs\.npy"):
        read_easy_to_hard(given)


def test_the_file_in_place_of_its_folder(folder):
    """The line says to give the folder."""
    with pytest.raises(InputError, match="is a file; give its folder"):
        read_easy_to_hard(folder / "inputs.npy")


def archive(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def array(values):
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


NO_ARRAYS = {
    "text": (b"not an array", "text, 'not an array'"),
    "nothing": (b"", "an empty file"),
    "an archive": (archive(inputs=np.zeros(3)), r"an archive \(.npz or .zip\)"),
    "a pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "a Git LFS pointer.*git lfs pull",
    ),
    "a page": (b"\n<!DOCTYPE html><html></html>", "a web page.*download the file itself"),
    "gzip": (gzip.compress(array(np.zeros(3))), "compressed by gzip; unpack it"),
    "a pickle": (pickle.dumps([np.zeros(3)]), "a pickle, which could run code and is not read"),
    "objects": (array(np.array([{}])), "it holds Python objects, which could run code"),
    "an array cut off": (array(np.zeros((4, 3, 24, 24)))[:200], "cannot read"),
    "other bytes": (bytes(range(200, 256)), "of no kind that is known here"),
}


@pytest.mark.parametrize("name", NO_ARRAYS)
def test_what_is_called_an_array_is_named_for_what_it_is(tmp_path, name):
    """With what to do, which is never to load pickles."""
    content, said = NO_ARRAYS[name]
    (tmp_path / "inputs.npy").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_easy_to_hard(tmp_path)
    assert "allow_pickle" not in str(caught.value)
    assert "unsafe" not in str(caught.value)


@pytest.mark.parametrize(
    "name", [name for name in NO_ARRAYS if name not in ("an archive", "objects", "an array cut off")]
)
def test_what_is_called_an_archive_of_mazes_too(tmp_path, name):
    """By the same words."""
    content, said = NO_ARRAYS[name]
    (tmp_path / "mazes.npz").write_bytes(content)
    with pytest.raises(InputError, match=rf"not an archive of mazes \(.npz\) but {said}"):
        read_npz(tmp_path / "mazes.npz")


MAZES = {"connections": np.ones((1, 2, 2, 2)), "start": np.zeros((1, 2), int), "goal": np.ones((1, 2), int)}
NO_MAZES = {
    "an array alone": (array(np.zeros(3)), "but a NumPy array"),
    "a maze without a goal": (archive(connections=MAZES["connections"], start=MAZES["start"]), "KeyError.*goal"),
    "objects": (archive(**MAZES | {"start": np.array([[{}, {}]])}), "it holds Python objects"),
    "starts between cells": (archive(**MAZES | {"start": np.zeros((1, 2))}), "start must be an integer array"),
    "complex connections": (
        archive(**MAZES | {"connections": np.ones((1, 2, 2, 2), complex)}),
        "got one of complex128",
    ),
    "other connections": (archive(**MAZES | {"connections": np.full((1, 2, 2, 2), 0.5)}), "bool or 0 and 1"),
    "texts": (
        archive(**MAZES | {"goal": np.array([["a", "b"]])}),
        "goal: expected an array of numbers, got one of <U1",
    ),
}


@pytest.mark.parametrize("name", NO_MAZES)
def test_archives_without_mazes(tmp_path, name):
    """One sentence, which names the file."""
    content, said = NO_MAZES[name]
    (tmp_path / "mazes.npz").write_bytes(content)
    with pytest.raises(InputError, match=rf"mazes\.npz: .*{said}") as caught:
        read_npz(tmp_path / "mazes.npz")
    assert "allow_pickle" not in str(caught.value)


def test_images_are_blamed_by_file_and_index(folder, tmp_path):
    """The first image that is none of a maze."""
    images = np.load(folder / "inputs.npy")
    np.save(tmp_path / "inputs.npy", images * np.where(np.arange(len(images)) == 2, 255, 1)[:, None, None, None])
    with pytest.raises(InputError, match=r"inputs\.npy: maze 2: its values are not all 0 and 1: 255 is among them"):
        read_easy_to_hard(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("start_pos", (1.0, 2.0), "start_pos must hold integers, got float64"),
        ("start_pos", (1, 2, 3), r"start_pos must be a row and a column, \(2,\), got shape \(3,\)"),
        ("end_pos", "ab", "end_pos: expected an array of numbers"),
        ("connection_list", [[1], [1, 2]], "connection_list: expected an array of numbers, got a list"),
        ("connection_list", np.ones((5, 5)), r"connection_list must be \(2, R, C\), got shape \(5, 5\)"),
        ("connection_list", np.array([{}]), "connection_list: expected an array of numbers, got one of object"),
    ],
)
def test_parts_of_objects_are_checked(stored, name, value, said):
    """By the maze's index and the part's name."""
    found = objects(stored, "dfs")
    setattr(found[3], name, value)
    with pytest.raises(InputError, match=f"maze 3: {said}"):
        from_maze_dataset(found)


def test_what_holds_no_objects(stored):
    """One maze in place of several, or nothing."""
    for given in (None, 3, objects(stored, "dfs")[0]):
        with pytest.raises(InputError, match="expected a MazeDataset or a list of its mazes"):
            from_maze_dataset(given)


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
