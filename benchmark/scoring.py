"""Right or wrong: three scores of a predicted path (``extramaze.mazes.scoring``)."""

from extramaze.mazes.scores import SCORE_VERSION as SCORE_VERSION
from extramaze.mazes.scores import Failure as Failure
from extramaze.mazes.scoring import Outcome as Outcome
from extramaze.mazes.scoring import score as score
