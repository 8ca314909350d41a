"""The application that the verbs register with, and the options that several of them share."""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from extramaze.core.display import sentence
from extramaze.core.errors import InputError
from extramaze.core.escapes import for_terminal
from extramaze.core.results import print, results_apart

__all__ = ["VERBS", "Device", "ExitCode", "Json", "Quiet", "Verb", "app", "print", "say_left_out", "show"]

VERBS = (  # as --help lists them
    "quickstart",
    "generate",
    "train",
    "blend",
    "evaluate",
    "gather",
    "rewatch",
    "landscape",
    "plot",
    "compare",
    "check",
    "leaderboard",
    "findings",
    "submit",
    "verify",
    "validate",
    "doctor",
    "ls",
)


MOST_NAMED = 10  # records that cannot be read


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1  # the thing checked
    REFUSED = 2  # input or usage
    NOT_COMPARABLE = 3
    INCONCLUSIVE = 4  # only with --strict
    FAULT = 5  # nothing measured (training diverged), or an internal fault
    STOPPED = 130  # from the keyboard
    TERMINATED = 143  # by SIGTERM


class _InOrder(TyperGroup):
    """The verbs in the order in which one meets them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return sorted(self.commands, key=VERBS.index)


class Verb(TyperCommand):
    """A verb: what it prints as its result, with this module's ``print``, is all that goes to standard output."""

    def invoke(self, ctx: Any) -> Any:  # noqa: D102
        with results_apart():
            return super().invoke(ctx)


app = typer.Typer(
    name="extramaze",
    cls=_InOrder,
    help="A benchmark harness for logical extrapolation on mazes. Start with: extramaze quickstart. "
    "Any command takes --debug, which prints a traceback where something unexpected happens.",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Device = Annotated[str, typer.Option(help="auto (CUDA where there is one), cpu, cuda or cuda:N.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]


def say_left_out(problems: Sequence[InputError]) -> None:
    """Name on standard error what could not be read and was left out; then end as refused input does."""
    if not problems:
        return
    lines = [f"left out: {sentence(problem)}" for problem in problems[:MOST_NAMED]]
    more = len(problems) - MOST_NAMED
    rest = [f"left out: {more} more; extramaze validate names them all"] if more > 0 else []
    typer.echo("\n".join(map(for_terminal, [*lines, *rest])), err=True)
    raise typer.Exit(ExitCode.REFUSED)


def show(lines: Iterable[object]) -> None:
    """Print lines that foreign text stands in: each stays one line, and commands nothing."""
    for line in lines:
        print(for_terminal(line))
