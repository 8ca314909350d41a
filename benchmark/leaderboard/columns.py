"""What a board says of a row besides its score, read off the records of its seeds."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl

from extramaze.records import Record

STILL_RIGHT = 0.9  # accuracy up to which a difficulty counts as mastered


def hardest(records: Sequence[Record]) -> dict[str, str | None]:
    """Return, by axis, the hardest cell up to which accuracy, mean over seeds, is still at least STILL_RIGHT.

    A suite lists the cells of an axis from easy to hard; the first below ends it. None: the easiest already is.
    """
    mastered: dict[str, str | None] = {}
    ended: set[str] = set()
    for place, cell in enumerate(records[0].summary.cells):
        share = np.mean([record.summary.cells[place].rungs[-1].optimal.share for record in records])
        mastered.setdefault(cell.axis, None)
        if cell.axis not in ended and share >= STILL_RIGHT:
            mastered[cell.axis] = cell.name
        else:
            ended.add(cell.axis)
    return mastered


def median_first_right(records: Sequence[Record]) -> float | None:
    """Return the median, over seeds and mazes, of the iterations at the first right rung.

    A maze that is never right counts as later than any; None where that is the median.
    """
    found = pl.concat([record.mazes["first_right"] for record in records]).cast(pl.Float64).fill_null(np.inf)
    middle = float(np.median(found.to_numpy()))
    return middle if np.isfinite(middle) else None


def limit_counts(records: Sequence[Record]) -> dict[str, int]:
    """Count watched trajectories by limit, right and wrong ones together."""
    counts: Counter[str] = Counter()
    for record in records:
        for result in record.summary.limits:
            counts.update({count.limit: count.right + count.wrong for count in result.counts})
    return dict(counts)


def last_finished(records: Sequence[Record]) -> str:
    """Return the date (year-month-day) on which the newest record was finished."""
    return max(record.summary.run.finished for record in records)[:10]
