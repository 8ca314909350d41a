"""Finding 1: how far in size, and with how many iterations."""

import numpy as np

from extramaze.columns import STILL_RIGHT
from extramaze.findings.figures import fall, mean_share
from extramaze.findings.finding import NOTHING, STUDY, Claim, Finding, Table, shown, table, who
from extramaze.findings.pools import Entrant, Pool
from extramaze.findings.verdicts import Verdict, Word, above, every, not_tested

TRAINED = 9  # the size that recipes are trained on
PI_NET_LAST = 59  # up to which PI-Net is said to hold
PUBLISHED_LAST, PUBLISHED_ITERATIONS = 99, 3000
TRACE = 0.01  # a fall of less than one point is not what a paper calls a decline


def sizes(pool: Pool) -> Finding:
    """Judge extrapolation in size."""
    cells = {size: cell for size, cell in pool.ladder("size").items() if size >= TRAINED}
    dt, it, pi = (pool.named(family) for family in ("dt-net", "it-net", "pi-net"))
    larger = f"confirmed where at the smallest tested size above {TRAINED} more than {STILL_RIGHT:.0%} are optimal"
    claims = (
        Claim("A DT-Net trained on 9×9 mazes solves larger ones", STUDY, larger, _larger(dt, cells, "dt-net")),
        Claim("An IT-Net trained on 9×9 mazes solves larger ones", STUDY, larger, _larger(it, cells, "it-net")),
        Claim(
            f"DT-Net solves every maze of size 9 to {PUBLISHED_LAST} within {PUBLISHED_ITERATIONS:,} iterations",
            STUDY,
            f"confirmed where more than {STILL_RIGHT:.0%} are optimal at every size up to {PUBLISHED_LAST}; refuted "
            f"where at one fewer are, after at least {PUBLISHED_ITERATIONS:,} iterations; not tested where sizes or "
            "iterations end before",
            _all_sizes(dt, cells),
        ),
        Claim(
            f"PI-Net holds up to size {PI_NET_LAST} and declines above",
            STUDY,
            f"confirmed where at the largest tested size up to {PI_NET_LAST} more than {STILL_RIGHT:.0%} are optimal, "
            f"and at the largest of all over {TRACE:.0%} fewer",
            _declines(pi, cells),
        ),
    )
    tables = [*_accuracy(pool, cells), *_first_right(pool, cells)]
    for entrant in (dt, it, pi):
        tables += _by_rung(entrant, cells) if entrant else []
    last = pool.suite.iterations[-1]
    notes = [f"Networks run {last:,} iterations on this suite; accuracy is read at the last, never at the best rung."]
    return Finding(
        "Larger mazes",
        claims,
        tuple(tables),
        tuple(notes) if cells else ("This suite has no ladder of sizes.",),
        tuple(entrant.recipe for entrant in pool.plain),
    )


def _larger(entrant: Entrant | None, cells: dict[int, str], name: str) -> Verdict:
    beyond = [size for size in cells if size > TRAINED]
    if entrant is None or not beyond:
        return not_tested(f"no record of {name}" if entrant is None else "no larger size was run")
    return above(mean_share([entrant.right(cells[beyond[0]])]), STILL_RIGHT, f"{entrant.recipe} at size {beyond[0]}")


def _all_sizes(entrant: Entrant | None, cells: dict[int, str]) -> Verdict:
    if entrant is None or not cells:
        return not_tested("no record of dt-net" if entrant is None else "no ladder of sizes was run")
    each = [
        above(mean_share([entrant.right(c)]), STILL_RIGHT, f"{entrant.recipe} at size {s}") for s, c in cells.items()
    ]
    verdict = every(*each)
    last = min(entrant.rungs(cell)[-1] for cell in cells.values())
    if verdict.word == Word.CONFIRMED:
        why = f"above {STILL_RIGHT:.0%} at every size up to {max(cells)}; {each[-1].why}"
        return (
            Verdict(verdict.word, why)
            if max(cells) >= PUBLISHED_LAST
            else not_tested(f"larger ones were not run; {why}")
        )
    if verdict.word == Word.REFUTED and last < PUBLISHED_ITERATIONS:
        return not_tested(f"the ladder ends at {last:,} iterations; there, {verdict.why}")
    return verdict


def _declines(entrant: Entrant | None, cells: dict[int, str]) -> Verdict:
    held, beyond = ([s for s in cells if (s <= PI_NET_LAST) == small] for small in (True, False))
    if entrant is None or not held or not beyond:
        return not_tested(
            "no record of pi-net" if entrant is None else f"sizes on both sides of {PI_NET_LAST} were not run"
        )
    before, after = entrant.right(cells[held[-1]]), entrant.right(cells[beyond[-1]])
    return every(
        above(mean_share([before]), STILL_RIGHT, f"{entrant.recipe} at size {held[-1]}"),
        above(fall(before, after), TRACE, f"its fall from size {held[-1]} to {beyond[-1]}"),
    )


def _accuracy(pool: Pool, cells: dict[int, str]) -> list[Table]:
    rows = []
    for entrant in pool.plain:
        figures = [mean_share([entrant.right(cell)], entrant.trained) for cell in cells.values()]
        held = [size for size, f in zip(cells, figures, strict=True) if f.value >= STILL_RIGHT]
        unbroken = [size for size, expected in zip(held, cells, strict=False) if size == expected]
        rows.append([who(entrant), *map(shown, figures), str(unbroken[-1]) if unbroken else NOTHING])
    title = "Optimal answers at the last rung by size, percent"
    counts = {cell: pool.entrants[0].right(cell).shape[1] for cell in cells.values()}
    header = ["", *(f"{size} ({counts[cell]:,} mazes)" for size, cell in cells.items()), f"≥ {STILL_RIGHT:.0%} up to"]
    return table(title, header, rows if cells else [])


def _first_right(pool: Pool, cells: dict[int, str]) -> list[Table]:
    rows = []
    for entrant in pool.plain:
        medians = []
        for cell in cells.values():
            first = np.concatenate([t[cell]["first_right"].cast(float).fill_null(np.inf) for t in entrant.tables])
            middle = float(np.median(first))
            medians.append(f"{middle:,.0f}" if np.isfinite(middle) else "never")
        rows.append([who(entrant), *medians])
    title = (
        "Iterations at the first right rung: median over seeds and mazes (a maze never right counts as later than any)"
    )
    return table(title, ["", *map(str, cells)], rows if cells else [])


def _by_rung(entrant: Entrant, cells: dict[int, str]) -> list[Table]:
    rungs = sorted({rung for cell in cells.values() for rung in entrant.rungs(cell)})
    rows = []
    for size, cell in cells.items():
        shares = {
            rung: f"{100 * entrant.right(cell, rung=place).mean():.1f}"
            for place, rung in enumerate(entrant.rungs(cell))
        }
        rows.append([str(size), *(shares.get(rung, NOTHING) for rung in rungs)])
    return table(f"{who(entrant)}: optimal answers by iterations, percent", ["size", *(f"{r:,}" for r in rungs)], rows)
