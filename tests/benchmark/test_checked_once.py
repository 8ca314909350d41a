"""What was checked of a record is remembered by its content, for whoever shows records and nobody who judges them."""

import errno
import os

import polars as pl
import pytest

from extramaze.cli import run
from extramaze.core import remembered
from extramaze.core.errors import InputError
from extramaze.leaderboard.sources import find_records, read_given, shipped_records
from extramaze.records import SUMMARY, TABLE, Record, read_record
from extramaze.records import record as record_module
from extramaze.records.checked_once import record_key


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A cache of one's own, with nothing in it yet, and no warning so far."""
    monkeypatch.delenv(remembered.SWITCH)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(remembered, "_WARNED", [])
    remembered._forget_many.cache_clear()
    return tmp_path / "cache" / "extramaze" / "checked"


@pytest.fixture
def folder(tiny_records, tmp_path):
    """A record on disk."""
    tiny_records["dead-end-filling"].write(tmp_path / "record")
    return tmp_path / "record"


@pytest.fixture
def checks(monkeypatch):
    """Count how often rows are checked."""
    seen, check = [], record_module.row_problems
    monkeypatch.setattr(record_module, "row_problems", lambda *arguments: seen.append(1) or check(*arguments))
    return seen


def forge(folder, record):
    """Write rows that cannot be under digests stated anew; return under which name they would be remembered."""
    rows = record.mazes.with_columns(
        pl.lit(False).alias("as_dead_end_filling"), pl.lit(0).cast(pl.Int64).alias("cycles")
    )
    forged = record.changed(mazes=rows)
    for name, content in forged.contents().items():
        (folder / name).write_bytes(content)
    contents = {name: (folder / name).read_bytes() for name in (SUMMARY, TABLE)}
    return record_key({**contents, "answers.npz": forged.answers or b""})


def test_a_record_is_checked_once(folder, home, checks):
    """The second reading finds its content remembered, and gives the same record."""
    first, second = (find_records([folder])[0] for _ in range(2))
    assert len(checks) == 1
    assert len(list(home.iterdir())) == 1
    assert first.summary == second.summary
    assert first.mazes.equals(second.mazes)


def test_a_copy_is_known_and_another_content_is_not(folder, tmp_path, home, tiny_records, checks):
    """A record is known wherever it lies, by its content alone; one that is forged later is refused."""
    find_records([folder])
    folder.rename(tmp_path / "elsewhere")
    find_records([tmp_path / "elsewhere"])
    assert len(checks) == 1
    forge(tmp_path / "elsewhere", tiny_records["dead-end-filling"])
    with pytest.raises(InputError, match="contradicts itself"):
        find_records([tmp_path / "elsewhere"])


@pytest.mark.parametrize("name", [SUMMARY, TABLE])
def test_a_changed_byte_is_noticed(name, folder, home):
    """Digests are compared at every reading."""
    find_records([folder])
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError):
        find_records([folder])


def test_other_checks_check_anew(folder, home, checks, monkeypatch):
    """What another version found is not what this one would find."""
    find_records([folder])
    monkeypatch.setattr("extramaze.records.checked_once.version_of_checks", lambda: "another")
    find_records([folder])
    assert len(checks) == 2


def test_who_judges_never_believes_the_cache(folder, home, tiny_records, capsys):
    """A forgery that is remembered as sound is refused by validate, check and verify, and by read_record itself."""
    remembered.remember(forge(folder, tiny_records["dead-end-filling"]))
    assert isinstance(find_records([folder])[0], Record)  # the trap is one
    with pytest.raises(InputError, match="contradicts itself"):
        read_record(folder)
    with pytest.raises(InputError, match="contradicts itself"):
        read_given(folder)  # it does not come with the package
    assert run(["validate", str(folder)]) == 1
    assert run(["check", str(folder), "--baseline", str(folder / "baseline"), "--init"]) == 2
    assert run(["verify", str(folder), "--trust"]) == 1
    assert "contradicts itself" in capsys.readouterr().err


def test_compare_believes_it_of_what_is_shipped(home, checks, root):
    """Two shipped rows are checked at the first comparison, and not at the second."""
    pair = [root / "results" / "smoke-v1" / name for name in ("wavefront", "wall-follower")]
    for _ in range(2):
        assert run(["compare", *map(str, pair), "--json"]) == 0
    assert len(checks) == 2


def test_the_cache_is_turned_off(folder, home, checks, monkeypatch):
    """Then nothing is written, and every reading checks; another word for it is refused."""
    monkeypatch.setenv(remembered.SWITCH, "off")
    find_records([folder]), find_records([folder])
    assert len(checks) == 2
    assert not home.exists()
    monkeypatch.setenv(remembered.SWITCH, "0")
    with pytest.raises(InputError, match="EXTRAMAZE_CACHE: expected off"):
        find_records([folder])


def refusing(folder, number):
    """Open files as the system does, none of a folder."""
    opened = os.open

    def refuse(path, *arguments, **options):
        if str(path).startswith(str(folder)):
            raise OSError(number, os.strerror(number))
        return opened(path, *arguments, **options)

    return refuse


@pytest.mark.parametrize("fault", ["a file in its place", "a folder in an entry's place", "full", "read-only"])
def test_a_cache_that_cannot_be_used_costs_one_warning(fault, folder, home, checks, monkeypatch, capsys):
    """Records are read as without it, and one line on standard error says so, once a process."""
    if fault == "a file in its place":
        home.parent.mkdir(parents=True)
        home.write_text("")
    elif fault == "a folder in an entry's place":
        find_records([folder])
        (entry,) = home.iterdir()
        entry.unlink()
        entry.mkdir()
        checks.clear()
    else:
        number = errno.ENOSPC if fault == "full" else errno.EROFS
        monkeypatch.setattr(os, "open", refusing(home, number))
    for _ in range(2):
        assert len(find_records([folder])) == 1
    assert len(checks) == 2
    told = capsys.readouterr().err
    assert told.count("warning: ") == 1
    assert "EXTRAMAZE_CACHE=off" in told


def test_a_cache_does_not_grow_without_end(home, monkeypatch):
    """One with too many entries is emptied."""
    monkeypatch.setattr(remembered, "MOST", 3)
    for key in "abc":
        remembered.remember(key)
    remembered._forget_many.cache_clear()  # as in the next process
    remembered.remember("d")
    assert list(home.iterdir()) == []


def test_shipped_records_are_all_sound(home, checks):
    """Those that come with the package are found sound, and remembered."""
    count = len(shipped_records())
    assert len(checks) == count == len(list(home.iterdir()))
