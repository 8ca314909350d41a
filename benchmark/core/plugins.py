"""What installed packages announce by entry points of a group: listed without importing anything of theirs.

Each kind of thing that other packages may add has a group, solvers ``extramaze.models``. Whatever is wrong with an
announcement is put down to its distribution, by name, and leaves the others, and extramaze's own names, as they are:
``entry_points()`` of the standard library raises for all of them where the text of one cannot be read.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoints, distributions

from extramaze.core.display import MOST, NAME_PATTERN, shown
from extramaze.core.errors import InputError
from extramaze.core.names import base_name, taken_for

FILE = "entry_points.txt"
TARGET = r"[\w.]+:[\w.]+"


@dataclass(frozen=True)
class Plugin:
    """A thing that an installed distribution announces.

    target: ``package.module:attribute``. distribution: its name and version. problem: why the name cannot be used, None
    where it can; that its code works is known only once it is loaded.
    """

    name: str
    target: str
    distribution: str
    problem: str | None = None


def plugins(group: str, own: Iterable[str] = ()) -> list[Plugin]:
    """List what is announced in a group by name, importing none. own: names that only extramaze may use."""
    taken = set(own)
    found = sorted(_announced(group), key=lambda plugin: (plugin.name, plugin.distribution))
    return [replace(plugin, problem=plugin.problem or _problem(plugin, found, taken)) for plugin in found]


def find_plugin(kind: str, group: str, name: str, own: Iterable[str] = ()) -> Plugin | None:
    """Return the plugin of a name, None where there is none or the name is extramaze's own.

    kind: what it is, for errors. Raises InputError where the name cannot be used.
    """
    taken = set(own)
    if base_name(name) in taken:
        return None
    for plugin in plugins(group, taken):
        if plugin.name == name:
            if plugin.problem is not None:
                raise InputError(f"{kind} {shown(name, MOST)!r}: {plugin.problem}")
            return plugin
    return None


@contextmanager
def unreadable_left_out() -> Iterator[None]:
    """Let whoever asks for entry points meanwhile not see distributions whose announcements cannot be read.

    Torch, pydantic and numba ask as they start, and one such distribution would end them all, and extramaze with them.
    """
    before = Distribution.entry_points

    def entry_points(distribution: Distribution) -> EntryPoints:
        try:
            return before.__get__(distribution)
        except Exception:
            return EntryPoints()

    Distribution.entry_points = property(entry_points)  # type: ignore[assignment]
    try:
        yield
    finally:
        Distribution.entry_points = before  # type: ignore[method-assign]


def _announced(group: str) -> Iterator[Plugin]:
    """Yield what each distribution announces; of one that is there twice, what the first on the path does."""
    seen = set()
    for distribution in _distributions():
        text = _text(distribution)
        pairs = [] if text is None else list(_entries(text, group))
        who = _named(distribution) if text is None or pairs else ""
        if text is None:
            yield Plugin("?", "", who, f"{who}: its {FILE} cannot be read; install it again")
        elif pairs and who not in seen:
            seen.add(who)
            yield from (Plugin(name, target, who) for name, target in pairs)


def _distributions() -> Iterator[Distribution]:
    with suppress(Exception):  # of somebody's finder of modules, which ends the list
        yield from distributions()


def _text(distribution: Distribution) -> str | None:
    """Return what a distribution announces, empty where it announces nothing; None where it cannot be read."""
    try:
        return distribution.read_text(FILE) or ""
    except Exception:  # each finder of modules has its own kind of distribution
        return None


def _entries(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of a group; a line without a value has an empty one."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif line and not line.startswith("#") and section == group:
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _named(distribution: Distribution) -> str:
    """Return a distribution's name and version, or where it lies if it does not say."""
    name, version = "", ""
    with suppress(Exception):
        name, version = distribution.metadata["Name"] or "", distribution.metadata["Version"] or ""
    if not name:
        return f"a distribution without a name ({shown(getattr(distribution, '_path', 'no folder'), MOST)})"
    return shown(f"{name} {version or 'without a version'}", MOST)


def _problem(plugin: Plugin, found: list[Plugin], taken: set[str]) -> str | None:
    target = shown(plugin.target, MOST)
    if not re.fullmatch(NAME_PATTERN, plugin.name) or not re.fullmatch(TARGET, plugin.target):
        return (
            f"{plugin.distribution} announces it wrongly: expected a name of letters, digits and ._@+- for "
            f"package.module:factory, got {shown(plugin.name, MOST)!r} for {target!r}"
        )
    advice = f"uninstall one of them, or name the target itself: {target}"
    own = taken_for(plugin.name, taken)
    if own is not None:
        which = "extramaze's own" if own == base_name(plugin.name) else f"taken for extramaze's own {own}"
        return f"the name is {which}, and {plugin.distribution} claims it too; {advice}"
    claims = [other.distribution for other in found if other.name == plugin.name]
    if len(claims) > 1:
        return f"the name is claimed by {' and by '.join(claims)}; {advice}"
    return None
