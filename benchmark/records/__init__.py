"""Records: what an evaluation leaves behind, as evidence. A folder with ``record.json`` and ``mazes.parquet``."""

from extramaze.records.record import (
    ANSWERS,
    FILES,
    MAX_BYTES,
    NEXT,
    SUMMARY,
    TABLE,
    Place,
    Record,
    read_record,
    read_summary,
    settle_files,
    waiting,
)

__all__ = [
    "ANSWERS",
    "FILES",
    "MAX_BYTES",
    "NEXT",
    "SUMMARY",
    "TABLE",
    "Place",
    "Record",
    "read_record",
    "read_summary",
    "settle_files",
    "waiting",
]
