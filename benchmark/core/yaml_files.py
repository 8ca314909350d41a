"""YAML as people write it by hand: keys, lists, text and numbers, with one meaning each.

What readers of YAML read in different ways (``010``, ``1:30``, ``yes``), and what no file of ours needs (anchors,
merge keys, tags, several documents), is refused with its key. PyYAML parses; values are built here from its events, so
that nothing is built which is not checked: https://yaml.org/spec/1.2.2, the core schema, without its other notations.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from extramaze.core.errors import InputError, cut
from extramaze.core.json_files import HALF, MAX_DEPTH, MAX_DIGITS, MAX_KEYS, Path, dotted, is_text

MAX_YAML = 2**18  # bytes
MAX_EVENTS = 20_000  # of the parser, which makes about 40,000 a second; a suite of 1,000 cells has 11,000

_NUMBER = r"[-+]?(?:0|[1-9][0-9]*)"
_INTEGER = re.compile(_NUMBER)
_FLOAT = re.compile(rf"(?:{_NUMBER}(?:\.[0-9]*)?|[-+]?\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_AMBIGUOUS = {
    r"(?i:yes|no|on|off|y|n)": "true or false to some readers of YAML; write true or false",
    r"[-+]?0[0-9_]*[0-9](?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?": "to base 8 for some readers; leave the first 0 out",
    r"[-+]?0[xobXOB][0-9a-fA-F_]+": "a number that is not written to base 10; write it so",
    r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?": "a number with _ in it; write digits alone",
    r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?": "to base 60 for some readers; write it to base 10",
    r"(?i:[-+]?\.inf|\.nan)": "no finite number; write one",
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9:.]+[ \t]*(?:Z|[-+][0-9:]+)?)?": "a date",
}
_READINGS = [(re.compile(pattern), reading) for pattern, reading in _AMBIGUOUS.items()]


def load_yaml(text: str, origin: str) -> Any:
    """Build the value of one YAML document: dicts with text as keys, lists, text, int, float, bool and None.

    Raises InputError, which names the key, for what is not readable or has more than one meaning.
    """
    if len(text) > MAX_YAML:
        raise InputError(f"{origin}: {len(text):,} characters; at most {MAX_YAML:,} of YAML are read")
    try:
        return _Builder(text, origin).document()
    except (yaml.YAMLError, UnicodeError) as problem:
        raise InputError(f"{origin}: not readable as YAML: {cut(' '.join(str(problem).split()), 500)}") from problem


class _Builder:
    """Builds one document from the parser's events, which are counted."""

    def __init__(self, text: str, origin: str) -> None:
        self.origin = origin
        self.events = self._counted(yaml.parse(text, Loader=yaml.SafeLoader))

    def _counted(self, events: Iterator[Event]) -> Iterator[Event]:
        for number, event in enumerate(events):
            if number > MAX_EVENTS:
                raise self._refused(event, (), f"more than {MAX_EVENTS:,} keys and values; make the file smaller")
            yield event

    def document(self) -> Any:
        """Build the only document; None where there is none."""
        next(self.events)  # the stream's start
        start = next(self.events)
        if isinstance(start, StreamEndEvent):
            return None
        if isinstance(start, DocumentStartEvent) and start.tags:
            raise self._refused(start, (), "a %TAG directive, which is not read; leave it out")
        value = self._value(next(self.events), ())
        next(self.events)  # the document's end
        after = next(self.events)
        if not isinstance(after, StreamEndEvent):
            raise self._refused(after, (), "a second document begins; give each a file of its own")
        return value

    def _value(self, event: Event, path: Path) -> Any:
        self._check(event, path)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        assert isinstance(event, ScalarEvent)
        return event.value if event.style else self._plain(event, path)

    def _check(self, event: Event, path: Path) -> None:
        """Refuse what makes one value of another, or a value of any type; and depth, since values are built deeply."""
        if isinstance(event, AliasEvent):
            raise self._refused(event, path, f"*{event.anchor}, an alias, is not read; write its value out")
        if isinstance(event, NodeEvent) and event.anchor is not None:
            raise self._refused(event, path, f"&{event.anchor}, an anchor, is not read; leave it out")
        if isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent) and event.tag is not None:
            raise self._refused(event, path, f"{event.tag}, a tag, is not read; leave it out, and quote what is text")
        if isinstance(event, ScalarEvent) and not is_text(event.value):
            raise self._refused(event, path, HALF)
        if len(path) > MAX_DEPTH:
            raise self._refused(event, path, f"nested more than {MAX_DEPTH} deep; no file of ours is")

    def _sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        content: dict[str, Any] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self._key(event, path)
            if key in content:
                raise self._refused(event, (*path, key), "given twice; keep one")
            if len(content) == MAX_KEYS:
                raise self._refused(event, path, f"more than {MAX_KEYS:,} keys in one place")
            content[key] = self._value(next(self.events), (*path, key))
        return content

    def _key(self, event: Event, path: Path) -> str:
        """Return a key as it is written: no key of ours is a number."""
        self._check(event, path)
        if not isinstance(event, ScalarEvent):
            raise self._refused(event, path, "a key that is not text; write key: value")
        if event.value == "<<" and not event.style:
            raise self._refused(event, (*path, "<<"), "a merge key is not read; write the keys out")
        return str(event.value)

    def _plain(self, event: ScalarEvent, path: Path) -> Any:
        """Resolve a scalar without quotes."""
        text = event.value
        if text in _WORDS:
            return _WORDS[text]
        if _FLOAT.fullmatch(text):
            if len(text) > MAX_DIGITS:
                raise self._refused(event, path, f"a number of {len(text):,} characters; at most {MAX_DIGITS} are read")
            if _INTEGER.fullmatch(text):
                return int(text)
            if math.isfinite(float(text)):
                return float(text)
            raise self._refused(event, path, f"{text} is beyond every finite number; write a smaller one")
        for pattern, reading in _READINGS:
            if len(text) <= MAX_DIGITS and pattern.fullmatch(text):
                joint = ", or" if ";" in reading else ";"
                raise self._refused(event, path, f"{text} is {reading}{joint} put it in quotes if it is text")
        return text

    def _refused(self, event: Event, path: Path, problem: str) -> InputError:
        line = f"line {event.start_mark.line + 1}: " if event.start_mark else ""
        return InputError(f"{self.origin}: {line}{dotted(path) or 'file'}: {problem}")
