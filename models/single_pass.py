"""Networks that answer in one pass, within the contract of solvers that iterate.

Their one step is the whole pass: it makes the logits from the image alone and those are the state, so the first step
answers and every later one repeats it. ``single_pass`` says so: results of such a solver have no limits to report.
"""

from abc import abstractmethod

from torch import Tensor

from extramaze.models.contract import IterativeSolver


class SinglePass(IterativeSolver):
    """A feed-forward network; the state is its logits (B, 2, H, W), zero before the first step."""

    single_pass = True

    @abstractmethod
    def logits(self, x: Tensor) -> Tensor:
        """Pass the whole network: (B, 3, H, W) → (B, 2, H, W)."""

    def initial_state(self, x: Tensor) -> Tensor:
        """Know nothing yet."""
        return x.new_zeros(x.shape[0], 2, *x.shape[2:])

    def step(self, state: Tensor, x: Tensor) -> Tensor:  # noqa: ARG002
        """Pass the whole network, whatever the state was."""
        return self.logits(x)

    def readout(self, state: Tensor) -> Tensor:
        """Return the state, which is the logits."""
        return state
