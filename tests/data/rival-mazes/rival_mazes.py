"""A rival's solver."""

from extramaze.models.dead_end_filling import DeadEndFilling


def make():
    """Make the solver."""
    return DeadEndFilling()
