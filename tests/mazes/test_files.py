import pytest

from extramaze.mazes import InputError, MazeSpec, generate
from extramaze.mazes.files import read_npz, write_atomically, write_npz


def test_an_archive_gives_the_mazes_back(tmp_path):
    """What was written is what is read, to the digest."""
    mazes = generate(MazeSpec(9, percolation=0.1), 20)
    write_npz(mazes, tmp_path / "mazes.npz")
    assert read_npz(tmp_path / "mazes.npz").digest() == mazes.digest()


def test_a_truncated_archive_is_refused(tmp_path):
    """Half a file is one clear error."""
    path = tmp_path / "mazes.npz"
    write_npz(generate(MazeSpec(9), 20), path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"mazes\.npz"):
        read_npz(path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    """A file is either the old one or the whole new one."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "no space left")))
    with pytest.raises(InputError, match="no space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
