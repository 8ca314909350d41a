"""What ``extramaze landscape`` measures of connectivity: lines, curves and planes, each into a folder of its own.

These are extramaze's measures for the survey's four words (Khan et al., arXiv 2410.12927): connectivity (lines, curves
and planes), ``convexity``, determinism (``spawning``) and directedness (``directions``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path as Folder
from typing import Any

import numpy as np

from extramaze.core.errors import InputError
from extramaze.landscape.curve import bend_bytes, train_bend
from extramaze.landscape.figures import MAIN
from extramaze.landscape.meter import Meter
from extramaze.landscape.paths import Path, Plane, plane_through, random_direction
from extramaze.landscape.record import Survey
from extramaze.landscape.setting import ITERATIONS, LOSS_ITERATIONS, MAZES, WATCHED, make_setting, point_minutes
from extramaze.landscape.survey import Plan, conclude, finished, measure_places, workshop
from extramaze.models.blending.alignment import RESTARTS, align
from extramaze.models.blending.sources import Source, read_sources
from extramaze.models.blending.weights import Weights, difference
from extramaze.models.devices import resolve_device
from extramaze.models.loading import weights_folder
from extramaze.models.symmetry import symmetry_of
from extramaze.models.training.recipe import Recipe, parse_recipe
from extramaze.models.weight_files import read_tensors
from extramaze.schema.landscape import MAX_POINTS, Place, Setting
from extramaze.schema.solver import Origin
from extramaze.schema.training import RECIPE

Say = Callable[[str], None]
GAUSSIAN, SHUFFLED = 50, 51  # the first numbers of the keys of directions


@dataclass(frozen=True)
class Asked:
    """What is measured at every point, and how a run behaves."""

    suite: str = "smoke-v1"
    """A shipped suite or a YAML file."""
    cells: tuple[str, ...] = ()
    """Its cells that are measured, the training one besides; none for all."""
    mazes: int = MAZES
    """At most so many of each cell."""
    iterations: int = ITERATIONS
    """After which answers count."""
    loss_iterations: int = LOSS_ITERATIONS
    """After which the loss is read."""
    limits: bool = False
    """Follow iterates in float64 too."""
    watched: int = WATCHED
    """Mazes of each watched cell."""
    training: str | None = None
    """The cell like the mazes of training; None for the suite's own."""
    device: str = "auto"
    """Where to compute."""
    command: str = "extramaze.landscape"
    """As the landscape states it."""
    quiet: bool = False
    """Show no progress."""
    say: Say = field(default=lambda _: None)
    """Told what is about to be computed, and how long that may take."""

    def setting(self, source: Source) -> Setting:
        """Settle what is measured. Raises InputError."""
        return make_setting(
            source.solver,
            self.suite,
            self.cells,
            self.mazes,
            self.iterations,
            self.loss_iterations,
            self.limits,
            self.watched,
            self.training,
            self.device,
        )


def origins(sources: Sequence[Source]) -> tuple[Origin, ...]:
    """Return what a landscape states of its networks."""
    return tuple(Origin(name=source.name, weights_sha256=source.weights_sha256) for source in sources)


def check_places(places: Sequence[float]) -> tuple[float, ...]:
    """Return places along a path, in order. Raises InputError for too few, too many, repeats and what is no number."""
    if len(places) < 3:
        raise InputError(f"a path needs at least 3 points, got {len(places)}")
    if len(places) > MAX_POINTS:
        raise InputError(f"a landscape has at most {MAX_POINTS:,} points, got {len(places):,}")
    if not np.isfinite(places).all() or len(set(places)) < len(places):
        raise InputError(f"the places of a path are different finite numbers, got {', '.join(map(str, places))}")
    return tuple(sorted(float(place) for place in places))


def evenly(points: int, begin: float = 0.0, end: float = 1.0) -> tuple[float, ...]:
    """Return so many places, as far from one another, with 0 and 1 among them where they are near."""
    if points < 3:
        raise InputError(f"--points must be at least 3, got {points}")
    if not begin < end:
        raise InputError(f"--from must be below --to, got {begin:g} and {end:g}")
    return tuple(float(round(place, 12)) for place in np.linspace(begin, end, min(points, MAX_POINTS + 1)))


def aligned_second(sources: Sequence[Source], restarts: int) -> tuple[Weights, float]:
    """Bring the second network to the first one's units; return its weights and the cosine reached."""
    symmetry = symmetry_of(sources[0].solver, sources[0].scale)
    found = align(symmetry, sources[0].weights, sources[1].weights, restarts)
    return found.move.apply(symmetry, sources[1].weights), found.cosine


def line(
    first: str,
    second: str,
    out: Folder,
    places: Sequence[float] | None = None,
    aligned: bool = False,
    restarts: int = RESTARTS,
    asked: Asked = Asked(),
) -> Survey:
    """Measure the straight line between two networks, ``places`` from 0 to 1 or beyond (11 by default).

    aligned: bring the second to the first one's order and scale of units before. Raises InputError, before anything is
    computed, for what does not fit.
    """
    found = check_places(places or evenly(11))
    sources = read_sources([first, second])
    end, reached = aligned_second(sources, restarts) if aligned else (sources[1].weights, None)
    options: dict[str, Any] = {"aligned": aligned, "restarts": restarts if aligned else None, "cosine": reached}
    options["distance"] = float(np.sqrt(sum(float((v**2).sum()) for v in difference(end, sources[0].weights).values())))
    plan = Plan("line", origins(sources), asked.setting(sources[0]), along(MAIN, found), options=options)
    path = Path(sources[0].weights, end)
    return survey_points(plan, sources[0], out, asked, lambda place: path.at(place.x))


def curve(
    first: str,
    second: str,
    out: Folder,
    steps: int = 1000,
    form: str = "bezier",
    places: Sequence[float] | None = None,
    aligned: bool = False,
    restarts: int = RESTARTS,
    asked: Asked = Asked(),
) -> Survey:
    """Train a curve between two networks by the first one's recipe, and measure along it (21 places by default)."""
    if form not in ("bezier", "polygon"):
        raise InputError(f"--form is bezier or polygon, got {form!r}")
    if steps < 1:
        raise InputError(f"--steps must be at least 1, got {steps}")
    found = check_places(places or evenly(21))
    if found[0] < 0 or found[-1] > 1:
        raise InputError("a curve goes from 0 to 1; leave out places beyond")
    sources = read_sources([first, second])
    recipe = recipe_of(first)
    end, reached = aligned_second(sources, restarts) if aligned else (sources[1].weights, None)
    options: dict[str, Any] = {"aligned": aligned, "restarts": restarts if aligned else None, "cosine": reached}
    options |= {"steps": steps, "form": form, "recipe": recipe.name}
    plan = Plan("curve", origins(sources), asked.setting(sources[0]), along("curve", found), options=options)
    device = resolve_device(asked.device)
    straight = Path(sources[0].weights, end, form=form)

    def trained() -> bytes:
        asked.say(f"training the bend: {steps} steps")
        return bend_bytes(train_bend(sources[0].solver, straight, recipe, steps, device, asked.quiet))

    def weights_at(bend: bytes) -> Callable[[Place], Weights]:
        stored = {name: value.numpy() for name, value in read_tensors(bend, "the bend").items()}
        path = Path(straight.first, straight.second, stored, form)
        return lambda place: path.at(place.x)

    return survey_points(plan, sources[0], out, asked, weights_at, trained)


def recipe_of(target: str) -> Recipe:
    """Return the recipe that a network was trained by. Raises InputError for a blend, which has none."""
    with weights_folder(target) as folder:
        if not (folder / RECIPE).exists():
            raise InputError(f"{target}: a curve is trained by the first network's recipe, and a blend has none")
        return parse_recipe((folder / RECIPE).read_bytes(), str(target))


def plane(
    networks: Sequence[str],
    out: Folder,
    points: int = 15,
    seed: int = 0,
    reach: float = 1.0,
    asked: Asked = Asked(),
) -> Survey:
    """Measure a plane: through three networks, or along two random directions from one, of its filters' lengths.

    points: a side. reach: of a random plane, how far it goes to each side.
    """
    if points < 3 or points**2 + len(networks) > MAX_POINTS:
        raise InputError(f"--points is a side's, at least 3 and {MAX_POINTS:,} in all, got {points}")
    if len(networks) not in (1, 3):
        raise InputError(f"a plane goes through 3 networks, or from 1 along two random directions; got {len(networks)}")
    if not (np.isfinite(reach) and reach > 0):
        raise InputError(f"--reach must be above 0, got {reach:g}")
    sources = read_sources(list(networks))
    if len(sources) == 1:
        weights = sources[0].weights
        across, up = (random_direction(weights, (GAUSSIAN, seed, number)) for number in (0, 1))
        found = Plane(weights, across, up)
        sides = [evenly(points, -reach, reach)] * 2
    else:
        found = plane_through([source.weights for source in sources])
        sides = [_beyond([mark[axis] for mark in found.marks], points) for axis in (0, 1)]
    named = zip(sources, found.marks, strict=True)
    marks = tuple(Place(path=s.name, point=n, x=m[0], y=m[1]) for n, (s, m) in enumerate(named))
    grid = [(mark.x, mark.y) for mark in marks] + [(x, y) for y in sides[1] for x in sides[0]]
    places = tuple(Place(path=MAIN, point=number, x=x, y=y) for number, (x, y) in enumerate(grid))
    options: dict[str, Any] = {"points": points} | ({"seed": seed, "reach": reach} if len(sources) == 1 else {})
    plan = Plan("plane", origins(sources), asked.setting(sources[0]), places, marks, options)
    exact = {mark: source.weights for mark, source in zip(grid, sources, strict=False)}

    def weights_at(place: Place) -> Weights:
        at = (place.x, place.y or 0.0)
        return exact[at] if at in exact else found.at(*at)

    return survey_points(plan, sources[0], out, asked, weights_at)


def _beyond(marks: Sequence[float], points: int) -> tuple[float, ...]:
    low, high = min(marks), max(marks)
    margin = 0.25 * max(high - low, 0.5)
    return evenly(points, low - margin, high + margin)


def along(name: str, places: Sequence[float]) -> tuple[Place, ...]:
    """Return the points of a path."""
    return tuple(Place(path=name, point=number, x=place) for number, place in enumerate(places))


def survey_points(
    plan: Plan,
    source: Source,
    out: Folder,
    asked: Asked,
    weights_at: Callable[[Any], Any],
    trained: Callable[[], bytes] | None = None,
) -> Survey:
    """Measure a plan's points, or go on where a stopped run left off, and write the landscape.

    weights_at: weights of a place; with ``trained``, which makes what a curve needs, a function from that to it.
    """
    done = finished(plan, out)
    if done is not None:
        return done
    minutes = point_minutes(plan.setting) * len(plan.places)
    asked.say(f"{len(plan.places)} points, about {minutes:.1f} minutes on one core of a width-32 network's work")
    meter = Meter(source.solver, plan.setting, resolve_device(asked.device))
    with workshop(plan, out) as shop:
        bend = None if trained is None else shop.content("bend", trained)
        at = weights_at if bend is None else weights_at(bend)
        table = measure_places(shop, meter, plan.places, at, asked.quiet)
        return conclude(shop, out, table, asked.command, bend)
