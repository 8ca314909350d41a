"""Open a Parquet table of unknown origin: its sizes are bounded before anything is allocated.

A few bytes of run-length encoding can stand for billions of values, so a small file is not a small table. The footer
and every page header say how many values and bytes a reader would make; they are read here, by the Thrift compact
protocol (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md; github.com/apache/parquet-format,
parquet.thrift), and nothing larger than announced is opened.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import polars as pl

from extramaze.core.errors import InputError
from extramaze.core.forks import begin_threads

MAX_ROWS = 10_000_000
BYTES_A_ROW = 1024  # more than a row of ours takes, whatever the encoding, its lists left out
BYTES_A_VALUE = 4  # of a list: more than three columns of truths take
SLACK_BYTES = 2**20
FREE_ROWS, BYTES_FOR_A_ROW = 100_000, 2  # a table of more rows has at least so many bytes for each: its mazes differ
FREE_VALUES, VALUES_A_BYTE = 2**25, 32  # all columns together: what takes a second and 200 MB to open
MAGIC = b"PAR1"
_SILENCE = Lock()  # there is one error stream: of two readers the second would keep the first one's nowhere
if hasattr(os, "register_at_fork"):  # nor is a child to begin with it
    os.register_at_fork(before=_SILENCE.acquire, after_in_parent=_SILENCE.release, after_in_child=_SILENCE.release)
_DEEPEST = 16
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
# Field numbers of parquet.thrift
_ROW_COUNT, _ROW_GROUPS, _CHUNKS, _CHUNK_META = 3, 4, 1, 3
_COMPRESSED, _DATA_AT, _DICTIONARY_AT = 7, 9, 11
_PAGE_BYTES, _PAGE_STORED, _PAGE_HEADERS, _PAGE_VALUES = 2, 3, (5, 7, 8), 1


def open_table(content: bytes, rows: int, values: int, known: bool = False) -> pl.DataFrame:
    """Open a table of exactly ``rows`` rows, with at most ``values`` values a row in each column.

    known: whether these very bytes were opened before. Raises InputError where the file is damaged, or announces more
    than that.
    """
    if rows > MAX_ROWS:
        raise InputError(f"{rows:,} rows are expected; at most {MAX_ROWS:,} are read")
    if rows > FREE_ROWS + len(content) // BYTES_FOR_A_ROW:
        raise InputError(f"{rows:,} rows are expected, one a maze; {len(content):,} bytes cannot hold as many")
    if not known:
        _refuse_larger(content, rows, max(1, values))
    begin_threads("reading a record")
    try:
        with _silent():
            table = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as problem:
        raise InputError(f"not readable as Parquet: {' '.join(str(problem).split())}") from problem
    if len(table) != rows:
        raise InputError(f"{rows} rows are expected, one a maze; it has {len(table)}")
    return table


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what is printed on the error stream from being seen: the reader's own backtrace of a damaged page."""
    with _SILENCE:
        try:
            kept = os.dup(2)
        except OSError:  # this process has none
            yield
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def _refuse_larger(content: bytes, rows: int, values: int) -> None:
    footer = _footer(content)
    try:
        groups = footer.get(_ROW_GROUPS, [])
        counts = {footer[_ROW_COUNT], sum(group[_ROW_COUNT] for group in groups)} - {rows}
        sizes = (
            [] if counts else [_chunk_size(content, chunk[_CHUNK_META]) for group in groups for chunk in group[_CHUNKS]]
        )
    except (IndexError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise InputError("not readable as Parquet: its footer or a page header is damaged") from problem
    if counts:
        raise InputError(f"{rows} rows are expected, one a maze; it has {counts.pop()}")
    most_values, most_bytes = rows * values, rows * (BYTES_A_ROW + BYTES_A_VALUE * values) + SLACK_BYTES
    if any(count > most_values for count, _ in sizes) or sum(size for _, size in sizes) > most_bytes:
        raise InputError(f"it announces more than {most_values:,} values a column, or than {most_bytes:,} bytes")
    most_values = FREE_VALUES + VALUES_A_BYTE * len(content)
    if sum(count for count, _ in sizes) > most_values:
        raise InputError(f"it announces more than {most_values:,} values, in {len(content):,} bytes")


def _footer(content: bytes) -> dict[int, Any]:
    if len(content) < 12 or content[:4] != MAGIC or content[-4:] != MAGIC:
        raise InputError("not readable as Parquet: it does not begin and end as such a file does")
    length = int.from_bytes(content[-8:-4], "little")
    if length > len(content) - 12:
        raise InputError("not readable as Parquet: its footer is longer than the file")
    try:
        return _Reader(content[-8 - length : -8]).struct()
    except (IndexError, KeyError) as problem:
        raise InputError("not readable as Parquet: its footer is damaged") from problem


def _chunk_size(content: bytes, meta: dict[int, Any]) -> tuple[int, int]:
    """Return the values (dictionary left out) and the bytes that the pages of a column chunk unpack to."""
    at = min(meta[_DATA_AT], meta.get(_DICTIONARY_AT, meta[_DATA_AT]))
    end = at + meta[_COMPRESSED]
    if not 0 < at <= end <= len(content):
        raise IndexError("a column outside of the file")
    pages = list(_pages(content, at, end))
    largest = max((count for kind, count, _ in pages if kind == "dictionary"), default=0)
    return max(largest, sum(count for kind, count, _ in pages if kind == "data")), sum(size for *_, size in pages)


def _pages(content: bytes, at: int, end: int) -> Iterator[tuple[str, int, int]]:
    while at < end:
        reader = _Reader(content, at)
        header = reader.struct()
        field = min(header.keys() & set(_PAGE_HEADERS))
        count, unpacked, stored = header[field][_PAGE_VALUES], header[_PAGE_BYTES], header[_PAGE_STORED]
        if min(count, unpacked, stored) < 0:
            raise IndexError("a negative size")
        yield ("dictionary" if field == _PAGE_HEADERS[1] else "data"), count, unpacked
        at = reader.at + stored


@dataclass
class _Reader:
    """Reads Thrift's compact protocol into dicts by field number. Raises IndexError past the end."""

    content: bytes
    at: int = 0
    depth: int = 0

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise IndexError("a number without an end")

    def integer(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        while (head := self.byte()) != 0:
            number = number + (head >> 4) if head >> 4 else self.integer()
            fields[number] = head & 15 == _TRUE if head & 15 in (_TRUE, _FALSE) else self.value(head & 15)
        return fields

    def value(self, kind: int) -> Any:
        """Read one value; in a list a bool takes a byte of its own."""
        if kind in (_TRUE, _FALSE, _BYTE):
            return self.byte()
        if kind in (_I16, _I32, _I64):
            return self.integer()
        if kind == _DOUBLE:
            return self.skip(8)
        if kind == _BINARY:
            return self.skip(self.varint())
        if kind in (_LIST, _SET, _STRUCT):
            return self.nested(self.struct if kind == _STRUCT else self.list)
        raise KeyError(f"type {kind} has no place here")

    def nested(self, read: Callable[[], Any]) -> Any:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise IndexError("nested too deeply")
        value = read()
        self.depth -= 1
        return value

    def list(self) -> list[Any]:
        head = self.byte()
        count = head >> 4 if head >> 4 < 15 else self.varint()
        if count > len(self.content):
            raise IndexError("a list longer than the file")
        return [self.value(head & 15) for _ in range(count)]

    def skip(self, count: int) -> None:
        if count > len(self.content) - self.at:
            raise IndexError("past the end")
        self.at += count
