"""Names: those that people would take for one another, and those that files of a folder may have."""

from collections.abc import Iterable

_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
MEMBER = rf"^{_PART}(/{_PART}){{0,9}}$"  # of a submission's files, in sub-folders too
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", **dict.fromkeys("._+-@", "")})


def base_name(name: str) -> str:
    """Return a solver's name without its seed: ``dt-net-thin@3`` → ``dt-net-thin``."""
    return name.partition("@")[0]


def folded(name: str) -> str:
    """Return what two names share that differ by case or by signs at their end alone."""
    return name.casefold().rstrip("._+-@")


def taken_for(name: str, own: Iterable[str]) -> str | None:
    """Return which of ``own`` a name is, or looks like, with any seed; None where it is like none of them.

    Case, the signs between letters, and letters that look alike (0 and O, 1 and l and I, rn and m, vv and w) do not
    count.
    """
    by_look = {_look(known): known for known in own}
    return by_look.get(_look(base_name(name)))


def _look(name: str) -> str:
    return name.casefold().translate(_ALIKE).replace("rn", "m").replace("vv", "w")
