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
    from extramaze.plan import foreign
    from extramaze.plots import plot_record
    from extramaze.records import read_record

    found = read_record(record)
    stated = found.summary.plan.solver
    chosen = load(solver) if solver is not None else None
    if solver is None and stated.name in shipped_solvers():  # what comes with extramaze runs nobody else's code
        chosen = load(stated.name)
        differs = foreign(chosen, stated)
        if differs:
            typer.echo(f"no answers are drawn: {stated.name} is another solver now ({'; '.join(differs)})", err=True)
            chosen = None
    print("\n".join(map(str, plot_record(found, out or record / "plots", chosen))))
