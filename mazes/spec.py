"""What a maze distribution is: a frozen, validated specification with one canonical text."""

import re
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from extramaze.mazes.errors import InputError, unknown_name

Start = Literal["deadend", "any"]
Split = Literal["train", "val", "test", "sealed"]

ALGORITHMS = ("dfs",)
STARTS: tuple[str, ...] = get_args(Start)
SPLITS: tuple[str, ...] = get_args(Split)

MIN_SIZE, MAX_SIZE = 3, 4095
PERCOLATION_DECIMALS = 9  # so that 0.3 and 0.1 + 0.2 are one specification


@dataclass(frozen=True)
class MazeSpec:
    """A distribution of mazes on a square lattice.

    size: the literature's odd ``n``; the lattice has ``L = (n + 1) / 2`` cells a side (9 → 5×5).
    algorithm: what carves the spanning tree: ``"dfs"``, randomised depth-first search.
    percolation: probability with which every lattice edge is opened *besides* the tree's (logical or), so it only
        adds edges (Knutson et al., arXiv 2410.03020, section 3).
    start: ``"deadend"`` draws the start among the cells with exactly one open neighbour, ``"any"`` among all cells.
        The goal is uniform over the other cells.

    Raises InputError that lists every field that is wrong.
    """

    size: int
    algorithm: str = "dfs"
    percolation: float = 0.0
    start: str = "deadend"

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InputError("maze specification: " + "; ".join(problems))
        object.__setattr__(self, "size", int(self.size))
        object.__setattr__(self, "algorithm", ALGORITHMS[ALGORITHMS.index(self.algorithm)])
        object.__setattr__(self, "percolation", round(float(self.percolation), PERCOLATION_DECIMALS) + 0.0)
        object.__setattr__(self, "start", STARTS[STARTS.index(self.start)])

    def _problems(self) -> Any:
        if not _is_integer(self.size) or not MIN_SIZE <= self.size <= MAX_SIZE or self.size % 2 == 0:
            yield f"size must be an odd integer from {MIN_SIZE} to {MAX_SIZE}, got {self.size!r}"
        if self.algorithm not in ALGORITHMS:
            yield str(unknown_name("algorithm", self.algorithm, ALGORITHMS))
        if not _is_number(self.percolation) or not 0 <= self.percolation <= 1:
            yield f"percolation must be a probability from 0 to 1, got {self.percolation!r}"
        elif abs(round(float(self.percolation), PERCOLATION_DECIMALS) - float(self.percolation)) > 1e-15:
            yield f"percolation has at most {PERCOLATION_DECIMALS} decimals, got {self.percolation!r}"
        if self.start not in STARTS:
            yield str(unknown_name("start", self.start, STARTS))

    @property
    def lattice(self) -> int:
        """L, the cells along one side."""
        return (self.size + 1) // 2

    def __str__(self) -> str:
        """Write the canonical text: the fields in order, those at their defaults left out (``size=9,start=any``)."""
        return ",".join(f"{f.name}={_text(getattr(self, f.name))}" for f in fields(self) if not self._is_default(f))

    def _is_default(self, field: Any) -> bool:
        return field.default is not MISSING and bool(getattr(self, field.name) == field.default)

    @classmethod
    def parse(cls, text: str) -> "MazeSpec":
        """Read ``size=9,percolation=0.1,start=any``; fields in any order. Raises InputError."""
        kinds: dict[str, Any] = {"size": _integer, "algorithm": str, "percolation": _decimal, "start": str}
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


def check_split(split: str | None) -> None:
    """Raise InputError unless ``split`` is a split's name or None."""
    if split is not None and split not in SPLITS:
        raise unknown_name("split", split, SPLITS)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.{PERCOLATION_DECIMALS}f}".rstrip("0").rstrip(".")
    return str(value)


def _integer(text: str) -> Any:
    """Read plain decimal digits; anything else is left to be refused by the field's own check."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else text


def _decimal(text: str) -> Any:
    """Read a plain decimal number; anything else is left to be refused by the field's own check."""
    return float(text) if re.fullmatch(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text) else text


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
