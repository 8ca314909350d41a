"""Which solvers a recipe can build: extramaze's own, and those of others.

``{builder: dt_net, width: 32, blocks: 2}``: every other key is an argument of the builder's constructor, whose types
and defaults are the schema. A builder from outside is named ``my_net.py:Net`` (a file beside the recipe),
``package.module:Net``, or as an installed package announces it; checking a recipe runs nothing of theirs, so that their
arguments are checked when the solver is built (``extramaze.models.training.outside``).
"""

import inspect
import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union, get_type_hints

from pydantic import ConfigDict, Discriminator, Tag, create_model, field_validator

from extramaze.core.checked import Strict
from extramaze.core.errors import InputError, unknown_name
from extramaze.models.contract import NAME_PATTERN, IterativeSolver
from extramaze.models.dt_l import DTL
from extramaze.models.dt_net import DTNet
from extramaze.models.ff_net import FFNet
from extramaze.models.it_net import ITNet
from extramaze.models.pi_net import PINet
from extramaze.models.plain_cnn import PlainCNN
from extramaze.models.sizes import Width
from extramaze.models.training.outside import Home, announced, is_target, outside_maker
from extramaze.models.trm import TRM

BUILDERS: dict[str, Callable[..., IterativeSolver]] = {
    "dt_net": DTNet,
    "it_net": ITNet,
    "pi_net": PINet,
    "dt_l": DTL,
    "ff_net": FFNet,
    "plain_cnn": PlainCNN,
    "trm": TRM,
}
SINGLE_PASS = ("ff_net", "plain_cnn")

LEAST_BYTES = 2  # of a number in a file of weights: float16 or bfloat16
OUTSIDE = "outside"


class Built(Strict):
    """An architecture of a recipe: a builder, and the arguments of its constructor."""

    builder: str

    @property
    def arguments(self) -> dict[str, Any]:
        """Every key but the builder's."""
        return self.model_dump(exclude={"builder"})

    @property
    def from_outside(self) -> bool:
        """Whether building it runs code that does not come with extramaze."""
        return False

    def check_size(self, stored: int, origin: str) -> None:
        """Raise InputError where ``stored`` bytes of weights cannot be those of such a solver, before one is built."""

    def maker(self, home: Home | None = None) -> Callable[[], IterativeSolver]:  # noqa: ARG002
        """Return what makes the solver with fresh weights, from torch's current random state.

        home: of the recipe, where the builder comes from outside; its code is run. Raises InputError.
        """
        return partial(BUILDERS[self.builder], **self.arguments)

    def build(self, home: Home | None = None) -> IterativeSolver:
        """Make the solver with fresh weights."""
        return self.maker(home)()


class OwnArchitecture(Built):
    """A builder of extramaze's: a network of so many blocks or layers, each with a 3×3 convolution of its width."""

    width: Width

    @property
    def depth(self) -> int:
        """The least number of its 3×3 convolutions, or of what holds as many weights, from and to its width."""
        sizes = self.arguments
        return sizes["blocks"] if "blocks" in sizes else max(0, sizes["layers"] - 2)  # the outer two are narrower

    def check_size(self, stored: int, origin: str) -> None:
        """Compare with the fewest numbers that it can have, of LEAST_BYTES or more each."""
        least = LEAST_BYTES * 9 * self.width**2 * self.depth
        if stored < least:
            raise InputError(
                f"{origin}: weights of another architecture: {stored:,} bytes, and a {self.builder} of width "
                f"{self.width} has at least {least:,}; use the recipe they came with"
            )


class OutsideArchitecture(Built):
    """A builder from outside, and whatever arguments it takes."""

    model_config = ConfigDict(extra="allow")

    @field_validator("builder")
    @classmethod
    def _is_named(cls, builder: str) -> str:
        if builder.endswith(".py"):
            raise ValueError(f"name the class in the file, {builder}:Net")
        if is_target(builder) or builder in announced():
            return builder
        if re.fullmatch(NAME_PATTERN, builder) and not get_close_matches(builder, BUILDERS, cutoff=0.5):
            return builder  # a package that is not installed here may announce it, and the recipe can be read
        raise ValueError(str(unknown_name("builder", builder, [*BUILDERS, *announced()])))

    @property
    def from_outside(self) -> bool:
        """It does."""
        return True

    def maker(self, home: Home | None = None) -> Callable[[], IterativeSolver]:
        """Run the code; see the base class."""
        return outside_maker(self.builder, self.arguments, home or Home(Path()))


def _schema(builder: str, constructor: Callable[..., IterativeSolver]) -> type[OwnArchitecture]:
    """Make a schema of a constructor's arguments. Raises TypeError for one whose depth cannot be told."""
    kinds = get_type_hints(getattr(constructor, "__init__"), include_extras=True)  # noqa: B009
    fields: dict[str, Any] = {"builder": (Literal[builder], ...)} | {
        name: (kinds[name], ... if argument.default is argument.empty else argument.default)
        for name, argument in inspect.signature(constructor).parameters.items()
    }
    if not fields.keys() & {"blocks", "layers"}:
        raise TypeError(f"{builder} takes neither blocks nor layers: its weights could not be told to be too few")
    return create_model(builder, __base__=OwnArchitecture, **fields)


SCHEMAS = {builder: _schema(builder, constructor) for builder, constructor in BUILDERS.items()}


def _chosen(content: Any) -> str:
    """Say by which schema a mapping is checked: its builder's."""
    builder = content.get("builder") if isinstance(content, dict) else getattr(content, "builder", None)
    return builder if isinstance(builder, str) and builder in BUILDERS else OUTSIDE


if TYPE_CHECKING:
    Architecture: TypeAlias = Built
else:
    _CHOICES = [Annotated[schema, Tag(builder)] for builder, schema in SCHEMAS.items()]
    Architecture = Annotated[
        Union[(*_CHOICES, Annotated[OutsideArchitecture, Tag(OUTSIDE)])],
        Discriminator(_chosen),
    ]
