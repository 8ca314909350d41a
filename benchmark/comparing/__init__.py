"""Comparing: two records maze by maze, and a record against the baseline that guards it."""
