"""Run foreign code and make solvers with what it defines; any failure of it is one InputError."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from extramaze.core.errors import InputError
from extramaze.models.contract import IterativeSolver, SolverCard, card_of
from extramaze.models.foreign.failures import as_exception, said
from extramaze.models.foreign.libraries import OURS
from extramaze.models.foreign.opening import Foreign, open_foreign


@dataclass(frozen=True, eq=False)
class Factory:
    """Something callable of a module that was run. who: for messages, such as ``solver 'net.py:make'``."""

    who: str
    foreign: Foreign
    module: ModuleType
    make: Callable[..., Any]

    @classmethod
    def find(cls, source: str, attribute: str, who: str, folder: Path | None = None) -> "Factory":
        """Run ``file.py`` or ``package.module`` and find an attribute of it. Raises InputError.

        folder: where the package lies, whatever else is installed under its name.
        """
        foreign = open_foreign(source, who, folder)
        with _blamed(foreign, who), foreign.origin.running():
            module = foreign.run()
        found: Any = module
        for part in attribute.split("."):
            found = getattr(found, part, None)
        if not callable(found):
            foreign.forget()
            raise InputError(f"{who}: {source} has no function {attribute!r}")
        return cls(who, foreign, module, found)

    def __call__(self, **arguments: Any) -> IterativeSolver:
        """Make a solver that knows its origin. Raises InputError for what is no solver."""
        with _blamed(self.foreign, self.who):
            with self.foreign.origin.running():
                solver = self._checked(self.make(**arguments))
            self.foreign.settle(solver, self.module)
        return solver

    def _checked(self, solver: Any) -> IterativeSolver:
        if not isinstance(solver, IterativeSolver):
            raise InputError(f"{self.who}: expected an IterativeSolver, got {type(solver).__name__}")
        if self.module.__name__.split(".")[0] != OURS:
            solver.factory_file = self.module.__file__
        if solver.eval() is not solver:
            raise InputError(f"{self.who}: eval() and train() must return the solver itself; return self")
        if not isinstance(card_of(solver), SolverCard):
            raise InputError(f"{self.who}: card must be a SolverCard, got {type(solver.card).__name__}")
        return solver


@contextmanager
def _blamed(foreign: Foreign, who: str) -> Iterator[None]:
    try:
        with as_exception():
            yield
    except InputError:
        foreign.forget()
        raise
    except Exception as problem:
        foreign.forget()
        raise InputError(f"{who}: its code failed: {foreign.plain(said(problem))}") from problem
