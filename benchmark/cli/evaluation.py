"""Verbs that evaluate solvers and put shards together."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from extramaze.cli.app import Device, Quiet, app, print, show
from extramaze.core.errors import InputError

if TYPE_CHECKING:
    from extramaze.records import Record
    from extramaze.schema.plan import Part
    from extramaze.schema.suite import Suite

AsJson = Annotated[bool, typer.Option("--json", help="Print record.json instead of tables.")]


@app.command()
def evaluate(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOLVER]",
            help="A shipped name (dt-net-thin is dt-net-thin@0), a plugin's, a trained folder, module:factory, "
            "file.py:factory.",
        ),
    ] = None,
    suite: Annotated[str, typer.Option(help="A shipped suite (extramaze ls suites) or a YAML file.")] = "smoke-v1",
    out: Annotated[Path | None, typer.Option(help="Folder for the record. Default: runs/SUITE/SOLVER.")] = None,
    cells: Annotated[str | None, typer.Option(help="Only these cells, commas between: a partial record.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many mazes per cell: a partial record.")] = None,
    budget: Annotated[
        str | None, typer.Option(help="Fewer mazes per cell, to fit this cost: 20TFLOP or 5min. A partial record.")
    ] = None,
    mode: Annotated[
        Literal["free-running", "own"], typer.Option(help="The plain iteration, or the solver's own inference.")
    ] = "free-running",
    dtype: Annotated[Literal["float32", "float64"], typer.Option(help="Precision of the accuracy ladder.")] = "float32",
    tf32: Annotated[bool, typer.Option("--tf32", help="Let a GPU round products to TF32.")] = False,
    answers: Annotated[
        bool, typer.Option(help="Keep every answer in the record, a bit a pixel, to be scored again by anybody.")
    ] = True,
    shard: Annotated[str | None, typer.Option(help="Only the i-th of k shares, 1/4; then extramaze gather.")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Score answers from a .npz or .jsonl file; needs no SOLVER.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="With --predictions: who answered. Default: predictions.")] = None,
    noise_floor: Annotated[
        bool,
        typer.Option("--noise-floor", help="Count answers that rounding alone changes (another block size, float64)."),
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate a solver on a suite.

    Writes a record. Stopped and started again, it goes on where it was. Under torchrun the processes share the work.
    """
    from extramaze.evaluation.evaluate import make_evaluation
    from extramaze.evaluation.shards import run_together, torchrun_shard
    from extramaze.evaluation.tasks import Shard
    from extramaze.models import load
    from extramaze.models.contract import card_of
    from extramaze.schema.suite import load_suite
    from extramaze.verification.noise import add_noise

    loaded = load_suite(suite)
    part = _part(loaded, cells, limit, budget)
    options = {
        "--limit": limit,
        "--cells": cells and cells.replace(" ", ""),
        "--budget": budget and budget.replace(" ", ""),
        "--dtype": None if dtype == "float32" else dtype,
        "--mode": None if mode == "free-running" else mode,
        "--tf32": tf32,
        "--shard": shard,
        "--noise-floor": noise_floor,
        "--device": None if device == "auto" else device,
    }
    given = {option: value for option, value in options.items() if value not in (None, False)}
    if (target is None) == (predictions is None):
        raise InputError("give a SOLVER to run, or --predictions FILE to score, and not both")
    if predictions is not None:
        _refuse(given, ("--cells", "--limit", "--budget"), "--predictions goes with --suite, --name, --out, --json and")
        return _score(predictions, name or "predictions", loaded, out, part, as_json)
    if name is not None:
        raise InputError("--name says who answered --predictions; a solver has its name")
    solver, together = load(str(target)), torchrun_shard()
    if noise_floor:
        running = [*given, *(["torchrun"] if together else [])]
        allowed = ("--cells", "--limit", "--budget", "--mode", "--device", "--noise-floor")
        _refuse(running, allowed, "--noise-floor needs float32 answers to every maze, in one process, and goes with")
    if together and shard is not None:
        raise InputError(f"torchrun gives each process its shard; leave out --shard {shard}, or start one process")
    if together and device in ("auto", "cuda"):
        device = _own_device(device)
    evaluation = make_evaluation(solver, loaded, device, part, dtype, mode, tf32, answers)
    folder = out or Path("runs") / loaded.name / f"{card_of(solver).name}{_suffix(given)}"
    if shard is not None:
        share = Shard.parse(shard)
        folder = out or folder.with_name(f"{folder.name}-shard-{share.index}-of-{share.count}")
        evaluation.run_shard(share, folder, quiet)
        done = f"shard {share} done: {folder}; gather all {share.count}: extramaze gather FOLDER... --out RECORD"
        print(json.dumps({"shard": str(share), "folder": str(folder)}) if as_json else done)
    elif together:
        record = run_together(evaluation, together, folder, quiet)
        if together.index == 1:
            report(record, folder, as_json)
    else:
        record = evaluation.run(folder, quiet)
        if noise_floor:
            record = add_noise(folder, solver, device, quiet)
        report(record, folder, as_json)
    return None


def _refuse(given: Iterable[str], allowed: tuple[str, ...], sentence: str) -> None:
    """Raise InputError for options that do not go with another."""
    wrong = [option for option in given if option not in allowed]
    if wrong:
        raise InputError(f"{sentence} {', '.join(allowed)} alone; leave out {', '.join(wrong)}")


def _suffix(given: dict[str, Any]) -> str:
    """Return what tells a folder from that of the usual evaluation: the options that change it."""
    return "".join(
        f"-{option[2:]}" if value is True else f"-{value}" if option == "--mode" else f"-{option[2:]}-{value}"
        for option, value in given.items()
        if option not in ("--shard", "--noise-floor", "--device")
    )


def _score(file: Path, name: str, suite: "Suite", out: Path | None, part: "Part | None", as_json: bool) -> None:
    from extramaze.evaluation.predictions import evaluate_predictions

    folder = out or Path("runs") / suite.name / name
    report(evaluate_predictions(file, name, suite, folder, part), folder, as_json)


@app.command()
def gather(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="The shards of one evaluation, all.")],
    out: Annotated[Path, typer.Option(help="Folder for the record.")],
    as_json: AsJson = False,
) -> None:
    """Put the shards of one evaluation together.

    The record is the one that a single process would have written.
    """
    from extramaze.evaluation.shards import gather as gather_shards

    report(gather_shards(folders, out), out, as_json)


def _part(suite: "Suite", cells: str | None, limit: int | None, budget: str | None) -> "Part | None":
    """Make the part of a suite that --cells, --limit and --budget ask for; None where they ask for nothing."""
    from extramaze.costs import within_budget
    from extramaze.schema.plan import make_part
    from extramaze.schema.suite import choose_cells

    names = tuple(name.strip() for name in cells.split(",")) if cells is not None else ()
    chosen = choose_cells(suite, names)
    if limit is not None and limit < 1:
        raise InputError(f"--limit must be at least 1 maze a cell, got {limit}")
    most = max(cell.count for cell in chosen)
    affordable = within_budget(suite, chosen, budget) if budget is not None else most
    if limit is None and not names and budget is None:
        return None
    mazes = min(most if limit is None else limit, affordable)
    return make_part(mazes, mazes, tuple(cell.name for cell in chosen) if names else ())


def _own_device(device: str) -> str:
    """Give each process of torchrun a device of its own, where there are any."""
    import os

    import torch

    count = torch.cuda.device_count()
    return f"cuda:{int(os.environ.get('LOCAL_RANK', '0')) % count}" if count else device


def report(record: "Record", folder: Path, as_json: bool) -> None:
    """Print a record: its tables, or what ``record.json`` holds."""
    from extramaze.core.display import shown
    from extramaze.core.escapes import json_for_terminal
    from extramaze.records.text import cell_table, limits_table, noise_table

    if as_json:
        print(json_for_terminal(record.summary.model_dump_json(by_alias=True, indent=1)))
        return
    tables = [cell_table(record), limits_table([record])]
    tables += [noise_table(record.summary.noise)] if record.summary.noise else []
    notes = [f"note: {note}" for note in record.summary.plan.solver.notes]
    show("\n\n".join([*tables, "\n".join([*notes, f"record: {shown(folder)}"])]).split("\n"))
