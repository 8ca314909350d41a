"""The questions, each answered in a line a solver by figures of the records, before any verdict."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from extramaze.dynamics.limits import Limit
from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure, fall, number
from extramaze.findings.filling import same_share, with_cycles
from extramaze.findings.finding import who
from extramaze.findings.pooled_odds import path_odds, size_odds
from extramaze.findings.pools import FAMILIES, Pool
from extramaze.findings.retraining import RETRAINED_FAMILIES, difference, size_cost
from extramaze.findings.starts import DEGREES
from extramaze.findings.trajectories import MOVING, OPEN, SETTLED, WRONG, mean_of_cells, share_given
from extramaze.findings.variants import TRAINED_ON, TUNED
from extramaze.leaderboard.score import record_score
from extramaze.schema.suite import IN_DISTRIBUTION

SIZES = (17, 21, 33)
CYCLES = pl.col("limit") == str(Limit.CYCLE)
Answerer = Callable[[Pool], Iterator[tuple[Entrant, str]]]


@dataclass(frozen=True)
class Question:
    """What is asked, and what of it one suite's records say of each solver.

    late: of two suites with as many seeds, the one that watches later answers, and else the one that stands first.
    """

    text: str
    answers: Answerer
    late: bool = False


def in_short(pools: Sequence[Pool]) -> Iterator[str]:
    """Write the section: questions, each answered for every solver by the suite that has most of its seeds.

    None where nothing is answered.
    """
    lines = []
    for place, question in enumerate(QUESTIONS, start=1):
        said = [f"   - {answer}" for answer in _answers(question, pools)]
        lines += [f"{place}. **{question.text}**", *said] if said else []
    if lines:
        yield "## In short"
        yield (
            "Figures are shares of optimal answers at the last number of iterations, unless they say otherwise, from "
            "the suite that has most seeds of a solver. Brackets give the 95 % interval over seeds and mazes; where "
            "there are two seeds, the value of each. “70 to 80 %” means 70 % if every trajectory "
            "that is undecided or drifting counts as no and 80 % if every one counts as yes; the interval covers both "
            "ends."
        )
        yield "\n".join(lines)


def _answers(question: Question, pools: Sequence[Pool]) -> list[str]:
    found: dict[str, tuple[tuple[int, int], str]] = {}
    for pool in pools:
        for entrant, text in question.answers(pool):
            rank = len(entrant.seeds), pool.suite.limits.burn_in if question.late else 0
            said = rank, f"{who(entrant, pool.suite.name)}: {text}."
            found[entrant.recipe] = max(found.get(entrant.recipe, said), said, key=lambda one: one[0])
    return [text for _, text in found.values()]


def _sizes(pool: Pool) -> Iterator[tuple[Entrant, str]]:
    cells = pool.ladder("size")
    for entrant in _families(pool):
        each = [f"{_percent(entrant, cells[size])} at {size}" for size in SIZES if size in cells]
        if each:
            yield entrant, f"{', '.join(each)}{_climb(entrant, cells)}"


def _starts(pool: Pool) -> Iterator[tuple[Entrant, str]]:
    cells = pool.ladder("start")
    if {"deadend", "any"} <= cells.keys():
        for entrant in _families(pool):
            figure = fall(entrant.right(cells["deadend"]), entrant.right(cells["any"]), entrant.trained)
            yield entrant, f"{_brief(figure)} lost{_by_degree(entrant, cells)}"


def _cycles(pool: Pool) -> Iterator[tuple[Entrant, str]]:
    cells = {p: cell for p, cell in pool.ladder("percolation").items() if p <= 0.3}
    for entrant in _families(pool) if len(cells) > 1 else ():
        shares = " → ".join(_percent(entrant, cell) for cell in cells.values())
        worst = list(cells.values())[-1]
        rules = ", ".join(f"{_percent(entrant, worst, kind=kind)} {kind}" for kind in ("exact", "valid"))
        where = "starting anywhere" if pool.starts_anywhere(worst) else "starting in a dead end"
        levels = ", ".join(f"{p:g}" for p in cells)
        yield entrant, f"{shares} at percolation {levels}, {where} (at {list(cells)[-1]:g}: {rules})"


def _filling(pool: Pool) -> Iterator[tuple[Entrant, str]]:
    cyclic = with_cycles(pool)
    for entrant in _families(pool) if cyclic else ():
        found = same_share(entrant, cyclic)
        yield entrant, f"the same answer on {_brief(found)} of the mazes with cycles"


def _retraining(pool: Pool) -> Iterator[tuple[Entrant, str]]:
    cycles = [cell for value, cell in pool.ladder("percolation").items() if value > 0]
    beyond = {size: cell for size, cell in pool.ladder("size").items() if size > 9}
    sizes = list(beyond.values())
    larger = f"sizes {' to '.join(map(str, sorted({min(beyond), max(beyond)})))}" if beyond else ""
    variants = {variant: f"trained on percolation {percolation}" for variant, percolation in TRAINED_ON.items()}
    variants |= {variant: f"tuned on {count:,}" for variant, count in TUNED.items()}
    for family, (variant, how) in product(RETRAINED_FAMILIES, variants.items()):
        base, new = pool.named(family), pool.named(family, variant)
        if base is not None and new is not None and cycles and sizes:
            gain, cost = difference(new, base, cycles), size_cost(new, base, pool, sizes)
            home = pool.axis(IN_DISTRIBUTION)
            here, there = ([_percent(e, *cells) for cells in (home, sizes)] for e in (new, base))
            yield (
                new,
                f"{how}, {_brief(gain)} more with cycles and {_brief(cost)} more lost by size than {base.recipe}: "
                f"{here[0]} of 9×9 trees and {here[1]} of those of {larger} right, where that has {there[0]} and "
                f"{there[1]}",
            )


def _limits(pool: Pool) -> Iterator[tuple[Entrant, str]]:
    for entrant in _watched(pool):
        yield entrant, "; ".join(f"in {cell} {_ends(entrant, cell)}" for cell in entrant.watched_cells)


def _ends(entrant: Entrant, cell: str) -> str:
    """Say how many of a cell's trajectories rest, and cycle."""
    kinds = {"rest": SETTLED, "cycle": CYCLES}
    found = {word: mean_of_cells(entrant, [cell], kind) for word, kind in kinds.items()}
    return ", ".join(f"{_brief(figure)} {word}" for word, figure in found.items() if figure is not None)


def _failures(pool: Pool) -> Iterator[tuple[Entrant, str]]:
    for entrant in _watched(pool):
        shares = {
            "{} of those that answer wrongly rest": share_given(entrant, WRONG, SETTLED, OPEN),
            "{} of the moving ones change the answer": share_given(entrant, MOVING, pl.col("flipping") > 0),
        }
        yield from _joined(entrant, shares)


def _paths(pool: Pool) -> Iterator[tuple[Entrant, str]]:
    sizes = pool.ladder("size")
    for entrant in _families(pool) if sizes else ():
        longer, larger = path_odds(entrant, list(sizes.values())).difference, size_odds(entrant, sizes).difference
        if longer is not None and larger is not None:
            yield (
                entrant,
                f"{_brief(longer)} on longer paths against shorter ones of a size, {_brief(larger)} on larger mazes "
                "against smaller ones with paths as long",
            )


def _seed_spread(pool: Pool) -> Iterator[tuple[Entrant, str]]:
    hard = max((size for size in pool.ladder("size") if size in SIZES), default=None)
    for entrant in pool.entrants:
        if len(entrant.seeds) > 2:
            scores = np.array([record_score(record) for record in entrant.records])
            low, high, deviation = 100 * scores.min(), 100 * scores.max(), 100 * scores.std(ddof=1)
            said = f"scores from {low:.1f} to {high:.1f} %, with a standard deviation of {deviation:.1f} points"
            yield entrant, said + ("" if hard is None else _range_at(entrant, pool.ladder("size")[hard], hard))


def _range_at(entrant: Entrant, cell: str, size: int) -> str:
    """Say how far apart seeds are at one size: a score is a mean over axes, in which seeds hide."""
    shares = 100 * entrant.right(cell).mean(axis=1)
    return f"; at size {size} alone from {shares.min():.1f} to {shares.max():.1f} %"


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
    return f"; {shares} right at start degree {', '.join(map(str, found))}"


def _joined(entrant: Entrant, figures: dict[str, Figure | None]) -> Iterator[tuple[Entrant, str]]:
    """Write what figures there are, each in its text; nothing where there is none."""
    said = [text.format(_brief(figure)) for text, figure in figures.items() if figure is not None]
    if said:
        yield entrant, ", ".join(said)


def _percent(entrant: Entrant, *cells: str, kind: str = "optimal", places: int = 0) -> str:
    """Write the mean over cells of what is right."""
    return f"{100 * np.mean([entrant.right(cell, kind).mean() for cell in cells]):.{places}f} %"


def _brief(figure: Figure) -> str:
    """Write a figure with its interval; of two seeds, whose interval says little, each one's own value."""
    if len(figure.each) != 2:
        return f"{figure.middle} ({figure.interval})"
    ends = (sorted({number(end, figure.unit, bare=True) for end in seed}, key=float) for seed in figure.each)
    return f"{figure.middle} (seeds: {' and '.join(' to '.join(seed) for seed in ends)})"


QUESTIONS = (
    Question("How far do solvers of 9×9 mazes extrapolate in size?", _sizes),
    Question("What does it cost when the start may be anywhere, not only in a dead end?", _starts),
    Question("What do cycles cost?", _cycles),
    Question("Do solvers imitate dead-end filling?", _filling),
    Question("What does training on cycles gain, and what does it cost in size?", _retraining),
    Question("What do the raw iterates end in?", _limits, late=True),
    Question("Do failures rest, and does motion reach the answer?", _failures, late=True),
    Question("Does the path's length or the size drive the fall in right answers?", _paths),
    Question("How far apart are the seeds of a recipe?", _seed_spread),
)
