"""Finding 2: starts that need not be dead ends."""

from typing import Any

from extramaze.findings.figures import fall, mean_share
from extramaze.findings.finding import STUDY, Claim, Finding, noise_note, shown, table, who
from extramaze.findings.pools import Entrant, Pool
from extramaze.findings.sizes import TRACE
from extramaze.findings.verdicts import Verdict, Word, above, not_tested

PUBLISHED = {"dt-net": 0.28, "pi-net": 0.06}  # falls at 9×9: 1.00 → .72 and 1.00 → .94
DEGREES = {"deadend": "1", 2: "2", 3: "3", 4: "4", "any": "any"}


def starts(pool: Pool) -> Finding:
    """Judge starts that are not dead ends."""
    cells = pool.ladder("start")
    dt, pi = pool.named("dt-net"), pool.named("pi-net")
    half = "confirmed where the fall from a dead-end start to any is over half of the published one ({:.1f} points)"
    claims = (
        Claim(
            "DT-Net falls from 1.00 to .72 at 9×9 when the start need not be a dead end",
            STUDY,
            half.format(50 * PUBLISHED["dt-net"]),
            _published_fall(dt, cells, "dt-net"),
        ),
        Claim(
            "PI-Net falls from 1.00 to .94 at 9×9 when the start need not be a dead end",
            STUDY,
            half.format(50 * PUBLISHED["pi-net"]),
            _published_fall(pi, cells, "pi-net"),
        ),
        Claim(
            "Accuracy falls monotonically with the degree of the start",
            f"{STUDY} (public reviews)",
            f"of DT-Net: confirmed where the fall from degree 1 to degree 4 is over {TRACE:.0%} and no step from one "
            "degree to the next rises beyond its interval",
            falls(dt, {DEGREES[k]: c for k, c in cells.items() if k != "any"}, "degree", 4),
        ),
    )
    rows = [
        [who(entrant), *(shown(mean_share([entrant.right(cell)], entrant.trained)) for cell in cells.values())]
        for entrant in pool.plain
    ]
    title = "Optimal answers at the last rung by the start's open neighbours, percent"
    return Finding(
        "Starts that are not dead ends",
        claims,
        tuple(table(title, ["", *(DEGREES[key] for key in cells)], rows if cells else [])),
        (noise_note(pool.networks, list(cells.values())),) if cells else ("This suite has no ladder of starts.",),
        tuple(entrant.recipe for entrant in pool.plain),
    )


def _published_fall(entrant: Entrant | None, cells: dict[Any, str], family: str) -> Verdict:
    if entrant is None or not {"deadend", "any"} <= set(cells):
        return not_tested(f"no record of {family}" if entrant is None else "both kinds of start were not run")
    both = cells["deadend"], cells["any"]
    figure = fall(entrant.right(both[0]), entrant.right(both[1]), entrant.trained, entrant.noise(both))
    return above(figure, PUBLISHED[family] / 2, f"{entrant.recipe}'s fall")


def falls(entrant: Entrant | None, cells: dict[Any, str], what: str, steps: int) -> Verdict:
    """Judge "accuracy falls monotonically along these cells", of which there must be ``steps``."""
    if entrant is None or len(cells) < steps:
        return not_tested("no record of dt-net" if entrant is None else f"fewer than {steps} cells by {what} were run")
    names = list(cells)
    right = [entrant.right(cell) for cell in cells.values()]
    whole = fall(right[0], right[-1], entrant.trained, entrant.noise(cells.values()))
    verdict = above(whole, TRACE, f"{entrant.recipe}'s fall from {what} {names[0]} to {names[-1]}")
    for place in range(len(right) - 1):
        step = fall(right[place], right[place + 1], entrant.trained)
        if verdict.word == Word.CONFIRMED and step.high < 0:
            why = f"from {what} {names[place]} to {names[place + 1]} accuracy rises: a fall of {step}"
            return Verdict(Word.REFUTED, why)
    return verdict
