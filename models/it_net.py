"""IT-Net: DT-Net's layers trained as an implicit network.

Knutson et al., "On Logical Extrapolation for Mazes with Recurrent and Implicit Networks" (arXiv 2410.03020), section 4
and appendix: four residual blocks, trained by Jacobian-free backpropagation (Fung et al., arXiv 2103.12803): a random
number of iterations without gradient, then one with. The layers are DT-Net's; the training (``gradient: jacobian-free``
in its recipe) is what makes it implicit. Two things differ from the paper: the free iterations stop at their random
budget without a test of convergence, and the contraction is not controlled. No gradient reaches the projection, which
keeps its initial weights.
"""

from extramaze.models.dt_net import DTNet

BLOCKS = 4


def it_net(width: int = 128, blocks: int = BLOCKS) -> DTNet:
    """Build an IT-Net."""
    return DTNet(width=width, blocks=blocks)
