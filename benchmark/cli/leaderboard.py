"""The verb that ranks records."""

import shutil
from pathlib import Path
from typing import Annotated, Literal

import typer

from extramaze.cli.app import Quiet, app, print, say_left_out
from extramaze.core.errors import InputError

WIDE = 120  # characters, where there is no terminal to ask


@app.command()
def leaderboard(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="Records to rank. Default: the shipped ones.")
    ] = None,
    verifications: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Believe these too: SUITE/SOLVER.json of extramaze verify. Repeatable."),
    ] = None,
    style: Annotated[Literal["table", "markdown", "json"], typer.Option("--format", help="How to write it.")] = "table",
    ranking: Annotated[
        int, typer.Option(metavar="VERSION", help="Of the rule for ranks and intervals: 2, or 1 as it once was.")
    ] = 2,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Draw each board into a folder: accuracy along every axis.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Rank records, one row a recipe.

    A row holds all seeds of a recipe; optimal accuracy at the last rung ranks. Badges (in Markdown and JSON): claimed,
    or reproduced by extramaze verify, as a verification that comes with extramaze, or lies in --verifications, says.

    A record below a FOLDER that cannot be read is named and left out, and the exit code is 2.
    """
    from extramaze.core.escapes import json_for_terminal
    from extramaze.leaderboard.board import boards
    from extramaze.leaderboard.sources import find_records, find_verified, shipped_records
    from extramaze.leaderboard.text import board_json, board_table

    refused: list[InputError] = []
    records = find_records(folders, quiet, refused.append) if folders else shipped_records(quiet)
    found = boards(records, find_verified(verifications or ()), ranking)
    if style == "json":
        print(json_for_terminal(board_json(found)))
    else:
        width = shutil.get_terminal_size(fallback=(WIDE, 24)).columns
        print("\n\n".join(board_table(board, style == "markdown", width) for board in found))
    if pictures is not None:
        from extramaze.core.display import shown
        from extramaze.leaderboard.picture import save_boards

        typer.echo("\n".join(map(shown, save_boards(records, pictures, ranking, quiet))), err=True)
    say_left_out(refused)
