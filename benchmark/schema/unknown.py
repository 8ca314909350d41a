"""Files of a newer extramaze: what is known of them is read, and what is not is left out by name."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def known_part(
    model: type[BaseModel], content: Any, closed: tuple[type[BaseModel], ...] = ()
) -> tuple[Any, tuple[str, ...]]:
    """Return content without the keys that a model does not know, and these keys, ``a.b`` inside others.

    closed: models whose unknown keys stay, so that their reader refuses them.
    """
    unknown: list[str] = []
    return _pruned(model, content, "", closed, unknown), tuple(dict.fromkeys(unknown))


def _pruned(kind: Any, content: Any, place: str, closed: tuple[type, ...], unknown: list[str]) -> Any:
    if isinstance(content, list):
        inner = next(iter(get_args(kind)), Any)
        return [_pruned(inner, item, place, closed, unknown) for item in content]
    if not isinstance(content, dict):
        return content
    models = list(_models(kind))
    if not models or any(model in closed for model in models):
        return content
    fields = {field.alias or name: field for model in models for name, field in model.model_fields.items()}
    unknown += [f"{place}{key}" for key in content if key not in fields]
    return {
        key: _pruned(fields[key].annotation, value, f"{place}{key}.", closed, unknown)
        for key, value in content.items()
        if key in fields
    }


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a type's values may be of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    elif get_origin(kind) in (Union, UnionType, Annotated):
        for part in get_args(kind):
            yield from _models(part)
