"""Speed as ratios: both sides are measured in turns within one run. ``pytest tests/speed`` runs and prints them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

ROUNDS = 5
_RATIOS: list[str] = []


@dataclass(frozen=True)
class Versus:
    """Measure a function against another, each by its fastest round, and state the ratio."""

    benchmark: object
    name: str

    def __call__(
        self, ours: Callable, theirs: Callable, per_ours: float = 1, per_theirs: float = 1, rounds: int = ROUNDS
    ) -> float:
        """Return how many times faster ``ours`` is for one of ``per_…`` items; pytest-benchmark records ours."""
        ours(), theirs()  # compile and warm up
        others = []

        def setup() -> None:
            began = time.perf_counter()
            theirs()
            others.append(time.perf_counter() - began)

        self.benchmark.pedantic(ours, setup=setup, rounds=rounds)
        mine, other = self.benchmark.stats.stats.min / per_ours, min(others) / per_theirs
        self.benchmark.extra_info["ratio"] = other / mine
        _RATIOS.append(f"{self.name}: {other / mine:,.2f}× ({mine:.3g} s against {other:.3g} s an item)")
        return other / mine

    def say(self, line: str) -> None:
        """Print a line below the ratio."""
        _RATIOS.append(line)


@pytest.fixture
def versus(benchmark, request):
    """Compare two functions in one run: ``assert versus(ours, theirs) >= 2``."""
    return Versus(benchmark, request.node.name)


def pytest_terminal_summary(terminalreporter):
    """Print the ratios, which is what is quoted."""
    if _RATIOS:
        terminalreporter.section("ratios, fastest of each side")
        for line in _RATIOS:
            terminalreporter.line(line)
