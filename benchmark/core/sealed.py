"""JSON files that state their own sha256: a record's summary, a submission's card, a verification."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from extramaze.core.errors import InputError
from extramaze.core.json_files import load_json
from extramaze.core.line_ends import CHANGED_ENDS, differs_in_line_ends


def content_sha256(content: Mapping[str, Any]) -> str:
    """Hash a sealed file's content, all but the stated digest: of what was written, not of what a reader knows."""
    stated = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def sealed_bytes(content: Mapping[str, Any]) -> bytes:
    """Write content as extramaze writes it, its sha256 (stated or not) made that of the rest."""
    return _written({**content, "sha256": content_sha256(content)})


def parse_sealed(content: bytes, name: str) -> tuple[Any, list[str]]:
    """Parse a sealed file, and list what shows that it is not byte for byte what extramaze wrote."""
    try:
        parsed = load_json(content, name)
        written = _written(parsed)
        stated = content_sha256(parsed) if isinstance(parsed, dict) else None
    except (InputError, RecursionError) as problem:
        return None, [str(problem)]
    found = []
    if stated is None:
        found.append(f"{name}: expected an object, got {type(parsed).__name__}")
    elif parsed.get("sha256") != stated:
        found.append(f"{name}: altered since it was written: its sha256 is not the one it states")
    if differs_in_line_ends(written, content):
        found.append(f"{name}: {CHANGED_ENDS}")
    elif written != content:
        pairs = zip(written.splitlines(), [*content.splitlines(), b""], strict=False)
        line = next((at for at, (ours, theirs) in enumerate(pairs, start=1) if ours != theirs), 0)
        found.append(f"{name}: line {line or 'last'} is not as extramaze writes it")
    return parsed, found


def _written(content: Any) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()
