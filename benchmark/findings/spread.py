"""Finding 8: how far apart the seeds of one recipe are."""

import numpy as np
from scipy.stats import chi2

from extramaze.findings.figures import Figure
from extramaze.findings.finding import NOTHING, Claim, Finding, table, who
from extramaze.findings.pools import Entrant, Pool
from extramaze.findings.verdicts import LEAST_SEEDS, Verdict, above, not_tested
from extramaze.leaderboard import CONFIDENCE, record_score

LARGE = 0.1
ENOUGH = 20  # seeds below which two bumps and one cannot be told apart
SECOND_HAND = "Bansal et al., arXiv 2202.05826, as cited (second-hand): DT-Net at 31×31, 2 seeds, 73.9 ± 26.0 %"


def spread(pool: Pool) -> Finding:
    """Judge the spread between seeds."""
    dt = pool.named("dt-net")
    claim = Claim(
        "Seeds of one DT-Net recipe differ widely",
        SECOND_HAND,
        "confirmed where, on the cell of the largest spread, the standard deviation between seeds, less what so few "
        f"mazes bring, is over {LARGE:.0%} (its 95 % interval is that of a normal law; choosing the cell makes the "
        "spread look larger than it is)",
        _differ(dt),
    )
    rows = []
    for entrant in (e for e in pool.entrants if e.trained):
        scores = np.array([record_score(record) for record in entrant.records])
        sd = f"{100 * scores.std(ddof=1):.1f}" if len(scores) > 1 else NOTHING
        rows.append([who(entrant), *_numbers(scores), sd, *_widest_text(entrant)])
    header = [
        "",
        "score: min",
        "mean",
        "max",
        "sd",
        "cell of the largest spread",
        "min",
        "mean",
        "max",
        "sd beyond mazes",
    ]
    most = max((len(e.seeds) for e in pool.entrants), default=0)
    note = (
        f"Whether seeds fall into two groups cannot be told from so few: {most} at most here, and about {ENOUGH} "
        "would be needed."
        if most < ENOUGH
        else f"Up to {most} seeds: enough to look for two groups, which this page does not test."
    )
    several = tuple(e.recipe for e in pool.entrants if len(e.seeds) >= LEAST_SEEDS)
    return Finding(
        "Seeds of one recipe differ",
        (claim,),
        tuple(table("Score (mean of the hard axes) and the cell of the largest spread, percent", header, rows)),
        (note,),
        several,
    )


def widest(entrant: Entrant) -> str:
    """Return the cell whose accuracy differs most between seeds, beyond what its number of mazes brings."""
    cells = [cell.name for cell in entrant.records[0].summary.cells]
    return max(cells, key=lambda cell: deviation(entrant.right(cell)).value)


def deviation(right: np.ndarray) -> Figure:
    """Return the standard deviation of seeds' accuracies beyond that of the mazes, of right answers (S, N), S ≥ 2.

    The interval is that of a normal law (chi-square). From each square the variance of a share of so many mazes is
    taken, as if each seed had its own: too much, as they share them, so that a spread is not made of chance.
    """
    shares, freedom, tail = right.mean(axis=1), len(right) - 1, (1 - CONFIDENCE) / 2
    square, mazes = float(shares.var(ddof=1)), float((shares * (1 - shares)).mean() / right.shape[1])
    squares = (square, square * freedom / chi2.ppf(1 - tail, freedom), square * freedom / chi2.ppf(tail, freedom))
    sd, low, high = (float(np.sqrt(max(0.0, s - mazes))) for s in squares)
    return Figure(sd, low, high, "points", len(right), right.shape[1])


def _differ(entrant: Entrant | None) -> Verdict:
    if entrant is None:
        return not_tested("no record of dt-net")
    if len(entrant.seeds) < LEAST_SEEDS:
        return not_tested(f"{len(entrant.seeds)} seed of {entrant.recipe}")
    cell = widest(entrant)
    return above(deviation(entrant.right(cell)), LARGE, f"{entrant.recipe} on {cell}")


def _numbers(values: np.ndarray) -> list[str]:
    return [f"{100 * value:.1f}" for value in (values.min(), values.mean(), values.max())]


def _widest_text(entrant: Entrant) -> list[str]:
    if len(entrant.records) < LEAST_SEEDS:
        return [NOTHING] * 5
    cell = widest(entrant)
    right = entrant.right(cell)
    found = deviation(right)
    return [cell, *_numbers(right.mean(axis=1)), f"{100 * found.value:.1f} ({found.interval})"]
