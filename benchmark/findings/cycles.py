"""Finding 3: mazes with cycles, and how much of the fall is the scoring rule's."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from extramaze.findings.entrants import Entrant
from extramaze.findings.errors import worst
from extramaze.findings.figures import fall, mean_share
from extramaze.findings.finding import NEW, STUDY, Claim, Finding, Table, noise_note, shown, table, who
from extramaze.findings.judging import judge_answers
from extramaze.findings.ladders import FEWEST, MONOTONE, Ladder, by_cell, by_column, falls, ladder_table
from extramaze.findings.pools import FAMILIES, Pool
from extramaze.findings.verdicts import Verdict, Word, above, not_tested, undecided
from extramaze.leaderboard.columns import STILL_RIGHT

FEW = 0.1  # the percolation at which claims are judged
HALF = 0.5
LEAST = 3  # numbers of cycles, from which a trend is judged
SCORING = {"exact": "the stored path", "optimal": "any shortest", "valid": "any path"}
TWIGS = "The study's valid answers may have dead-end twigs beside the path; ours may not."


def cycles(pool: Pool) -> Finding:
    """Judge percolation and exact numbers of cycles."""
    percolation, exact = by_cell(pool, pool.ladder("percolation"), "percolation, 9×9"), _exact(pool)
    both = [0.0, FEW] if {0.0, FEW} <= set(percolation.groups) else []
    missing = f"percolation 0 and {FEW} were not run"
    claims = (
        *(
            Claim(
                f"{FAMILIES[family]} collapses quickly for percolation above 0",
                STUDY,
                f"confirmed where, at 9×9, optimal answers fall by more than half of all mazes from percolation 0 to "
                f"those mazes at {FEW} that have a cycle (the others are trees as well); undecided where at 0 they "
                f"are not surely above {STILL_RIGHT:.0%}, as then there is nothing to fall from",
                judge_answers(pool, family, both, missing, lambda e: _collapse(e, percolation)),
                headline=True,
            )
            for family in ("dt-net", "pi-net")
        ),
        Claim(
            "DT-Net's accuracy falls with the exact number of cycles",
            NEW,
            f"confirmed where {MONOTONE}",
            judge_answers(
                pool,
                "dt-net",
                list(exact.groups)[LEAST - 1 :],
                f"fewer than {LEAST} numbers of cycles were run",
                lambda e: falls(e, exact, "number of cycles"),
            ),
        ),
        Claim(
            "DT-Net's fall with cycles is mostly not the scoring rule's",
            NEW,
            f"confirmed where the fall from percolation 0 to {FEW} counted by valid answers (any path, however long) "
            "is over half of the fall counted by exact ones (the stored path): judged is the one less half the other",
            judge_answers(pool, "dt-net", both, missing, lambda e: _not_scoring(e, percolation)),
        ),
    )
    answerers = pool.in_tables(pool.answerers)
    families = pool.families(answerers)
    tables = [
        *ladder_table(
            percolation,
            answerers,
            "Optimal answers at the last rung by percolation, percent",
            "Trees are on the left; every further wall opened by chance makes a cycle.",
        ),
        *ladder_table(
            exact,
            answerers,
            "Optimal answers by the exact number of cycles, percent",
            "One cycle is the smallest step off the training mazes; a breadth-first search loses nothing.",
        ),
        *_scores(families, percolation),
        *_scores(families, exact),
    ]
    notes = [*noise_note(pool.networks, percolation.cells), TWIGS]
    return Finding(
        "Mazes with cycles",
        claims,
        tuple(tables),
        tuple(notes) if len(percolation) else ("This suite has no ladder of percolation.",),
        tuple(pool.answerers),
    )


def _exact(pool: Pool) -> Ladder:
    """Return mazes by their number of cycles: a suite's cells of them, or the rows of its percolated cells."""
    own = pool.ladder("cycles")
    if len(own) >= LEAST:
        return by_cell(pool, own, "cycles beside the tree")
    return by_column(pool, list(pool.ladder("percolation").values()), "cycles", "cycles, in the percolated cells")


def _collapse(entrant: Entrant, percolation: Ladder) -> Verdict:
    trees, few = percolation.right(entrant, 0.0), _with_cycles(entrant, percolation, FEW)
    if few.shape[1] < FEWEST:
        return not_tested(f"fewer than {FEWEST} mazes of percolation {FEW} have cycles")
    base = above(mean_share([trees], entrant.trained), STILL_RIGHT, f"{entrant.name} at percolation 0")
    what = f"{entrant.name}'s fall from percolation 0 to mazes with cycles at {FEW}"
    verdict = above(fall(trees, few, entrant.trained, entrant.noise(percolation.cells)), HALF, what)
    if base.word != Word.CONFIRMED and verdict.word in (Word.CONFIRMED, Word.REFUTED):
        return undecided(f"there is little to fall from: {base.why}", verdict)
    return replace(verdict, p=worst([base.p, verdict.p]))


def _with_cycles(entrant: Entrant, percolation: Ladder, value: float) -> np.ndarray:
    """Return which mazes of a percolation that have a cycle are right, float (S, N)."""
    cyclic = np.concatenate([entrant.column(cell, "cycles")[0][mask] > 0 for cell, mask in percolation.groups[value]])
    return percolation.right(entrant, value)[:, cyclic]


def _not_scoring(entrant: Entrant, percolation: Ladder) -> Verdict:
    def mixed(value: float) -> np.ndarray:
        return percolation.right(entrant, value, "valid") - HALF * percolation.right(entrant, value, "exact")

    figure = fall(mixed(0.0), mixed(FEW), entrant.trained, entrant.noise(percolation.cells))
    return above(figure, 0.0, f"{entrant.name}'s fall in valid answers less half of that in exact ones")


def _scores(entrants: Iterable[Entrant], ladder: Ladder) -> list[Table]:
    rows = [
        [who(entrant), kind, *(shown(mean_share([ladder.right(entrant, v, kind)])) for v in ladder.groups)]
        for entrant in entrants
        for kind in SCORING
    ]
    title = f"Right answers by scoring rule, percent ({'; '.join(f'{kind}: {what}' for kind, what in SCORING.items())})"
    reading = "A fall that only a solver's first row shows is the rule's; one that all three show is the solver's."
    return table(title, reading, ["", f"{ladder.what} (mazes)", *ladder.header()], rows if len(ladder) else [])
