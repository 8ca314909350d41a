"""JSON files that state their own sha256, and reading files of a folder that somebody else made."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from extramaze.mazes import InputError
from extramaze.mazes.files import read_bytes
from extramaze.records import content_sha256

VERIFICATION = "verification.json"  # beside a record that was run again
UNFILLED = "FILL IN"  # how the template begins what its reader has to write


def _one_line(text: str) -> str:
    if text.strip().upper().startswith(UNFILLED):
        raise ValueError(f"still to be filled in, got {text!r}")
    if not text.isprintable() or text != text.strip():
        raise ValueError(f"expected one line of printable text, got {text!r}")
    return text


OneLine = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_one_line)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def sealed_bytes(content: Mapping[str, Any]) -> bytes:
    """Write content as extramaze writes it, its sha256 (stated or not) made that of the rest."""
    return _written({**content, "sha256": content_sha256(content)})


def parse_sealed(content: bytes, name: str) -> tuple[Any, list[str]]:
    """Parse a sealed file, and list what shows that it is not byte for byte what extramaze wrote."""
    try:
        parsed = json.loads(content)
        written = _written(parsed)
        stated = content_sha256(parsed) if isinstance(parsed, dict) else None
    except (ValueError, RecursionError) as problem:
        return None, [f"{name}: not readable as JSON: {problem}"]
    found = []
    if stated is None:
        found.append(f"{name}: expected an object, got {type(parsed).__name__}")
    elif parsed.get("sha256") != stated:
        found.append(f"{name}: altered since it was written: its sha256 is not the one it states")
    if written != content:
        pairs = zip(written.splitlines(), [*content.splitlines(), b""], strict=False)
        line = next((at for at, (ours, theirs) in enumerate(pairs, start=1) if ours != theirs), 0)
        found.append(f"{name}: line {line or 'last'} is not as extramaze writes it")
    return parsed, found


def read_inside(folder: Path, name: str, most: int) -> bytes:
    """Read a file of a folder; its size is looked at first. Raises InputError also where a link leaves the folder."""
    path = folder / name
    if path.resolve().parent != folder.resolve():
        raise InputError(f"{name}: a link that leaves its folder; put the file itself there")
    return read_bytes(path, most)


def _written(content: Any) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()
