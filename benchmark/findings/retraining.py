"""Finding 5: training on mazes with cycles, from the beginning or on top of a trained solver."""

from collections.abc import Sequence
from itertools import pairwise

from extramaze.findings.figures import Figure, contrast, mean_share
from extramaze.findings.finding import NEW, STUDY, Claim, Finding, Table, noise_note, shown, table, who
from extramaze.findings.pools import FAMILIES, Entrant, Pool
from extramaze.findings.sizes import TRACE
from extramaze.findings.verdicts import Verdict, Word, above, not_tested

RETRAINED = ("dt-net", "it-net")
TRAINED_ON = {"": "trees", "-p01": ".01", "-p10": ".1", "-p50": ".5"}
TUNED = {"-tuned-100": 100, "-tuned-1k": 1_000, "-tuned-10k": 10_000}
BIG = 0.05


def retraining(pool: Pool) -> Finding:
    """Judge retraining and fine-tuning on cycles."""
    cycles, sizes = _cycles(pool), _sizes(pool)
    claims = [
        Claim(
            f"Retraining {FAMILIES[family]} at percolation .01 brings a big gain on mazes with cycles",
            STUDY,
            f"confirmed where the mean over the percolated 9×9 cells gains over {BIG:.0%}, on the same mazes",
            _gain(pool, family, cycles),
        )
        for family in RETRAINED
    ]
    claims += [
        Claim(
            f"Size extrapolation of {FAMILIES[family]} falls as the percolation in training grows",
            STUDY,
            f"confirmed where the mean over larger sizes falls by over {TRACE:.0%} from training at .01 to .5, and no "
            "step (.01, .1, .5) rises beyond its interval",
            _size_falls(pool, family, sizes),
        )
        for family in RETRAINED
    ]
    claims += [
        Claim(
            f"Fine-tuning a trained DT-Net on {count:,} mazes with cycles repairs it",
            f"{NEW} (asked for by reviewers)",
            "repaired: its gain, mean over the percolated 9×9 cells, is over half of the gain of retraining at "
            "percolation .1; judged is the one gain less that half",
            _repaired(pool, variant, cycles),
        )
        for variant, count in TUNED.items()
    ]
    names = [pool.recipe(f, v) for f in RETRAINED for v in (*TRAINED_ON, *TUNED)]
    used = [entrant for name in names if (entrant := pool.get(name))]
    notes = [
        "Seeds of the recipes are taken as unrelated; fine-tuned seed s begins with the trained seed s, so its gain "
        "is known better than its interval says.",
        "The retrained recipes start anywhere, the plain ones at dead ends: their gain is of both together.",
        noise_note(used, cycles),
    ]
    return Finding(
        "Training on percolation",
        tuple(claims),
        tuple(_table(pool, used)),
        tuple(notes),
        tuple(entrant.recipe for entrant in used),
    )


def _cycles(pool: Pool) -> list[str]:
    return [cell for value, cell in pool.ladder("percolation").items() if value > 0]


def _sizes(pool: Pool) -> list[str]:
    return [cell for size, cell in pool.ladder("size").items() if size > 9]


def _difference(first: Entrant, second: Entrant, cells: Sequence[str]) -> Figure:
    """Return how much more the first has right."""
    terms = [(weight, [e.right(cell) for cell in cells]) for weight, e in ((1.0, first), (-1.0, second))]
    return contrast(*terms, noise=first.noise(cells))


def _missing(pool: Pool, names: list[str]) -> Verdict | None:
    absent = [name for name in names if pool.get(name) is None]
    return not_tested(f"no record of {', '.join(absent)}") if absent else None


def _gain(pool: Pool, family: str, cells: list[str]) -> Verdict:
    old, new = pool.named(family), pool.named(family, "-p01")
    if old is None or new is None or not cells:
        return _missing(pool, [pool.recipe(family), pool.recipe(family, "-p01")]) or not_tested("no percolated cells")
    return above(_difference(new, old, cells), BIG, f"{new.recipe} less {old.recipe}")


def _size_falls(pool: Pool, family: str, cells: list[str]) -> Verdict:
    order = ["-p01", "-p10", "-p50"]
    found = [entrant for variant in order if (entrant := pool.named(family, variant))]
    if len(found) < len(order) or not cells:
        return _missing(pool, [pool.recipe(family, v) for v in order]) or not_tested("no larger sizes were run")
    verdict = above(_difference(found[0], found[-1], cells), TRACE, f"{found[0].recipe} less {found[-1].recipe}")
    for first, second in pairwise(found):
        step = _difference(first, second, cells)
        if verdict.word == Word.CONFIRMED and step.high < 0:
            return Verdict(Word.REFUTED, f"{second.recipe} is better than {first.recipe}, by {_rise(step)}")
    return verdict


def _rise(step: Figure) -> str:
    """Write a fall that is a rise."""
    return f"{-100 * step.value:.1f} points ({-100 * step.high:.1f} to {-100 * step.low:.1f})"


def _repaired(pool: Pool, variant: str, cells: list[str]) -> Verdict:
    base, tuned, whole = pool.named("dt-net"), pool.named("dt-net", variant), pool.named("dt-net", "-p10")
    if base is None or tuned is None or whole is None or not cells:
        names = [pool.recipe("dt-net"), pool.recipe("dt-net", variant), pool.recipe("dt-net", "-p10")]
        return _missing(pool, names) or not_tested("no percolated cells were run")
    gain = _difference(whole, base, cells)
    if gain.low <= 0:
        return not_tested(f"retraining itself brings no sure gain: {gain}")
    weights = ((1.0, tuned), (-0.5, base), (-0.5, whole))
    figure = contrast(*((w, [e.right(c) for c in cells]) for w, e in weights), noise=tuned.noise(cells))
    return above(figure, 0.0, f"{tuned.recipe}'s gain less half of {whole.recipe}'s")


def _table(pool: Pool, used: list[Entrant]) -> list[Table]:
    axes = {cell.axis: pool.axis(cell.axis) for cell in pool.cells}
    rows = [
        [who(e), *(shown(mean_share([e.right(cell) for cell in cells], e.trained)) for cells in axes.values())]
        for e in used
    ]
    title = "Optimal answers at the last rung, mean over an axis's cells, percent"
    return table(title, ["", *axes], rows)
