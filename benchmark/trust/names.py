"""Whose a name is: extramaze's own recipes and algorithms, and what a record has to show to be of one of them.

A record states its own solver's name. Were it believed, anybody's record could move the row of a shipped recipe.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from extramaze.core.errors import InputError
from extramaze.core.files import read_inside
from extramaze.core.names import taken_for
from extramaze.models.shipped import ALGORITHM_NAMES, RECIPES, recipe_names, shipped_results
from extramaze.schema.solver import SolverInfo
from extramaze.schema.training import RECIPE

RETRAINED = " (retrained)"  # after the name of a shipped recipe that somebody else trained
FILES = ("record", "card", "plan", "training", "baseline", "verification")  # NAME.json is something else of ours
MAX_RECIPE_BYTES = 2**20
OTHER = "choose another name"
_HEADER = re.compile(rb"# seed (\d+)\n(?:# init-from [^\n]*\n)?")  # what training writes above a recipe's text


@dataclass(frozen=True)
class Claim:
    """What the names of a record come to.

    row: the name of its row on a board. problem: why it may not have that name; None where it may.
    """

    row: str
    problem: str | None = None


def claim_of(solver: SolverInfo, folder: Path | None = None) -> Claim:
    """Say whether a record's solver may be called what it is. folder: where the record lies, with its recipe.

    A name of extramaze's own goes with the weights that are shipped under it, or, in a row of its own, with another
    seed beside the very text of the recipe; no other name may look like one.
    """
    own = own_name(solver.recipe) or own_name(solver.name)
    reserved = [name for name in (solver.name, solver.recipe) if name.casefold() in FILES]
    if reserved:
        return Claim(solver.recipe, f"the name {reserved[0]} is that of a file of extramaze's; choose another")
    if own is None:
        return Claim(solver.recipe)
    expected = own if own in ALGORITHM_NAMES else f"{own}@{solver.seed}"
    if (solver.recipe, solver.name) != (own, expected):
        why = f"{solver.name}, of the recipe {solver.recipe}, would be taken for extramaze's own {own}"
        return Claim(solver.recipe, f"{why}; {OTHER}")
    if solver.code_sha256 is not None:
        return Claim(own, f"the name {solver.name} is extramaze's own, and the code is not; {OTHER}")
    return _algorithm(solver) if own in ALGORITHM_NAMES else _trained(solver, folder)


def own_name(name: str) -> str | None:
    """Return the name of extramaze's own that a name is, or would be taken for."""
    own = taken_for(name, own_names())
    return own or taken_for(name.casefold().removesuffix("retrained"), own_names())


@cache
def own_names() -> tuple[str, ...]:
    """Return the names that are extramaze's: of algorithms, and of recipes, shipped with weights or without."""
    return (*ALGORITHM_NAMES, *recipe_names())


def _algorithm(solver: SolverInfo) -> Claim:
    if solver.seed is None and solver.weights_sha256 is None and not solver.parameters:
        return Claim(solver.recipe)
    return Claim(solver.recipe, f"extramaze's own {solver.name} has neither seed nor weights; {OTHER}")


def _trained(solver: SolverInfo, folder: Path | None) -> Claim:
    shipped = _shipped_weights()
    stated = shipped.get((solver.recipe, solver.seed))
    if stated is not None and stated == solver.weights_sha256:
        return Claim(solver.recipe)
    if stated is not None:
        why = f"the weights are not those that are shipped as {solver.name}"
        return Claim(solver.recipe, f"{why}; train a seed that is not shipped, or {OTHER}")
    if solver.seed is not None and _holds_recipe(folder, solver.recipe, solver.seed):
        return Claim(solver.recipe + RETRAINED)
    why = f"{solver.recipe} is extramaze's own, and these weights are not shipped under that name"
    return Claim(solver.recipe, f"{why}; if you trained it, put its {RECIPE} beside the record, else {OTHER}")


@cache
def _shipped_weights() -> dict[tuple[str, int | None], str]:
    return {(found.recipe, found.seed): found.weights_sha256 for found in shipped_results()}


def _holds_recipe(folder: Path | None, recipe: str, seed: int) -> bool:
    """Whether a folder holds the shipped recipe's text byte for byte, below nothing but the header for this seed."""
    if folder is None:
        return False
    try:
        text = read_inside(folder, RECIPE, MAX_RECIPE_BYTES)
    except InputError:
        return False
    header = _HEADER.match(text)
    body = text[header.end() :] if header and header[1] == str(seed).encode() else text
    return body == (RECIPES / f"{recipe}.yaml").read_bytes()
