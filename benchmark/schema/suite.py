"""Suites: which mazes, how many, how many iterations, and where the iterates are watched."""

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from extramaze.core.checked import Growing, NoTruth, Strict, parse_yaml, repeated, yaml_names, yaml_text
from extramaze.core.errors import InputError, unknown_name
from extramaze.dynamics.limits import MEANS, STUDY_FLOAT32
from extramaze.mazes.spec import MazeSpec

SUITES = files("extramaze") / "suites"
MAX_ITERATIONS = 1_000_000
MAX_RUNGS = 300
MAX_CELLS = 256  # of a suite: each costs its reader some milliseconds
IN_DISTRIBUTION = "in-distribution"  # the axis of cells like the training mazes; it does not enter the score


class Cell(Strict):
    """One test distribution: ``count`` mazes of a specification, on one axis of difficulty."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=64)
    axis: str = Field(pattern=r"^[a-z][a-z-]*$", max_length=32)
    spec: str
    count: int = Field(ge=1, le=1_000_000)

    @field_validator("spec")
    @classmethod
    def _canonical(cls, text: str) -> str:
        return str(MazeSpec.parse(text))

    @property
    def maze_spec(self) -> MazeSpec:
        """The specification, parsed."""
        return MazeSpec.parse(self.spec)


class LimitPlan(Growing):
    """The declared subsample whose raw iterates are watched: the first ``count`` mazes of each of ``cells``.

    pursuit: steps by which trajectories that the window leaves open are followed further with a tangent, at three
    times the cost of a step; 0: they stay undecided. Limits are told in float64. rules: further ones by which Betti
    numbers are counted; dtype: of the iterates that these look at.
    """

    added: ClassVar[tuple[str, ...]] = ("dtype", "rules")

    burn_in: int = Field(ge=0, le=100_000)
    window: int = Field(ge=2, le=10_000)
    count: int = Field(ge=1)
    cells: tuple[str, ...]
    pursuit: int = Field(default=0, ge=0, le=100_000)
    dtype: Literal["float32", "float64"] = "float64"
    rules: tuple[Literal["study-float32-v1"], ...] = Field(default=(), max_length=1)

    @field_validator("pursuit")
    @classmethod
    def _long_enough(cls, steps: int) -> int:
        if 0 < steps < MEANS:
            raise ValueError(f"an exponent needs at least {MEANS} steps; give as many, or 0")
        return steps

    @model_validator(mode="after")
    def _of_these_iterates(self) -> "LimitPlan":
        if bool(self.rules) != (self.dtype == "float32"):
            raise ValueError(
                f"{STUDY_FLOAT32} looks at float32 iterates, and nothing else does; give dtype: float32 and rules: "
                f"[{STUDY_FLOAT32}] together, or neither"
            )
        return self


class Suite(Strict):
    """A versioned set of cells. ``iterations`` is the ladder at which accuracy is read; its last rung ranks."""

    name: str = Field(pattern=r"^[a-z0-9-]+-v[0-9]+$", max_length=64)
    scale: Annotated[Literal[1, 2], NoTruth]
    split: Literal["val", "test", "sealed"]
    iterations: tuple[int, ...] = Field(min_length=1, max_length=MAX_RUNGS)
    cells: tuple[Cell, ...] = Field(min_length=1, max_length=MAX_CELLS)
    limits: LimitPlan

    @model_validator(mode="after")
    def _consistent(self) -> "Suite":
        if list(self.iterations) != sorted(set(self.iterations)) or self.iterations[0] < 1:
            raise ValueError(f"iterations must rise and start at 1 or more, got {list(self.iterations)}")
        if self.iterations[-1] > MAX_ITERATIONS:
            raise ValueError(f"iterations must not exceed {MAX_ITERATIONS:,}, got {self.iterations[-1]:,}")
        names = [cell.name for cell in self.cells]
        twice = repeated(names)
        if twice:
            raise ValueError(f"two cells have the same name: {', '.join(twice)}; give each its own")
        missing = sorted(set(self.limits.cells) - set(names))
        if missing:
            raise ValueError(f"limits.cells names cells that do not exist: {', '.join(missing)}")
        return self

    def digest(self) -> str:
        """Return the sha256 of the checked content: comments, layout and spelled-out defaults do not count."""
        return hashlib.sha256(self.model_dump_json(exclude_defaults=True).encode()).hexdigest()


def axis_headings(cells: tuple[Cell, ...]) -> dict[str, str]:
    """Return how the axes of a suite's cells are called where their numbers stand, in order.

    The axis ``cycles`` is of percolated mazes in some suites and of exact numbers in others: it is called by which.
    """
    headings = {}
    for axis in dict.fromkeys(cell.axis for cell in cells):
        specs = [cell.maze_spec for cell in cells if cell.axis == axis]
        percolated, exact = (any(getattr(spec, name) for spec in specs) for name in ("percolation", "cycles"))
        cycles = "percolation" if percolated and not exact else "exact cycles" if exact and not percolated else axis
        headings[axis] = {IN_DISTRIBUTION: "in-dist.", "cycles": cycles}.get(axis, axis)
    return headings


def choose_cells(suite: Suite, names: tuple[str, ...]) -> tuple[Cell, ...]:
    """Return a suite's cells of these names, in the suite's order; all for no names. Raises InputError."""
    known = [cell.name for cell in suite.cells]
    for name in names:
        if name not in known:
            raise unknown_name(f"cell of {suite.name}", name, known)
    return tuple(cell for cell in suite.cells if not names or cell.name in names)


def suite_names() -> list[str]:
    """List the shipped suites."""
    return yaml_names(SUITES)


def load_suite(name_or_path: str | Path | Suite) -> Suite:
    """Load a shipped suite or a YAML file; a Suite is one. Raises InputError listing every problem with its key."""
    if isinstance(name_or_path, Suite):
        return name_or_path
    name_or_path = str(name_or_path)
    suite = parse_yaml(Suite, yaml_text("suite", name_or_path, SUITES), f"suite {name_or_path}")
    if suite.name in suite_names() and name_or_path not in suite_names():
        raise InputError(f"suite {name_or_path}: the name {suite.name} is a shipped suite's; choose another name")
    return suite
