"""The command line: ``extramaze VERB``.

Exit codes: 0 done · 2 refused input or usage · 5 nothing measured (training diverged), or an internal fault · 130
stopped from the keyboard.
"""

import io
import sys
import traceback
from pathlib import Path
from typing import Annotated, Literal

import typer

from extramaze import __version__
from extramaze.mazes import InputError
from extramaze.mazes.errors import TrainingDiverged

REFUSED, FAULT, STOPPED = 2, 5, 130
MAX_PICTURED = 12

app = typer.Typer(
    name="extramaze",
    help="A benchmark harness for logical extrapolation on mazes. Start with: extramaze quickstart. "
    "Any command takes --debug, which prints a traceback where something unexpected happens.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Device = Annotated[str, typer.Option(help="auto (CUDA where there is one), cpu, cuda or cuda:N.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]


def main() -> None:
    """Run the command line; every expected problem is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our signs shows others, and no traceback
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    sys.exit(run(arguments, debug))


def run(arguments: list[str], debug: bool = False) -> int:
    """Run one command; return its exit code."""
    try:
        code = app(arguments, standalone_mode=False) or 0
    except (typer.Abort, KeyboardInterrupt):
        code = STOPPED
    except typer.TyperException as problem:
        return _complain(f"{problem.format_message()} (extramaze --help lists what there is)", problem.exit_code)
    except InputError as problem:
        return _complain(str(problem), REFUSED)
    except TrainingDiverged as problem:
        return _complain(str(problem), FAULT)
    except Exception as problem:
        if debug:
            traceback.print_exc()
        advice = "please report it with what --debug prints"
        return _complain(f"internal fault: {type(problem).__name__}: {problem}; {advice}", FAULT)
    return code if code != STOPPED else _complain("stopped; run the same command again to go on from here", STOPPED)


def _complain(message: str, code: int) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show_version:
        print(f"extramaze {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def quickstart(
    out: Annotated[Path, typer.Option(help="Folder for the picture.")] = Path("runs/quickstart"),
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Make a first leaderboard in a minute.

    Evaluates the shipped solvers live on a part of smoke-v1 and draws mazes that were answered wrongly.
    """
    from extramaze.quickstart import quickstart as run_quickstart

    print(run_quickstart(out, device, quiet))


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


@app.command()
def train(
    recipe: Annotated[str, typer.Option(help="A shipped recipe (extramaze ls recipes) or a YAML file.")],
    out: Annotated[Path, typer.Option(help="Folder for the solver; what is there already is resumed.")],
    seed: Annotated[int, typer.Option(help="0 to 255.")] = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a solver from a recipe. Stopped and started again, it goes on from its last checkpoint."""
    from extramaze.models.train import train as run_training

    result = run_training(recipe, seed, out, device, quiet)
    print(
        f"{result.recipe} seed {result.seed}: {result.validation_accuracy:.2%} of {result.validation_count} fresh "
        f"mazes after {result.mazes:,} training mazes and {result.wall_seconds:.0f} s\n"
        f"evaluate it: extramaze evaluate {out}"
    )


@app.command()
def evaluate(
    target: Annotated[
        str,
        typer.Argument(metavar="SOLVER", help="A shipped name, a trained folder, module:factory, file.py:factory."),
    ],
    suite: Annotated[str, typer.Option(help="A shipped suite (extramaze ls suites) or a YAML file.")] = "smoke-v1",
    out: Annotated[Path | None, typer.Option(help="Folder for the record. Default: runs/SUITE/SOLVER.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many mazes a cell: a partial, unranked record.")] = None,
    dtype: Annotated[Literal["float32", "float64"], typer.Option(help="Precision of the accuracy ladder.")] = "float32",
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Evaluate a solver on a suite.

    Writes a record. Stopped and started again, it goes on where it was.
    """
    from extramaze.evaluation import evaluate as run_evaluation
    from extramaze.models import load
    from extramaze.models.contract import card_of
    from extramaze.plan import make_part
    from extramaze.suites import load_suite
    from extramaze.tables import cell_table, limits_table

    solver, loaded = load(target), load_suite(suite)
    part = None if limit is None else make_part(limit, limit)
    variant = ("" if limit is None else f"-limit-{limit}") + ("" if dtype == "float32" else f"-{dtype}")
    folder = out or Path("runs") / loaded.name / f"{card_of(solver).name}{variant}"
    record = run_evaluation(solver, loaded, device, folder, part, dtype, quiet)
    print(f"{cell_table(record)}\n\n{limits_table([record])}\n\nrecord: {folder}")


@app.command()
def leaderboard(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="Records to rank. Default: the shipped ones.")
    ] = None,
    style: Annotated[Literal["table", "markdown", "json"], typer.Option("--format", help="How to write it.")] = "table",
) -> None:
    """Rank records, one row a recipe.

    A row holds all seeds of a recipe; optimal accuracy at the last rung ranks.
    """
    from extramaze.leaderboard import boards, find_records, shipped_records
    from extramaze.tables import board_json, board_table

    found = boards(find_records(folders) if folders else shipped_records())
    if style == "json":
        print(board_json(found))
    else:
        print("\n\n".join(board_table(board, markdown=style == "markdown") for board in found))


@app.command(name="ls")
def list_names(
    what: Annotated[Literal["solvers", "suites", "recipes"], typer.Argument(help="What to list.")] = "solvers",
) -> None:
    """List the shipped solvers, suites or recipes."""
    from extramaze.models.loading import ALGORITHMS, shipped_seeds
    from extramaze.models.recipe import recipe_names
    from extramaze.suites import suite_names

    trained = [f"{name}@{seed}" for name, seeds in shipped_seeds().items() for seed in seeds]
    names = {"solvers": [*ALGORITHMS, *trained], "suites": suite_names(), "recipes": recipe_names()}
    print("\n".join(names[what]))
