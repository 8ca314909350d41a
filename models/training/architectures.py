"""Which solvers a recipe can build: one checked schema for each builder, told apart by ``builder``.

``{builder: dt_net, width: 32, blocks: 2}``: every other key is a keyword of the builder of that name.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from extramaze.core.checked import Strict
from extramaze.core.errors import InputError
from extramaze.models.contract import IterativeSolver
from extramaze.models.dt_l import Bound, dt_l
from extramaze.models.dt_net import dt_net
from extramaze.models.ff_net import ff_net
from extramaze.models.it_net import it_net
from extramaze.models.pi_net import pi_net
from extramaze.models.plain_cnn import plain_cnn
from extramaze.models.root_finding import Method

BUILDERS: dict[str, Callable[..., IterativeSolver]] = {
    "dt_net": dt_net,
    "it_net": it_net,
    "pi_net": pi_net,
    "dt_l": dt_l,
    "ff_net": ff_net,
    "plain_cnn": plain_cnn,
}
SINGLE_PASS = ("ff_net", "plain_cnn")

LEAST_BYTES = 2  # of a number in a file of weights: float16 or bfloat16
Width = Annotated[int, Field(ge=1, le=1024)]
Blocks = Annotated[int, Field(ge=1, le=32)]


class _Built(Strict, ABC):
    """What all architectures share: a width, and a builder of their other keys."""

    builder: str
    width: Width

    @property
    @abstractmethod
    def depth(self) -> int:
        """How many 3×3 convolutions of its width it has at least."""

    def check_size(self, stored: int, origin: str) -> None:
        """Raise InputError where ``stored`` bytes of weights cannot be those of such a solver, before one is built.

        A number takes LEAST_BYTES or more.
        """
        least = LEAST_BYTES * 9 * self.width**2 * self.depth
        if stored < least:
            raise InputError(
                f"{origin}: weights of another architecture: {stored:,} bytes, and a {self.builder} of width "
                f"{self.width} has at least {least:,}; use the recipe they came with"
            )

    def build(self) -> IterativeSolver:
        """Build the solver with fresh weights (from torch's current random state)."""
        return BUILDERS[self.builder](**self.model_dump(exclude={"builder"}))


class _OfBlocks(_Built):
    """An architecture of residual blocks, each of one convolution of its width or more."""

    blocks: Blocks

    @property
    def depth(self) -> int:
        return self.blocks


class DTNetArchitecture(_OfBlocks):
    """DT-Net, with recall or without (``extramaze.models.dt_net``)."""

    builder: Literal["dt_net"]
    recall: bool = True


class ITNetArchitecture(_OfBlocks):
    """IT-Net (``extramaze.models.it_net``)."""

    builder: Literal["it_net"]


class PINetArchitecture(_OfBlocks):
    """PI-Net (``extramaze.models.pi_net``); root_finder and tolerance are its own inference's."""

    builder: Literal["pi_net"]
    root_finder: Method = "anderson"
    tolerance: float = Field(default=1e-4, gt=0, lt=1)


class DTLArchitecture(_OfBlocks):
    """DT-L (``extramaze.models.dt_l``); lipschitz bounds one iteration, unless bound is kernel."""

    builder: Literal["dt_l"]
    lipschitz: float = Field(default=0.99, gt=0, lt=1)
    bound: Bound = "convolution"


class FFNetArchitecture(_OfBlocks):
    """FF-Net (``extramaze.models.ff_net``)."""

    builder: Literal["ff_net"]
    blocks: Annotated[int, Field(ge=1, le=256)]


class PlainCNNArchitecture(_Built):
    """A plain convolutional network (``extramaze.models.plain_cnn``)."""

    builder: Literal["plain_cnn"]
    layers: Annotated[int, Field(ge=1, le=256)]

    @property
    def depth(self) -> int:
        """The convolutions within."""
        return max(0, self.layers - 2)  # the first and the last are of other widths


Architecture = Annotated[
    DTNetArchitecture
    | ITNetArchitecture
    | PINetArchitecture
    | DTLArchitecture
    | FFNetArchitecture
    | PlainCNNArchitecture,
    Field(discriminator="builder"),
]
