"""Failures of foreign code: whatever it raises is an Exception to extramaze, and is said in one way."""

from collections.abc import Iterator
from contextlib import contextmanager

from extramaze.core.errors import Terminated, cut

MOST_WORDS = 400  # characters of a foreign message
# What torch says where a gradient is asked for, and the images or states carry none.
_GRADIENTS = ("does not require grad", "nference tensor")
NO_GRADIENTS = (
    "extramaze calls a solver without gradients: where it needs some, make them inside "
    "'with torch.inference_mode(False), torch.enable_grad():' on clones of state and x, and return a detached state"
)


class Ended(RuntimeError):
    """What foreign code raised that is no Exception: SystemExit, GeneratorExit, or a kind of its own."""


@contextmanager
def as_exception() -> Iterator[None]:
    """Run foreign code: all it raises is an Exception, but for what the user, or the system, ends the process by."""
    try:
        yield
    except (Exception, KeyboardInterrupt, Terminated):
        raise
    except BaseException as problem:
        raise Ended(said(problem)) from problem


def said(problem: BaseException) -> str:
    """Say what foreign code raised: its kind, its message, and what to do where that is known."""
    try:
        message = " ".join(str(problem).split())
    except Exception:  # its own __str__ fails
        message = "its message cannot be read"
    if isinstance(problem, Ended):
        return message
    text = cut(f"{type(problem).__name__}: {message}".removesuffix(": "), MOST_WORDS)
    needs_gradients = isinstance(problem, RuntimeError) and any(sign in message for sign in _GRADIENTS)
    return f"{cut(text, 100)}; {NO_GRADIENTS}" if needs_gradients else text
