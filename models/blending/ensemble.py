"""Ensembles: several solvers that iterate side by side, whose answers are averaged.

The state is the members' states, one behind the other over the channels; a step is a step of each. What is averaged
is read off at any time: logits; probabilities, as the logarithm of their mean; or votes, as the logarithm of the share
of members whose own answer has the pixel on the path. A tie is no path, as it is for a single solver.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from extramaze.core.errors import InputError
from extramaze.models.contract import IterativeSolver, read
from extramaze.schema.blend import Combination

PROBE_SIDE = 11  # of the image on which the members' states are looked at


class Ensemble(IterativeSolver):
    """Members' states (B, Cᵢ, H, W) joined to one, (B, ΣCᵢ, H, W).

    members: solvers whose state is an image of channels. combination: what is averaged.
    """

    def __init__(self, members: Sequence[IterativeSolver], combination: Combination) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.combination = combination
        self.single_pass = all(member.single_pass for member in members)
        self.channels = [_channels(member) for member in members]

    @property
    def solvers(self) -> list[IterativeSolver]:
        """The members."""
        return [member for member in self.members if isinstance(member, IterativeSolver)]

    def initial_state(self, x: Tensor) -> Tensor:
        """Join the members' initial states."""
        return torch.cat([member.initial_state(x) for member in self.solvers], dim=1)

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Make one step of each member."""
        return torch.cat([member.step(part, x) for member, part in self._parts(state)], dim=1)

    def readout(self, state: Tensor, x: Tensor | None = None) -> Tensor:
        """Average what the members say: logits (B, 2, H, W). x: the image, for members that look at it again."""
        logits = torch.stack(
            [member.readout(part) if x is None else read(member, part, x) for member, part in self._parts(state)]
        )
        if self.combination == "logits":
            return logits.mean(dim=0)
        if self.combination == "probabilities":
            return logits.log_softmax(dim=2).logsumexp(dim=0)
        votes = (logits[:, :, 1] > logits[:, :, 0]).to(logits.dtype).mean(dim=0)
        shares = torch.stack([1 - votes, votes], dim=1)
        return shares.clamp(min=torch.finfo(shares.dtype).eps).log()  # no vote at all is no −∞, which has no motion

    def _parts(self, state: Tensor) -> list[tuple[IterativeSolver, Tensor]]:
        return list(zip(self.solvers, torch.split(state, self.channels, dim=1), strict=True))


def _channels(member: IterativeSolver) -> int:
    """Return the channels of a member's state. Raises InputError for a state that is no image of them."""
    first = next(member.parameters(), torch.zeros(0))
    x = torch.zeros(1, 3, PROBE_SIDE, PROBE_SIDE, dtype=first.dtype, device=first.device)
    with torch.no_grad():
        state = member.initial_state(x)
    if not isinstance(state, Tensor):
        raise InputError(
            f"an ensemble joins states of one tensor; {type(member).__name__} has a {type(state).__name__}"
        )
    if state.dim() != 4 or state.shape[2:] != x.shape[2:] or not state.is_floating_point():
        raise InputError(
            f"an ensemble joins states of channels, (B, C, H, W) as the image is; {type(member).__name__} has "
            f"{tuple(state.shape)}"
        )
    return state.shape[1]
