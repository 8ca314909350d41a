"""Foreign code: its modules kept apart, its files known by content, and the process left as it was."""
