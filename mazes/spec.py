"""What a maze distribution is: a frozen, validated specification with one canonical text."""

import re
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from extramaze.core.errors import InputError as InputError  # also by the name extramaze.mazes.InputError
from extramaze.core.errors import unknown_name

Split = Literal["train", "val", "test", "sealed"]

ALGORITHMS = ("dfs", "wilson", "aldous-broder", "prim", "kruskal", "percolation")
ENDPOINTS: tuple[str | int, ...] = ("any", "deadend", 2, 3, 4)
SPLITS: tuple[str, ...] = get_args(Split)

MIN_SIZE, MAX_SIZE = 3, 4095
MAX_COUNT = 2**62  # where counts of shortest paths stop
DECIMALS = 9  # of a probability, so that 0.3 and 0.1 + 0.2 are one specification


@dataclass(frozen=True)
class MazeSpec:
    """A distribution of mazes on a lattice.

    size: the literature's odd ``n``; the lattice has ``L = (n + 1) / 2`` cells a side (9 → 5×5).
    width: of a rectangle, the same from left to right, ``size`` then being from top to bottom; 0: a square.
    algorithm: what carves the spanning tree: ``"dfs"``, ``"wilson"``, ``"aldous-broder"``, ``"prim"`` or ``"kruskal"``;
        ``"percolation"`` carves none.
    percolation: probability with which every lattice edge is opened *besides* the tree's (logical or), so it only
        adds edges (Knutson et al., arXiv 2410.03020, section 3).
    start, goal: ``"deadend"`` draws among the cells with exactly one open neighbour, 2, 3 or 4 among those with as
        many, ``"any"`` among all. The goal is another cell, joined to the start.
    cycles: exactly so many edges more than the tree's, every choice equally likely; 0 adds none.
    braid: the share of the dead ends that are opened, each by a random closed edge.
    min_path, max_path: bounds on the shortest path in lattice edges. min_shortest, max_shortest: on the number of
        shortest paths. 0 as an upper bound means none.

    Raises InputError that lists every field that is wrong.
    """

    size: int
    width: int = 0
    algorithm: str = "dfs"
    percolation: float = 0.0
    start: str | int = "deadend"
    goal: str | int = "any"
    cycles: int = 0
    braid: float = 0.0
    min_path: int = 1
    max_path: int = 0
    min_shortest: int = 1
    max_shortest: int = 0

    def __post_init__(self) -> None:
        problems = list(self._wrong_fields()) or list(self._contradictions())
        if problems:
            raise InputError("maze specification: " + "; ".join(problems))
        object.__setattr__(self, "algorithm", ALGORITHMS[ALGORITHMS.index(self.algorithm)])
        for name in ("start", "goal"):
            value = getattr(self, name)
            object.__setattr__(self, name, "deadend" if value == 1 else ENDPOINTS[ENDPOINTS.index(value)])
        for name in ("percolation", "braid"):
            object.__setattr__(self, name, round(float(getattr(self, name)), DECIMALS) + 0.0)
        for name in ("size", "width", *_COUNTS):
            object.__setattr__(self, name, int(getattr(self, name)))
        if self.width == self.size:
            object.__setattr__(self, "width", 0)

    def _wrong_fields(self) -> Iterator[str]:
        for name, value in (("size", self.size), ("width", self.width)):
            unset = name == "width" and _is_integer(value) and value == 0
            if not unset and not (_is_integer(value) and MIN_SIZE <= value <= MAX_SIZE and value % 2):
                yield f"{name} must be an odd integer from {MIN_SIZE} to {MAX_SIZE}, got {value!r}"
        if self.algorithm not in ALGORITHMS:
            yield str(unknown_name("algorithm", self.algorithm, ALGORITHMS))
        for name in ("percolation", "braid"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value <= 1:
                yield f"{name} must be a probability from 0 to 1, got {value!r}"
            elif abs(round(float(value), DECIMALS) - float(value)) > 1e-15:
                yield f"{name} has at most {DECIMALS} decimals, got {value!r}"
        for name in ("start", "goal"):
            value = getattr(self, name)
            if isinstance(value, bool) or value not in (1, *ENDPOINTS):
                yield str(unknown_name(name, value, map(str, ENDPOINTS)))
        for name, least in _COUNTS.items():
            value = getattr(self, name)
            if not _is_integer(value) or not least <= value < MAX_COUNT:
                yield f"{name} must be an integer of at least {least}, and below 2**62, got {value!r}"

    def _contradictions(self) -> Iterator[str]:
        rows, columns = self.shape
        cells, slots = rows * columns, (rows - 1) * (columns - 1)
        if self.algorithm == "percolation" and not self.percolation:
            yield "percolation must be above 0 where it alone opens edges (algorithm=percolation)"
        if self.cycles and (self.percolation or self.braid):
            yield "cycles is an exact number; it goes with neither percolation nor braid"
        if self.cycles > slots:
            yield f"cycles must not exceed {slots}, the closed edges of a tree of {rows}×{columns} cells"
        most = 2 + (rows > 2) + (columns > 2)
        for name in ("start", "goal"):
            if isinstance(getattr(self, name), int) and getattr(self, name) > most:
                yield f"{name}={getattr(self, name)}: no cell of {rows}×{columns} has more than {most} neighbours"
        for low, high in (("min_path", "max_path"), ("min_shortest", "max_shortest")):
            if 0 < getattr(self, high) < getattr(self, low):
                yield f"{low}={getattr(self, low)} exceeds {high}={getattr(self, high)}"
        if self.min_path > cells - 1:
            yield f"min_path={self.min_path}: no path in {rows}×{columns} cells is longer than {cells - 1} edges"
        if self.is_tree and self.min_shortest > 1:
            yield f"min_shortest={self.min_shortest}: a tree has one path; add percolation, cycles or braid"

    @property
    def is_tree(self) -> bool:
        """Whether every maze is a tree, in which one path leads from start to goal."""
        return self.algorithm != "percolation" and not (self.percolation or self.cycles or self.braid)

    @property
    def shape(self) -> tuple[int, int]:
        """R and C, the rows and columns of cells."""
        return (self.size + 1) // 2, ((self.width or self.size) + 1) // 2

    def __str__(self) -> str:
        """Write the canonical text: the fields in order, those at their defaults left out (``size=9,start=any``)."""
        return ",".join(f"{f.name}={_text(getattr(self, f.name))}" for f in fields(self) if not self._is_default(f))

    def _is_default(self, field: Any) -> bool:
        return field.default is not MISSING and bool(getattr(self, field.name) == field.default)

    @classmethod
    def parse(cls, text: str) -> "MazeSpec":
        """Read ``size=9,percolation=0.1,start=any``; fields in any order. Raises InputError."""
        kinds: dict[str, Any] = {field.name: _integer for field in fields(cls)}
        kinds |= {"algorithm": str, "percolation": _decimal, "braid": _decimal}
        values: dict[str, Any] = {}
        for part in text.split(","):
            name, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals:
                raise InputError(
                    f"maze specification {text!r}: expected name=value, got {part!r}; try size=9,start=any"
                )
            if name not in kinds:
                raise unknown_name("maze field", name, kinds)
            if name in values:
                raise InputError(f"maze specification {text!r}: {name} is given twice; keep one")
            values[name] = kinds[name](value)
        if "size" not in values:
            raise InputError(f"maze specification {text!r}: size is missing; try size=9")
        return cls(**values)


# Whole-numbered fields, and the least each may be.
_COUNTS = {"cycles": 0, "min_path": 1, "max_path": 0, "min_shortest": 1, "max_shortest": 0}


def check_split(split: str | None) -> None:
    """Raise InputError unless ``split`` is a split's name or None."""
    if split is not None and split not in SPLITS:
        raise unknown_name("split", split, SPLITS)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return str(value)


def _integer(text: str) -> Any:
    """Read plain decimal digits; anything else is left to be refused by the field's own check."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,19}", text) else text


def _decimal(text: str) -> Any:
    """Read a plain decimal number; anything else is left to be refused by the field's own check."""
    return float(text) if re.fullmatch(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text) else text


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
