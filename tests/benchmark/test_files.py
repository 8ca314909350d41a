import pytest

from extramaze.core import files
from extramaze.core.files import LOCK, hold, is_free, write_atomically
from extramaze.mazes import InputError, MazeSpec, generate
from extramaze.mazes.npz import read_npz, write_npz


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


def test_a_folder_is_held_by_one(tmp_path):
    """Whoever comes second is told so, and the next one may have it."""
    with hold(tmp_path), pytest.raises(InputError, match="in use by another process"), hold(tmp_path):
        pass
    with hold(tmp_path):
        assert (tmp_path / LOCK).exists()
    assert not (tmp_path / LOCK).exists()


def test_a_lock_that_was_removed_under_its_holder_is_none(tmp_path, monkeypatch):
    """The last holder may remove the file between opening and locking it; then somebody else may hold a new one."""
    flock = files.fcntl.flock

    def late(file, how):
        (tmp_path / LOCK).unlink()
        (tmp_path / LOCK).touch()
        flock(file, how)

    monkeypatch.setattr(files.fcntl, "flock", late)
    with pytest.raises(InputError, match="in use by another process"), hold(tmp_path):
        pass


def test_what_is_no_folder_cannot_be_held(tmp_path):
    """One sentence instead of a traceback, as for a folder that may not be written into."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write into .*file"), hold(tmp_path / "file"):
        pass


def test_a_free_folder_holds_nothing_of_others(tmp_path):
    """None yet, an empty one, locks and what killed writes left; not a file, and nothing else inside."""
    (tmp_path / "file").touch()
    assert is_free(tmp_path / "none")
    assert not is_free(tmp_path / "file")
    assert not is_free(tmp_path)
    assert is_free(tmp_path, "file")
    (tmp_path / "file").rename(tmp_path / ".file.0123.tmp")
    (tmp_path / LOCK).touch()
    assert is_free(tmp_path)
