"""IT-Net: DT-Net's layers trained as an implicit network.

Knutson et al., "On Logical Extrapolation for Mazes with Recurrent and Implicit Networks" (arXiv 2410.03020), section 4
and appendix: four residual blocks, a ReLU after the projection, and a training that treats the iteration's limit as the
answer (``gradient: jacobian-free`` in a recipe, ``extramaze.models.training.gradients``): Jacobian-free backpropagation
(Fung et al., arXiv 2103.12803) after a random budget of free iterations that stops where a maze has converged, first
steps with ordinary backpropagation, and a mild rescaling of the recurrent weights where an iteration expands
perturbations.

Two things differ from the published code on purpose. Its estimate of the contraction factor divides by the norm of the
state; here it is divided by the norm of the perturbation, without which it estimates nothing. And it passes the
gradient of the limit unchanged to the projection; the limit of a contraction does not depend on where it began, so
Fung et al.'s gradient there is zero, and none is sent: the projection learns in the steps with ordinary
backpropagation, where it truly has an influence, and keeps its weights after them.
"""

from extramaze.models.dt_net import DTNet
from extramaze.models.sizes import Blocks, Width


class ITNet(DTNet):
    """IT-Net; the state is (B, width, H, W). width: channels. blocks: residual blocks in one iteration."""

    def __init__(self, width: Width, blocks: Blocks = 4) -> None:
        super().__init__(width, blocks)
