"""The verb that checks a solver before it is submitted."""

from typing import Annotated

import typer

from extramaze.cli.app import ExitCode, Quiet, app, print, show


@app.command()
def doctor(
    target: Annotated[
        str,
        typer.Argument(
            metavar="SOLVER", help="A shipped name, a plugin's, a trained folder, module:factory, file.py:factory."
        ),
    ],
    quiet: Quiet = False,
) -> None:
    """Check that a solver keeps the contract.

    A few mazes are evaluated: where evaluate would refuse the solver, its line comes first. Then one line for each part
    it breaks, with the likely cause. Exit code 0: it does; 1: it does not. Runs the solver's code, on the CPU.
    """
    from extramaze.evaluation.rehearsal import refusal
    from extramaze.models import load
    from extramaze.models.contract import card_of
    from extramaze.models.contract_checks import SIZES
    from extramaze.models.doctor import examine

    solver = load(target)
    name, refused = card_of(solver).name, refusal(solver)
    if refused is not None:
        typer.echo(f"error: {refused}", err=True)
    breaches = examine(lambda: load(target), quiet)
    show(breaches)
    if breaches or refused is not None:
        raise typer.Exit(ExitCode.FAILED)
    print(f"{name} keeps the contract (checked on mazes of size {', '.join(map(str, sorted(SIZES)))})")
