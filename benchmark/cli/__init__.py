"""The command line: ``extramaze VERB``. One module for each group of verbs.

Exit codes: 0 done, passed · 1 the thing checked failed · 2 refused input or usage · 3 not comparable · 4 inconclusive
(only with --strict) · 5 nothing measured (training diverged), or an internal fault · 130 stopped from the keyboard.
"""

import io
import sys
import traceback
from typing import Annotated

import typer

from extramaze import __version__
from extramaze.cli import (  # noqa: F401
    boards,
    comparing,
    doctor,
    evaluation,
    findings,
    mazes,
    plot,
    solvers,
    submitting,
)
from extramaze.cli.app import app
from extramaze.mazes import InputError
from extramaze.mazes.errors import NotComparable, TrainingDiverged

REFUSED, NOT_COMPARABLE, FAULT, STOPPED = 2, 3, 5, 130


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
    except NotComparable as problem:
        return _complain(str(problem), NOT_COMPARABLE)
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
