"""A landscape's folder: written whole, read with every sha256 checked, its figures computed again from the table."""

import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from extramaze.core.checked import check_data, check_model
from extramaze.core.errors import InputError
from extramaze.core.files import read_bytes
from extramaze.core.forks import begin_threads
from extramaze.core.json_files import load_json
from extramaze.core.sealed import content_sha256, sealed_bytes
from extramaze.landscape.figures import figures_of
from extramaze.records.parquet import open_table
from extramaze.schema.landscape import BEND, CURVATURE, POINTS, SUMMARY, TABLE, Figure, Landscape

MAX_BYTES = 2**28
MAX_ROWS = 10_000_000
CLOSE = 1e-9  # relative difference of a figure computed again


@dataclass(frozen=True, eq=False)
class Survey:
    """A landscape with its table and, of a curve, the bytes of its bend."""

    summary: Landscape
    table: pl.DataFrame
    bend: bytes | None = None

    def contents(self) -> dict[str, bytes]:
        """Return the files of its folder, the summary last."""
        extra = {} if self.bend is None else {BEND: self.bend}
        summary = sealed_bytes(self.summary.model_dump(mode="json", by_alias=True))
        return {**extra, TABLE: table_bytes(self.table), SUMMARY: summary}


def table_bytes(table: pl.DataFrame) -> bytes:
    """Return a table as Parquet."""
    begin_threads("writing a landscape")
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


def seal(content: Mapping[str, Any], table: pl.DataFrame, bend: bytes | None = None) -> Survey:
    """Put a landscape together: figures from its table, and its digests."""
    stated = {
        **content,
        "bend_sha256": None if bend is None else hashlib.sha256(bend).hexdigest(),
        "table_sha256": hashlib.sha256(table_bytes(table)).hexdigest(),
        "sha256": "0" * 64,
    }
    first = check_model(Landscape, {**stated, "figures": ()}, "the landscape")
    figures = figures_of(first.kind, first.setting, table)
    plain = first.model_copy(update={"figures": tuple(figures)}).model_dump(mode="json", by_alias=True)
    plain["sha256"] = content_sha256(plain)
    return Survey(check_data(Landscape, plain, "the landscape"), table, bend)


def read_landscape(folder: str | Path) -> Survey:
    """Read a landscape. Raises InputError where it is unreadable, altered, or says what its table does not hold."""
    folder = Path(folder)
    if not (folder / SUMMARY).exists():
        raise InputError(f"{folder} holds no landscape ({SUMMARY}); give a folder that extramaze landscape wrote")
    content = load_json(read_bytes(folder / SUMMARY, MAX_BYTES), str(folder / SUMMARY))
    summary = check_data(Landscape, content, str(folder / SUMMARY))
    if content_sha256(content) != summary.sha256:
        raise InputError(f"{folder / SUMMARY}: altered since it was written (its sha256 differs); measure again")
    stored = read_bytes(folder / TABLE, MAX_BYTES)
    if hashlib.sha256(stored).hexdigest() != summary.table_sha256:
        raise InputError(f"{folder / TABLE}: altered or not this landscape's (its sha256 differs); measure again")
    bend = read_bytes(folder / BEND, MAX_BYTES) if summary.bend_sha256 is not None else None
    if bend is not None and hashlib.sha256(bend).hexdigest() != summary.bend_sha256:
        raise InputError(f"{folder / BEND}: altered or not this landscape's (its sha256 differs); measure again")
    table = _table(summary, stored, str(folder / TABLE))
    wrong = [
        f"{one.measure} of {one.of} ({one.path}): {_said(one)} stated, the table gives {_said(other)}"
        for one, other in _pairs(summary.figures, figures_of(summary.kind, summary.setting, table))
        if not _alike(one, other)
    ]
    if wrong:
        raise InputError(f"{folder}: figures that do not follow from the table: {'; '.join(wrong[:3])}; measure again")
    return Survey(summary, table, bend)


def _table(summary: Landscape, stored: bytes, origin: str) -> pl.DataFrame:
    """Open a table: its columns, and, of points, a row for each maze of each place."""
    columns = CURVATURE if summary.kind == "convexity" else POINTS
    try:
        rows = int(pl.scan_parquet(io.BytesIO(stored)).select(pl.len()).collect().item())
        table = open_table(stored, rows, 1) if rows <= MAX_ROWS else None
    except (pl.exceptions.PolarsError, OSError, InputError) as problem:
        raise InputError(f"{origin}: not readable as Parquet: {' '.join(str(problem).split())}") from problem
    if table is None or dict(table.schema) != columns:
        raise InputError(f"{origin}: not a table of a landscape: expected the columns {', '.join(columns)}")
    if summary.kind != "convexity":
        mazes = sum(min(cell.count, summary.setting.mazes) for cell in summary.setting.suite.cells)
        if len(table) != mazes * len(summary.places):
            raise InputError(f"{origin}: {len(table):,} rows, {len(summary.places)} points of {mazes} mazes are stated")
        found = table.select("path", "point", "x", "y").unique(maintain_order=True).rows()
        if found != [(place.path, place.point, place.x, place.y) for place in summary.places]:
            raise InputError(f"{origin}: its points are not where {SUMMARY} states them")
    return table


def _pairs(stated: tuple[Figure, ...], found: list[Figure]) -> list[tuple[Figure, Figure]]:
    nothing = Figure(path="-", measure="-", of="-", value=None)
    longest = max(len(stated), len(found))
    pad = [nothing] * longest
    return list(zip([*stated, *pad][:longest], [*found, *pad][:longest], strict=True))


def _alike(one: Figure, other: Figure) -> bool:
    if (one.path, one.measure, one.of) != (other.path, other.measure, other.of):
        return False
    pairs = ((one.value, other.value), (one.low, other.low), (one.high, other.high))
    return all(
        a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=CLOSE, abs_tol=CLOSE))
        for a, b in pairs
    )


def _said(one: Figure) -> str:
    return "nothing" if one.value is None else f"{one.value:.6g}"
