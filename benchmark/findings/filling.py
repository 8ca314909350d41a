"""Finding 4: whether DT-Net imitates dead-end filling, asked where that can be told: on mazes with cycles.

On a tree dead-end filling is always right, so that agreeing with it there is being right and nothing more. A cycle has
no dead end: it is never filled, so that on a maze with one the algorithm is always wrong, and agreeing is imitation.
"""

from dataclasses import replace

import numpy as np

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure, mean_share, ratio
from extramaze.findings.finding import NOTHING, STUDY, Claim, Finding, Table, shown, table, who
from extramaze.findings.judging import judge_answers
from extramaze.findings.ladders import FEWEST
from extramaze.findings.pools import Pool
from extramaze.findings.verdicts import Verdict, above
from extramaze.mazes.scores import Failure

PUBLISHED = 0.988  # of 143,000 mazes, trees among them
MOST = 0.9
HALF = 0.5
LARGEST = 29  # of the study's grid
Cyclic = dict[str, np.ndarray]  # cell → which of its mazes have a cycle, bool (N,)


def filling(pool: Pool) -> Finding:
    """Judge agreement with dead-end filling on mazes with cycles."""
    cyclic, grid = with_cycles(pool), _grid(pool)
    missing = f"no such cell has {FEWEST} mazes with cycles"
    where = f"on mazes with at least one cycle, in the cells of size 9 to {LARGEST} with percolation"
    claims = (
        Claim(
            f"DT-Net's output equals dead-end filling's on {PUBLISHED:.1%} of 143,000 mazes",
            f"{STUDY}; that these are sizes 5 to 29 and eleven percolations is inferred",
            f"confirmed where, {where}, more than {MOST:.0%} of the answers are the same; trees are "
            "left out, as there every right answer is the same",
            judge_answers(pool, "dt-net", cyclic, missing, lambda e: _same(e, cyclic, grid)),
            headline=True,
        ),
        Claim(
            "Where DT-Net is wrong, it answers as dead-end filling does",
            f"our reading of {STUDY}; no figure is published for failures alone",
            f"confirmed where, {where}, over {HALF:.0%} of the wrong answers are the same",
            judge_answers(
                pool,
                "dt-net",
                cyclic,
                missing,
                lambda e: above(wrong_as(e, cyclic)[0], HALF, f"of {e.name}'s wrong answers"),
            ),
        ),
    )
    answerers = pool.in_tables(pool.answerers)
    compared = [e for e in pool.plain if e.name in ("wavefront", "dead-end-filling") and e not in answerers]
    return Finding(
        "Dead-end filling",
        claims,
        (*_overall([*answerers, *compared] if answerers else [], cyclic), *_by_cell(pool, cyclic)),
        (
            f"Dead-end filling leaves every cycle standing, and so is always wrong on these mazes. “{Failure.LOOP}” "
            "(start and goal joined, a loop somewhere in the answer) is the looser form of the same habit.",
        ),
        tuple(pool.answerers),
    )


def _grid(pool: Pool) -> list[str]:
    """Return the cells most like the study's grid: depth-first trees, with and without percolation."""
    return [
        cell.name
        for cell in pool.cells
        if (spec := cell.maze_spec).algorithm == "dfs"
        if not (spec.cycles or spec.braid or spec.max_path or spec.min_path > 1)
        if spec.size <= LARGEST and spec.start in ("deadend", "any")
    ]


def with_cycles(pool: Pool) -> Cyclic:
    """Return the mazes with cycles of the cells most like the study's grid."""
    found = {cell: pool.entrants[0].column(cell, "cycles")[0] > 0 for cell in _grid(pool)}
    return {cell: mask for cell, mask in found.items() if mask.sum() >= FEWEST}


def equal_to_filling(entrant: Entrant, cyclic: Cyclic) -> list[np.ndarray]:
    """Return which answers equal dead-end filling's on the mazes with cycles of each cell, float (S, N)."""
    return [entrant.column(cell, "as_dead_end_filling")[:, mask].astype(float) for cell, mask in cyclic.items()]


def same_share(entrant: Entrant, cyclic: Cyclic) -> Figure:
    """Return the share of the answers, on all mazes with cycles together, that equal dead-end filling's."""
    return mean_share([np.concatenate(equal_to_filling(entrant, cyclic), axis=1)], entrant.trained)


def _same(entrant: Entrant, cyclic: Cyclic, grid: list[str]) -> Verdict:
    """Judge mazes with cycles, and say beside it what the share is over all mazes of such cells, trees among them."""
    verdict = above(same_share(entrant, cyclic), MOST, f"{entrant.name}, {_cells(len(cyclic))}")
    everything = [entrant.column(cell, "as_dead_end_filling").astype(float) for cell in grid]
    whole = mean_share([np.concatenate(everything, axis=1)])
    return replace(
        verdict, why=f"{verdict.why}; over all mazes of {_cells(len(grid))}, trees among them, {whole.middle}"
    )


def _cells(count: int) -> str:
    return f"{count} cell{'s' * (count != 1)}"


def wrong_as(entrant: Entrant, cyclic: Cyclic, kind: str = "") -> tuple[Figure | None, int]:
    """Return the share of the wrong answers that equal dead-end filling's, or are of a kind; and how many are wrong.

    The share is None where none is wrong.
    """
    wrong = [entrant.right(cell)[:, mask] == 0 for cell, mask in cyclic.items()]
    kinds = [entrant.column(cell, "failure")[:, mask] == kind for cell, mask in cyclic.items()]
    same = kinds if kind else [each > 0 for each in equal_to_filling(entrant, cyclic)]
    hits = np.sum([(w & s).sum(axis=1) for w, s in zip(wrong, same, strict=True)], axis=0)
    totals = np.sum([w.sum(axis=1) for w in wrong], axis=0)
    return ratio(hits, totals, entrant.trained), int(totals.sum())


def _overall(entrants: list[Entrant], cyclic: Cyclic) -> list[Table]:
    rows = []
    for entrant in entrants if cyclic else []:
        (same, wrong), (loops, _) = wrong_as(entrant, cyclic), wrong_as(entrant, cyclic, str(Failure.LOOP))
        agreeing = shown(same_share(entrant, cyclic))
        rows.append([who(entrant), agreeing, f"{wrong:,}", shown(same), shown(loops)])
    mazes = sum(int(mask.sum()) for mask in cyclic.values())
    header = ["", "same as dead-end filling", "wrong answers", "of these the same", f"of these “{Failure.LOOP}”"]
    title = f"Answers on the {mazes:,} mazes with cycles, percent; wrong answers of all seeds"
    reading = (
        "An imitator would be near dead-end-filling's row; a breadth-first search (wavefront) agrees nowhere, as every "
        "right answer must."
    )
    return table(title, reading, header, rows)


def _all_and_wrong(entrant: Entrant, cyclic: Cyclic) -> str:
    same, (wrong, _) = same_share(entrant, cyclic), wrong_as(entrant, cyclic)
    return f"{100 * same.value:.1f} ({NOTHING if wrong is None else f'{100 * wrong.value:.0f}'})"


def _by_cell(pool: Pool, cyclic: Cyclic) -> list[Table]:
    networks = pool.in_tables(e for e in pool.answerers if e.trained)
    rows = [
        [cell, str(int(mask.sum())), *(_all_and_wrong(entrant, {cell: mask}) for entrant in networks)]
        for cell, mask in cyclic.items()
    ]
    title = "Answers equal to dead-end filling's on mazes with cycles, by cell, percent (of the wrong answers)"
    reading = (
        "An imitator would agree everywhere. Where few walls are open, more of the wrong answers are the same than "
        "where many are: a share over all mazes is mostly of the latter."
    )
    return table(title, reading, ["cell", "mazes with cycles", *map(who, networks)], rows if networks else [])
