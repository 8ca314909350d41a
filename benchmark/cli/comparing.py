"""Verbs that hold records against one another."""

import json
from pathlib import Path
from typing import Annotated

import typer

from extramaze.cli.app import ExitCode, Json, app, print
from extramaze.core.errors import InputError


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A record's folder.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another's.")],
    as_json: Json = False,
) -> None:
    """Compare two records maze by maze.

    Wins, losses, exact McNemar, paired intervals. Exit 3 where their mazes differ.
    """
    from extramaze.comparing.compare import compare as run_compare
    from extramaze.comparing.text import as_json as to_json
    from extramaze.comparing.text import comparison_text
    from extramaze.core.escapes import json_for_terminal, lines_for_terminal
    from extramaze.leaderboard.sources import read_given

    found = run_compare(read_given(first), read_given(second))
    print(json_for_terminal(to_json(found)) if as_json else lines_for_terminal(comparison_text(found)))


@app.command()
def check(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A record's folder.")],
    baseline: Annotated[Path, typer.Option(help="The baseline's folder.")],
    init: Annotated[bool, typer.Option("--init", help="Write a first baseline from the record.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Make the record the next baseline in any case.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why, in one line; goes with --accept.")] = None,
    margin: Annotated[float, typer.Option(help="Difference in accuracy that counts as none.")] = 0.02,
    convergence_margin: Annotated[float, typer.Option(help="The same for the share that settles.")] = 0.1,
    work_margin: Annotated[float, typer.Option(help="Relative rise in evaluations or memory allowed.")] = 0.1,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 4 where a change is inconclusive.")] = False,
    as_json: Json = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown to this file.")] = None,
) -> None:
    """Check a record against a baseline.

    Exit 0 improved, equivalent or inconclusive · 1 regressed · 2 no baseline · 3 not comparable · 4 with --strict:
    inconclusive, and some maze changed.
    """
    from extramaze.comparing.baselines import accept_baseline, baseline_before, init_baseline, read_baseline
    from extramaze.comparing.check import check as run_check
    from extramaze.comparing.report import Margins
    from extramaze.comparing.text import as_json as to_json
    from extramaze.comparing.text import report_junit, report_markdown, report_text
    from extramaze.core.display import shown
    from extramaze.core.escapes import json_for_terminal, lines_for_terminal
    from extramaze.core.files import write_alone
    from extramaze.records import read_record

    if init and accept:
        raise InputError("--init writes a first baseline and --accept the next one; give one of them")
    if accept != (reason is not None):
        raise InputError("--accept and --reason go together: --accept --reason 'why the numbers may change'")
    margins = Margins(margin, convergence_margin, work_margin)
    new = read_record(record)
    if init:
        if junit or markdown:
            raise InputError(
                "--init compares nothing, so there is no report to write; leave --junit and --markdown out"
            )
        init_baseline(baseline, new)
        done = f"baseline written: {baseline}; check against it: extramaze check RECORD --baseline {baseline}"
        print(json.dumps({"baseline": str(baseline)}) if as_json else done)
        return
    old = read_baseline(baseline) if reason is None else baseline_before(baseline, new, reason)
    report = run_check(new, old, margins)
    if junit is not None:
        write_alone(junit, report_junit(report).encode())
    if markdown is not None:
        write_alone(markdown, report_markdown(report).encode())
    print(json_for_terminal(to_json(report)) if as_json else lines_for_terminal(report_text(report)))
    if reason is not None:
        taken = accept_baseline(baseline, new, reason)
        typer.echo(f"accepted as number {taken.number} of {shown(baseline)}", err=True)
        return
    codes = {"regressed": ExitCode.FAILED, "not comparable": ExitCode.NOT_COMPARABLE}
    if strict and report.unsure:
        codes["inconclusive"] = ExitCode.INCONCLUSIVE
    raise typer.Exit(codes.get(report.verdict, ExitCode.DONE))
