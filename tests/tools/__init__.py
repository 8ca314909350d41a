"""Tools for those who change extramaze: run as ``python -m tests.tools.NAME --help`` in a clone."""
