"""The verb that hands results to others."""

from pathlib import Path
from typing import Annotated

import typer

from extramaze.cli.app import Device, ExitCode, Quiet, app, print, show
from extramaze.core.errors import InputError

NEW = "new"


@app.command()
def submit(
    target: Annotated[
        str,
        typer.Argument(
            metavar="SOLVER|new", help="file.py:factory, module:factory, a plugin's name or a trained folder; or new."
        ),
    ],
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="With new: what the solver is called.")] = None,
    card: Annotated[Path, typer.Option(help="The card you filled in.")] = Path("card.yaml"),
    suite: Annotated[str, typer.Option(help="A shipped suite (extramaze ls suites) or a YAML file.")] = "smoke-v1",
    out: Annotated[
        Path | None, typer.Option(help="Folder to write. Default: submissions/SUITE/SOLVER; with new: NAME.")
    ] = None,
    training_mazes: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Training mazes (.npz), to count tested layouts among them. Repeatable."),
    ] = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Start a submission (submit new NAME), or make one.

    extramaze submit new my-net writes a folder with a solver, its training, its test and a card to fill in. extramaze
    submit solver.py:make --card card.yaml then checks the contract, runs the suite, and writes one folder for a pull
    request: record, weights, code and sealed card. Stopped and started again, it goes on. Runs the solver's code. Exit
    1 where the contract is broken.
    """
    from extramaze.records import read_record
    from extramaze.records.text import cell_table
    from extramaze.schema.card import read_statement
    from extramaze.schema.suite import load_suite, suite_names
    from extramaze.submission.starting import start_submission
    from extramaze.submission.submit import BrokenContract
    from extramaze.submission.submit import submit as make_submission

    if (target == NEW) != (name is not None):
        raise InputError("extramaze submit new NAME starts a submission; extramaze submit SOLVER --card FILE makes one")
    if name is not None:
        print(_next_steps(start_submission(name, out)))
        return
    statement, loaded = read_statement(card), load_suite(suite)
    try:
        folder, sealed = make_submission(
            target, statement, loaded, out, device, training_mazes or (), quiet, lambda line: typer.echo(line, err=True)
        )
    except BrokenContract as broken:
        show(broken.breaches)
        raise typer.Exit(ExitCode.FAILED) from broken
    solver = sealed.solver.name
    print(f"{cell_table(read_record(folder))}\n")
    print(
        f"submission: {folder}\n"
        f"{solver}: {sealed.solver.parameters:,} parameters, {sealed.doctor}\n"
        f"trained on what is tested: {sealed.overlap}\n"
        f"check it: extramaze validate {folder}\n"
        + (
            f"then open a pull request that adds the folder as results/{loaded.name}/{solver}, and so with other seeds"
            if loaded.name in suite_names()
            else f"{loaded.name} is no shipped suite: whoever compares with this record needs {suite} too"
        )
    )


def _next_steps(folder: Path) -> str:
    return (
        f"{folder}: solver.py, train.py, test_solver.py, card.yaml\n"
        f"in that folder: pytest, and python train.py; fill in card.yaml\n"
        "then: extramaze submit solver.py:make --card card.yaml"
    )
