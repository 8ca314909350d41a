"""The tables of finding 7: trajectories, kinds of failure, and accuracy by path length within a size."""

from collections import Counter

import numpy as np
import polars as pl

from extramaze.dynamics.limits import Limit
from extramaze.findings.entrants import Entrant
from extramaze.findings.finding import NOTHING, Table, shown, table, who
from extramaze.findings.ladders import FEWEST
from extramaze.findings.pooled_odds import limit_odds, path_odds, size_odds
from extramaze.findings.pools import Pool
from extramaze.findings.trajectories import ASKED, FLOOR, MOVING, OPEN, RIGHT, SETTLED, WRONG, counted, share_given
from extramaze.mazes.scores import Failure

BANDS = (1, 10, 20, 40, 80, 160, 320)  # path lengths in lattice edges at which bands begin


def failure_tables(pool: Pool, sizes: dict[int, str]) -> list[Table]:
    """Write all of them. sizes: size → cell."""
    networks = pool.in_tables(pool.networks)
    watched = [entrant for entrant in networks if entrant.watched_cells]
    families = pool.families(pool.in_tables(pool.answerers))
    return [
        *_trajectories(watched),
        *_by_limit(watched),
        *_starts(watched),
        *_kinds(pool),
        *(_odds(networks, sizes) if sizes else []),
        *_by_length(families, sizes),
    ]


def where_wrong(entrants: list[Entrant]) -> list[str]:
    """Say, recipe by recipe, in which watched cells the wrong trajectories are."""
    said = []
    for entrant in entrants:
        found = {cell: sum(len(rows.filter(WRONG)) for rows in entrant.watched(cell)) for cell in entrant.watched_cells}
        each = ", ".join(f"{count} in {cell}" for cell, count in found.items())
        said.append(f"{entrant.recipe}'s wrong watched trajectories: {each}.")
    return said


def _trajectories(entrants: list[Entrant]) -> list[Table]:
    rows = []
    for entrant in entrants:
        seen = pl.concat(entrant.all_watched())
        moving = seen.filter(MOVING)
        medians = (np.median(moving[name]) if len(moving) else None for name in ("latent_motion", "logit_motion"))
        rows.append(
            [
                who(entrant),
                f"{counted(entrant, WRONG)} of {len(seen)}",
                shown(share_given(entrant, WRONG, SETTLED, OPEN)),
                *(shown(limit_odds(entrant, has).odds) for has in (SETTLED, SETTLED | OPEN)),
                f"{len(moving)} of {len(seen)}",
                shown(share_given(entrant, MOVING, pl.col("flipping") > 0)),
                *(NOTHING if median is None else f"{median:.2g}" for median in medians),
            ]
        )
    header = [
        "",
        "wrong",
        "of them at rest, %",
        "odds ratio of right at rest",
        "the same, open ones as at rest",
        "moving",
        "of them flipping, %",
        "latent motion",
        "logit motion",
    ]
    reading = (
        f"Moving: latent motion above {FLOOR}; flipping: the answer changes within the window. An odds ratio above 1 "
        "means that solvers at rest are right more often. Motion is a median over the moving ones, root mean square."
    )
    return table("Watched trajectories, all cells and seeds together", reading, header, rows)


def _by_limit(entrants: list[Entrant]) -> list[Table]:
    rows = []
    for entrant in entrants:
        seen = pl.concat(entrant.all_watched())
        counts = [seen.filter(pl.col("limit") == str(limit))["limit_right"] for limit in Limit]
        rows.append([who(entrant), *(f"{right.sum()} / {(~right).sum()}" if len(right) else "" for right in counts)])
    title = "Limit × correct: watched trajectories that ended right / wrong"
    return table(title, "Wrong ones under fixed point have settled on a wrong answer.", ["", *map(str, Limit)], rows)


def _starts(entrants: list[Entrant]) -> list[Table]:
    rows = []
    for entrant in entrants:
        if not counted(entrant, ASKED):
            continue
        kinds = (SETTLED & RIGHT, SETTLED & WRONG, MOVING)
        shares = (shown(share_given(entrant, ASKED & kind, pl.col("depends"))) for kind in kinds)
        alignment = pl.concat(entrant.all_watched())["alignment"].drop_nulls()
        rows.append([who(entrant), *shares, f"{alignment.to_numpy().mean():.3f}" if len(alignment) else NOTHING])
    title = "Answers that another initial state changes, percent"
    reading = (
        "A solver that moves may answer otherwise whenever it is stopped, so only fixed points tell of the initial "
        "state. A right answer can be left for a wrong one only, and wrong ones are many. Changed by any of three "
        "other states, in float32, after as many steps as the burn-in. Alignment: cosine of limits from different "
        "initial states, mean over all."
    )
    return table(
        title,
        reading,
        ["", "right, at a fixed point", "wrong, at a fixed point", "moving (control)", "alignment"],
        rows,
    )


def _kinds(pool: Pool) -> list[Table]:
    kinds = [str(kind) for kind in Failure if kind != Failure.NONE]
    rows = []
    for entrant in pool.in_tables(pool.answerers):
        found = Counter(kind for record in entrant.records for kind in record.mazes["failure"].drop_nulls())
        total = sum(found.values())
        if total:
            rows.append([who(entrant), f"{total:,}", *(f"{100 * found[k] / total:.1f}" for k in kinds)])
    seen = [place for place in range(2, 2 + len(kinds)) if any(row[place] != "0.0" for row in rows)]
    header = ["", "wrong", *kinds]
    keep = [0, 1, *seen]
    title = "Kinds of failure, percent of the wrong answers of all cells and seeds"
    reading = "Where several apply, the first from the left; “longer way” is a valid path that is not shortest."
    return table(title, reading, [header[k] for k in keep], [[row[k] for k in keep] for row in rows])


def _odds(entrants: list[Entrant], sizes: dict[int, str]) -> list[Table]:
    cells = list(sizes.values())
    rows = []
    for entrant in entrants:
        found = path_odds(entrant, cells), size_odds(entrant, sizes)
        rows.append([who(entrant), *(text for one in found for text in (shown(one.difference), shown(one.by_seed)))])
    title = "Being right on longer against shorter paths within a size, on larger against smaller mazes within a band"
    reading = (
        "Differences of shares, in points, and odds ratios, mean over seeds. Below 0, or below 1, on the left: long "
        "paths are hard; on the right: large mazes are, whatever the path. Bands in which nearly all answers are right "
        "hold differences down, and not odds ratios."
    )
    return table(title, reading, ["", "longer paths", "their odds ratio", "larger mazes", "their odds ratio"], rows)


def _by_length(entrants: list[Entrant], sizes: dict[int, str]) -> list[Table]:
    rows = []
    for entrant in entrants:
        lengths = [entrant.column(cell, "path_length")[0] for cell in sizes.values()]
        for first, last in zip(BANDS, (*BANDS[1:], None), strict=True):
            row = []
            for cell, length in zip(sizes.values(), lengths, strict=True):
                chosen = (length >= first) & (length < (last or np.inf))
                row.append(f"{100 * entrant.right(cell)[:, chosen].mean():.1f}" if chosen.sum() >= FEWEST else "")
            if any(row):
                rows.append([who(entrant), f"{first} to {last - 1}" if last else f"{first} or more", *row])
    title = "Optimal answers by path length (rows, lattice edges) and size (columns), percent"
    reading = f"Along a row the size grows, down a column the path; empty: fewer than {FEWEST} such mazes."
    return table(title, reading, ["", "path", *map(str, sizes)], rows if sizes else [])
