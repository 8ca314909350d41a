"""Blocks, the unit of computation: their plan and size, their answers and trajectories, and their files."""
