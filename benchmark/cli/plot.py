"""The verb that draws records."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extramaze.cli.app import app

if TYPE_CHECKING:
    from extramaze.records import Record

PER_KIND = 4


@app.command()
def plot(
    folders: Annotated[list[Path], typer.Argument(metavar="RECORD...", help="Records of one suite, drawn together.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the PNGs. Default: runs/plots/SOLVER.")] = None,
    solver: Annotated[
        str | None, typer.Option(help="The first record's solver, to draw its answers. Default: the shipped one.")
    ] = None,
    maze: Annotated[
        str | None,
        typer.Option(help="Maze drawn step by step, CELL:INDEX. Default: a largest one."),
    ] = None,
) -> None:
    """Draw records: accuracy by axis, by iterations, over size × percolation; failures; one maze step by step.

    Charts come from the records alone. Failures and the strip need the first record's solver, which is run again.
    """
    from extramaze.mazes.files import make_folder
    from extramaze.plots import plot_axes, plot_iterations, plot_plane
    from extramaze.records import read_record

    records = [read_record(folder) for folder in folders]
    first = records[0]
    place = out or Path("runs") / "plots" / first.summary.plan.solver.name
    make_folder(place)
    made = [place / "axes.png", place / "iterations.png"]
    plot_axes(records, made[0])
    plot_iterations(first, made[1])
    if plot_plane(first, place / "plane.png"):
        made.append(place / "plane.png")
    made += _draw_answers(first, place, solver, maze)
    print("\n".join(map(str, made)))


def _draw_answers(record: "Record", place: Path, target: str | None, maze: str | None) -> list[Path]:
    """Draw failures by kind and a strip, where the solver can be had; say so where not."""
    from extramaze.mazes import InputError
    from extramaze.models import load
    from extramaze.pictures import save_failures, save_rows
    from extramaze.replay import failures_by_kind, strip

    name = record.summary.plan.solver.name
    try:
        solver = load(target or name)
    except InputError:
        if target is not None:
            raise
        print(f"{name} does not ship with extramaze: give --solver to draw its answers")
        return []
    largest = max(record.summary.plan.suite.cells, key=lambda cell: cell.maze_spec.size)
    cell, _, index = (maze or f"{largest.name}:0").partition(":")
    if not index.isdigit():
        raise InputError(f"--maze is CELL:INDEX, such as size-9:0, got {maze!r}")
    made = [place / "strip.png"]
    drawings = strip(solver, record, cell, int(index))
    save_failures(drawings, f"{name}: {cell} #{index}, answers after so many iterations", made[0], columns=6)
    kinds = failures_by_kind(solver, record, PER_KIND)
    if kinds:
        made.append(place / "failures.png")
        save_rows(kinds, f"{name}: answers that are not optimal, by kind", made[1])
    return made
