"""Finding 4: whether DT-Net imitates dead-end filling, also where it is wrong."""

import numpy as np

from extramaze.findings.figures import Figure, mean_share, ratio
from extramaze.findings.finding import STUDY, Claim, Finding, shown, table, who
from extramaze.findings.pools import Entrant, Pool
from extramaze.findings.verdicts import Verdict, above, not_tested

PUBLISHED = 0.988  # of 143,000 mazes
MOST = 0.9
HALF = 0.5
SHOWN = ("in-distribution", "size", "start", "percolation", "cycles", "dead-ends")  # axes, where a suite has them


def filling(pool: Pool) -> Finding:
    """Judge agreement with dead-end filling."""
    cells = _square(pool)
    dt = pool.named("dt-net")
    claims = (
        Claim(
            f"DT-Net's output equals dead-end filling's on {PUBLISHED:.1%} of 143,000 mazes (sizes 5 to 29 × "
            "percolations)",
            STUDY,
            f"confirmed where more than {MOST:.0%} of the answers are the same, mean over the cells of size 9 to 29 "
            "with any percolation (not the study's grid: ours has fewer sizes)",
            _same(dt, cells),
        ),
        Claim(
            "Where DT-Net is wrong, it answers as dead-end filling does",
            f"our reading of {STUDY}; no figure is published for failures alone",
            "confirmed where over half of the wrong answers in these cells equal dead-end filling's",
            _wrong_alike(dt, cells),
        ),
    )
    axes = [axis for axis in SHOWN if pool.axis(axis)]
    agreeing, failing = [], []
    for entrant in pool.plain:
        columns = [[entrant.column(cell, "as_dead_end_filling").astype(float) for cell in pool.axis(a)] for a in axes]
        agreeing.append([who(entrant), *(shown(mean_share(column, entrant.trained)) for column in columns)])
        wrong = [wrong_as_filling(entrant, pool.axis(axis)) for axis in axes]
        failing.append([who(entrant), *(f"{shown(f)} of {n:,}" if f else "none wrong" for f, n in wrong)])
    tables = [
        *table("Answers equal to dead-end filling's, mean over an axis's cells, percent", ["", *axes], agreeing),
        *table(
            "Of the wrong answers, those equal to dead-end filling's, percent (of all seeds' wrong)",
            ["", *axes],
            failing,
        ),
    ]
    rows = [
        [cell, *(f"{100 * e.column(cell, 'as_dead_end_filling').mean():.1f}" for e in pool.networks)] for cell in cells
    ]
    tables += table("Answers equal to dead-end filling's by cell, percent", ["", *map(who, pool.networks)], rows)
    return Finding(
        "Dead-end filling",
        claims,
        tuple(tables),
        ("Where both are right, agreement says little: on a tree, dead-end filling is always right.",),
        tuple(entrant.recipe for entrant in pool.plain),
    )


def _square(pool: Pool) -> list[str]:
    """Return the cells that are most like the study's grid: depth-first trees of size up to 29 with percolation."""
    specs = [(cell.name, cell.maze_spec) for cell in pool.cells]
    plain = [
        (name, spec)
        for name, spec in specs
        if spec.algorithm == "dfs" and not (spec.cycles or spec.braid or spec.max_path or spec.min_path > 1)
    ]
    return [name for name, spec in plain if spec.size <= 29 and spec.start in ("deadend", "any")]


def _same(entrant: Entrant | None, cells: list[str]) -> Verdict:
    if entrant is None or not cells:
        return not_tested("no record of dt-net" if entrant is None else "none of these cells was run")
    agree = [entrant.column(cell, "as_dead_end_filling").astype(float) for cell in cells]
    return above(mean_share(agree), MOST, f"{entrant.recipe}, {len(cells)} cells")


def _wrong_alike(entrant: Entrant | None, cells: list[str]) -> Verdict:
    if entrant is None or not cells:
        return not_tested("no record of dt-net" if entrant is None else "none of these cells was run")
    return above(wrong_as_filling(entrant, cells)[0], HALF, f"of {entrant.recipe}'s wrong answers")


def wrong_as_filling(entrant: Entrant, cells: list[str]) -> tuple[Figure | None, int]:
    """Return the share of the wrong answers that equal dead-end filling's, None where none is wrong, and their "
    "number."""
    wrong = [entrant.right(cell) == 0 for cell in cells]
    same = [entrant.column(cell, "as_dead_end_filling").astype(bool) for cell in cells]
    hits = np.sum([(w & s).sum(axis=1) for w, s in zip(wrong, same, strict=True)], axis=0)
    totals = np.sum([w.sum(axis=1) for w in wrong], axis=0)
    return ratio(hits, totals, entrant.trained), int(totals.sum())
