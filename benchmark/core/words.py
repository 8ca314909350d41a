"""Words that depend on a number, and names that must differ."""

from pathlib import Path

from extramaze.core.paths import real


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Write a count with its noun: ``1 problem``, ``2,000 problems``. plural: where it is not the noun with an s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def tails(first: Path, second: Path) -> tuple[str, str] | None:
    """Return the shortest ends by which two paths differ, ``a/run`` and ``b/run``; None where they are one place."""
    one, other = real(first).parts, real(second).parts
    for length in range(1, max(len(one), len(other)) + 1):
        if one[-length:] != other[-length:]:
            return str(Path(*one[-length:])), str(Path(*other[-length:]))
    return None
