"""Text of unknown origin: decoded from UTF-8 alone, and cut where it is shown."""

from extramaze.core.errors import InputError, cut
from extramaze.core.signatures import HEAD, known_kind

MARKS = {
    b"\xef\xbb\xbf": "UTF-8 with a byte order mark",
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def decoded(content: bytes, origin: str) -> str:
    """Decode a file of UTF-8 text. Raises InputError for another encoding, for an empty file, and for NUL bytes."""
    kind = known_kind(content[:HEAD])
    if kind is not None:
        raise InputError(f"{origin}: no text of ours, but {kind}")
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            raise InputError(f"{origin}: written as {encoding}; save it as plain UTF-8, without a byte order mark")
    if not content.strip():
        raise InputError(f"{origin}: expected keys with values, got nothing; the file is empty")
    if b"\x00" in content:
        raise InputError(f"{origin}: not text: NUL bytes in it; save it as UTF-8, or restore the file")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise InputError(f"{origin}: line {line} is not UTF-8 ({problem.reason}); save the file as UTF-8") from problem


def described(value: object) -> str:
    """Say what stands in a file in place of something else, in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {cut(value, 60)!r}"
    if isinstance(value, int | float):
        return str(value)
    return "a list" if isinstance(value, list | tuple) else "keys with values"
