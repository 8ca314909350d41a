"""The verb that measures loss landscapes: a command for each kind, and one that shows what was measured."""

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from extramaze.cli.app import Device, Json, Quiet, Verb, app, print, show

if TYPE_CHECKING:
    from extramaze.landscape.measures import Asked
    from extramaze.landscape.record import Survey

landscapes = typer.Typer(
    name="landscape",
    help="Measure loss, accuracy and limits between and around trained networks: extramaze's own measures for the four "
    "words of Khan et al. (arXiv 2410.12927), connectivity (line, curve, plane), convexity, determinism and "
    "directedness. The training loss alone does not show where extrapolation is lost, so each point answers mazes of "
    "other sizes and kinds too. A stopped run goes on with the point at which it was. Which one? Are two networks in "
    "one basin: line. Is there a way round: curve. What is around them: plane. How sharp: convexity. When does a "
    "training decide where it goes: determinism. What does fine-tuning's direction do: direction.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(landscapes)

First = Annotated[str, typer.Argument(metavar="A", help="A shipped name with weights, or a folder of train or blend.")]
Second = Annotated[str, typer.Argument(metavar="B", help="Another network of the same architecture.")]
Out = Annotated[Path, typer.Option(help="Folder for the landscape.")]
SuiteOf = Annotated[str, typer.Option(help="A shipped suite or a YAML file.")]
Cells = Annotated[str | None, typer.Option(help="Only these cells, commas between; the training cell comes with them.")]
Mazes = Annotated[int, typer.Option(help="At most so many mazes a cell.")]
Iterations = Annotated[int, typer.Option(help="Answers count after so many.")]
LossAt = Annotated[int, typer.Option("--loss-at", help="The loss is read after so many iterations.")]
Limits = Annotated[bool, typer.Option("--limits", help="Follow iterates in float64 too: limits, exponents.")]
Watched = Annotated[int, typer.Option(help="With --limits: mazes of each cell that the suite watches.")]
Training = Annotated[
    str | None,
    typer.Option(metavar="CELL", help="The cell like training's mazes. Default: the in-distribution one."),
]
Align = Annotated[bool, typer.Option("--align", help="First bring B to A's order and scale of hidden units.")]
Restarts = Annotated[int, typer.Option(help="With --align: orders from which the search begins.")]
Points = Annotated[int, typer.Option(help="Places along the path.")]
Seed = Annotated[int, typer.Option(help="Of random directions.")]


def _asked(
    suite: str,
    cells: str | None,
    mazes: int,
    iterations: int,
    loss_at: int,
    limits: bool,
    watched: int,
    training: str | None,
    device: str,
    quiet: bool,
) -> "Asked":
    from extramaze.evaluation.evaluate import without_place
    from extramaze.landscape.measures import Asked

    return Asked(
        suite=suite,
        cells=tuple(name.strip() for name in cells.split(",")) if cells else (),
        mazes=mazes,
        iterations=iterations,
        loss_iterations=loss_at,
        limits=limits,
        watched=watched,
        training=training,
        device=device,
        command=shlex.join(["extramaze", *map(without_place, sys.argv[1:])]),
        quiet=quiet,
        say=lambda line: None if quiet else typer.echo(line, err=True),
    )


def _floats(option: str, text: str | None) -> tuple[float, ...] | None:
    from extramaze.core.errors import InputError

    try:
        return None if text is None else tuple(float(part) for part in text.split(","))
    except ValueError as problem:
        raise InputError(f"{option} are numbers with commas between, 0,0.5,1; got {text!r}") from problem


def _report(survey: "Survey", out: Path, as_json: bool) -> None:
    from extramaze.core.display import shown
    from extramaze.core.escapes import json_for_terminal
    from extramaze.landscape.text import survey_text

    if as_json:
        print(json_for_terminal(survey.summary.model_dump_json(by_alias=True, indent=1)))
        return
    show(
        [
            *survey_text(survey).split("\n"),
            f"landscape: {shown(out)}; pictures: extramaze landscape show {shown(out)} --pictures",
        ]
    )


@landscapes.command(cls=Verb)
def line(
    first: First,
    second: Second,
    out: Out,
    points: Points = 11,
    at: Annotated[str | None, typer.Option(metavar="T,T,...", help="These places, not --points of them.")] = None,
    begin: Annotated[float, typer.Option("--from", help="The first place; 0 is A.")] = 0.0,
    end: Annotated[float, typer.Option("--to", help="The last place; 1 is B.")] = 1.0,
    align: Align = False,
    restarts: Restarts = 12,
    suite: SuiteOf = "smoke-v1",
    cells: Cells = None,
    mazes: Mazes = 64,
    iterations: Iterations = 100,
    loss_at: LossAt = 30,
    limits: Limits = False,
    watched: Watched = 8,
    training: Training = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Connectivity: the straight line between two networks.

    A barrier is the largest excess over the straight line between the ends' values (Entezari et al., 2110.06296), of
    loss, accuracy and what settles, with paired 95 % intervals over mazes. The gap is by how much a cell's barrier
    exceeds the training cell's; the radius, how far from A no more than 5 points are lost.

    extramaze landscape line dt-net-thin@0 dt-net-thin@1 --align --limits --out runs/line-0-1
    """
    from extramaze.landscape import measures

    asked = _asked(suite, cells, mazes, iterations, loss_at, limits, watched, training, device, quiet)
    places = _floats("--at", at) or measures.evenly(points, begin, end)
    _report(measures.line(first, second, out, places, align, restarts, asked), out, as_json)


@landscapes.command(cls=Verb)
def curve(
    first: First,
    second: Second,
    out: Out,
    steps: Annotated[int, typer.Option(help="Of training the bend, by A's recipe's own loss.")] = 1000,
    form: Annotated[Literal["bezier", "polygon"], typer.Option(help="A parabola, or two straight lines.")] = "bezier",
    points: Points = 21,
    align: Align = False,
    restarts: Restarts = 12,
    suite: SuiteOf = "smoke-v1",
    cells: Cells = None,
    mazes: Mazes = 64,
    iterations: Iterations = 100,
    loss_at: LossAt = 30,
    limits: Limits = False,
    watched: Watched = 8,
    training: Training = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Connectivity: a curve of low loss between two networks, whose bend is trained (Garipov et al., 1802.10026).

    extramaze landscape curve dt-net-thin@0 dt-net-thin@1 --align --steps 500 --out runs/curve-0-1
    """
    from extramaze.landscape import measures

    asked = _asked(suite, cells, mazes, iterations, loss_at, limits, watched, training, device, quiet)
    places = measures.evenly(points)
    _report(measures.curve(first, second, out, steps, form, places, align, restarts, asked), out, as_json)


@landscapes.command(cls=Verb)
def plane(
    networks: Annotated[list[str], typer.Argument(metavar="A [B C]", help="One network, or three.")],
    out: Out,
    points: Annotated[int, typer.Option(help="A side.")] = 15,
    seed: Seed = 0,
    reach: Annotated[float, typer.Option(help="Of one network: how far it goes; 1 is each filter's length.")] = 1.0,
    suite: SuiteOf = "smoke-v1",
    cells: Cells = "size-9",
    mazes: Mazes = 64,
    iterations: Iterations = 100,
    loss_at: LossAt = 30,
    limits: Limits = False,
    watched: Watched = 8,
    training: Training = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Connectivity: a plane through three networks, or along two random directions from one (Li et al., 1712.09913).

    extramaze landscape plane dt-net-thin@0 dt-net-thin-tuned-10k@0 dt-net-thin-p01@0 --points 9 --out runs/plane
    """
    from extramaze.landscape import measures

    asked = _asked(suite, cells, mazes, iterations, loss_at, limits, watched, training, device, quiet)
    _report(measures.plane(networks, out, points, seed, reach, asked), out, as_json)


@landscapes.command(cls=Verb)
def convexity(
    networks: Annotated[list[str], typer.Argument(metavar="A...", help="A network; pairs of several are tried too.")],
    out: Out,
    top: Annotated[int, typer.Option(help="Largest eigenvalues.")] = 2,
    trace: Annotated[int, typer.Option(help="Probes of the trace and the density.")] = 16,
    pairs: Annotated[int, typer.Option(help="Random pairs in each of three balls around A.")] = 64,
    hessian_mazes: Annotated[int, typer.Option(help="Mazes of val over which the loss is averaged.")] = 32,
    per_maze: Annotated[int, typer.Option(help="Mazes whose own largest eigenvalue is found.")] = 8,
    seed: Seed = 0,
    suite: SuiteOf = "smoke-v1",
    mazes: Mazes = 64,
    iterations: Iterations = 100,
    loss_at: LossAt = 30,
    training: Training = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Convexity: the ends of the Hessian's spectrum, its trace, and whether middles lie below their ends' mean.

    Of the loss after --loss-at iterations with the gradient through all of them, at the balanced network, since
    eigenvalues change at will with scales of units that change no answer (Dinh et al., 1703.04933). The radius is how
    far along random directions 95 % of the training cell's accuracy is kept.

    extramaze landscape convexity dt-net-thin@0 dt-net-thin-tuned-1k@0 --pairs 16 --out runs/convexity-0
    """
    from extramaze.landscape.convexity import convexity as measure

    asked = _asked(suite, None, mazes, iterations, loss_at, False, 1, training, device, quiet)
    _report(measure(networks, out, top, trace, pairs, hessian_mazes, per_maze, seed, asked), out, as_json)


@landscapes.command(cls=Verb)
def direction(
    target: Annotated[str, typer.Argument(metavar="B", help="A network trained from the base.")],
    base: Annotated[str, typer.Option(metavar="A", help="What it was trained from.")],
    out: Out,
    doses: Annotated[str, typer.Option(metavar="D,D,...", help="Multiples of B − A, 0 and 1 among them.")] = (
        "-0.5,-0.25,0,0.25,0.5,0.75,1,1.25,1.5"
    ),
    controls: Annotated[int, typer.Option(help="Gaussian directions, and shufflings of B − A; so many each.")] = 3,
    compare: Annotated[
        list[str] | None, typer.Option(metavar="A2:B2", help="Compare B − A with B2 − A2. Repeatable.")
    ] = None,
    seed: Seed = 0,
    suite: SuiteOf = "smoke-v1",
    cells: Cells = None,
    mazes: Mazes = 64,
    iterations: Iterations = 100,
    loss_at: LossAt = 30,
    limits: Limits = False,
    watched: Watched = 8,
    training: Training = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Directedness: what a task vector does, dose by dose, against directions that only look like it.

    The effect is the accuracy at dose 1 less that at 0; directedness, the effect less the mean of the controls'.

    extramaze landscape direction dt-net-thin-tuned-1k@0 --base dt-net-thin@0 --out runs/direction-0
    """
    from extramaze.core.errors import InputError
    from extramaze.landscape import directions

    asked = _asked(suite, cells, mazes, iterations, loss_at, limits, watched, training, device, quiet)
    others = [tuple(pair.split(":")) for pair in compare or ()]
    for pair in others:
        if len(pair) != 2:
            raise InputError(f"--compare names a base and a network with : between, got {':'.join(pair)!r}")
    found = directions.direction(
        base, target, out, _floats("--doses", doses) or (), controls, seed, [(a, b) for a, b in others], asked
    )
    _report(found, out, as_json)


@landscapes.command(cls=Verb)
def determinism(
    recipe: Annotated[str, typer.Option(help="A shipped recipe (extramaze ls recipes) or a YAML file.")],
    at: Annotated[str, typer.Option(metavar="K,K,...", help="Steps at which children are spawned.")],
    out: Out,
    seed: Annotated[int, typer.Option(help="Of the parent.")] = 0,
    points: Points = 11,
    suite: SuiteOf = "smoke-v1",
    cells: Cells = None,
    mazes: Mazes = 64,
    iterations: Iterations = 100,
    loss_at: LossAt = 30,
    limits: Limits = False,
    watched: Watched = 8,
    training: Training = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Determinism: from which step on the rest of a training no longer decides its basin (Frankle et al., 1912.05671).

    Two children of one parent, copied at step k with the optimiser's state, are trained to the end with other draws of
    mazes and depths. "Joined from step" is the least k from which on the barrier of accuracy between them is at most 2
    points, cell by cell.

    extramaze landscape determinism --recipe dt-net-thin-fast --at 0,50,150,350 --out runs/determinism-0
    """
    from extramaze.core.errors import InputError
    from extramaze.landscape.spawning import determinism as measure

    asked = _asked(suite, cells, mazes, iterations, loss_at, limits, watched, training, device, quiet)
    try:
        steps = [int(step) for step in at.split(",")]
    except ValueError as problem:
        raise InputError(f"--at are whole numbers with commas between, 0,50,150; got {at!r}") from problem
    _report(measure(recipe, out, steps, seed, points, asked), out, as_json)


@landscapes.command("show", cls=Verb)
def show_landscapes(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders that extramaze landscape wrote.")],
    pictures: Annotated[bool, typer.Option("--pictures", help="Draw them: PNGs into each folder's plots.")] = False,
    out: Annotated[Path | None, typer.Option(help="With --pictures: into this folder.")] = None,
    as_json: Json = False,
) -> None:
    """Show landscapes as tables, and draw them; of several lines also the matrix of their barriers.

    Every figure is computed again from the table; one that does not follow from it is refused by name.

    extramaze landscape show runs/line-0-1 --pictures
    """
    from extramaze.core.display import shown
    from extramaze.landscape.record import read_landscape
    from extramaze.landscape.text import survey_text

    surveys = [read_landscape(folder) for folder in folders]
    if as_json:
        print(json.dumps([survey.summary.model_dump(mode="json", by_alias=True) for survey in surveys], indent=1))
    else:
        show("\n\n".join(survey_text(survey) for survey in surveys).split("\n"))
    if pictures:
        from extramaze.landscape.pictures import draw

        paths = draw(surveys, [out or folder / "plots" for folder in folders])
        if not as_json:
            show(shown(path) for path in paths)
