"""Run ``python -m extramaze`` as the ``extramaze`` command."""

from extramaze.cli import main

main()
