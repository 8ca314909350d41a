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
        "confirmed where, on the cell of the largest spread, the standard deviation between seeds is over "
        f"{LARGE:.0%} (its "
        "95 % interval is that of a normal law; choosing the cell makes the spread look larger than it is)",
        _differ(dt),
    )
    rows = []
    for entrant in (e for e in pool.entrants if e.trained):
        scores = np.array([record_score(record) for record in entrant.records])
        rows.append([who(entrant), *_numbers(scores), *_widest_text(entrant)])
    header = ["", "score: min", "mean", "max", "sd", "cell of the largest spread", "min", "mean", "max", "sd"]
    most = max((len(e.seeds) for e in pool.entrants), default=0)
    note = (
        f"Whether seeds fall into two groups cannot be told from so few: {most} at most here, and about {ENOUGH} "
        "would be "
        "needed."
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


def widest(entrant: Entrant) -> tuple[str, np.ndarray]:
    """Return the cell whose accuracy differs most between seeds, and that accuracy (S,)."""
    cells = [cell.name for cell in entrant.records[0].summary.cells]
    accuracy = {cell: entrant.right(cell).mean(axis=1) for cell in cells}
    cell = max(cells, key=lambda name: float(accuracy[name].std()))
    return cell, accuracy[cell]


def deviation(values: np.ndarray, mazes: int) -> Figure:
    """Return the standard deviation of values (S,), S at least 2, with the 95 % interval of a normal law."""
    freedom, tail = len(values) - 1, (1 - CONFIDENCE) / 2
    sd = float(values.std(ddof=1))
    low, high = (sd * np.sqrt(freedom / chi2.ppf(q, freedom)) for q in (1 - tail, tail))
    return Figure(sd, float(low), float(high), "points", len(values), mazes)


def _differ(entrant: Entrant | None) -> Verdict:
    if entrant is None:
        return not_tested("no record of dt-net")
    if len(entrant.seeds) < LEAST_SEEDS:
        return not_tested(f"{len(entrant.seeds)} seed of {entrant.recipe}")
    cell, values = widest(entrant)
    return above(deviation(values, entrant.right(cell).shape[1]), LARGE, f"{entrant.recipe} on {cell}")


def _numbers(values: np.ndarray) -> list[str]:
    sd = f"{100 * values.std(ddof=1):.1f}" if len(values) > 1 else NOTHING
    return [*(f"{100 * v:.1f}" for v in (values.min(), values.mean(), values.max())), sd]


def _widest_text(entrant: Entrant) -> list[str]:
    if len(entrant.records) < LEAST_SEEDS:
        return [NOTHING] * 5
    cell, values = widest(entrant)
    return [cell, *_numbers(values)]
