"""The tables of finding 6: limits by solver and by cell, and Betti numbers by two rules."""

from collections import Counter

import numpy as np
import polars as pl

from extramaze.dynamics import STUDY_FLOAT32, Limit
from extramaze.findings.entrants import Entrant
from extramaze.findings.finding import Table, shown, table, who
from extramaze.findings.trajectories import OPEN, SETTLED, mean_of_cells
from extramaze.schema.record import STUDY_FLOAT32_BETTI

RULES = {"betti": "ours", "study_betti": "the study's"}
NONE = "–"
IN_FLOAT32 = {STUDY_FLOAT32_BETTI: "the study's in float32"}  # where the suite asks for it
POINT, LOOP, TWO_CYCLE, TWO_LOOP = (1, 0), (1, 1), (2, 0), (2, 2)


def limit_tables(entrants: list[Entrant]) -> list[Table]:
    """Write all of them."""
    return [*_settled(entrants), *_by_cell(entrants), *_betti(entrants)]


def is_pair(rows: pl.DataFrame, rule: str, pair: tuple[int, int]) -> np.ndarray:
    """Return which watched rows have these Betti numbers, float (N,); those without any have not."""
    return np.array([float(found is not None and tuple(found) == pair) for found in rows[rule].to_list()])


def _settled(entrants: list[Entrant]) -> list[Table]:
    rows = []
    for entrant in entrants:
        for cell in entrant.watched_cells:
            seen = pl.concat(entrant.watched(cell))
            shares = {kind: 100 * seen.select((pl.col("limit") == str(kind)).mean()).item() for kind in Limit}
            rows.append(
                [
                    who(entrant),
                    cell,
                    str(len(seen)),
                    shown(mean_of_cells(entrant, [cell], SETTLED)),
                    f"{shares[Limit.CYCLE]:.1f}",
                    f"{100 * len(seen.filter(OPEN)) / len(seen):.1f}",
                    f"{shares[Limit.UNDECIDED]:.1f}",
                    f"{shares[Limit.DRIFTING]:.1f}" if _followed(entrant) else NONE,
                ]
            )
    settled = "fixed points, low to high (interval)"
    header = ["", "cell", "trajectories", settled, "cycles", "open", "undecided", "drifting"]
    reading = (
        "Low counts what is open as moving for ever, high as settling in the end; the interval reaches round both. "
        "Where much is open, the suite watched too briefly to say."
    )
    return table("How many trajectories settle by cell, percent", reading, header, rows)


def _followed(entrant: Entrant) -> bool:
    """Whether what the window leaves open was followed further, without which nothing is told to drift."""
    return entrant.records[0].summary.plan.suite.limits.pursuit > 0


def _by_cell(entrants: list[Entrant]) -> list[Table]:
    header = ["", "cell", "trajectories", *(str(limit) for limit in Limit), "periods of cycles"]
    rows = []
    for entrant in entrants:
        for cell in entrant.watched_cells:
            seen = pl.concat(entrant.watched(cell))
            counts = Counter(seen["limit"])
            periods = sorted(Counter(seen.filter(pl.col("limit") == str(Limit.CYCLE))["period"]).items())
            shares = (f"{100 * counts[limit] / len(seen):.0f}" if counts[limit] else "" for limit in map(str, Limit))
            rows.append([who(entrant), cell, str(len(seen)), *shares, ", ".join(f"{k} ({n}×)" for k, n in periods)])
    title = "Limits by cell, all seeds together, percent"
    return table(title, "An empty place is none; periods of cycles with the number of trajectories.", header, rows)


def _betti(entrants: list[Entrant]) -> list[Table]:
    pairs = (POINT, LOOP, TWO_CYCLE, TWO_LOOP)
    names = [f"[{a},{b}]" for a, b in pairs]
    rules = rules_of(entrants)
    header = ["", "cell", *(f"{name} {rule}" for rule in rules.values() for name in (*names, "other", "none"))]
    rows = []
    for entrant in entrants:
        for cell in entrant.watched_cells:
            seen = pl.concat(entrant.watched(cell))
            row = [who(entrant), cell]
            for rule in rules:
                shares = [is_pair(seen, rule, pair).mean() for pair in pairs]
                none = seen[rule].is_null().to_numpy().mean()
                row += [f"{100 * abs(share):.0f}" for share in (*shares, 1 - none - sum(shares), none)]
            rows.append(row)
    reading = (
        "Number of pieces and of loops: [1,0] a point, [1,1] a loop, [2,0] two points, [2,2] two loops. Ours tells "
        "none of what drifts, whose limit was not seen. The study's looks at frames rounded to float32, and counts "
        "what is more than 1e-10 apart."
    )
    if len(rules) > len(RULES):
        reading += (
            f" The study's in float32 ({STUDY_FLOAT32}) is its whole procedure: iterates of float32, reduced by a "
            "float32 singular value decomposition, and one point where they span less than 0.01."
        )
    title = "Betti numbers of the same mazes" if len(rules) > len(RULES) else "Betti numbers of the same trajectories"
    return table(f"{title} by our rule and by the study's, percent", reading, header, rows)


def rules_of(entrants: list[Entrant]) -> dict[str, str]:
    """Return the rules by which all of these records count, by column."""
    counted = all(STUDY_FLOAT32_BETTI in record.mazes.columns for entrant in entrants for record in entrant.records)
    return RULES | (IN_FLOAT32 if counted and entrants else {})


def rule_notes(entrants: list[Entrant]) -> list[str]:
    """Say, recipe by recipe, how many trajectories have other Betti numbers by the other rule."""
    notes = []
    for entrant in entrants:
        seen = pl.concat(entrant.all_watched())
        both = seen.filter(pl.col("betti").is_not_null() & pl.col("study_betti").is_not_null())
        moved = sum(a != b for a, b in zip(both["betti"].to_list(), both["study_betti"].to_list(), strict=True))
        still = both.filter(SETTLED)
        wrong = len(still) - int(is_pair(still, "study_betti", POINT).sum())
        if len(both):
            notes.append(
                f"{entrant.recipe}: {moved} of {len(both)} trajectories have other Betti numbers by the other rule; of "
                f"the {len(still)} that rest to within rounding, the study's sees more than one point in {wrong}."
            )
    return notes
