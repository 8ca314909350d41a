"""Tasks: the blocks of an evaluation in one fixed order, and the share of them that a shard takes."""

import re
from dataclasses import dataclass

from pydantic import Field, model_validator

from extramaze.core.checked import Strict
from extramaze.core.errors import InputError
from extramaze.schema.plan import CellPlan, Plan
from extramaze.schema.suite import Cell


class Shard(Strict):
    """The ``index``-th of ``count`` shares of the blocks, counted from 1."""

    index: int = Field(ge=1)
    count: int = Field(ge=1)

    @model_validator(mode="after")
    def _within(self) -> "Shard":
        if self.index > self.count:
            raise ValueError(f"shard {self.index}/{self.count}: counted from 1 to {self.count}")
        return self

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read ``2/4``. Raises InputError."""
        found = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text)
        if not found or int(found[1]) > int(found[2]):
            raise InputError(f"a shard is written i/k with i from 1 to k, such as 1/4, got {text!r}")
        return cls(index=int(found[1]), count=int(found[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def takes(self, number: int) -> bool:
        """Whether the block of this number is the shard's."""
        return number % self.count == self.index - 1


WHOLE = Shard(index=1, count=1)


@dataclass(frozen=True)
class Task:
    """One block to compute: its number among all, its cell, whether iterates are watched, its place in the cell."""

    number: int
    cell: Cell
    planned: CellPlan
    watched: bool
    block: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.cell.name}-{'limits' if self.watched else 'scores'}-{self.block}"


def tasks(plan: Plan) -> list[Task]:
    """List the blocks of a plan in order: cell by cell, scores and then limits."""
    listed: list[Task] = []
    for cell, planned in plan.pairs():
        for block in range(-(-planned.mazes // planned.block)):
            listed.append(Task(len(listed), cell, planned, False, block))
        for block in range(-(-planned.watched // plan.limit_block)):
            listed.append(Task(len(listed), cell, planned, True, block))
    return listed
