import subprocess
import sys
from pathlib import Path

import pytest

from extramaze.core import files, locks
from extramaze.core.files import LOCK, hold, is_free, write_atomically, write_once
from extramaze.core.folders import find_below, remove_folder, write_folder
from extramaze.core.locks import scratch
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
    """Whoever comes second is told so, and the next one may have it; nothing of the lock lies in the folder."""
    with hold(tmp_path), pytest.raises(InputError, match="in use by another process"), hold(tmp_path):
        pass
    with hold(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_folder_is_held_under_all_its_names(tmp_path, monkeypatch):
    """Relative, through a link, and before it is there."""
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    monkeypatch.chdir(tmp_path)
    for made in (False, True):
        if made:
            (tmp_path / "folder").mkdir()
        with hold(Path("folder")):
            for name in (tmp_path / "folder", tmp_path / "link", Path("folder/../link/."), Path("./folder")):
                with pytest.raises(InputError, match="in use by another process"), hold(name):
                    pass
        with hold(tmp_path / "link"), hold(tmp_path), hold(tmp_path / "folder" / "file"):
            pass


def test_a_lock_goes_with_its_process(tmp_path):
    """However it ends: a child that is killed while it holds a folder holds it no longer."""
    script = "import os, sys, pathlib\nfrom extramaze.core.files import hold\n"
    script += "with hold(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="in use by another process"), hold(tmp_path):
            pass
        child.kill()
        child.wait()
        with hold(tmp_path):
            pass


def test_locks_lie_in_the_users_cache(tmp_path, monkeypatch):
    """In $XDG_CACHE_HOME where it is stated and absolute, in ~/.cache otherwise."""
    for variable, value, cache in (
        ("XDG_CACHE_HOME", str(tmp_path / "x"), "x"),
        ("HOME", str(tmp_path / "h"), "h/.cache"),
    ):
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setenv(variable, value)
        with hold(tmp_path / "folder"):
            assert len(list((tmp_path / cache / "extramaze" / "locks").iterdir())) == 1


@pytest.mark.parametrize("temporary", [True, False])
def test_without_a_cache_locks_lie_among_temporary_files(tmp_path, monkeypatch, capsys, temporary):
    """Where those cannot be written either, one warning says so, and the work is done."""
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / ("tmp" if temporary else "file")))
    locks._warn.cache_clear()
    for _ in range(2):
        with hold(tmp_path / "folder"):
            held = list((tmp_path / "tmp").rglob("*.lock"))
            assert len(held) == temporary
    assert capsys.readouterr().err.count("warning: no lock can be written") == (not temporary)
    locks._warn.cache_clear()


def test_scratch_of_killed_processes_is_removed_and_that_of_others_stays(tmp_path, monkeypatch):
    """By its lock: nobody holds that of a process that is no more."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (tmp_path / "extramaze-01234567").mkdir()
    (tmp_path / "extramaze-01234567" / "weights").touch()
    (tmp_path / "extramaze-01234567.lock").touch()
    (tmp_path / "extramaze-notes").mkdir()
    with scratch() as one, scratch() as other:
        assert one.is_dir()
        assert other.is_dir()
        assert not (tmp_path / "extramaze-01234567").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["extramaze-notes"]


def test_what_killed_writers_left_goes_when_their_file_or_folder_is_held(tmp_path):
    """Beside it and by its name; what belongs to another, or only looks like it, stays."""
    ours = [".out.0123abcd.tmp", ".out.x.0123abcd.tmp", ".out.tmp", ".out.notes.tmp", "out.0123abcd.tmp"]
    for name in ours[1:]:
        (tmp_path / name).touch()
    (tmp_path / ours[0] / "inside").mkdir(parents=True)
    with hold(tmp_path / "out"):
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(ours[1:])


def test_a_folder_appears_whole(tmp_path, monkeypatch):
    """Until its last file is written there is none; a failure leaves none, and an old one as it was."""
    contents = {"a": b"1", "inside/b": b"2"}
    plain, seen = files.write_atomically, []

    def write(path, content):
        seen.append((tmp_path / "new" / "folder").exists())
        plain(path, content)

    monkeypatch.setattr("extramaze.core.folders.write_atomically", write)
    write_folder(tmp_path / "new" / "folder", contents)
    assert seen == [False, False]
    assert {name: (tmp_path / "new" / "folder" / name).read_bytes() for name in contents} == contents
    monkeypatch.setattr("extramaze.core.folders.write_atomically", lambda *_: (_ for _ in ()).throw(InputError("full")))
    with pytest.raises(InputError, match="full"):
        write_folder(tmp_path / "other", contents)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_folder_is_gone_by_one_rename(tmp_path, monkeypatch):
    """What a killed removal left of it goes with the next one."""
    write_folder(tmp_path / "folder", {"a": b"1", "b": b"2"})
    monkeypatch.setattr("shutil.rmtree", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        remove_folder(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    monkeypatch.undo()
    remove_folder(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_folders_that_are_not_whole_hold_no_data(tmp_path):
    """They are passed over, unless one is asked for by its name."""
    for name in ("a", ".b.0123abcd.tmp", ".c.part", "d/.e.part/f", ".hidden"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "record.json").touch()
    found = [str(path.parent.relative_to(tmp_path)) for path in find_below(tmp_path, "record.json")]
    assert found == [".hidden", "a"]
    assert len(list(find_below(tmp_path / ".c.part", "record.json"))) == 1


def test_a_file_is_written_once(tmp_path):
    """The very same one may be there; another is not written over."""
    write_once(tmp_path / "file", b"ours")
    write_once(tmp_path / "file", b"ours")
    for content in (b"other", b"longer than ours"):
        with pytest.raises(InputError, match="file exists; choose another --out"):
            write_once(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == b"ours"


def test_a_file_that_ends_half_written_is_no_file(tmp_path):
    """A real write that fails midway, at the size limit of a process: one sentence, the old file, and nothing else."""
    (tmp_path / "file").write_bytes(b"old")
    script = (
        "import resource, sys, pathlib\nfrom extramaze.core.files import write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_atomically(pathlib.Path(sys.argv[1]), bytes(5000))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "InputError: cannot write" in done.stderr
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


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
