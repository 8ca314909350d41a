"""JSON of unknown origin, read strictly: keys once, finite numbers of a bounded length, text that can be written."""

import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from extramaze.core.display import shown
from extramaze.core.errors import InputError, cut
from extramaze.core.text import decoded

MAX_DEPTH = 32  # of objects and lists within one another
MAX_KEYS = 1_000  # of one object
MAX_DIGITS = 40  # of a number, as written
HALF = "half of a character (a lone surrogate), which is no text"

Path = tuple[int | str, ...]


class _Refused(NamedTuple):
    """Takes the place of a value that is refused, until its key is known."""

    problem: str


def load_json(content: bytes, origin: str, most_keys: int = MAX_KEYS) -> Any:
    """Parse JSON in UTF-8. Raises InputError, which names the key, for anything else.

    Refused are also keys given twice, numbers that are not finite or longer than MAX_DIGITS, halves of characters, and
    objects that are nested too deeply or have more than ``most_keys`` keys.
    """
    text = decoded(content, origin)
    try:
        parsed = _DECODER.decode(text)
    except RecursionError as problem:
        raise InputError(f"{origin}: nested more than {MAX_DEPTH} deep; no file of ours is") from problem
    except ValueError as problem:
        raise InputError(f"{origin}: not readable as JSON: {cut(str(problem), 300)}") from problem
    for path, wrong in _problems(parsed, (), most_keys):
        raise InputError(f"{origin}: {dotted(path) or 'file'}: {wrong}")
    return parsed


def dotted(path: Path) -> str:
    """Write the place of a value: its keys, and its numbers in lists, joined by points."""
    return cut(".".join(shown(cut(str(part), 60)) for part in path), 200)


def _problems(value: Any, path: Path, most_keys: int) -> Iterator[tuple[Path, str]]:
    """Find what is refused, with its place."""
    if isinstance(value, _Refused):
        yield path, value.problem
    elif isinstance(value, str) and not is_text(value):
        yield path, HALF
    elif isinstance(value, dict | list):
        if len(path) >= MAX_DEPTH:
            yield path, f"nested more than {MAX_DEPTH} deep; no file of ours is"
            return
        if isinstance(value, dict) and len(value) > most_keys:
            yield path, f"{len(value):,} keys in one place; at most {most_keys:,} are read"
            return
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(item, _Refused | str | dict | list):  # most values are numbers
                yield from _problems(item, (*path, key), most_keys)
            if isinstance(key, str) and not is_text(key):
                yield (*path, key), "half of a character (a lone surrogate) in a key"


def is_text(text: str) -> bool:
    """Whether text can be written: JSON and YAML can escape halves of characters, which cannot."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _object(pairs: list[tuple[str, Any]]) -> Any:
    content = dict(pairs)
    if len(content) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                content[key] = _Refused("given twice; keep one")
            seen.add(key)
    return content


def _integer(text: str) -> Any:
    return int(text) if len(text) <= MAX_DIGITS else _too_long(text)


def _float(text: str) -> Any:
    if len(text) > MAX_DIGITS:
        return _too_long(text)
    return float(text) if math.isfinite(float(text)) else _constant(text)


def _too_long(text: str) -> _Refused:
    return _Refused(f"a number of {len(text):,} characters; at most {MAX_DIGITS} are read")


def _constant(text: str) -> _Refused:
    return _Refused(f"{text} is no finite number, and JSON has no other; write one, or null")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
