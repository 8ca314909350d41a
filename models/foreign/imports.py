"""What a source file may import of its neighbours, read off its text: also what it would import only later."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from extramaze.models.foreign.modules import find_spec

_MAIN = "__main__"


def reachable(start: Mapping[str, Path], folders: Sequence[str], holds: Callable[[str], bool]) -> set[Path]:
    """Return the files that modules name in their imports, and those these name, wherever the import stands.

    start: files by their modules' plain names. folders: where first names are looked for. holds: whether a first name
    is looked for there at all. Imports that only a script makes (``if __name__ == "__main__"``) do not count.
    """
    seen: dict[str, Path] = {}
    left = dict(start)
    while left:
        name, path = left.popitem()
        seen[name] = path
        for wanted in imported(path, name):
            if holds(wanted.partition(".")[0]):
                left |= {found: file for found, file in locate(wanted, folders).items() if found not in seen}
    return set(seen.values())


def locate(name: str, folders: Sequence[str]) -> dict[str, Path]:
    """Return the files of a dotted name, its packages' own among them, by name; as far as there are any."""
    found: dict[str, Path] = {}
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        spec = find_spec(".".join(parts[:depth]), folders)
        if spec is None:
            break
        if spec.origin is not None:
            found[spec.name] = Path(spec.origin)
        folders = spec.submodule_search_locations or ()
    return found


def imported(path: Path, name: str) -> Iterator[str]:
    """Yield the dotted names that a source file imports; nothing where it cannot be read as source."""
    with suppress(OSError, SyntaxError, ValueError, RecursionError):
        package = name if path.stem == "__init__" else name.rpartition(".")[0]
        yield from _named(ast.parse(path.read_bytes()), package.split(".") if package else [])


def _named(node: ast.AST, package: list[str]) -> Iterator[str]:
    if isinstance(node, ast.If) and _MAIN in ast.dump(node.test):
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) + 1 - node.level] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        yield from ([module] if module else [])
        yield from (f"{module}.{alias.name}".lstrip(".") for alias in node.names)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        if called in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            yield from ([node.args[0].value] if isinstance(node.args[0].value, str) else [])
    for child in ast.iter_child_nodes(node):
        yield from _named(child, package)
