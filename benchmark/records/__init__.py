"""Records: what an evaluation leaves behind, as evidence. A folder with ``record.json`` and ``mazes.parquet``."""

from extramaze.records.record import MAX_BYTES, SUMMARY, TABLE, Place, Record, read_record

__all__ = ["MAX_BYTES", "SUMMARY", "TABLE", "Place", "Record", "read_record"]
