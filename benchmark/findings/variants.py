"""Recipes that train, or go on training, on mazes with cycles, told by their names: PLAIN-pNN and PLAIN-tuned-N."""

import re

TRAINED_ON = {"-p01": ".01", "-p10": ".1", "-p50": ".5"}  # percolation
TUNED = {"-tuned-100": 100, "-tuned-1k": 1_000, "-tuned-10k": 10_000}  # mazes with cycles
_RETRAINED = re.compile(r"(?P<plain>.+-(?:thin|e2h))-(?:p\d+|(?P<tuned>tuned-\w+))")


def is_retrained(recipe: str) -> bool:
    """Whether a recipe's mazes have cycles, from the beginning or after training on trees."""
    return _RETRAINED.fullmatch(recipe) is not None


def begins_with(recipe: str) -> str | None:
    """Return the plain recipe whose weights a fine-tuned one begins with; None for any other."""
    found = _RETRAINED.fullmatch(recipe)
    return found["plain"] if found and found["tuned"] else None
