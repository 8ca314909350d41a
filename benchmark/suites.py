"""Suites: the shipped ones, those of files, and the mazes of their cells."""

from pathlib import Path

from extramaze.mazes import Mazes, generate
from extramaze.schema.suite import Cell as Cell
from extramaze.schema.suite import LimitPlan as LimitPlan
from extramaze.schema.suite import Suite as Suite
from extramaze.schema.suite import choose_cells as choose_cells
from extramaze.schema.suite import load_suite as load_suite
from extramaze.schema.suite import suite_names as suite_names


def cell_mazes(suite: str | Path | Suite, cell: str) -> Mazes:
    """Draw the mazes of one cell, those that an evaluation asks. Raises InputError for an unknown suite or cell."""
    loaded = load_suite(suite)
    (chosen,) = choose_cells(loaded, (cell,))
    return generate(chosen.maze_spec, chosen.count, split=loaded.split)
