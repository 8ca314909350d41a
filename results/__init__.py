"""Leaderboard records, as data. The code that reads and writes them is ``extramaze.records``."""
