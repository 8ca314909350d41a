"""Solvers of other packages: entry points of the group ``extramaze.models``.

A package that states

    [project.entry-points."extramaze.models"]
    gated-net = "acme_mazes:make"

in its pyproject.toml makes ``gated-net`` a name that every command knows. Listing the names imports nothing; a plugin
is imported when its solver is asked for, and whatever is wrong with it is put down to its distribution, by name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from extramaze.core.errors import InputError
from extramaze.models.contract import NAME_PATTERN
from extramaze.models.names import base_name, taken_for

GROUP = "extramaze.models"


@dataclass(frozen=True)
class Plugin:
    """A solver that an installed distribution announces.

    target: ``package.module:factory``. distribution: its name and version. problem: why the name cannot be used, None
    where it can; that its code works is known only once it is loaded.
    """

    name: str
    target: str
    distribution: str
    problem: str | None = None


def plugins(shipped: Iterable[str] = ()) -> list[Plugin]:
    """List the announced solvers by name, importing none. ``shipped``: names that only extramaze may use."""
    taken = set(shipped)
    found = sorted(map(_plugin, entry_points(group=GROUP)), key=lambda plugin: (plugin.name, plugin.distribution))
    return [Plugin(p.name, p.target, p.distribution, _problem(p, found, taken)) for p in found]


def find_plugin(name: str, shipped: Iterable[str] = ()) -> Plugin | None:
    """Return the plugin of a name, None where there is none. Raises InputError where the name cannot be used."""
    for plugin in plugins(shipped):
        if plugin.name == name:
            if plugin.problem is not None:
                raise InputError(f"solver {name!r}: {plugin.problem}")
            return plugin
    return None


def _plugin(entry: EntryPoint) -> Plugin:
    distribution = entry.dist
    who = "an unnamed distribution" if distribution is None else f"{distribution.name} {distribution.version}"
    return Plugin(entry.name, entry.value, who)


def _problem(plugin: Plugin, found: list[Plugin], shipped: set[str]) -> str | None:
    advice = f"uninstall one of them, or name the solver itself: {plugin.target}"
    own = taken_for(plugin.name, shipped)
    if own is not None:
        which = "extramaze's own" if own == base_name(plugin.name) else f"taken for extramaze's own {own}"
        return f"the name is {which}, and {plugin.distribution} claims it too; {advice}"
    claims = [other.distribution for other in found if other.name == plugin.name]
    if len(claims) > 1:
        return f"the name is claimed by {' and by '.join(claims)}; {advice}"
    if not re.fullmatch(NAME_PATTERN, plugin.name) or not re.fullmatch(r"[\w.]+:[\w.]+", plugin.target):
        return (
            f"{plugin.distribution} announces it wrongly: expected a name of letters, digits and ._@+- for "
            f"package.module:factory, got {plugin.name!r} for {plugin.target!r}"
        )
    return None
