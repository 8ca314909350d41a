"""Submissions: a solver, its card and its record in one folder, ready for a pull request."""
