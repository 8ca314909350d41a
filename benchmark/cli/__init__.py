"""The command line: ``extramaze VERB``. One module for each group of verbs; ``app.ExitCode`` says how it may end."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Annotated

import typer
from pydantic import ValidationError

from extramaze import __version__
from extramaze.cli import (  # noqa: F401
    blending,
    comparing,
    doctor,
    evaluation,
    findings,
    landscape,
    leaderboard,
    listing,
    mazes,
    plot,
    quickstart,
    submitting,
    training,
    verifying,
)
from extramaze.cli.app import ExitCode, Verb, app
from extramaze.core.display import arguments_shown, sentence
from extramaze.core.errors import MAX_CHARACTERS, InputError, NotComparable, Terminated, TrainingDiverged, cut
from extramaze.core.escapes import for_terminal
from extramaze.core.plugins import unreadable_left_out
from extramaze.core.results import end_with_the_verb, no_more_results
from extramaze.core.sentences import expected
from extramaze.core.terminal import show_everywhere

for verb in app.registered_commands:
    verb.cls = Verb

CODES = {
    InputError: ExitCode.REFUSED,
    NotComparable: ExitCode.NOT_COMPARABLE,
    TrainingDiverged: ExitCode.FAULT,
}


def _terminate(*_: object) -> None:
    raise Terminated


def main() -> None:
    """Run the command line; every expected problem is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        show_everywhere(stream)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # … | head ends this as it ends others, not as a failed check
    if "WORLD_SIZE" not in os.environ:  # torchrun's processes may be waiting for one another: they go at once
        signal.signal(signal.SIGTERM, _terminate)
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    end_with_the_verb()
    code = run(arguments, debug)
    no_more_results()
    sys.exit(code)


def run(arguments: list[str], debug: bool = False) -> int:
    """Run one command; return its exit code. debug: print a traceback of what failed, a solver's own code too."""
    with arguments_shown(arguments) as escape:
        return _run(arguments, debug, lambda message, code: _complain(escape(message), code))


def _run(arguments: list[str], debug: bool, complain: Callable[[str, int], int]) -> int:
    try:
        with unreadable_left_out():
            code = app(arguments, prog_name="extramaze", standalone_mode=False) or ExitCode.DONE
    except (typer.Abort, KeyboardInterrupt):
        code = ExitCode.STOPPED
    except Terminated:
        code = ExitCode.TERMINATED
    except typer.TyperException as problem:
        verb = getattr(getattr(problem, "ctx", None), "command_path", "extramaze")
        return complain(f"{_usage(problem)} ({verb} --help lists what there is)", problem.exit_code)
    except (InputError, NotComparable, TrainingDiverged) as problem:
        if debug and problem.__cause__ is not None:
            traceback.print_exception(problem.__cause__)
        return complain(str(problem), CODES[type(problem)])
    except OSError as problem:
        if problem.filename is None:
            return _fault(problem, debug, complain)
        return complain(f"cannot use {problem.filename}: {problem.strerror}", ExitCode.REFUSED)
    except BaseException as problem:  # somebody's SystemExit ends no command as if it were done
        return _fault(problem, debug, complain)
    if code not in (ExitCode.STOPPED, ExitCode.TERMINATED):
        return code
    return complain("stopped; run the same command again to go on from here", code)


def _usage(problem: typer.TyperException) -> str:
    """Say what is wrong with an option, in our words where it is a value of another kind."""
    refused = problem.__cause__
    if isinstance(refused, ValidationError):
        error = refused.errors(include_url=False)[0]
        given = f"expected {expected(error)}, got {cut(str(error['input']), 100)!r}"
        problem.message = str(error["ctx"]["error"]) if error["type"] == "value_error" else given
    return problem.format_message()


def _fault(problem: BaseException, debug: bool, complain: Callable[[str, int], int]) -> int:
    """Report what nobody expected."""
    if debug:
        traceback.print_exc()
    advice = "please report it with what --debug prints"
    return complain(f"internal fault: {type(problem).__name__}: {problem}; {advice}", ExitCode.FAULT)


def _complain(message: str, code: int) -> int:
    print(for_terminal(f"error: {cut(sentence(message), MAX_CHARACTERS - 10)}"), file=sys.stderr)
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
