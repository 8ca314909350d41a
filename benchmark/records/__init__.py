"""Records: what an evaluation leaves behind, as evidence. A folder with ``record.json`` and ``mazes.parquet``."""

from extramaze.records.record import MAX_BYTES, NEXT, SUMMARY, TABLE, Place, Record, read_record, settle_table, table_of

__all__ = ["MAX_BYTES", "NEXT", "SUMMARY", "TABLE", "Place", "Record", "read_record", "settle_table", "table_of"]
