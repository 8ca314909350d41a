"""A plain convolutional network: the simple baseline that every other solver should beat.

Convolutions and ReLUs in a row (Fukushima 1980; LeCun et al. 1989), no residuals, no recurrence. A pixel's answer sees
as many pixels in each direction as there are layers, so a longer path cannot be known to it. Weights begin as in He et
al. 2015 (arXiv 1502.01852), which keeps a signal's size through ReLUs; torch's own default shrinks it layer by layer,
and nothing here would restore it.
"""

from torch import Tensor, nn

from extramaze.models.dt_net import IMAGE_CHANNELS
from extramaze.models.single_pass import SinglePass
from extramaze.models.sizes import Layers, Width
from extramaze.models.symmetry import Axis, Symmetry


class PlainCNN(SinglePass):
    """Convolutions in a row; 12 see all of a 9×9 maze's thin raster from its middle.

    width: channels. layers: 3×3 convolutions, the last one giving the logits.
    """

    def __init__(self, width: Width, layers: Layers = 12) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for layer in range(layers - 1):
            parts += [nn.Conv2d(width if layer else IMAGE_CHANNELS, width, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*parts, nn.Conv2d(width if layers > 1 else IMAGE_CHANNELS, 2, 3, padding=1))
        for part in self.layers:
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                nn.init.zeros_(part.get_parameter("bias"))

    def logits(self, x: Tensor) -> Tensor:
        """Pass the layers."""
        return self.layers(x)

    def symmetry(self) -> Symmetry:
        """The units between two layers move and scale, biases with them."""
        axes: dict[str, tuple[Axis, ...]] = {}
        last: Axis = ((None, IMAGE_CHANNELS),)
        names = [name for name, part in self.layers.named_children() if isinstance(part, nn.Conv2d)]
        for name in names:
            units = self.layers.get_parameter(f"{name}.bias").numel()
            rows: Axis = ((None if name == names[-1] else f"layers.{name}", units),)
            axes[f"layers.{name}.weight"] = (rows, last)
            axes[f"layers.{name}.bias"] = (rows,)
            last = rows
        return Symmetry(axes)
