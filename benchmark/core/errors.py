"""Errors that people are meant to read."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Refused input. The message says what was given, what was expected and what to do; the command line exits 2."""


class TrainingDiverged(RuntimeError):
    """The loss stopped being a number; nothing was measured."""


class NotComparable(ValueError):
    """Two results that do not answer the same question; the message names what differs. The command line exits 3."""


def unknown_name(kind: str, given: object, known: Iterable[str]) -> InputError:
    """Build the error for a name that is not in ``known``, with the nearest known names as a suggestion."""
    names = sorted(known)
    near = get_close_matches(str(given), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
    return InputError(f"unknown {kind} {str(given)!r}; {hint}")
