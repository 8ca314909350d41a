"""Compare two exports of figures: what differs, named by its place, and which of it is stated to have changed."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

NOTHING = "(not there)"
NAMES = (
    ("recipe",),
    ("first", "second"),
    ("name",),
    ("cell",),
    ("measure",),
    ("suite", "mode"),
    ("limit",),
    ("iterations",),
)
_NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Difference:
    """One figure that is another there than here."""

    place: str
    """Keys from the root down, with `` / `` between."""
    theirs: Any
    """There; NOTHING where it is not."""
    ours: Any
    """Here."""

    def __str__(self) -> str:
        return f"{self.place}: {_short(self.theirs)} there, {_short(self.ours)} here"


@dataclass(frozen=True)
class Expected:
    """Figures that are stated to have changed."""

    place: str
    """As ``fnmatch`` has patterns: ``*`` stands for anything, over several keys too."""
    commit: str
    """Which changed them: they are expected to differ from a commit that does not hold it, and from no other."""
    reason: str
    """Why they changed, in a line."""

    def covers(self, difference: Difference) -> bool:
        """Whether a difference is one of these."""
        return fnmatchcase(difference.place, self.place)


def differences(theirs: Any, ours: Any, tolerance: float = 0.0, place: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Yield what differs between two pieces of JSON.

    tolerance: relative, between numbers, those within texts among them; with 0 they have to be equal. Lists of objects
    that have a name are compared by name, whatever their order.
    """
    there, here = _children(theirs), _children(ours)
    if there is None or here is None:
        if not _equal(theirs, ours, tolerance):
            yield Difference(" / ".join(place), theirs, ours)
        return
    for key in [*there, *(key for key in here if key not in there)]:
        below = (*place, key)
        if key in there and key in here:
            yield from differences(there[key], here[key], tolerance, below)
        else:
            yield Difference(" / ".join(below), there.get(key, NOTHING), here.get(key, NOTHING))


def sort_out(
    found: Sequence[Difference], expected: Sequence[Expected]
) -> tuple[list[Difference], dict[Expected, list[Difference]]]:
    """Part differences into those that nobody stated, and those that were, by the first statement that covers each."""
    unstated: list[Difference] = []
    stated: dict[Expected, list[Difference]] = {}
    for difference in found:
        one = next((each for each in expected if each.covers(difference)), None)
        (unstated if one is None else stated.setdefault(one, [])).append(difference)
    return unstated, stated


def _children(value: Any) -> Mapping[str, Any] | None:
    """Return what an object or a list is made of, by key, by name or by number; None of what has no parts."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not any(isinstance(each, dict | list) for each in value):
        return None
    for names in NAMES:
        if all(isinstance(each, dict) and each.keys() >= set(names) for each in value):
            keys = [", ".join(str(each[name]) for name in names) for each in value]
            if len(set(keys)) == len(keys):
                return dict(zip(keys, value, strict=True))
    return {str(place): each for place, each in enumerate(value)}


def _equal(theirs: Any, ours: Any, tolerance: float) -> bool:
    if _is_number(theirs) and _is_number(ours):
        return theirs == ours or math.isclose(theirs, ours, rel_tol=tolerance)
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(_equal, theirs, ours, [tolerance] * len(ours)))
    if isinstance(theirs, str) and isinstance(ours, str) and tolerance:
        return _NUMBER.split(theirs) == _NUMBER.split(ours) and all(
            math.isclose(a, b, rel_tol=tolerance) for a, b in zip(_numbers(theirs), _numbers(ours), strict=True)
        )
    return type(theirs) is type(ours) and bool(theirs == ours)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "").replace("−", "-")) for number in _NUMBER.findall(text)]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:60]} … {text[-35:]}"
