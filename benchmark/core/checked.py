"""Checked data from YAML and JSON: every problem is listed, each with its key."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from extramaze.core.errors import InputError, unknown_name

MAX_INTEGER = 2**53  # up to which every integer is one to every reader of JSON, and fits into arrays
MAX_CHARACTERS = 500  # of a line
MAX_COMMAND = 2**16  # characters of a command line
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)


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


OneLine = Annotated[str, AfterValidator(one_line)]
CommandLine = Annotated[str, AfterValidator(_command_line)]
Instant = Annotated[str, AfterValidator(_instant)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Positive = Annotated[int, Field(ge=1, le=MAX_INTEGER)]


class Strict(BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Strict)


def differing(one: Strict, other: Strict) -> list[str]:
    """Return the names of the fields in which two models of one kind differ."""
    return [key for key in type(one).model_fields if getattr(one, key) != getattr(other, key)]


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
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"cannot read the {kind} {name_or_path}: {problem}") from problem


def parse_yaml(model: type[Model], text: str, origin: str) -> Model:
    """Check YAML text against a model. Raises InputError listing every problem with its key."""
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as problem:
        raise InputError(f"{origin}: not readable as YAML: {' '.join(str(problem).split())}") from problem
    return check_model(model, content, origin)


def parse_json(model: type[Model], content: bytes, origin: str) -> Model:
    """Check JSON against a model. Raises InputError listing every problem with its key."""
    return check_model(model, load_json(content, origin), origin)


def load_json(content: bytes, origin: str) -> Any:
    """Parse JSON. Raises InputError for anything else."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{origin}: not readable as JSON: {problem}") from problem


def check_model(model: type[Model], content: object, origin: str) -> Model:
    """Check plain data against a model. Raises InputError listing every problem with its key."""
    found, problems = try_model(model, content)
    if found is None:
        raise InputError(f"{origin}: {'; '.join(problems)}")
    return found


def try_model(model: type[Model], content: object) -> tuple[Model | None, list[str]]:
    """Check plain data against a model; return it, None where it does not fit, and every problem with its key."""
    try:
        return model.model_validate(content), []
    except ValidationError as problem:
        return None, list(_said(problem.errors(), content))


def _said(errors: Sequence[Any], content: object) -> Iterator[str]:
    """Say each problem with its key, in words that are not the checker's."""
    places = [error["loc"] for error in errors]
    for error in errors:
        place, text = error["loc"], error["msg"].removeprefix("Value error, ")
        if error["type"] == "too_short" and any(other[: len(place)] == place != other for other in places):
            continue  # its items are there, and named above
        if error["type"] in ("model_type", "model_attributes_type"):
            text = f"expected keys with values, got {'nothing' if content is None else type(content).__name__}"
        yield f"{_key(place, content) or 'file'}: {text}"


def _key(path: tuple[int | str, ...], content: object) -> str:
    """Join a problem's path to the key that was written: without the tags of unions, which no one writes."""
    parts, node = [], content
    for place, part in enumerate(path):
        if isinstance(node, dict) and part not in node and place + 1 < len(path):
            continue
        parts.append(str(part) if str(part).isprintable() else ascii(part))
        node = node.get(part) if isinstance(node, dict) else None
    return ".".join(parts)
