"""Verbs for what somebody else made, or an older version: look through it, run it again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extramaze.cli.app import ExitCode, Json, Quiet, app, print, show
from extramaze.cli.evaluation import report
from extramaze.core.errors import InputError

ROUNDING = 0.002  # share of answers that another machine's rounding may change after a training

if TYPE_CHECKING:
    from extramaze.schema.plan import Plan
    from extramaze.verification.verification import Verification


@app.command()
def validate(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Folders with records, trained solvers, verifications.")
    ],
    as_json: Json = False,
) -> None:
    """Validate records and trained solvers, running nobody's code.

    Lists every problem. Exit 1 where there is one. What is sound contradicts nothing, which a careful forgery does not
    either; extramaze verify tells.
    """
    import json

    from extramaze.core.escapes import json_for_terminal
    from extramaze.core.words import counted
    from extramaze.verification.validate import find, notes, problems

    found = {folder: problems(folder) for folder in find(folders)}
    if as_json:
        print(json_for_terminal(json.dumps({str(folder): wrong for folder, wrong in found.items()}, indent=1)))
    else:
        for folder, wrong in found.items():
            outcome = counted(len(wrong), "problem") if wrong else "sound"
            show([f"{folder}: {outcome}", *(f"  {one}" for one in wrong), *(f"  note: {n}" for n in notes(folder))])
    raise typer.Exit(ExitCode.FAILED if any(found.values()) else ExitCode.DONE)


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
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for SUITE/SOLVER.json. Default: verifications, beside the record's suite, if there."),
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="Of a trained folder: write the share of optimal answers into it.")
    ] = False,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda or cuda:N. Default: the kind the record was made on.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Run a record again, and say what that establishes.

    Whole, or on mazes drawn at random with the blocks that they lie in, from card, weights and suite. What differs is
    run in other blocks and in float64, to tell rounding from contradiction. Writes a verification, on which the board's
    badges rest, where a folder of them is: of results/SUITE/SOLVER that is results/verifications. Exit 0 nothing
    differs beyond rounding · 1 something does · 2 refused (a submission's code without --trust) · 3 made with an
    incompatible version. Of a folder that extramaze train wrote, the mazes of its last validation are answered again.
    """
    from extramaze.core.files import hold
    from extramaze.records import SUMMARY, read_record
    from extramaze.schema.training import RESULT
    from extramaze.verification.verify import Unsound
    from extramaze.verification.verify import verify as run_again

    failed = False
    for folder in folders:
        if (folder / RESULT).exists() and not (folder / SUMMARY).exists():
            failed |= not _validated(folder, device, complete)
            continue
        root = _root(folder, out)
        try:
            with hold(folder):
                found = run_again(folder, trust, mazes, seed, solver, device, quiet)
                kept = _kept(found, read_record(folder).summary.plan, root)
        except Unsound as unsound:
            show([f"{folder}: not run", *(f"  {problem}" for problem in unsound.problems)])
            failed = True
            continue
        lines = [found.sentence(), *map(str, found.named), kept]
        show([f"{folder}: {_headline(found)}", *(f"  {line}" for line in lines)])
        failed |= not found.reproduced
    raise typer.Exit(ExitCode.FAILED if failed else ExitCode.DONE)


def _root(folder: Path, out: Path | None) -> Path | None:
    """Return the folder of verifications for a record's, ready to be written into; None where there is none."""
    import os

    from extramaze.core.files import make_folder
    from extramaze.verification.verification import home, refuse_own_word

    root = out or home(folder)
    if root is None:
        return None
    refuse_own_word(root)
    make_folder(root)
    if not os.access(root, os.W_OK):
        raise InputError(f"{root} cannot be written; say where the verification goes: --out FOLDER")
    return root


def _headline(found: "Verification") -> str:
    """Say in a word or two what came out; of few mazes no more than that."""
    from extramaze.leaderboard.badges import MOST_OPEN

    if not found.reproduced:
        return "NOT reproduced"
    return "reproduced" if found.high <= MOST_OPEN else "no difference found"


def _kept(found: "Verification", plan: "Plan", root: Path | None) -> str:
    """Write a verification into its folder, and say where it lies, and what becomes of it."""
    from extramaze.leaderboard.badges import MOST_OPEN
    from extramaze.verification.verification import file_of, keep

    if root is None:
        return "not written: --out FOLDER names a folder of verifications, which leaderboard --verifications reads"
    path = file_of(plan, root)
    if not keep(found, path):
        return f"{path} stays as it is: it is of more mazes"
    few = f"; too few mazes for the badge, which leaves at most {MOST_OPEN:.0%} open" if found.high > MOST_OPEN else ""
    return f"written: {path}{few}"


def _validated(folder: Path, device: str | None, complete: bool) -> bool:
    """Validate a trained folder again, print what came out, and say whether it is what the folder states."""
    from extramaze.core.files import hold, write_atomically
    from extramaze.models.devices import resolve_device
    from extramaze.models.training.validation import completed, validate_again
    from extramaze.schema.training import RESULT

    with hold(folder):
        result, right = validate_again(folder, resolve_device(device or "cpu"))
        new = completed(result, right)
        if complete and result.validation_optimal is None:
            write_atomically(folder / RESULT, (new.model_dump_json(indent=2) + "\n").encode())
    stated = "not stated" if result.validation_optimal is None else f"stated: {result.validation_optimal:.2%}"
    show(
        [
            f"{folder}: {result.validation_count:,} fresh mazes like those of its training: the stored path "
            f"{right.exact / result.validation_count:.2%} (stated: {result.validation_accuracy:.2%}), any shortest one "
            f"{right.optimal / result.validation_count:.2%} ({stated})"
        ]
    )
    return abs(right.exact / result.validation_count - result.validation_accuracy) <= ROUNDING


@app.command()
def rewatch(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A record's folder; it is brought up to date.")],
    solver: Annotated[
        str | None, typer.Option(help="The record's solver: runs its code. Default: the shipped one of its name.")
    ] = None,
    noise_floor: Annotated[
        bool,
        typer.Option("--noise-floor", help="Count answers that rounding alone changes too, where none are counted."),
    ] = False,
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Answer the mazes again too, and keep the answers where all have their scores."),
    ] = False,
    device: Annotated[str | None, typer.Option(help="Default: the kind that the record was made on.")] = None,
    quiet: Quiet = False,
) -> None:
    """Bring a record up to date: limits by the rules of this version, its schema, and what is known of its solver.

    Only mazes whose limit the newer rules may judge otherwise are watched again; nothing is answered again but with
    --answers. Stopped and started again, it goes on where it was. Exit 1 with --answers: some answers are others than
    the record's, and it stays as it was.
    """
    from extramaze.core.display import shown
    from extramaze.models import load
    from extramaze.models.shipped import shipped_solvers
    from extramaze.records import read_record
    from extramaze.schema.plan import CONTRACTS
    from extramaze.verification.noise import add_noise
    from extramaze.verification.rewatch import OtherAnswers, is_under_way
    from extramaze.verification.rewatch import rewatch as watch_again
    from extramaze.verification.verification import MAX_NAMED, outdated

    plan = read_record(record).summary.plan
    name = plan.solver.name
    if solver is None and name not in shipped_solvers():  # a record's own word runs nobody's code
        raise InputError(f"{name} is no shipped solver; say which solver made the record: --solver")
    loaded = load(solver or name)
    if answers or not noise_floor or plan.contracts != CONTRACTS or is_under_way(record):
        try:
            found = watch_again(record, loaded, device, quiet, answers)
        except OtherAnswers as problem:
            lines = [f"  {cell} #{index}" for cell, index in problem.places[:MAX_NAMED]]
            print("\n".join([f"{shown(record)}: {problem}", *lines]))
            raise typer.Exit(ExitCode.FAILED) from problem
    if noise_floor:
        found = add_noise(record, loaded, device, quiet)
    report(found, record, as_json=False)
    stale = outdated(record, found)
    if stale is not None:
        typer.echo(f"{stale} is of the record as it was; make it anew: extramaze verify {shown(record)}", err=True)
