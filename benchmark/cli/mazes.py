"""Verbs about mazes."""

from pathlib import Path
from typing import Annotated

import typer

from extramaze.cli.app import app
from extramaze.mazes import InputError

MAX_PICTURED = 12


@app.command()
def generate(
    specs: Annotated[list[str], typer.Argument(metavar="SPEC...", help="For example size=9,percolation=0.1,start=any")],
    count: Annotated[int, typer.Option(help="Mazes of each specification.")] = 4,
    split: Annotated[str | None, typer.Option(help="train, val, test or sealed; left out: all layouts.")] = None,
    first: Annotated[int, typer.Option(help="Index of the first maze.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the mazes as a .npz archive (one SPEC).")] = None,
    picture: Annotated[Path | None, typer.Option(help="Write a PNG, one row a SPEC (at most 12 mazes each).")] = None,
) -> None:
    """Draw mazes, and print, write or picture them."""
    from extramaze.mazes import MazeSpec
    from extramaze.mazes import generate as draw
    from extramaze.mazes.files import write_npz
    from extramaze.pictures import save_samples
    from extramaze.tables import mazes_summary

    parsed = [MazeSpec.parse(text) for text in specs]
    if out is not None and len(parsed) > 1:
        raise InputError(f"--out takes one specification, got {len(parsed)}; run generate once for each")
    if picture is not None and not 1 <= count <= MAX_PICTURED:
        raise InputError(f"--picture draws 1 to {MAX_PICTURED} mazes of each specification, got {count}")
    drawn = [draw(spec, count, split=split, first=first) for spec in parsed]
    if out is not None:
        write_npz(drawn[0], out)
    if picture is not None:
        save_samples(dict(zip(parsed, drawn, strict=True)), picture)
    print("\n".join(mazes_summary(mazes) for mazes in drawn))
