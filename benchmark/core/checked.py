"""Checked data from YAML and JSON: every problem is listed, each with its key."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)
from pydantic_core import SchemaValidator

from extramaze.core.errors import InputError, cut, unknown_name
from extramaze.core.files import read_bytes
from extramaze.core.json_files import Path as Place
from extramaze.core.json_files import dotted, load_json
from extramaze.core.plugins import unreadable_left_out
from extramaze.core.sentences import known_keys, sentence, unknown_key
from extramaze.core.text import decoded, described
from extramaze.core.yaml_files import MAX_YAML, load_yaml

MAX_INTEGER = 2**53  # up to which every integer is one to every reader of JSON, and fits into arrays
MAX_CHARACTERS = 500  # of a line
MAX_COMMAND = 2**16  # characters of a command line
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
MOST_SAID = 12  # problems of one file that are listed, each in at most MOST_WORDS characters
MOST_WORDS = 400
MOST_CHECKED = 1_000  # problems that are looked at: each costs some microseconds
BEGINNING = 20  # items of a list that are looked at first, where there are very many
MOST_ERRORS = 50_000  # that a file could have for its checker to collect all: half a second


def one_line(text: str) -> str:
    """Return text that is one line, which a terminal or a page shows as it is. Raises ValueError for any other."""
    if not 1 <= len(text) <= MAX_CHARACTERS:
        raise ValueError(f"expected 1 to {MAX_CHARACTERS} characters, got {len(text)}")
    if not text.isprintable() or text != text.strip():
        raise ValueError(f"expected one line of printable text, got {text!r}")
    return text


def _command_line(text: str) -> str:
    if len(text) > MAX_COMMAND or not text.isprintable():
        raise ValueError(f"expected one line of up to {MAX_COMMAND} printable characters, got {text[:80]!r}")
    return text


def _instant(text: str) -> str:
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"expected a time such as 2026-01-31T12:00:00+00:00, got {text[:80]!r}")
    datetime.fromisoformat(text)
    return text


def no_truth(value: Any) -> Any:
    """Return a value that is not true or false, which the checker takes for the numbers 1 and 0 among choices."""
    if isinstance(value, bool):
        raise ValueError(f"expected a whole number, got {described(value)}")
    return value


OneLine = Annotated[str, AfterValidator(one_line)]
CommandLine = Annotated[str, AfterValidator(_command_line)]
Instant = Annotated[str, AfterValidator(_instant)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Positive = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
NoTruth = BeforeValidator(no_truth)


with unreadable_left_out():  # pydantic asks for entry points as the first model is made

    class Strict(BaseModel):
        """A frozen model that refuses unknown keys."""

        model_config = ConfigDict(extra="forbid", frozen=True)


class Growing(Strict):
    """A model with fields that came after it was first written, named in ``added``.

    They are written only where they are not their defaults, so that what was sealed and digested without them is
    written as it was.
    """

    added: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _as_before(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        silent = {name for name in self.added if getattr(self, name) == fields[name].default}
        return {name: value for name, value in write(self).items() if name not in silent}


Model = TypeVar("Model", bound=Strict)


def differing(one: Strict, other: Strict) -> list[str]:
    """Return the names of the fields in which two models of one kind differ."""
    return [key for key in type(one).model_fields if getattr(one, key) != getattr(other, key)]


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, in order."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def yaml_names(folder: Traversable) -> list[str]:
    """List the names of a package folder's YAML files."""
    return sorted(path.name.removesuffix(".yaml") for path in folder.iterdir() if path.name.endswith(".yaml"))


def yaml_text(kind: str, name_or_path: str, folder: Traversable) -> str:
    """Return the text of what ships in a package folder under a name, or of a file. Raises InputError."""
    if name_or_path in yaml_names(folder):
        return (folder / f"{name_or_path}.yaml").read_text("utf-8")
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        raise unknown_name(kind, name_or_path, yaml_names(folder))
    text = decoded(read_bytes(path, MAX_YAML), f"{kind} {name_or_path}")
    return text.replace("\r\n", "\n")


def parse_yaml(model: type[Model], content: str | bytes, origin: str) -> Model:
    """Check a YAML file, or its text, against a model. Raises InputError listing every problem with its key."""
    text = content if isinstance(content, str) else decoded(content, origin)
    return check_data(model, load_yaml(text, origin), origin)


def parse_json(model: type[Model], content: bytes, origin: str) -> Model:
    """Check JSON against a model. Raises InputError listing every problem with its key."""
    return check_data(model, load_json(content, origin), origin)


def check_model(model: type[Model], content: object, origin: str) -> Model:
    """Check values of this process against a model. Raises InputError listing every problem with its key."""
    try:
        return model.model_validate(content)
    except ValidationError as problem:
        raise _refused(_said(model, _errors(problem), content), origin) from problem


def check_data(model: type[Model], data: object, origin: str) -> Model:
    """Check what was read from a file against a model. Raises InputError listing every problem with its key."""
    found, problems = try_data(model, data)
    if found is None:
        raise _refused(problems, origin)
    return found


def try_data(model: type[Model], data: object) -> tuple[Model | None, list[str]]:
    """Check what ``load_json`` or ``load_yaml`` gave; return the model, None where it does not fit, and every problem.

    Nothing is converted: true is no number, a number no text, and text no number. Of a file that could have more than
    MOST_ERRORS problems the first of each list is named.
    """
    text = json.dumps(data)
    possible = text.count(",") + 20 * text.count("{")  # what a model of ours can lack is about 20 keys
    validator: Any = model.__pydantic_validator__
    if possible > MOST_ERRORS:
        validator = _fail_fast(model)
        early = _early_errors(validator, data)
        if early:
            return None, _said(model, early, data)
    try:
        return validator.validate_json(text, strict=True), []
    except ValidationError as problem:
        return None, _said(model, _errors(problem), data)


def _early_errors(validator: SchemaValidator, data: object) -> list[Any]:
    """Find what is wrong with the beginnings of lists: each error takes the memory of the value that it is about.

    What a rule says of a whole list is left out: it is not whole here.
    """
    try:
        validator.validate_json(json.dumps(_beginnings(data)), strict=True)
    except ValidationError as problem:
        return [error for error in _errors(problem) if error["type"] not in ("value_error", "too_short")]
    return []


def _beginnings(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _beginnings(value) for key, value in data.items()}
    return [_beginnings(value) for value in data[:BEGINNING]] if isinstance(data, list) else data


def _errors(problem: ValidationError) -> Sequence[Any]:
    return problem.errors(include_url=False, include_input=False)


@cache
def _fail_fast(model: type[Strict]) -> SchemaValidator:
    """Return a model's checker that leaves each list at its first wrong item: to collect millions takes gigabytes."""
    schema: Any = _impatient(model.__pydantic_core_schema__)
    try:  # models within would otherwise be checked by their own, patient checkers
        return SchemaValidator(schema, _use_prebuilt=False)
    except TypeError:  # a release of pydantic that builds all anew
        return SchemaValidator(schema)


def _impatient(schema: Any) -> Any:
    if isinstance(schema, list | tuple):
        return type(schema)(_impatient(part) for part in schema)
    if not isinstance(schema, dict):
        return schema
    changed = {key: _impatient(part) for key, part in schema.items()}
    return changed | {"fail_fast": True} if schema.get("type") in ("list", "tuple") else changed


def _refused(problems: list[str], origin: str) -> InputError:
    return InputError(f"{origin}: {'; '.join(problems)}")


def _said(model: type[Strict], errors: Sequence[Any], content: object) -> list[str]:
    """Say each problem with its key, in words that are not the checker's; the first ones of many."""
    own = list(_without_the_effects(errors[:MOST_CHECKED]))
    said = [_line(model, error, content) for error in own[:MOST_SAID]]
    hidden = len(own) - len(said) + max(0, len(errors) - MOST_CHECKED)
    return [*said, f"and {hidden:,} more"] if hidden else said


def _without_the_effects(errors: Sequence[Any]) -> Iterator[Any]:
    """Yield the errors but for lists that are too short because their items, which are named, are wrong."""
    inside = {error["loc"][:end] for error in errors for end in range(len(error["loc"]))}
    return (error for error in errors if error["type"] != "too_short" or error["loc"] not in inside)


def _line(model: type[Strict], error: Any, content: object) -> str:
    key, value = _find(error["loc"], content)
    extra = error["type"] == "extra_forbidden"
    said = unknown_key(key[-1], known_keys(model, error["loc"])) if extra else sentence(error, value)
    return cut(f"{dotted(key) or 'file'}: {said}", MOST_WORDS)


def _find(path: Place, content: object) -> tuple[Place, object]:
    """Return the key that was written for a problem's place, without the tags of unions, which no one writes.

    Returned with it is what stands there; None where nothing does.
    """
    parts: list[int | str] = []
    value: Any = content
    for number, part in enumerate(path, start=1):
        if isinstance(value, dict) and part not in value and number < len(path):
            continue
        if number > 1 and not isinstance(value, dict | list | tuple):
            break  # the name of a kind that was tried
        parts.append(part)
        if isinstance(value, dict):
            value = value.get(part)
        else:
            value = value[part] if isinstance(value, list | tuple) and isinstance(part, int) else None
    return tuple(parts), value
