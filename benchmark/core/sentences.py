"""What is wrong with checked data, in our own words: the key, what stands there, and what was expected."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from extramaze.core.display import NAME_PATTERN
from extramaze.core.errors import cut
from extramaze.core.json_files import Path
from extramaze.core.text import described
from extramaze.core.words import counted

MOST_NAMES = 300  # characters of the keys that are known
KINDS = {  # by the checker's types of errors
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "string_unicode": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys with values",
    "mapping_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "none_required": "nothing",
}
BOUNDS = {  # with the name of the bound in the error's context
    "greater_than": ("a number above {}", "gt"),
    "greater_than_equal": ("a number of at least {}", "ge"),
    "less_than": ("a number below {}", "lt"),
    "less_than_equal": ("a number of at most {}", "le"),
    "multiple_of": ("a multiple of {}", "multiple_of"),
    "string_too_short": ("at least {}", "min_length"),
    "string_too_long": ("at most {}", "max_length"),
    "too_short": ("a list of at least {}", "min_length"),
    "too_long": ("a list of at most {}", "max_length"),
    "literal_error": ("{}", "expected"),
    "enum": ("{}", "expected"),
    "union_tag_invalid": ("{}", "expected_tags"),
}
PATTERNS = {  # of the models' text
    r"^[0-9a-f]{64}$": "a sha256: 64 of the characters 0 to 9 and a to f",
    r"^\d{4}-\d\d-\d\d$": "a date such as 2026-01-31",
    r"^[a-z][a-z-]*$": "a name of small letters and -",
    r"^[a-z0-9][a-z0-9-]*$": "a name of small letters, digits and -",
    r"^[a-z0-9][a-z0-9.-]*$": "a name of small letters, digits, . and -",
    r"^[a-z0-9-]+-v[0-9]+$": "a name that ends in its version, such as mine-v1",
    f"^{NAME_PATTERN}$": "a name of at most 64 letters, digits and ._@+-, no sign first",
    r"^[\w.@+-]+(:[\w.]+)?$": "a solver's name, or package.module:factory",
    r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,9}$": (
        "a file's name of letters, digits and ._-, with / between folders, none of them hidden"
    ),
}
NEEDS_NO_QUOTES = ("a whole number", "a number", "true or false")


def sentence(error: Any, value: object) -> str:
    """Say what is wrong at a key: an error as the checker gives it, and what stands there."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "missing, and needed"
    if kind == "union_tag_not_found":
        return f"missing its {str(context['discriminator']).strip(chr(39))}, which says of what kind it is"
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    return f"expected {expected(error)}, got {_given(kind, context, value)}"


def unknown_key(key: object, known: Iterable[str]) -> str:
    """Say that a key is none of those that are known, and which one may be meant."""
    names = sorted(known)
    near = get_close_matches(str(key)[:100], names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else cut(f"known: {', '.join(names) or 'none'}", MOST_NAMES)
    return f"no key that is known here; {hint}"


def expected(error: Any) -> str:
    """Say what was expected where the checker found something else."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in BOUNDS:
        words, name = BOUNDS[kind]
        bound = context[name]
        if kind.startswith("string_"):
            bound = counted(bound, "character")
        return words.format(f"{bound:,}" if isinstance(bound, int) and abs(bound) >= 10_000 else bound)
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"text that matches {context['pattern']}")
    return KINDS.get(kind, f"something else ({kind.replace('_', ' ')})")


def _given(kind: str, context: Any, value: object) -> str:
    if kind in ("too_short", "too_long"):
        return f"{context['actual_length']:,}" if context.get("actual_length") is not None else "more"
    if kind in ("string_too_short", "string_too_long") and isinstance(value, str):
        return f"{len(value):,}"
    if kind == "union_tag_invalid":
        return repr(cut(str(context["tag"]), 60))
    wanted, given = KINDS.get(kind), described(value)
    if wanted == "text" and isinstance(value, bool | int | float):
        return f"{given}; put it in quotes"
    if isinstance(value, str) and wanted in NEEDS_NO_QUOTES:
        return f"{given}; write one without quotes"
    return given


def known_keys(model: type[BaseModel], place: Path) -> list[str]:
    """Return the keys that may stand beside a problem's place, by the fields of the models that lead there."""
    here = [model]
    for part in place[:-1]:
        if isinstance(part, str):
            inner = [kind for each in here for kind in _models(_annotation(each, part))]
            here = inner or [each for each in here if part in _tags(each)] or here
    return sorted({alias for each in here for alias in _names(each)})


def _names(model: type[BaseModel]) -> Iterator[str]:
    return (field.alias or name for name, field in model.model_fields.items())


def _annotation(model: type[BaseModel], key: str) -> Any:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    return fields.get(key, FieldInfo()).annotation


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Find the models in an annotation: itself, or what its lists, choices and dictionaries hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not Literal:
        for inner in get_args(annotation):
            yield from _models(inner)


def _tags(model: type[BaseModel]) -> list[str]:
    """Return what a choice between models may call this one."""
    literals = [field.annotation for field in model.model_fields.values() if get_origin(field.annotation) is Literal]
    return [model.__name__, *(str(value) for literal in literals for value in get_args(literal))]
