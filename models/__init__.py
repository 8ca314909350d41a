"""Solvers: the contract they keep, recurrent and implicit networks, algorithms, training and weights.

Each name is imported when it is first asked for; ``__init__.pyi`` says where from.
"""

from typing import Any

import lazy_loader

from extramaze.core.plugins import unreadable_left_out

_import, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    with unreadable_left_out():  # torch asks for entry points as it starts
        return _import(name)
