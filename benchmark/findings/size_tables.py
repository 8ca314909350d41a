"""The tables of finding 1: accuracy by size, by iterations and by inference."""

import numpy as np

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import mean_share
from extramaze.findings.finding import NOTHING, Table, shown, table, who
from extramaze.findings.pools import Pool
from extramaze.leaderboard.columns import STILL_RIGHT


def held_up_to(entrant: Entrant, cells: dict[int, str], rung: int = -1) -> int | None:
    """Return the size up to which STILL_RIGHT is held at every size at a rung; None where at the first it is not."""
    held = None
    for size, cell in cells.items():
        if mean_share([entrant.right(cell, rung=rung)], entrant.trained).value < STILL_RIGHT:
            break
        held = size
    return held


def size_tables(pool: Pool, cells: dict[int, str]) -> list[Table]:
    """Write all of them; none without a ladder of sizes."""
    if not cells:
        return []
    answerers = pool.in_tables(pool.answerers)
    tables = [*_accuracy(pool, answerers, cells), *_first_right(answerers, cells)]
    families = pool.families(answerers)
    return [*tables, *_by_rung(families, cells), *_overthought(pool, answerers), *_inferences(pool)]


def _accuracy(pool: Pool, entrants: list[Entrant], cells: dict[int, str]) -> list[Table]:
    counts = {cell: pool.count(cell) for cell in cells.values()}
    rows = [
        [
            who(entrant),
            *(shown(mean_share([entrant.right(cell)], entrant.trained)) for cell in cells.values()),
            str(held_up_to(entrant, cells) or NOTHING),
        ]
        for entrant in entrants
    ]
    header = ["size (mazes)", *(f"{s} ({counts[cell]:,})" for s, cell in cells.items()), f"≥ {STILL_RIGHT:.0%} up to"]
    title = "Optimal answers at the last rung by size, percent"
    return table(title, "Whoever extrapolates keeps its first column's share along the row.", header, rows)


def _first_right(entrants: list[Entrant], cells: dict[int, str]) -> list[Table]:
    rows = []
    for entrant in entrants:
        medians = []
        for cell in cells.values():
            first = np.concatenate([t[cell]["first_right"].cast(float).fill_null(np.inf) for t in entrant.tables])
            middle = float(np.median(first))
            medians.append(f"{middle:,.0f}" if np.isfinite(middle) else "never")
        rows.append([who(entrant), *medians])
    title = "Iterations at the first right rung, median over seeds and mazes"
    reading = "How much longer larger mazes take; a maze never right counts as later than any."
    return table(title, reading, ["size", *map(str, cells)], rows)


def _by_rung(entrants: list[Entrant], cells: dict[int, str]) -> list[Table]:
    rungs = sorted({rung for entrant in entrants for cell in cells.values() for rung in entrant.rungs(cell)})
    rows = []
    for entrant in entrants:
        for size, cell in cells.items():
            places = enumerate(entrant.rungs(cell))
            shares = {rung: f"{100 * entrant.right(cell, rung=place).mean():.1f}" for place, rung in places}
            rows.append([who(entrant), str(size), *(shares.get(rung, NOTHING) for rung in rungs)])
    title = "Optimal answers by iterations, percent"
    reading = "Shares that still rise at the right end might rise on with more iterations; falling ones overthink."
    return table(title, reading, ["", "size", *(f"{r:,}" for r in rungs)], rows)


def _overthought(pool: Pool, entrants: list[Entrant]) -> list[Table]:
    axes = list(dict.fromkeys(cell.axis for cell in pool.cells))
    rows = []
    for entrant in entrants:
        shares = []
        for axis in axes:
            found = np.concatenate([t[c]["first_right"].is_not_null() for t in entrant.tables for c in pool.axis(axis)])
            last = np.concatenate([t[c]["optimal"].list.last() for t in entrant.tables for c in pool.axis(axis)])
            shares.append(f"{100 * (found & ~last).mean():.1f}")
        if max(len(r.summary.cells[0].rungs) for r in entrant.records) > 1:
            rows.append([who(entrant), *shares])
    title = "Overthinking: right at an earlier rung and not optimal at the last, percent of all mazes of an axis"
    return table(title, "Answers that more iterations spoilt.", ["axis", *axes], rows)


def _inferences(pool: Pool) -> list[Table]:
    tables = []
    for own in pool.in_tables(pool.own):
        free = pool.get(own.recipe)
        if free is None:
            continue
        rows = [
            [cell.name, *(shown(mean_share([e.right(cell.name)], e.trained)) for e in (free, own))]
            for cell in pool.cells
        ]
        title = f"{own.recipe}: its own inference beside the plain iteration, optimal answers, percent"
        reading = (
            "Where its own is the better one, plain iteration does not reach the answer that its root finder finds."
        )
        tables += table(title, reading, ["cell", f"{who(free)}, plain iteration", who(own)], rows)
    return tables
