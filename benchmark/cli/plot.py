"""The verb that draws a record."""

from pathlib import Path
from typing import Annotated

import typer

from extramaze.cli.app import app


@app.command()
def plot(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A folder that extramaze evaluate wrote.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the PNGs. Default: RECORD/plots.")] = None,
    solver: Annotated[
        str | None,
        typer.Option(
            help="The record's solver, to draw failures and iterations: runs its code. A shipped one is found."
        ),
    ] = None,
) -> None:
    """Draw a record as charts and mazes.

    Accuracy by axis and by iterations, over size × percolation; failures by kind; a maze being solved; what the
    iterates did: limit × correct, residuals, motion, one trajectory and its persistence diagram.
    """
    from extramaze.models import load
    from extramaze.models.loading import shipped_solvers
    from extramaze.plots import plot_record
    from extramaze.records import read_record

    found = read_record(record)
    name = found.summary.plan.solver.name
    chosen = solver or (
        name if name in shipped_solvers() else None
    )  # what comes with extramaze runs nobody else's code
    paths = plot_record(found, out or record / "plots", None if chosen is None else load(chosen))
    print("\n".join(map(str, paths)))
