"""The questions, each answered in a line or two by figures of the records, before any verdict."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import polars as pl

from extramaze.dynamics import Limit
from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure, fall, mean_share, number
from extramaze.findings.filling import equal_to_filling, with_cycles
from extramaze.findings.finding import who
from extramaze.findings.limit_tables import LOOP
from extramaze.findings.pooled_odds import path_odds, size_odds
from extramaze.findings.pools import FAMILIES, Pool
from extramaze.findings.retraining import RETRAINED_FAMILIES, TRAINED_ON, TUNED, difference, size_cost
from extramaze.findings.starts import DEGREES
from extramaze.findings.trajectories import MOVING, NOTHING_OPEN, OPEN, SETTLED, WRONG, mean_of_cells, share_given
from extramaze.leaderboard.score import record_score

SIZES = (17, 21, 33)
CYCLES = pl.col("limit") == str(Limit.CYCLE)
LOOPS = pl.col("betti") == pl.lit(list(LOOP), dtype=pl.List(pl.Int32))
NO_LIMIT = pl.col("betti").is_null()
Answerer = Callable[[Pool], Iterator[str]]


def in_short(pools: Sequence[Pool]) -> Iterator[str]:
    """Write the section: questions with the answers of each suite that has one; none where no suite has any."""
    lines = []
    for place, (question, line) in enumerate(QUESTIONS, start=1):
        answers = [(pool.suite.name, "; ".join(line(pool))) for pool in pools]
        said = [f"   - {suite}: {answer}." for suite, answer in answers if answer]
        lines += [f"{place}. **{question}**", *said] if said else []
    if lines:
        yield "## In short"
        yield (
            "Optimal answers at the last rung, unless said otherwise; in brackets 95 % intervals over seeds and mazes. "
            "“70 to 80 %”: what is open counted one way and the other; the interval reaches round both."
        )
        yield "\n".join(lines)


def _sizes(pool: Pool) -> Iterator[str]:
    cells = pool.ladder("size")
    for entrant in _families(pool):
        each = [f"{_percent(entrant, cells[size])} at {size}" for size in SIZES if size in cells]
        if each:
            yield f"{who(entrant)} {', '.join(each)}{_climb(entrant, cells)}"


def _starts(pool: Pool) -> Iterator[str]:
    cells = pool.ladder("start")
    if {"deadend", "any"} <= cells.keys():
        for entrant in _families(pool):
            figure = fall(entrant.right(cells["deadend"]), entrant.right(cells["any"]), entrant.trained)
            yield f"{who(entrant)} loses {_brief(figure)}{_by_degree(entrant, cells)}"


def _cycles(pool: Pool) -> Iterator[str]:
    cells = {p: cell for p, cell in pool.ladder("percolation").items() if p <= 0.3}
    for entrant in _families(pool) if len(cells) > 1 else ():
        shares = " → ".join(_percent(entrant, cell) for cell in cells.values())
        worst = list(cells.values())[-1]
        rules = ", ".join(f"{_percent(entrant, worst, kind)} {kind}" for kind in ("exact", "valid"))
        yield f"{who(entrant)} {shares} at percolation {', '.join(f'{p:g}' for p in cells)} (there {rules})"


def _filling(pool: Pool) -> Iterator[str]:
    cyclic = with_cycles(pool)
    for entrant in _families(pool) if cyclic else ():
        found = mean_share(equal_to_filling(entrant, cyclic), entrant.trained)
        yield f"{who(entrant)} answers as it does on {_brief(found)} of the mazes with cycles"


def _retraining(pool: Pool) -> Iterator[str]:
    cycles = [cell for value, cell in pool.ladder("percolation").items() if value > 0]
    sizes = [cell for size, cell in pool.ladder("size").items() if size > 9]
    variants = {variant: f"trained on percolation {percolation}" for variant, percolation in TRAINED_ON.items()}
    variants |= {variant: f"tuned on {count:,}" for variant, count in TUNED.items()}
    for family, (variant, how) in product(RETRAINED_FAMILIES, variants.items()):
        base, new = pool.named(family), pool.named(family, variant)
        if base is not None and new is not None and cycles and sizes:
            gain, cost = difference(new, base, cycles), size_cost(new, base, pool, sizes)
            said = f"gains {_brief(gain)} with cycles and loses {_brief(cost)} more by size"
            count = len(new.seeds)
            yield f"{FAMILIES[family]} {how} ({count} seed{'s' if count != 1 else ''}) {said}"


def _limits(pool: Pool) -> Iterator[str]:
    for entrant in _watched(pool):
        shares = {
            "rests in {}": mean_of_cells(entrant, entrant.watched_cells, SETTLED),
            "cycles in {}": mean_of_cells(entrant, entrant.watched_cells, CYCLES, NOTHING_OPEN),
            "of what moves {} goes round one closed loop": share_given(entrant, MOVING, LOOPS, NO_LIMIT),
        }
        yield from _joined(f"{who(entrant)} ", shares)


def _failures(pool: Pool) -> Iterator[str]:
    for entrant in _watched(pool):
        shares = {
            "{} of its wrong trajectories rest": share_given(entrant, WRONG, SETTLED, OPEN),
            "{} of the moving ones change the answer": share_given(entrant, MOVING, pl.col("flipping") > 0),
        }
        yield from _joined(f"{who(entrant)}: ", shares)


def _paths(pool: Pool) -> Iterator[str]:
    sizes = pool.ladder("size")
    for entrant in _families(pool) if sizes else ():
        longer, larger = path_odds(entrant, list(sizes.values())).difference, size_odds(entrant, sizes).difference
        if longer is not None and larger is not None:
            yield (
                f"{who(entrant)}: {_brief(longer)} right on longer paths than on shorter ones of a size, "
                f"{_brief(larger)} on larger mazes than on smaller ones with paths as long"
            )


def _seed_spread(pool: Pool) -> Iterator[str]:
    scores = {e.recipe: np.array([record_score(r) for r in e.records]) for e in pool.entrants if len(e.seeds) > 2}
    spreads = sorted((float(s.std(ddof=1)), name, len(s)) for name, s in scores.items())
    if spreads:
        each = (f"{name} {100 * deviation:.1f} ({count} seeds)" for deviation, name, count in spreads)
        yield f"standard deviation of the score, in points: {', '.join(each)}"


def _families(pool: Pool) -> list[Entrant]:
    """Return the families' plain recipes, by the inference that their accuracy is judged by."""
    return [entrant for family in FAMILIES if (entrant := pool.answering(family)) is not None]


def _watched(pool: Pool) -> list[Entrant]:
    found = (pool.named(family) for family in FAMILIES)
    return [entrant for entrant in found if entrant is not None and entrant.watched_cells]


def _climb(entrant: Entrant, cells: dict[int, str]) -> str:
    """Say how the share of the largest of SIZES grows with the iterations."""
    cell = cells[max(size for size in SIZES if size in cells)]
    shares = ", ".join(f"{100 * entrant.right(cell, rung=r).mean():.0f}" for r in range(len(entrant.rungs(cell))))
    return f" ({shares} % there after {', '.join(map(str, entrant.rungs(cell)))} iterations)"


def _by_degree(entrant: Entrant, cells: dict[int | str, str]) -> str:
    """Say what is right by the degree of the start, where cells have it."""
    found = {DEGREES[key]: cell for key, cell in cells.items() if key in DEGREES}
    if len(found) < 2:
        return ""
    shares = ", ".join(_percent(entrant, cell, places=1) for cell in found.values())
    return f", and is right on {shares} at degree {', '.join(map(str, found))}"


def _joined(start: str, figures: dict[str, Figure | None]) -> Iterator[str]:
    """Write what figures there are, each in its text; nothing where there is none."""
    said = [text.format(_brief(figure)) for text, figure in figures.items() if figure is not None]
    if said:
        yield start + ", ".join(said)


def _percent(entrant: Entrant, cell: str, kind: str = "optimal", places: int = 0) -> str:
    return f"{100 * entrant.right(cell, kind).mean():.{places}f} %"


def _brief(figure: Figure) -> str:
    """Write a figure with its interval; of two seeds, whose interval is wide, each one's own value too."""
    if len(figure.each) != 2 or figure.upto is not None:
        return f"{figure.middle} ({figure.interval})"
    first, second = (number(value, figure.unit, bare=True) for value, _ in figure.each)
    return f"{figure.middle} ({figure.interval}; seeds {first} and {second})"


QUESTIONS: tuple[tuple[str, Answerer], ...] = (
    ("How far do solvers of 9×9 mazes extrapolate in size?", _sizes),
    ("What does a start cost that need not be a dead end?", _starts),
    ("What do cycles cost?", _cycles),
    ("Do solvers imitate dead-end filling?", _filling),
    ("What does training on cycles gain, and what does it cost in size?", _retraining),
    ("What do the raw iterates end in?", _limits),
    ("Do failures rest, and does motion reach the answer?", _failures),
    ("Does the path's length or the size drive the fall?", _paths),
    ("How far apart are the seeds of a recipe?", _seed_spread),
)
