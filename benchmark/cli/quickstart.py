"""The first verb."""

from pathlib import Path
from typing import Annotated

import typer

from extramaze.cli.app import Device, Quiet, app, print


@app.command()
def quickstart(
    out: Annotated[Path, typer.Option(help="Folder for the picture.")] = Path("runs/quickstart"),
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Make a first leaderboard in a minute.

    Evaluates the shipped solvers live on a part of smoke-v1 and draws mazes that were answered wrongly.
    """
    from extramaze.quickstart import quickstart as run_quickstart

    print(run_quickstart(out, device, quiet))
