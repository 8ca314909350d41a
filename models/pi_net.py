"""PI-Net: a path-independent deep equilibrium model.

Anil et al., "Path Independent Equilibrium Models Can Better Exploit Test-Time Computation" (NeurIPS 2022, arXiv
2211.09961), as in Knutson et al. (arXiv 2410.03020): DT-Net's layers with weight normalisation (Salimans & Kingma,
arXiv 1602.07868), whose answer is read off an equilibrium z = f(z, x) that a root finder looks for. Trained through
the equilibrium (``gradient: implicit`` or ``phantom`` in a recipe) from mixed initial states and to a random depth, so
that the equilibrium found does not depend on the way to it. No gradient reaches the projection then, since an
equilibrium does not depend on where the search began.

Free running is the plain iteration, as for every solver; its own inference is the root finder.
"""

import torch
from torch import Tensor
from torch.nn.utils.parametrizations import weight_norm

from extramaze.models.contract import Inference
from extramaze.models.dt_net import DTNet
from extramaze.models.root_finding import Method, Root, find_root
from extramaze.models.sizes import Blocks, Share, Width
from extramaze.models.symmetry import Symmetry


class PINet(DTNet):
    """PI-Net; the state is (B, width, H, W).

    width: channels. blocks: residual blocks. root_finder, tolerance: of its own inference, ``find_root``'s.
    """

    def __init__(
        self, width: Width, blocks: Blocks = 2, root_finder: Method = "anderson", tolerance: Share = 1e-4
    ) -> None:
        super().__init__(width, blocks)
        self.root_finder, self.tolerance = root_finder, tolerance
        for layer in self.recurrent_convolutions():
            weight_norm(layer)

    def solve(self, x: Tensor, budget: int) -> Root:
        """Look for the equilibrium of each maze from its projection, in at most ``budget`` evaluations of ``step``."""
        return find_root(
            lambda state, rows: self.step(state, x[rows]),
            self.initial_state(x),
            self.root_finder,
            self.tolerance,
            budget,
        )

    def symmetry(self) -> Symmetry:
        """DT-Net's, of the normalised weights of the layers that have gains."""
        normalised = {f"{name}.weight" for name, layer in self.named_modules() if hasattr(layer, "parametrizations")}
        raw = {name: f"{name.removesuffix('weight')}parametrizations.weight.original" for name in normalised}
        axes = {f"{raw[name]}1" if name in raw else name: value for name, value in super().symmetry().axes.items()}
        return Symmetry(axes, gains={f"{name}0": f"{name}1" for name in raw.values()})

    def own_inference(self, x: Tensor, budget: int) -> Inference:
        """Find the equilibrium: the state of smallest residual, evaluations and residual for each maze."""
        with torch.no_grad():
            root = self.solve(x, budget)
        return Inference(root.state, root.evaluations, root.residual)
