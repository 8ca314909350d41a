"""Finding 3: mazes with cycles, and how much of the fall is the scoring rule's."""

import numpy as np

from extramaze.findings.figures import Figure, fall, mean_share
from extramaze.findings.finding import NEW, STUDY, Claim, Finding, Table, noise_note, shown, table, who
from extramaze.findings.pools import Entrant, Pool
from extramaze.findings.sizes import TRACE
from extramaze.findings.starts import falls
from extramaze.findings.verdicts import Verdict, above, below, not_tested
from extramaze.record_schema import KINDS

FEW = 0.1  # the percolation at which claims are judged
HALF = 0.5


def cycles(pool: Pool) -> Finding:
    """Judge percolation and exact numbers of cycles."""
    percolation, exact = pool.ladder("percolation"), pool.ladder("cycles")
    dt, pi = pool.named("dt-net"), pool.named("pi-net")
    rule = f"confirmed where, at 9×9 and percolation {FEW}, fewer than half of the mazes are solved optimally"
    claims = (
        Claim("DT-Net collapses quickly for percolation above 0", STUDY, rule, _collapse(dt, percolation, "dt-net")),
        Claim("PI-Net collapses quickly for percolation above 0", STUDY, rule, _collapse(pi, percolation, "pi-net")),
        Claim(
            "DT-Net's accuracy falls with the exact number of cycles",
            NEW,
            f"confirmed where the fall from none to the most is over {TRACE:.0%} and no step rises beyond its interval",
            falls(dt, exact, "number of cycles", 3),
        ),
        Claim(
            "DT-Net's fall with cycles is not the scoring rule's",
            NEW,
            f"the fall from percolation 0 to {FEW} counted by valid answers (any path, however long) less half of the "
            "fall counted by exact ones (the stored path): confirmed where that is above 0",
            _not_scoring(dt, percolation),
        ),
    )
    tables = [
        *_table(pool, percolation, "percolation, 9×9"),
        *_table(pool, exact, "number of cycles beside the tree"),
        *(_scores(dt, percolation, "percolation") if dt else []),
        *(_scores(dt, exact, "cycles") if dt else []),
    ]
    notes = [noise_note(pool.networks, [*percolation.values(), *exact.values()])]
    return Finding(
        "Mazes with cycles",
        claims,
        tuple(tables),
        tuple(notes) if percolation or exact else ("This suite has no ladder of cycles.",),
        tuple(entrant.recipe for entrant in pool.plain),
    )


def _collapse(entrant: Entrant | None, cells: dict[float, str], family: str) -> Verdict:
    if entrant is None or FEW not in cells:
        return not_tested(f"no record of {family}" if entrant is None else f"percolation {FEW} was not run")
    figure = mean_share([entrant.right(cells[FEW])], entrant.trained)
    return below(figure, HALF, f"{entrant.recipe} at percolation {FEW}")


def _not_scoring(entrant: Entrant | None, cells: dict[float, str]) -> Verdict:
    if entrant is None or not {0.0, FEW} <= set(cells):
        return not_tested("no record of dt-net" if entrant is None else f"percolation 0 and {FEW} were not run")

    def mixed(cell: str) -> np.ndarray:
        return entrant.right(cell, "valid") - HALF * entrant.right(cell, "exact")

    both = cells[0.0], cells[FEW]
    figure: Figure = fall(mixed(both[0]), mixed(both[1]), entrant.trained, entrant.noise(both))
    return above(figure, 0.0, f"{entrant.recipe}'s fall in valid answers less half of that in exact ones")


def _table(pool: Pool, cells: dict, what: str) -> list[Table]:
    rows = [
        [who(entrant), *(shown(mean_share([entrant.right(cell)], entrant.trained)) for cell in cells.values())]
        for entrant in pool.plain
    ]
    title = f"Optimal answers at the last rung by {what}, percent"
    return table(title, ["", *map(str, cells)], rows if cells else [])


def _scores(entrant: Entrant, cells: dict, what: str) -> list[Table]:
    rows = [[kind, *(shown(mean_share([entrant.right(cell, kind)])) for cell in cells.values())] for kind in KINDS]
    title = f"{who(entrant)}: the same by scoring rule (exact: the stored path; optimal: any shortest; valid: any path)"
    return table(title, [what, *map(str, cells)], rows if cells else [])
