"""Finding 6: what the iterates end in, and how much of it is the rule's by which Betti numbers are counted."""

from collections import Counter

import numpy as np
import polars as pl

from extramaze.dynamics import Limit
from extramaze.findings.figures import Figure, mean_share
from extramaze.findings.finding import STUDY, Claim, Finding, Table, table, who
from extramaze.findings.pools import FAMILIES, Entrant, Pool
from extramaze.findings.verdicts import Verdict, above, not_tested

HALF = 0.5
SETTLED = 0.9
RULES = {"betti": "ours", "study_betti": "the study's"}
POINT, TWO_CYCLE, TWO_LOOP = (1, 0), (2, 0), (2, 2)


def limit_sets(pool: Pool) -> Finding:
    """Judge fixed points and cycles."""
    dt = pool.named("dt-net")
    most = "confirmed where over half of the watched trajectories on trees whose start is a dead end have them"
    claims = [
        Claim(
            "DT-Net ends in a two-point cycle: Betti numbers [2,0] in 79 to 100 % (sizes 9 to 59), counted by the "
            "study's rule",
            STUDY,
            f"{most}; rule: threshold .5 of the largest death, float32, no floor",
            _two_points(dt, pool, "study_betti"),
        ),
        Claim(
            "The same, counted by our rule",
            STUDY,
            f"{most}; rule: threshold .5, float64, no feature smaller than rounding",
            _two_points(dt, pool, "betti"),
        ),
        Claim(
            "The same, by returns: the state comes back to within rounding after two steps, and not after one",
            STUDY,
            f"{most}; a window that drifts can have two pieces as well",
            _two_steps(dt, pool),
        ),
    ]
    for family in ("it-net", "pi-net"):
        claims.append(
            Claim(
                f"{FAMILIES[family]} settles on a fixed point ([1,0] in 100 %; the study's iterates were frozen, ours "
                "are raw)",
                STUDY,
                f"confirmed where over {SETTLED:.0%} of all watched trajectories are fixed points, mean over cells",
                _settles(pool.named(family), family),
            )
        )
    by_study, by_us = (claim.verdict for claim in claims[:2])
    networks = [entrant for entrant in pool.networks if entrant.watched_cells]
    plan = pool.suite.limits
    notes = [
        f"Watched: raw free-running float64 iterates, {plan.burn_in:,} steps of burn-in and a window of "
        f"{plan.window}, the first {plan.count} mazes of a cell and the same for every seed.",
        *_vanishing(networks),
        *(
            ["What is said of DT-Net's two-point cycles hangs on the rule by which they are counted."]
            if by_study.word != by_us.word
            else []
        ),
    ]
    return Finding(
        "What the iterates end in",
        tuple(claims),
        (*_limits_table(networks), *_betti_table(networks)),
        tuple(notes),
        tuple(entrant.recipe for entrant in networks),
    )


def is_pair(rows: pl.DataFrame, rule: str, pair: tuple[int, int]) -> np.ndarray:
    """Return which watched rows have these Betti numbers, float (N,); those without any have not."""
    return np.array([float(found is not None and tuple(found) == pair) for found in rows[rule].to_list()])


def watched_share(entrant: Entrant, cells: list[str], answer: pl.Expr) -> Figure | None:
    """Return the share of watched trajectories for which an expression holds, mean over cells; None without any."""
    kept = [cell for cell in cells if cell in entrant.watched_cells]
    values = [
        np.stack(
            [rows.select(answer.fill_null(False).cast(float)).to_series().to_numpy() for rows in entrant.watched(cell)]
        )
        for cell in kept
    ]
    return mean_share(values, entrant.trained) if values else None


def _on_trees(entrant: Entrant, pool: Pool) -> list[str]:
    """Return the watched cells of trees whose start is a dead end."""
    trees = list(pool.ladder("size").values()) or [c.name for c in pool.cells if str(c.maze_spec) == "size=9"]
    return [cell for cell in trees if cell in entrant.watched_cells]


def _two_points(entrant: Entrant | None, pool: Pool, rule: str) -> Verdict:
    if entrant is None or not (cells := _on_trees(entrant, pool)):
        return not_tested("no record of dt-net" if entrant is None else "no iterates were watched on such mazes")
    values = [np.stack([is_pair(rows, rule, TWO_CYCLE) for rows in entrant.watched(cell)]) for cell in cells]
    return above(mean_share(values), HALF, f"{entrant.recipe}, {', '.join(cells)}")


def _two_steps(entrant: Entrant | None, pool: Pool) -> Verdict:
    if entrant is None or not (cells := _on_trees(entrant, pool)):
        return not_tested("no record of dt-net" if entrant is None else "no iterates were watched on such mazes")
    returns = (pl.col("limit") == str(Limit.CYCLE)) & (pl.col("period") == TWO_CYCLE[0])
    return above(watched_share(entrant, cells, returns), HALF, f"{entrant.recipe}, {', '.join(cells)}")


def _settles(entrant: Entrant | None, family: str) -> Verdict:
    if entrant is None or not entrant.watched_cells:
        return not_tested(f"no record of {family}" if entrant is None else "no iterates were watched")
    figure = watched_share(entrant, entrant.watched_cells, pl.col("limit") == str(Limit.FIXED_POINT))
    return above(figure, SETTLED, entrant.recipe)


def _limits_table(entrants: list[Entrant]) -> list[Table]:
    header = ["", "cell", "trajectories", *(str(limit) for limit in Limit), "periods of cycles"]
    rows = []
    for entrant in entrants:
        for cell in entrant.watched_cells:
            seen = pl.concat(entrant.watched(cell))
            counts = Counter(seen["limit"])
            periods = sorted(Counter(seen.filter(pl.col("limit") == str(Limit.CYCLE))["period"]).items())
            shares = (f"{100 * counts[limit] / len(seen):.0f}" if counts[limit] else "" for limit in map(str, Limit))
            rows.append([who(entrant), cell, str(len(seen)), *shares, ", ".join(f"{k} ({n}×)" for k, n in periods)])
    return table("Limits of the watched trajectories, all seeds together, percent", header, rows)


def _betti_table(entrants: list[Entrant]) -> list[Table]:
    pairs = (POINT, TWO_CYCLE, TWO_LOOP)
    names = [f"[{a},{b}]" for a, b in pairs]
    header = ["", "cell", *(f"{name} {rule}" for rule in RULES.values() for name in (*names, "other"))]
    rows = []
    for entrant in entrants:
        for cell in entrant.watched_cells:
            seen = pl.concat(entrant.watched(cell))
            row = [who(entrant), cell]
            for rule in RULES:
                shares = [is_pair(seen, rule, pair).mean() for pair in pairs]
                row += [f"{100 * abs(share):.0f}" for share in (*shares, 1 - sum(shares))]
            rows.append(row)
    return table("Betti numbers by our rule and by the study's, percent of the same trajectories", header, rows)


def _vanishing(entrants: list[Entrant]) -> list[str]:
    """Say, recipe by recipe, how many trajectories have other Betti numbers by the other rule."""
    notes = []
    for entrant in entrants:
        seen = pl.concat([rows for cell in entrant.watched_cells for rows in entrant.watched(cell)])
        both = seen.filter(pl.col("betti").is_not_null() & pl.col("study_betti").is_not_null())
        moved = sum(a != b for a, b in zip(both["betti"].to_list(), both["study_betti"].to_list(), strict=True))
        still = both.filter(pl.col("limit") == str(Limit.FIXED_POINT))
        wrong = len(still) - int(is_pair(still, "study_betti", POINT).sum())
        if len(both):
            notes.append(
                f"{entrant.recipe}: {moved} of {len(both)} trajectories have other Betti numbers by the other rule; "
                f"of the {len(still)} that rest to within rounding, the study's rule sees more than one point in "
                f"{wrong}."
            )
    return notes
