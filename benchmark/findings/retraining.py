"""Finding 5: training on mazes with cycles, from the beginning or on top of a trained solver, and what it costs."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import Figure, contrast, mean_share
from extramaze.findings.finding import NEW, STUDY, Claim, Finding, Table, noise_note, shown, table, who
from extramaze.findings.judging import judge
from extramaze.findings.ladders import MONOTONE, monotone
from extramaze.findings.pools import FAMILIES, Pool
from extramaze.findings.variants import TRAINED_ON, TUNED
from extramaze.findings.verdicts import Verdict, above, undecided
from extramaze.schema.suite import IN_DISTRIBUTION

RETRAINED_FAMILIES = ("dt-net", "it-net")
BIG = 0.05
PRICE = 0.02  # a loss of less than two points is no price
ANSWERED = "no percolated 9×9 cells were run"
LARGER = "no larger sizes were run"


def retraining(pool: Pool) -> Finding:
    """Judge what training on cycles gains with cycles and loses in size."""
    cycles = [cell for value, cell in pool.ladder("percolation").items() if value > 0]
    sizes = [cell for size, cell in pool.ladder("size").items() if size > 9]
    claims = [*_gains(pool, cycles), *_orders(pool, sizes), *_repairs(pool, cycles), *_prices(pool, sizes)]
    names = [pool.recipe(f, v) for f in RETRAINED_FAMILIES for v in ("", *TRAINED_ON, *TUNED)]
    used = [entrant for name in names if (entrant := pool.get(name))]
    notes = [
        "Seeds of the recipes are taken as unrelated, though fine-tuned seed s begins with the trained seed s. No "
        "recipe is fine-tuned on trees for as long: what tuning costs may be the further training's. “All seeds” are "
        "of the first recipe named, each against the mean over those of the other.",
        "The retrained recipes start anywhere, the plain ones at dead ends: their gain is of both together. A mark of "
        "theirs says that training fell short on mazes with cycles, their own.",
        "Nothing falls further than to none: a recipe that solves few 9×9 trees loses few points by size, and how much "
        "it solves of larger ones says more.",
        *noise_note(used, cycles),
    ]
    return Finding("Training on percolation", tuple(claims), tuple(_table(pool, used)), tuple(notes), tuple(used))


def _gains(pool: Pool, cells: list[str]) -> list[Claim]:
    return [
        Claim(
            f"Retraining {FAMILIES[family]} at percolation .01 brings a big gain on mazes with cycles",
            STUDY,
            f"confirmed where the mean over the percolated 9×9 cells gains over {100 * BIG:.0f} points on the plain "
            "recipe, on the same mazes",
            judge(
                _found(pool, family, ["-p01", ""]),
                cells,
                ANSWERED,
                lambda new, old: above(difference(new, old, cells), BIG, f"{new.recipe} less {old.recipe}"),
            ),
            headline=True,
        )
        for family in RETRAINED_FAMILIES
    ]


def _orders(pool: Pool, cells: list[str]) -> list[Claim]:
    return [
        Claim(
            f"Size extrapolation of {FAMILIES[family]} falls as the percolation in training grows",
            STUDY,
            "confirmed where, in the mean over larger sizes and along training on trees, at .01, at .1 and at .5, "
            f"{MONOTONE}; that some of it is lost at 9×9 already is part of it here, and not of what each recipe costs",
            judge(
                _found(pool, family, ["", *TRAINED_ON]),
                cells,
                LARGER,
                lambda *found: _size_falls(found, cells),
            ),
            headline=True,
        )
        for family in RETRAINED_FAMILIES
    ]


def _repairs(pool: Pool, cells: list[str]) -> list[Claim]:
    return [
        Claim(
            f"Fine-tuning a trained DT-Net on {count:,} mazes with cycles brings over half of what retraining does",
            f"{NEW} (asked for by reviewers)",
            "confirmed where its gain, mean over the percolated 9×9 cells, is over half of the gain of retraining at "
            "percolation .1: judged is the one gain less that half; what it costs in size is a claim of its own",
            judge(
                _found(pool, "dt-net", [variant, "", "-p10"]),
                cells,
                ANSWERED,
                lambda tuned, base, whole: _repaired(tuned, base, whole, cells),
            ),
        )
        for variant, count in TUNED.items()
    ]


def _prices(pool: Pool, cells: list[str]) -> list[Claim]:
    trained = [
        (f, v, f"Retraining {FAMILIES[f]} at percolation {p}")
        for f in RETRAINED_FAMILIES
        for v, p in TRAINED_ON.items()
    ]
    tuned = [("dt-net", v, f"Fine-tuning DT-Net on {count:,} mazes with cycles") for v, count in TUNED.items()]
    return [
        Claim(
            f"{how} costs size extrapolation",
            f"{STUDY}, in general; of this recipe no figure is published" if variant in TRAINED_ON else NEW,
            f"confirmed where the fall from 9×9 trees to the mean over larger sizes is more than {100 * PRICE:.0f} "
            "points greater than the plain recipe's, on the same mazes: what it no longer solves at 9×9 is no cost in "
            "size",
            judge(
                _found(pool, family, [variant, ""]),
                cells if pool.axis(IN_DISTRIBUTION) else [],
                LARGER,
                lambda new, old: above(
                    size_cost(new, old, pool, cells), PRICE, f"{new.recipe}'s fall less {old.recipe}'s"
                ),
            ),
        )
        for family, variant, how in (*trained, *tuned)
    ]


def _found(pool: Pool, family: str, variants: Sequence[str]) -> dict[str, Entrant | None]:
    return {pool.recipe(family, variant): pool.named(family, variant) for variant in variants}


def difference(first: Entrant, second: Entrant, cells: Sequence[str]) -> Figure:
    """Return how much more the first has right, mean over cells."""
    terms = [(weight, [e.right(cell) for cell in cells]) for weight, e in ((1.0, first), (-1.0, second))]
    return contrast(*terms, noise=first.noise(cells))


def size_cost(new: Entrant, old: Entrant, pool: Pool, cells: Sequence[str]) -> Figure:
    """Return how much more the first loses from mazes like those of the plain recipe's training to larger ones."""
    home = pool.axis(IN_DISTRIBUTION)
    terms = [(weight, [e.right(cell) for cell in cells]) for weight, e in ((-1.0, new), (1.0, old))]
    less = [[e.right(cell) for cell in home] for e in (new, old)]
    return contrast(*terms, less=less, noise=new.noise([*cells, *home]))


def _size_falls(found: Sequence[Entrant], cells: list[str]) -> Verdict:
    whole = difference(found[0], found[-1], cells)
    rises = [(f"from {a.recipe} to {b.recipe}", difference(b, a, cells)) for a, b in pairwise(found)]
    return monotone(whole, rises, f"{found[0].recipe} less {found[-1].recipe}")


def _repaired(tuned: Entrant, base: Entrant, whole: Entrant, cells: list[str]) -> Verdict:
    weights = ((1.0, tuned), (-0.5, base), (-0.5, whole))
    figure = contrast(*((w, [e.right(c) for c in cells]) for w, e in weights), noise=tuned.noise(cells))
    verdict = above(figure, 0.0, f"{tuned.recipe}'s gain less half of {whole.recipe}'s")
    gain = difference(whole, base, cells)
    if gain.low > 0:
        return verdict
    said = replace(verdict, why=f"{verdict.why}; {whole.recipe}'s gain is {gain}")
    return undecided("retraining itself brings no sure gain", said)


def _table(pool: Pool, used: list[Entrant]) -> list[Table]:
    axes = {cell.axis: pool.axis(cell.axis) for cell in pool.cells}
    rows = [
        [who(e), *(shown(mean_share([e.right(cell) for cell in cells], e.trained)) for cells in axes.values())]
        for e in used
    ]
    title = "Optimal answers at the last rung, mean over an axis's cells, percent"
    reading = "Training that costs nothing gains under percolation and loses nothing under size."
    return table(title, reading, ["", *axes], rows if pool.in_tables(used) else [])
