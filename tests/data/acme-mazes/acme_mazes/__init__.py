"""Solvers of a package that is not extramaze's."""
