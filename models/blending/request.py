"""What is asked of a blend, and whether it goes together: checked before anything is read or computed."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from extramaze.core.errors import InputError, unknown_name
from extramaze.core.names import taken_for
from extramaze.models.blending.alignment import RESTARTS
from extramaze.models.blending.choosing import COUNT
from extramaze.models.blending.fisher import MAZES
from extramaze.models.loading import ALGORITHMS, shipped_names
from extramaze.schema.blend import BASED, Combination, Method
from extramaze.schema.training import RECIPE_NAME

MAX_SEED = 255
TWO = ("line", "slerp")  # methods of exactly two parents


@dataclass(frozen=True)
class Request:
    """What is asked for. Fields that belong to another method than the one asked for are None, or their defaults."""

    method: Method
    """How weights are combined."""
    parents: tuple[str | Path, ...]
    """Shipped names with weights, or folders."""
    name: str
    """The blend's."""
    seed: int | None = None
    """The blend's; None for the one that all parents share, and 0 where they share none."""
    base: str | Path | None = None
    """Where differences are taken from: task, ties, dare."""
    coefficients: tuple[float, ...] | None = None
    """One a parent; None for equal ones that sum to 1."""
    at: float | None = None
    """Between two parents, 0 the first: line, slerp."""
    best: bool = False
    """Choose the coefficients on the val split: line, soup."""
    combination: Combination | None = None
    """What an ensemble averages."""
    density: float | None = None
    """TIES' share of numbers that are kept."""
    strength: float | None = None
    """TIES' multiple of the merged difference."""
    drop: float | None = None
    """DARE's probability."""
    align: bool = False
    """Bring every parent to the first one's order and scale of units."""
    restarts: int = RESTARTS
    """Orders from which that is tried."""
    specs: tuple[str, ...] = ()
    """Mazes that coefficients are chosen on; none: those that the parents were trained on."""
    split: str = "val"
    """Of these mazes; any other than val is refused."""
    count: int = COUNT
    """How many of each specification."""
    iterations: int | None = None
    """After how many they are answered; None for what training validated after."""
    fisher_mazes: int = MAZES
    """Over how many Fisher information is averaged."""


def check(request: Request) -> None:
    """Raise InputError for a request that contradicts itself."""
    method, count = request.method, len(request.parents)
    if method not in get_args(Method):
        raise unknown_name("method", method, get_args(Method))
    _check_name(request.name)
    least = 1 if method in (*BASED, "ensemble") else 2
    if count < least:
        raise InputError(f"{method} combines {least} parents or more, got {count}")
    if method in TWO and count != 2:
        raise InputError(f"{method} goes from one parent to another: it needs 2, got {count}; use soup for more")
    if (request.base is None) == (method in BASED):
        raise InputError(
            f"{method} adds differences from a base: say which, --base SOLVER"
            if method in BASED
            else f"{method} takes no differences; leave out --base"
        )
    numbers = request.coefficients
    if numbers is not None and len(numbers) != count:
        raise InputError(f"{len(numbers)} coefficients for {count} parents; give one for each")
    given = [("--at", request.at), ("--strength", request.strength), *(("--coefficients", c) for c in numbers or ())]
    for option, value in given:
        if value is not None and not math.isfinite(value):
            raise InputError(f"{option}: {value} is no finite number")
    if method in ("soup", "fisher") and numbers is not None and not math.isclose(sum(numbers), 1, abs_tol=1e-9):
        raise InputError(f"the coefficients of a {method} sum to 1, these to {sum(numbers):g}; task adds freely")
    if method == "fisher" and numbers is not None and min(numbers) < 0:
        raise InputError(f"the coefficients of fisher are shares of at least 0, got {min(numbers):g}")
    if request.density is not None and not 0 < request.density <= 1:
        raise InputError(f"--density is a share above 0 and at most 1, got {request.density:g}")
    if request.drop is not None and not 0 <= request.drop < 1:
        raise InputError(f"--drop is a probability of at least 0 and below 1, got {request.drop:g}")
    if request.seed is not None and not 0 <= request.seed <= MAX_SEED:
        raise InputError(f"--seed is from 0 to {MAX_SEED}, got {request.seed}")
    if request.restarts < 1 or request.fisher_mazes < 1:
        raise InputError("--restarts and --mazes are at least 1")


def _check_name(name: str) -> None:
    if not re.fullmatch(RECIPE_NAME, name) or len(name) > 50:
        raise InputError(
            f"a blend's name is up to 50 small letters, digits and hyphens, got {name!r}; give another with --name"
        )
    own = taken_for(name, [*ALGORITHMS, *shipped_names()])
    if own is not None:
        raise InputError(f"the name {name} is that of {own}, which comes with extramaze; give another with --name")
