"""Figures that are stated to have changed, each with the commit that changed it and the reason."""

from tests.tools.differences import Expected

EXPECTED: tuple[Expected, ...] = ()
