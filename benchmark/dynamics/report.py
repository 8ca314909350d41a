"""The report that holds the limits of trajectories with their evidence."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from extramaze.dynamics.limits import Limit


@dataclass(frozen=True, eq=False)
class LimitReport:
    """Limits of B trajectories, with their evidence.

    limit: a Limit each. period: int64 (B,), the least period of a cycle, 1 for a fixed point, 0 where there is none.
    residual: float64 (B,), the length of the last step. amplitude: float64 (B,), the largest distance from the window's
    first state. floor: float64 (B,), below which motion counts as rounding, by the state's largest magnitude,
    or, where one number's motion was told from another's rounding, of that number; all three as largest absolute
    differences, NaN where the state was not finite. final: the last state of the window, (B, …).
    repeats: bool (B,), whether the period was seen bit for bit. lyapunov, lyapunov_error: float64 (B,), the largest
    exponent in nats a step and its standard error, NaN where not estimated. nearest_return: float64 (B,), the closest
    return after having left, as a share of the farthest distance; straightness: float64 (B,), net displacement divided
    by the length of the path along the best lag, 1 for motion one way; shrinkage: float64 (B,), the mean return
    distance in the later half of the window divided by that in the earlier; NaN where not needed. betti_by_rule: int64
    (B, rules, 2), B0 and B1, -1 where it diverged. diagrams: per trajectory H0 and H1 as (n, 2) births and deaths,
    where asked for.
    """

    limit: list[Limit]
    period: np.ndarray
    residual: np.ndarray
    amplitude: np.ndarray
    floor: np.ndarray
    final: Tensor
    repeats: np.ndarray
    lyapunov: np.ndarray
    lyapunov_error: np.ndarray
    nearest_return: np.ndarray
    straightness: np.ndarray
    shrinkage: np.ndarray
    betti_by_rule: np.ndarray
    diagrams: list[tuple[np.ndarray, np.ndarray] | None]

    @property
    def betti(self) -> np.ndarray:
        """B0 and B1 by the first rule, int64 (B, 2).

        Where none was asked for, those of fixed points and cycles, which need no counting, and -1 elsewhere.
        """
        if self.betti_by_rule.shape[1]:
            return self.betti_by_rule[:, 0]
        return np.array([(period, 0) if period else (-1, -1) for period in self.period.tolist()]).reshape(-1, 2)

    def sentence(self, index: int) -> str:
        """Say one trajectory's verdict with its evidence."""
        parts = [f"moved {self.amplitude[index]:.1e} against rounding of {self.floor[index]:.1e}"]
        if self.period[index] > 1:
            parts.append(f"period {self.period[index]}" + (" bit for bit" if self.repeats[index] else ""))
        if np.isfinite(self.lyapunov[index]):
            parts.append(f"exponent {self.lyapunov[index]:.2e} ± {self.lyapunov_error[index]:.0e} a step")
        if np.isfinite(self.nearest_return[index]):
            parts.append(f"nearest return {self.nearest_return[index]:.1e} of the spread")
        return f"{self.limit[index].sentence} Evidence: {'; '.join(parts)}."
