"""Finding 8: how far apart the seeds of one recipe are."""

import numpy as np
from scipy.stats import chi2

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure
from extramaze.findings.finding import NOTHING, Claim, Finding, table, who
from extramaze.findings.judging import judge_answers
from extramaze.findings.pools import Pool
from extramaze.findings.verdicts import LEAST_SEEDS, Verdict, above, not_tested, undecided
from extramaze.leaderboard.score import record_score
from extramaze.statistics import CONFIDENCE

LARGE = 0.1
PUBLISHED_SIZE = 31
MIDDLE = (0.2, 0.8)  # mean accuracies between which seeds have room to differ
ENOUGH = 20  # seeds below which two bumps and one cannot be told apart
SECOND_HAND = "second-hand, its first source not seen: DT-Net at 31×31, 2 seeds, 73.9 ± 26.0 %"


def spread(pool: Pool) -> Finding:
    """Judge the spread between seeds."""
    cells = pool.ladder("size")
    nearest = min(cells, key=lambda size: abs(size - PUBLISHED_SIZE), default=0)
    cell = cells.get(nearest, "")
    claim = Claim(
        "Seeds of one DT-Net recipe differ widely",
        SECOND_HAND,
        f"confirmed where, at the tested size nearest {PUBLISHED_SIZE}, the standard deviation between seeds, less "
        f"what so few mazes bring, is over {LARGE:.0%} (95 % interval of a normal law); undecided where the mean is "
        f"outside {MIDDLE[0]:.0%} to {MIDDLE[1]:.0%}, as at a floor or a ceiling seeds cannot differ",
        judge_answers(
            pool,
            "dt-net",
            cells,
            "no ladder of sizes was run",
            lambda e: _differ(e, cell, nearest),
        ),
    )
    rows = []
    for entrant in pool.in_tables(e for e in pool.entrants if len(e.seeds) >= LEAST_SEEDS):
        scores = np.array([record_score(record) for record in entrant.records])
        rows.append([who(entrant), *_numbers(scores), f"{100 * scores.std(ddof=1):.1f}", *_at(entrant, cell)])
    at = f"size {nearest}" if cell else "no size"
    header = ["", "score: min", "mean", "max", "sd", f"{at}: min", "mean", "max", "sd beyond mazes"]
    most = max((len(e.seeds) for e in pool.entrants), default=0)
    note = (
        f"Whether seeds fall into two groups cannot be told from so few: {most} at most here, and about {ENOUGH} "
        "would be needed."
        if most < ENOUGH
        else f"Up to {most} seeds: enough to look for two groups, which this page does not test."
    )
    title = f"Score (mean of the hard axes) and accuracy at {at} over the seeds of a recipe, percent"
    reading = "One seed's number is one draw from such a range."
    return Finding(
        "Seeds of one recipe differ",
        (claim,),
        tuple(table(title, reading, header, rows)),
        (note,),
        tuple(e for e in pool.entrants if len(e.seeds) >= LEAST_SEEDS),
    )


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


def _differ(entrant: Entrant, cell: str, size: int) -> Verdict:
    right = entrant.right(cell)
    if len(right) < LEAST_SEEDS:
        return not_tested(f"one seed of {entrant.name} has no spread")
    verdict, mean = above(deviation(right), LARGE, f"{entrant.name}'s deviation at size {size}"), right.mean()
    if not MIDDLE[0] <= mean <= MIDDLE[1]:
        return undecided(f"at a {'floor' if mean < MIDDLE[0] else 'ceiling'} (mean {mean:.1%})", verdict)
    return verdict


def _numbers(values: np.ndarray) -> list[str]:
    return [f"{100 * value:.1f}" for value in (values.min(), values.mean(), values.max())]


def _at(entrant: Entrant, cell: str) -> list[str]:
    if not cell:
        return [NOTHING] * 4
    right = entrant.right(cell)
    found = deviation(right)
    interval = f" ({found.interval})" if len(right) > LEAST_SEEDS else ""
    return [*_numbers(right.mean(axis=1)), f"{100 * found.value:.1f}{interval}"]
