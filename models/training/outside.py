"""Architectures from outside: found by file, module or announcement, their arguments checked, their files kept.

A package that states

    [project.entry-points."extramaze.architectures"]
    acme-gru = "acme_mazes.gru:ConvGRU"

in its pyproject.toml makes ``builder: acme-gru`` known to recipes. Code that is no installed package's is copied into
the trained folder, with what it imports from beside it: what was trained is what is loaded, wherever the folder goes.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from extramaze.core.errors import InputError, unknown_name
from extramaze.core.files import make_folder, read_bytes, temporary_name, write_atomically
from extramaze.core.folders import settle
from extramaze.core.plugins import find_plugin, plugins
from extramaze.core.sentences import sentence
from extramaze.models.contract import IterativeSolver
from extramaze.models.foreign.factory import Factory

GROUP = "extramaze.architectures"
KEPT = "architecture"  # folder of the copied files in a trained folder
MAX_CODE = 2**26  # bytes of one file
TARGET = re.compile(r"[^:\0]*\.py:[A-Za-z_][\w.]*|[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
TAKEN_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def is_target(builder: str) -> bool:
    """Whether a builder is named by its code: ``file.py:Net`` or ``package.module:Net``."""
    return TARGET.fullmatch(builder) is not None


def announced() -> list[str]:
    """List the architectures that installed packages announce, importing none."""
    return [plugin.name for plugin in plugins(GROUP) if plugin.problem is None]


@dataclass(frozen=True)
class Home:
    """Where an architecture's file is looked for. kept: in a trained folder, which holds copies."""

    folder: Path
    kept: bool = False


def outside_maker(builder: str, arguments: Mapping[str, Any], home: Home) -> Callable[[], IterativeSolver]:
    """Run an architecture's code and check the arguments; return what makes the solver.

    Raises InputError for code that is not there or fails, and for arguments that it does not take.
    """
    who = f"architecture {builder!r}"
    target = builder if ":" in builder else _announced_target(builder)
    source, _, attribute = target.rpartition(":")
    folder = None
    if source.endswith(".py"):
        path = home.folder / KEPT / Path(source).name if home.kept else home.folder / source
        if not path.is_file():
            raise InputError(f"{who}: there is no file {path}")
        source = str(path)
    elif home.kept and _is_kept(source.partition(".")[0], home.folder / KEPT):
        folder = home.folder / KEPT
    factory = Factory.find(source, attribute, who, folder)
    problems = list(_problems(factory.make, arguments))
    if problems:
        factory.foreign.forget()
        raise InputError(f"{who}: {'; '.join(problems)}")
    return partial(factory, **arguments)


def _announced_target(builder: str) -> str:
    plugin = find_plugin("architecture", GROUP, builder)
    if plugin is None:
        raise unknown_name("architecture", builder, announced())
    return plugin.target


def _is_kept(top: str, folder: Path) -> bool:
    return (folder / top).is_dir() or (folder / f"{top}.py").is_file()


def _problems(make: Callable[..., Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Say which arguments a constructor does not take, needs, or wants of another kind."""
    try:
        taken = inspect.signature(make).parameters
    except (ValueError, TypeError):  # code that does not say what it takes
        return
    names = [name for name, argument in taken.items() if argument.kind in TAKEN_BY_NAME]
    if not any(argument.kind is argument.VAR_KEYWORD for argument in taken.values()):
        for name in sorted(arguments.keys() - set(names)):
            near = get_close_matches(name, names, n=1, cutoff=0.5)
            advice = f"did you mean {near[0]}?" if near else f"it takes {', '.join(names) or 'none'}"
            yield f"it takes no argument {name!r}; {advice}"
    needed = [name for name in names if taken[name].default is inspect.Parameter.empty]
    yield from (f"it needs the argument {name!r}" for name in needed if name not in arguments)
    kinds = _kinds(make)
    for name in names:
        if name in arguments and name in kinds:
            yield from _misfit(name, arguments[name], kinds[name])


def _kinds(make: Callable[..., Any]) -> dict[str, Any]:
    """Return the types that a constructor states for its arguments; none where they cannot be told."""
    try:
        named = getattr(make, "__init__") if isinstance(make, type) else make  # noqa: B009
        return get_type_hints(named, include_extras=True)
    except Exception:  # names that exist for type checkers alone, and whatever else an annotation can be
        return {}


def _misfit(name: str, value: Any, kind: Any) -> Iterator[str]:
    """Say that a value is not of a stated type, where that is one that YAML can hold."""
    try:
        TypeAdapter(kind).validate_json(json.dumps(value), strict=True)
    except ValidationError as problem:
        yield f"{name}: {sentence(problem.errors(include_url=False)[0], value)}"
    except (PydanticUserError, TypeError, RecursionError):
        return


@dataclass(frozen=True)
class Code:
    """The files of an architecture from outside by name: their sha256, and where those lie that are no package's."""

    digests: Mapping[str, str]
    paths: Mapping[str, Path]


NO_CODE = Code({}, {})


def code_of(solver: IterativeSolver) -> Code:
    """Return the code of a solver from outside, as it was loaded."""
    origin = solver.origin
    if origin is None:
        return NO_CODE
    return Code(dict(sorted(origin.files.items())), {} if origin.world is None else dict(origin.paths))


def keep_code(code: Code, folder: Path) -> None:
    """Copy code into a trained folder, all at once; an installed package's stays where it is. Raises InputError."""
    if not code.paths:
        return
    begun = temporary_name(folder / KEPT)
    for name, path in code.paths.items():
        content = read_bytes(path, MAX_CODE)
        if sha256(content).hexdigest() != code.digests[name]:
            raise InputError(f"{path} changed while the training began; start again")
        make_folder((begun / name).parent)
        write_atomically(begun / name, content)
    settle(begun, folder / KEPT)


def refuse_changed_code(code: Code, folder: Path) -> None:
    """Raise InputError where a trained folder keeps other code."""
    kept = folder / KEPT
    there = {path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file()}
    changed = (name for name in there & code.paths.keys() if not _is(kept / name, code.digests[name]))
    differs = sorted([*(there ^ code.paths.keys()), *changed])
    if differs:
        raise InputError(
            f"{differs[0]}: the architecture's code is not what {folder} was begun with, which lies in {KEPT}; put it "
            "back, or choose another --out"
        )


def altered_code(folder: Path, stated: Mapping[str, str]) -> list[str]:
    """Name the kept files that are not those that a training states, or not there; nothing is run.

    Where nothing is kept, all of it is of installed packages.
    """
    kept = folder / KEPT
    if not kept.is_dir():
        return []
    return [name for name, digest in stated.items() if not _is_elsewhere(name) and not _is_inside(kept, name, digest)]


def _is_elsewhere(name: str) -> bool:
    """Whether a name stands for a file that is not kept: of a class, or of a solver, that the code itself loaded."""
    return name.startswith(("module ", "loaded/"))


def _is_inside(kept: Path, name: str, digest: str) -> bool:
    """Whether a folder holds a file of this content, not reached by a link or another way out of it."""
    path = kept / name
    return path.resolve() == kept.resolve() / name and path.is_file() and _is(path, digest)


def _is(path: Path, digest: str) -> bool:
    return sha256(read_bytes(path, MAX_CODE)).hexdigest() == digest
