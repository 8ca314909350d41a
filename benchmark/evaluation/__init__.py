"""Evaluation: the blocks of a plan, computed here or in shards, and put together to a record."""
