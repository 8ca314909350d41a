"""What the checker of YAML and JSON says is said in our own words."""

import importlib
import pkgutil
import re
from typing import Annotated, Literal

import pytest
from pydantic import Field

import extramaze
from extramaze.core.checked import Strict, check_data
from extramaze.core.errors import InputError
from extramaze.core.sentences import PATTERNS
from extramaze.models.training.recipe import parse_recipe, recipe_text
from extramaze.suites import Suite


class Round(Strict):
    kind: Literal["round"]
    radius: float = Field(gt=0, lt=10)


class Square(Strict):
    kind: Literal["square"]
    sides: tuple[int, ...] = Field(min_length=2, max_length=3)


class Plate(Strict):
    name: str = Field(pattern=r"^[a-z][a-z-]*$", min_length=1, max_length=5)
    count: int = Field(default=1, ge=1, le=1_000_000)
    hot: bool = False
    weight: float | None = Field(default=None, multiple_of=0.5)
    size: Literal[1, 2] = 1
    shape: Annotated[Round | Square, Field(discriminator="kind")] = Round(kind="round", radius=1)
    parts: tuple["Plate", ...] = ()


PROBLEMS = [
    ({"name": "a", "cuont": 2}, "cuont: no key that is known here; did you mean count?"),
    (
        {"name": "a", "zzz": 2},
        "zzz: no key that is known here; known: count, hot, name, parts, shape, size, weight",
    ),
    ({"name": "a", "parts": [{"nmae": "b"}]}, "parts.0.name: missing, and needed"),
    ({"name": "a", "parts": [{"nmae": "b"}]}, "parts.0.nmae: no key that is known here; did you mean name?"),
    (
        {"name": "a", "shape": {"kind": "round", "radius": 1, "radios": 1}},
        "shape.radios: no key that is known here; did you mean radius?",
    ),
    (
        {"name": "a", "shape": {"kind": "square", "sides": [1, 2], "radius": 1}},
        "shape.radius: no key that is known here; known: kind, sides",
    ),
    ({"name": "a", "shape": {"kind": "oval"}}, "shape: expected 'round', 'square', got 'oval'"),
    ({"name": "a", "shape": {"radius": 1}}, "shape: missing its kind, which says of what kind it is"),
    ({"name": "a", "shape": 3}, "shape: expected keys with values, got 3"),
    ({"name": "a", "shape": {"kind": "square", "sides": [1]}}, "shape.sides: expected a list of at least 2, got 1"),
    ({"name": "a", "shape": {"kind": "square", "sides": [1] * 4}}, "shape.sides: expected a list of at most 3, got 4"),
    ({"name": "a", "shape": {"kind": "round", "radius": 0}}, "shape.radius: expected a number above 0.0, got 0"),
    ({"name": "a", "shape": {"kind": "round", "radius": 10}}, "shape.radius: expected a number below 10.0, got 10"),
    ({"name": "a", "count": 0}, "count: expected a number of at least 1, got 0"),
    ({"name": "a", "count": 10**7}, "count: expected a number of at most 1,000,000, got 10000000"),
    ({"name": "a", "count": 1.5}, "count: expected a whole number, got 1.5"),
    ({"name": "a", "count": "1"}, "count: expected a whole number, got the text '1'; write one without quotes"),
    ({"name": "a", "hot": 1}, "hot: expected true or false, got 1"),
    ({"name": "a", "weight": 0.7}, "weight: expected a multiple of 0.5, got 0.7"),
    ({"name": "a", "size": 3}, "size: expected 1 or 2, got 3"),
    ({"name": "A"}, "name: expected a name of small letters and -, got the text 'A'"),
    ({"name": ""}, "name: expected at least 1 character, got 0"),
    ({"name": "abcdefg"}, "name: expected at most 5 characters, got 7"),
    ({"name": 5}, "name: expected text, got 5; put it in quotes"),
    ({"name": "a", "parts": 3}, "parts: expected a list, got 3"),
    ({"name": "a", "parts": None}, "parts: expected a list, got nothing"),
    ({}, "name: missing, and needed"),
    ([], "file: expected keys with values, got a list"),
]


@pytest.mark.parametrize(("content", "said"), PROBLEMS)
def test_every_problem_names_key_what_was_given_and_what_was_expected(content, said):
    """And of a mistyped key, the one that may be meant."""
    with pytest.raises(InputError) as refused:
        check_data(Plate, content, "plate.yaml")
    assert said in str(refused.value)
    assert not re.search(r"[Ii]nput|[Ff]ield required|[Ss]tring should|valid|[Ee]xtra|\btag\b", str(refused.value))


def test_keys_of_our_own_files_are_suggested():
    """In a suite's cells and in a recipe's architecture, whose keys depend on the builder."""
    with pytest.raises(InputError, match=r"cells\.0\.cuont: no key that is known here; did you mean count\?"):
        check_data(Suite, {"cells": [{"name": "easy", "cuont": 4}]}, "suite")
    for wrong, meant in (("widht", "width"), ("recal", "recall")):
        with pytest.raises(InputError, match=rf"architecture\.{wrong}: .*did you mean {meant}\?"):
            parse_recipe(recipe_text("dt-net-thin").replace("width:", f"{wrong}: 1, width:", 1), "recipe")
    with pytest.raises(InputError, match=r"name: expected a name that ends in its version, such as mine-v1, got"):
        check_data(Suite, {"name": "tiny"}, "suite")


def models(kind=Strict):
    """Every model of checked data."""
    for inner in kind.__subclasses__():
        yield inner
        yield from models(inner)


def patterns(schema):
    """The regular expressions in a model's checker."""
    if isinstance(schema, dict):
        yield from [schema["pattern"]] if isinstance(schema.get("pattern"), str) else []
        schema = schema.values()
    elif not isinstance(schema, list | tuple):
        return
    for part in schema:
        yield from patterns(part)


def test_every_pattern_has_its_words():
    """No message shows a regular expression."""
    for package in (extramaze, extramaze.models):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "template" not in module.name and "__main__" not in module.name:
                importlib.import_module(module.name)
    found = {pattern for kind in models() for pattern in patterns(kind.__pydantic_core_schema__)}
    assert len(found) >= 9
    assert found <= PATTERNS.keys()
