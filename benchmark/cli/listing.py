"""The verb that lists names."""

from typing import Annotated, Literal

import typer

from extramaze.cli.app import app, print, show


@app.command(name="ls")
def list_names(
    what: Annotated[Literal["solvers", "suites", "recipes"], typer.Argument(help="What to list.")] = "solvers",
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="Suites: cells, counts, cost. Solvers: how each was trained; whether plugins load (runs them).",
        ),
    ] = False,
    solver: Annotated[
        str | None,
        typer.Option("--for", metavar="SOLVER", help="With ls suites: what they cost a solver here; runs its code."),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="With ls solvers --verbose: as Markdown.")] = False,
) -> None:
    """List solvers, suites or recipes.

    Solvers of installed packages are listed with their distribution; without --verbose nothing of theirs is run.
    """
    from extramaze.core.display import MOST, shown
    from extramaze.core.errors import InputError
    from extramaze.costs import DT_NET
    from extramaze.listings import solver_table, suite_table, suites_table
    from extramaze.models.loading import ALGORITHMS, plugin_fault, plugin_solvers
    from extramaze.models.shipped import recipe_names, shipped_results, shipped_solvers
    from extramaze.pace import paced
    from extramaze.schema.suite import load_suite, suite_names

    if verbose and what == "recipes":
        raise InputError("--verbose goes with suites or solvers, not recipes")
    if solver is not None and what != "suites":
        raise InputError("--for goes with ls suites")
    if what == "suites":
        suites = [load_suite(name) for name in suite_names()]
        if solver is not None:
            fits, pace, who = paced(solver, suites)
        else:
            fits, pace, who = suites, DT_NET, ""
        tables = [suite_table(suite, pace, who) for suite in fits] if verbose else [suites_table(fits, pace, who)]
        print("\n\n".join(tables))
        return
    if markdown and not (verbose and what == "solvers"):
        raise InputError("--markdown goes with ls solvers --verbose")
    if verbose:
        print(solver_table(shipped_results(), markdown))
    if markdown:
        return
    solvers = shipped_solvers() if not verbose else list(ALGORITHMS)
    print("\n".join(recipe_names() if what == "recipes" else solvers))
    for plugin in plugin_solvers() if what == "solvers" else ():
        problem = plugin.problem or (plugin_fault(plugin) if verbose else None)
        show([f"{shown(plugin.name, MOST)}  ({problem or f'{plugin.distribution}, {plugin.target}'})"])
