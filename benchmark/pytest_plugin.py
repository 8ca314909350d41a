"""A pytest fixture that checks a record against a baseline. Put it to use with one line in ``conftest.py``::

    pytest_plugins = ["extramaze.pytest_plugin"]

It is asked for by name rather than registered as an entry point, so that nothing of extramaze is imported by the test
runs of people who merely have it installed.
"""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def extramaze_check() -> Callable[..., object]:
    """Return ``check(record, baseline, strict=False, accuracy=0.02, convergence=0.1, work=0.1)``.

    It fails the test where the record (a folder, or a Record) regressed or is not comparable, and with strict where
    a change is inconclusive; else it returns the report. The margins are those of ``extramaze check``: --margin,
    --convergence-margin and --work-margin.
    """
    from extramaze.comparing.baselines import read_baseline
    from extramaze.comparing.check import check
    from extramaze.comparing.report import Margins, Outcome
    from extramaze.comparing.text import report_text
    from extramaze.records import Record, read_record

    def run(record: "Record | str | Path", baseline: str | Path, strict: bool = False, **margins: float) -> object:
        found = record if isinstance(record, Record) else read_record(Path(record))
        report = check(found, read_baseline(Path(baseline)), Margins(**margins))
        if report.verdict in (Outcome.REGRESSED, Outcome.NOT_COMPARABLE) or (strict and report.unsure):
            pytest.fail(report_text(report), pytrace=False)
        return report

    return run
