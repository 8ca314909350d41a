"""Spanning-tree algorithms, one file each."""
