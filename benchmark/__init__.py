"""extramaze: a benchmark harness for logical extrapolation on mazes.

``extramaze.mazes`` draws mazes, ``extramaze.models`` solves them, and ``evaluate`` measures how well, and how.
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "evaluate"]


def __getattr__(name: str) -> Any:
    """Import ``evaluate`` when it is first asked for, so that ``extramaze.mazes`` alone stays light."""
    if name == "evaluate":
        from extramaze.evaluation.evaluate import evaluate

        return evaluate
    raise AttributeError(f"module 'extramaze' has no attribute {name!r}")
