"""A landscape on disk: what was measured, where, and the figures that follow from its table.

``landscape.json`` states the sha256 of ``points.parquet`` and of itself. The names connectivity, convexity, determinism
and directedness are those of Khan et al. (arXiv 2410.12927), who give no estimators: these are extramaze's measures for
the survey's four words.
"""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field, model_validator

from extramaze.core.checked import CommandLine, Count, Digest, Instant, OneLine, Positive, Strict, repeated
from extramaze.schema.solver import Origin
from extramaze.schema.suite import Suite

LANDSCAPE_SCHEMA = "extramaze-landscape-1"
SUMMARY, TABLE, BEND = "landscape.json", "points.parquet", "bend.safetensors"
MAX_POINTS = 4_000
Kind = Literal["line", "curve", "plane", "convexity", "determinism", "direction"]
WORDS = {
    "line": "connectivity",
    "curve": "connectivity",
    "plane": "connectivity",
    "convexity": "convexity",
    "determinism": "determinism",
    "direction": "directedness",
}
Real = Annotated[float, Field(allow_inf_nan=False)]

POINTS: dict[str, pl.DataType | type[pl.DataType]] = {  # a row a point and maze
    "path": pl.String,  # which path of several: "line"; "step 50"; "control 1"
    "point": pl.UInt32,  # its number on the path
    "x": pl.Float64,  # place on the path, or in the plane
    "y": pl.Float64,  # null: no plane
    "cell": pl.String,
    "index": pl.UInt32,
    "optimal": pl.Boolean,  # the answer at the last rung
    "loss": pl.Float64,  # cross-entropy in nats, summed over open pixels
    "pixels": pl.UInt32,  # open ones
    "limit": pl.String,  # null: not watched
    "limit_right": pl.Boolean,  # optimal at the watched trajectory's last iterate
    "exponent": pl.Float64,  # the largest Lyapunov exponent, nats a step; null: not estimated
    "exponent_error": pl.Float64,
}
CURVATURE: dict[str, pl.DataType | type[pl.DataType]] = {  # a row a number that was computed
    "what": pl.String,  # largest, smallest, trace, maze, density, pair, trained pair, kept
    "number": pl.UInt32,  # which of these
    "radius": pl.Float64,  # of pairs: the ball's, as a share of each filter's length; null elsewhere
    "value": pl.Float64,  # an eigenvalue, a probe's trace, the loss in the middle, an accuracy; of density the place
    "first": pl.Float64,  # of pairs the losses at the ends; of density the weight
    "second": pl.Float64,
}


class Watch(Strict):
    """The iterates that are followed, in float64, at every point: the first ``count`` mazes of each of ``cells``."""

    cells: tuple[OneLine, ...]
    """Names of cells of the suite."""
    count: Positive
    """Mazes of each."""
    burn_in: Count
    """Iterations before the window."""
    window: int = Field(ge=2)
    """Iterations whose states are looked at."""
    pursuit: int = Field(ge=20)
    """Steps over which the largest Lyapunov exponent is measured."""


class Setting(Strict):
    """What is measured at every point, and so decides all its numbers on one machine."""

    suite: Suite
    """The cells that are answered, and the rungs, the last of which counts."""
    mazes: Positive
    """At most so many of each cell, the first ones."""
    training: OneLine
    """The cell like the mazes of training."""
    loss_iterations: Positive
    """Plain iterations after which the loss is read."""
    watch: Watch | None
    """None: no iterates are followed."""
    device: OneLine
    """What computed it."""


class Place(Strict):
    """One point: where it is, on which path."""

    path: OneLine
    """The path's name."""
    point: Count
    """Its number on the path."""
    x: Real
    """Place on the path; in a plane the first coordinate."""
    y: Real | None = None
    """The second coordinate; None on a path."""


class Figure(Strict):
    """One figure that follows from the table."""

    path: OneLine
    """Of which path; ``all`` for figures of several."""
    measure: OneLine
    """``barrier``, ``gap``, ``radius``, ``median`` …"""
    of: OneLine
    """Of which quantity: ``loss size-9``, ``accuracy size-17``, ``settled``, ``exponent`` …"""
    value: Real | None
    """None: it has none here."""
    low: Real | None = None
    """The lower end of its 95 % interval."""
    high: Real | None = None
    """The upper end."""


class Run(Strict):
    """How it was made."""

    finished: Instant
    """When."""
    seconds: float = Field(ge=0)
    """Of computing, all runs together where it was resumed."""
    command: CommandLine
    """By which command."""
    versions: dict[OneLine, OneLine]
    """Of the packages that computed it."""


class Landscape(Strict):
    """``landscape.json``."""

    schema_: Literal["extramaze-landscape-1"] = Field(alias="schema")
    """The version of this file."""
    kind: Kind
    """What was measured."""
    solvers: tuple[Origin, ...] = Field(min_length=1)
    """The networks, in the order in which they were given."""
    options: dict[OneLine, int | float | str | bool | None]
    """What else was asked for: alignment, seeds, steps."""
    setting: Setting
    """What was measured at every point."""
    places: tuple[Place, ...] = Field(max_length=MAX_POINTS)
    """All points in order; none of curvature."""
    marks: tuple[Place, ...] = ()
    """Where the solvers are in a plane."""
    figures: tuple[Figure, ...]
    """What follows from the table."""
    bend_sha256: Digest | None = None
    """Of ``bend.safetensors``, a curve's trained bend."""
    table_sha256: Digest
    """Of ``points.parquet``."""
    run: Run
    """How it was made."""
    sha256: Digest
    """Of all the rest."""

    @model_validator(mode="after")
    def _consistent(self) -> "Landscape":
        twice = repeated(f"{place.path} {place.point}" for place in self.places)
        if twice:
            raise ValueError(f"places: two of one number: {', '.join(twice)}")
        known = [cell.name for cell in self.setting.suite.cells]
        watched = () if self.setting.watch is None else self.setting.watch.cells
        strange = sorted({self.setting.training, *watched} - set(known))
        if strange:
            raise ValueError(f"setting: cells that the suite does not have: {', '.join(strange)}")
        return self
