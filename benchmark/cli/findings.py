"""The verb that holds published claims against records."""

from pathlib import Path
from typing import Annotated

import typer

from extramaze.cli.app import Quiet, app, print, say_left_out
from extramaze.core.errors import InputError


@app.command()
def findings(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDER]...", help="Records to draw from. Default: the shipped ones."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file rather than to the terminal.")] = None,
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Use parts of suites too (--limit, --cells): for trying, not for findings."),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Say what records confirm and refute.

    Writes Markdown: published claims beside figures with intervals, each judged by a stated rule.

    A record below a FOLDER that cannot be read is named and left out, and the exit code is 2.
    """
    from extramaze.core.display import shown
    from extramaze.core.files import write_alone
    from extramaze.findings import findings_text
    from extramaze.leaderboard.grouping import in_own_name
    from extramaze.leaderboard.sources import find_records, shipped_records

    named = " ".join(["extramaze findings", *map(shown, folders or ()), *(["--partial"] if partial else [])])
    refused: list[InputError] = []
    read = find_records(folders, quiet, refused.append) if folders else shipped_records(quiet)
    records = in_own_name(read)
    if len(records) < len(read):
        others = f"{len(read) - len(records)} of {len(read)} records do not stand under the recipe they state"
        typer.echo(f"left out: {others}; extramaze leaderboard says why", err=True)
    text = findings_text(records, named, partial, quiet)
    if out is None:
        print(text, end="")
    else:
        write_alone(out, text.encode())
        typer.echo(f"findings: {shown(out)}", err=True)
    say_left_out(refused)
