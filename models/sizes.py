"""How large networks may be: types of constructors' arguments, against which recipes are checked."""

from typing import Annotated

from pydantic import Field

Width = Annotated[int, Field(ge=1, le=1024)]  # channels
Blocks = Annotated[int, Field(ge=1, le=32)]  # in one iteration
Layers = Annotated[int, Field(ge=1, le=256)]  # of a network that passes once
Share = Annotated[float, Field(gt=0, lt=1)]
