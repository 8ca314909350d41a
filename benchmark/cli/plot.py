"""The verb that draws a record."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extramaze.cli.app import Quiet, app, print

if TYPE_CHECKING:
    from extramaze.models import IterativeSolver
    from extramaze.records import Record


@app.command()
def plot(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A folder that extramaze evaluate wrote.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the PNGs. Default: RECORD/plots, of a submission runs/SOLVER-plots.")
    ] = None,
    solver: Annotated[
        str | None,
        typer.Option(
            help="The record's solver, to draw iterations, and answers where none were kept: runs its code. "
            "A shipped one is found."
        ),
    ] = None,
    maze: Annotated[
        list[str] | None,
        typer.Option(metavar="CELL:INDEX", help="Draw this maze with its answer, and nothing else. Repeatable."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Draw a record as charts and mazes.

    Accuracy by axis and by iterations, over size × percolation; failures by kind; a maze being solved; what the
    iterates did: limit × correct, residuals, motion, one trajectory and its persistence diagram.
    """
    from extramaze.core.display import shown
    from extramaze.core.files import hold, make_folder
    from extramaze.pictures.answers import save_mazes
    from extramaze.pictures.record import plot_record
    from extramaze.records import read_record
    from extramaze.schema.card import CARD

    found = read_record(record)
    chosen = _solver(found, solver)
    submitted = (record / CARD).exists()  # its folder holds nothing that its card does not state
    folder = out or (Path("runs") / f"{found.summary.plan.solver.name}-plots" if submitted else record / "plots")
    if not maze:
        print("\n".join(map(shown, plot_record(found, folder, chosen, quiet))))
        return
    make_folder(folder)
    with hold(folder):
        print(save_mazes(found, maze, folder / "mazes.png", chosen))


def _solver(record: "Record", given: str | None) -> "IterativeSolver | None":
    """Load the solver that is given, or the shipped one of the record's name while it is the record's.

    Answers that were made elsewhere have none, whatever their name.
    """
    from extramaze.blocks.identity import solver_differences
    from extramaze.core.escapes import for_terminal
    from extramaze.models import load
    from extramaze.models.shipped import shipped_solvers

    stated = record.summary.plan.solver
    if given is not None:
        return load(given)
    if (
        record.summary.plan.mode == "predictions" or stated.name not in shipped_solvers()
    ):  # what comes with extramaze runs nobody else's code
        return None
    solver = load(stated.name)
    differs = solver_differences(solver, stated)
    if differs:
        said = f"no answers are drawn: {stated.name} is another solver now ({'; '.join(differs)})"
        typer.echo(for_terminal(said), err=True)
    return None if differs else solver
