"""Progress for eyes, and lines now and then for a log."""

import io
import re
import sys

import pytest

from extramaze.cli import run
from extramaze.core import progress
from extramaze.core.progress import progress_bar

BAR = re.compile(r"\d\d:\d\d")  # the time that has passed


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when they are told to, as the writer of lines sees them."""
    seconds = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def test_a_log_gets_its_first_and_last_line(capsys, clock):
    """However often a bar is refreshed in between; each line is ended by a line feed."""
    with progress_bar(total=60, desc="work") as bar:
        for _ in range(60):
            bar.update()
            bar.set_postfix(loss=0.5)
    written = capsys.readouterr().err
    lines = written.split("\n")
    assert len(lines) == 3
    assert lines[0].startswith("work:   0%")
    assert lines[1].startswith("work: 100%")
    assert "loss=0.5" in lines[1]
    assert lines[2] == ""
    assert "\r" not in written


def test_a_log_gets_a_line_now_and_then(capsys, clock):
    """Every LOG_SECONDS, as long as there is something to say."""
    seen = ""
    with progress_bar(total=60) as bar:
        for step in range(60):
            clock[0] += 1
            bar.update()
            bar.refresh()
            seen += capsys.readouterr().err
            assert seen.count("\n") == 1 + (step + 1) // progress.LOG_SECONDS
    assert "\r" not in seen


@pytest.mark.parametrize("options", [{"quiet": True}, {"inner": True}, {"brief": True}, {"delay": 60, "leave": False}])
def test_what_is_quiet_within_another_or_short_leaves_a_log_empty(capsys, options):
    """Not a byte."""
    assert list(progress_bar(range(5), **options)) == list(range(5))
    assert capsys.readouterr().err == ""


def test_words_beside_a_bar_are_a_line_of_their_own(capsys, clock):
    """What a program says while a bar runs is neither drawn over nor followed by blanks."""
    with progress_bar(total=2) as bar:
        bar.write("said", file=sys.stderr)
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == "said"
    assert len(lines) == 3


def test_a_terminal_gets_a_bar(monkeypatch):
    """Drawn in place."""
    monkeypatch.setattr(sys, "stderr", Screen())
    list(progress_bar(range(3), desc="work"))
    assert "\rwork: 100%" in sys.stderr.getvalue()


def test_short_work_leaves_a_terminal_as_it_was(monkeypatch):
    """Nothing is shown before LONG."""
    monkeypatch.setattr(sys, "stderr", Screen())
    list(progress_bar(range(3), brief=True))
    assert sys.stderr.getvalue() == ""


def test_a_process_without_standard_error_works(monkeypatch):
    """As where a window has none."""
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress_bar(range(3))) == [0, 1, 2]


@pytest.mark.parametrize("verb", ["leaderboard", "findings --partial", "plot", "doctor"])
def test_long_verbs_tell_where_they_are(verb, tiny_records, tmp_path, monkeypatch, capsys):
    """Where they take longer than LONG, unless they are to be quiet."""
    tiny_records["dead-end-filling"].write(tmp_path / "r")
    target = "dead-end-filling" if verb == "doctor" else str(tmp_path / "r")
    monkeypatch.setattr(progress, "LONG", 0.0)
    for quiet, bars in (([], True), (["--quiet"], False)):
        assert run([*verb.split(), target, *quiet]) == 0
        assert (BAR.search(capsys.readouterr().err) is not None) == bars
