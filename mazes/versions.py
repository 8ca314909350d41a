"""Versions of the rules of mazes: what changes with one is another maze, another stored path, or another picture."""

GENERATOR_VERSION = 1  # which maze an index of a specification and a split is
SOLUTION_VERSION = 1  # which of several shortest paths is stored
RASTER_VERSION = 1  # how a maze is drawn into pixels
