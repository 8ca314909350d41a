"""Solvers of other packages: entry points of the group ``extramaze.models``.

A package that states

    [project.entry-points."extramaze.models"]
    gated-net = "acme_mazes:make"

in its pyproject.toml makes ``gated-net`` a name that every command knows. Listing the names imports nothing; a plugin
is imported when its solver is asked for, and whatever is wrong with it is put down to its distribution, by name.
"""

from collections.abc import Iterable

from extramaze.core import plugins as announced
from extramaze.core.plugins import Plugin

__all__ = ["Plugin", "find_plugin", "plugins"]

GROUP = "extramaze.models"


def plugins(shipped: Iterable[str] = ()) -> list[Plugin]:
    """List the announced solvers by name, importing none. ``shipped``: names that only extramaze may use."""
    return announced.plugins(GROUP, shipped)


def find_plugin(name: str, shipped: Iterable[str] = ()) -> Plugin | None:
    """Return the plugin of a name, None where there is none or the name is shipped.

    Raises InputError where it cannot be used.
    """
    return announced.find_plugin("solver", GROUP, name, shipped)
