"""The scores of an answer, and why one is not optimal, by name."""

from enum import StrEnum

SCORE_VERSION = 1
KINDS = ("exact", "valid", "optimal")


class Failure(StrEnum):
    """Why an answer is not optimal; where several kinds apply, the first in this order."""

    NONE = "none"
    EMPTY = "empty"  # no pixel is predicted
    WALL = "wall pixels"  # a pixel of wall is predicted
    PIECES = "partial tiles"  # at scale 2, a tile is predicted in part
    ENDPOINT = "endpoint missing"
    BROKEN = "broken path"  # start and goal are predicted and not joined
    LONGER = "longer way"  # a simple path from start to goal, longer than the shortest
    LOOP = "loop kept"  # start and goal are joined, and a loop is predicted somewhere
    BRANCH = "extra branch"  # start and goal are joined, without loops, and more is predicted
