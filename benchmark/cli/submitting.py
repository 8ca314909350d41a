"""Verbs that hand results to others, and that do not take another's word for them."""

from pathlib import Path
from typing import Annotated

import typer

from extramaze.cli.app import Device, ExitCode, Quiet, app
from extramaze.mazes import InputError

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
    from extramaze.submission.card import read_statement
    from extramaze.submission.starting import start_submission
    from extramaze.submission.submit import BrokenContract
    from extramaze.submission.submit import submit as make_submission
    from extramaze.suites import load_suite, suite_names

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
        for breach in broken.breaches:
            print(breach)
        raise typer.Exit(ExitCode.FAILED) from broken
    solver = sealed.solver.name
    print(
        f"submission: {folder}\n"
        f"{solver}: {sealed.solver.parameters:,} parameters, {sealed.doctor}\n"
        f"trained on what is tested: {sealed.overlap}\n"
        f"check it: extramaze validate {folder}\n"
        + (
            f"then open a pull request that adds the folder as results/{loaded.name}/{solver}"
            if loaded.name in suite_names()
            else f"{loaded.name} is no shipped suite: whoever compares with this record needs {suite} too"
        )
    )


@app.command()
def verify(
    folders: Annotated[
        list[Path], typer.Argument(metavar="ROW...", help="Folders of submissions or records, one a seed.")
    ],
    trust: Annotated[
        bool, typer.Option("--trust", help="Run code that does not come with extramaze, with your rights.")
    ] = False,
    mazes: Annotated[int | None, typer.Option(help="Only so many mazes, drawn at random; all if left out.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draw. Default: one that nobody could know.")] = None,
    solver: Annotated[
        str | None, typer.Option(metavar="SOLVER", help="Of a record without a card; a shipped one is found.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for verification.json. Default: beside the record.")] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda or cuda:N. Default: the kind the record was made on.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Run a record again, and say what that establishes.

    Whole, or on mazes drawn at random, from card, weights and suite. What differs is run in other blocks and in
    float64, to tell rounding from contradiction. Writes verification.json, on which the board's badges rest. Exit 0
    reproduced · 1 not · 2 refused (a submission's code without --trust) · 3 of other versions.
    """
    import os

    from extramaze.mazes.files import make_folder
    from extramaze.verification.verification import keep
    from extramaze.verification.verify import Unsound
    from extramaze.verification.verify import verify as run_again

    if out is not None and len(folders) > 1:
        raise InputError("--out takes one record's verification; verify one at a time")
    failed = False
    for folder in folders:
        place = out or folder
        if out is not None:
            make_folder(out)
        if folder.is_dir() and not os.access(place, os.W_OK):
            raise InputError(f"{place} cannot be written; say where the verification goes: --out FOLDER")
        try:
            found = run_again(folder, trust, mazes, seed, solver, device, quiet)
        except Unsound as unsound:
            print("\n".join([f"{folder}: not run", *(f"  {problem}" for problem in unsound.problems)]))
            failed = True
            continue
        kept = keep(found, place)
        print(f"{folder}: {'reproduced' if found.reproduced else 'NOT reproduced'}\n  {found.sentence()}")
        for one in found.named:
            print(f"  {one.cell} #{one.index}: {one.what} differ{' within rounding' if one.rounding else ''}")
        print(f"  written: {place}" if kept else f"  {place} keeps the verification it has, which rests on more mazes")
        failed |= not found.reproduced
    raise typer.Exit(ExitCode.FAILED if failed else ExitCode.DONE)


def _next_steps(folder: Path) -> str:
    return (
        f"{folder}: solver.py, train.py, test_solver.py, card.yaml\n"
        f"in that folder: pytest, and python train.py; fill in card.yaml\n"
        "then: extramaze submit solver.py:make --card card.yaml"
    )
