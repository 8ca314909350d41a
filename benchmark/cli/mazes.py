"""Verbs about mazes."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from extramaze.cli.app import Quiet, app, print
from extramaze.core.display import shown
from extramaze.core.errors import InputError

MAX_PICTURED = 12
MAX_SHOWN = 4


def _field(text: str, default: str = "") -> Any:
    """Declare the option of one field of a specification; MazeSpec reads and checks what is given."""
    return typer.Option(metavar="…", help=text + (f" Default: {default}." if default else ""))


@app.command()
def generate(
    specs: Annotated[
        list[str] | None, typer.Argument(metavar="[SPEC]...", help="For example size=9,percolation=0.1,start=any")
    ] = None,
    size: Annotated[str | None, _field("Odd n; the lattice has (n + 1) / 2 cells a side. With it, no SPEC.")] = None,
    width: Annotated[str | None, _field("Odd n from left to right, of a rectangle.", "as --size")] = None,
    algorithm: Annotated[str | None, _field("dfs, wilson, aldous-broder, prim, kruskal, percolation.", "dfs")] = None,
    percolation: Annotated[str | None, _field("Probability of opening every further edge.", "0")] = None,
    start: Annotated[str | None, _field("deadend, any, or the number of its open neighbours.", "deadend")] = None,
    goal: Annotated[str | None, _field("The same for the goal.", "any")] = None,
    cycles: Annotated[str | None, _field("Exactly so many edges more than a tree.", "0")] = None,
    braid: Annotated[str | None, _field("Share of the dead ends that are opened.", "0")] = None,
    min_path: Annotated[str | None, _field("Least length of the shortest path, in lattice edges.", "1")] = None,
    max_path: Annotated[str | None, _field("Greatest length of the shortest path; 0: any.", "0")] = None,
    min_shortest: Annotated[str | None, _field("Least number of shortest paths.", "1")] = None,
    max_shortest: Annotated[str | None, _field("Greatest number of shortest paths; 0: any.", "0")] = None,
    suite: Annotated[str | None, typer.Option(help="A suite whose --cell is drawn, in place of a SPEC.")] = None,
    cell: Annotated[str | None, typer.Option(help="The cell of --suite (extramaze ls suites --verbose).")] = None,
    count: Annotated[int | None, typer.Option(help="Mazes of each specification: 4, or all of a cell.")] = None,
    split: Annotated[str | None, typer.Option(help="train, val, test or sealed; left out: all layouts.")] = None,
    first: Annotated[int, typer.Option(help="Index of the first maze.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write .npz arrays, or .jsonl with # SGo strings.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Write a PNG, one row a SPEC (at most 12 mazes each).")] = None,
    show: Annotated[bool, typer.Option("--show", help="Draw the first 4 mazes of each with characters.")] = False,
    quiet: Quiet = False,
) -> None:
    """Draw mazes, and print, show, write or picture them.

    extramaze generate --size 9 --percolation 0.1 --count 1000 --out mazes.npz --show, or with the specification in one
    word, as results write it: extramaze generate size=9,percolation=0.1 --show.
    """
    from extramaze.core.files import hold, write_once
    from extramaze.listings import mazes_summary
    from extramaze.mazes import MazeSpec
    from extramaze.pictures.mazes import save_samples

    fields = {
        "size": size,
        "width": width,
        "algorithm": algorithm,
        "percolation": percolation,
        "start": start,
        "goal": goal,
        "cycles": cycles,
        "braid": braid,
        "min_path": min_path,
        "max_path": max_path,
        "min_shortest": min_shortest,
        "max_shortest": max_shortest,
    }
    if suite is not None or cell is not None:
        chosen, split = _suite_cell(suite, cell, bool(specs or split or any(fields.values())))
        specs = [chosen.spec]
        count = chosen.count - first if count is None else count
        if not 0 <= first < first + count <= chosen.count:
            raise InputError(
                f"{cell} of {suite} has mazes 0 to {chosen.count - 1}; got --first {first}, --count {count}"
            )
    count = 4 if count is None else count
    parsed = [MazeSpec.parse(text) for text in _texts(specs or [], fields)]
    if out is not None and len(parsed) > 1:
        raise InputError(f"--out takes one specification, got {len(parsed)}; run generate once for each")
    if picture is not None and not 1 <= count <= MAX_PICTURED:
        raise InputError(f"--picture draws 1 to {MAX_PICTURED} mazes of each specification, got {count}")
    if picture is not None and picture.suffix != ".png":
        raise InputError(f"--picture takes a name that ends in .png, got {picture}")
    if out is not None and out.suffix not in (".npz", ".jsonl"):
        raise InputError(f"--out takes a name that ends in .npz or .jsonl, got {out}")
    with nullcontext() if out is None else hold(out):
        drawn = [_draw(spec, count, split, first, quiet) for spec in parsed]
        if out is not None:
            write_once(out, _content(drawn[0], out.suffix, cell or str(parsed[0])))
    if picture is not None:
        save_samples(dict(zip(parsed, drawn, strict=True)), picture)
    written = [path for path in (out, picture) if path is not None]
    for mazes in drawn:
        if show:
            _show(mazes)
        print(mazes_summary(mazes))
    for path in written:
        typer.echo(f"written: {shown(path)}", err=True)


def _suite_cell(suite: str | None, cell: str | None, specified: bool) -> tuple[Any, str]:
    """Return a suite's cell and the suite's split."""
    from extramaze.schema.suite import choose_cells, load_suite

    if suite is None or cell is None or specified:
        raise InputError("--suite and --cell go together, and instead of a specification and --split")
    loaded = load_suite(suite)
    (chosen,) = choose_cells(loaded, (cell,))
    return chosen, loaded.split


def _content(mazes: Any, suffix: str, name: str) -> bytes:
    """Return what the file of some mazes holds. name: of their cell, or their specification."""
    from extramaze.evaluation.predictions import questions
    from extramaze.mazes.npz import npz_bytes

    return questions(mazes, name) if suffix == ".jsonl" else npz_bytes(mazes)


def _texts(specs: list[str], fields: dict[str, str | None]) -> list[str]:
    """Return the specifications given as arguments, or the one given by options."""
    options = [f"{name}={value}" for name, value in fields.items() if value is not None]
    if specs and options:
        raise InputError(f"give the specification as SPEC or by options, not both: got {specs[0]!r} and {options[0]}")
    if not specs and not options:
        raise InputError("no specification given; try: extramaze generate --size 9 --show")
    return specs or [",".join(options)]


def _draw(spec: Any, count: int, split: str | None, first: int, quiet: bool) -> Any:
    from extramaze.core.progress import progress_bar
    from extramaze.mazes import generate as draw

    looks: dict[str, Any] = {"unit": " mazes", "unit_scale": True, "delay": 1, "leave": False, "desc": str(spec)}
    with progress_bar(total=count, quiet=quiet, **looks) as bar:
        return draw(spec, count, split=split, first=first, progress=bar.update)


def _show(mazes: Any) -> None:
    from extramaze.mazes.text import LEGEND, to_text

    for index in range(min(len(mazes), MAX_SHOWN)):
        print(to_text(mazes, index), end="\n\n")
    more = f"; {len(mazes) - MAX_SHOWN} more are not shown" if len(mazes) > MAX_SHOWN else ""
    print(LEGEND + more)
