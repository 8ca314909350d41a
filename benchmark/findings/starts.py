"""Finding 2: starts that need not be dead ends."""

from functools import partial

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import fall
from extramaze.findings.finding import STUDY, Claim, Finding, noise_note
from extramaze.findings.judging import judge_answers
from extramaze.findings.ladders import FEWEST, MONOTONE, Ladder, by_cell, by_column, falls, ladder_table
from extramaze.findings.pools import FAMILIES, Pool
from extramaze.findings.verdicts import Verdict, above

PUBLISHED = {"dt-net": 0.28, "pi-net": 0.06}  # falls at 9×9: 1.00 → .72 and 1.00 → .94
TEXTS = {"dt-net": "1.00 to .72", "pi-net": "1.00 to .94"}
DEGREES = {"deadend": 1, 2: 2, 3: 3, 4: 4}
LEAST = 3  # degrees, from which a trend is judged


def starts(pool: Pool) -> Finding:
    """Judge starts that are not dead ends."""
    cells = pool.ladder("start")
    kinds = {"a dead end": cells["deadend"], "any": cells["any"]} if {"deadend", "any"} <= set(cells) else {}
    degrees = _degrees(pool)
    claims = (
        *(
            Claim(
                f"{FAMILIES[family]} falls from {TEXTS[family]} at 9×9 when the start need not be a dead end",
                STUDY,
                "confirmed where the fall from a dead-end start to any is over half of the published one "
                f"({50 * published:.1f} points)",
                judge_answers(
                    pool,
                    family,
                    kinds,
                    "both kinds of start were not run",
                    partial(_published_fall, cells=list(kinds.values()), published=published),
                ),
                headline=True,
            )
            for family, published in PUBLISHED.items()
        ),
        Claim(
            "DT-Net's accuracy falls monotonically with the degree of the start",
            f"{STUDY} (public reviews)",
            f"confirmed where, over the degrees of which there are mazes enough (at least {LEAST}), {MONOTONE}",
            judge_answers(
                pool,
                "dt-net",
                list(degrees.groups)[LEAST - 1 :],
                f"fewer than {LEAST} degrees have {FEWEST} mazes",
                lambda e: falls(e, degrees, "degree"),
            ),
            headline=True,
        ),
    )
    answerers = pool.in_tables(pool.answerers)
    tables = [
        *ladder_table(
            by_cell(pool, kinds, "start"),
            answerers,
            "Optimal answers at the last rung, percent",
            "Networks are trained on starts in dead ends: a fall to the right is what the new starts cost.",
        ),
        *ladder_table(
            degrees,
            answerers,
            "Optimal answers by the start's number of open neighbours, percent",
            "Degree 1 is a dead end; a solver that looks for dead ends should lose with every further neighbour.",
        ),
    ]
    notes = noise_note(pool.networks, list(cells.values())) if cells else ["This suite has no ladder of starts."]
    return Finding("Starts that are not dead ends", claims, tuple(tables), tuple(notes), tuple(pool.answerers))


def _degrees(pool: Pool) -> Ladder:
    """Return mazes by the degree of their start: a suite's cells of them, or the rows of cells that start anywhere."""
    cells = pool.ladder("start")
    own = {DEGREES[key]: cell for key, cell in cells.items() if key in DEGREES}
    if len(own) >= LEAST:
        return by_cell(pool, own, "degree of the start")
    anywhere = [cells["any"]] if "any" in cells else []
    return by_column(pool, anywhere, "start_degree", f"degree of the start, in {', '.join(anywhere)}")


def _published_fall(entrant: Entrant, cells: list[str], published: float) -> Verdict:
    first, second = (entrant.right(cell) for cell in cells)
    figure = fall(first, second, entrant.trained, entrant.noise(cells))
    return above(figure, published / 2, f"{entrant.name}'s fall")
