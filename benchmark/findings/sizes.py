"""Finding 1: how far in size."""

from dataclasses import replace

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import fall, mean_share
from extramaze.findings.finding import STUDY, Claim, Finding
from extramaze.findings.judging import judge_answers
from extramaze.findings.ladders import TRACE
from extramaze.findings.pools import Pool
from extramaze.findings.size_tables import held_up_to, size_tables
from extramaze.findings.verdicts import Verdict, Word, above, below, every, not_tested, undecided
from extramaze.leaderboard.columns import STILL_RIGHT

TRAINED = 9  # the size that recipes are trained on
LARGER = 2  # times that size: where "solves larger ones" is asked
PI_NET_LAST = 59  # up to which PI-Net is said to hold
PUBLISHED_LAST, PUBLISHED_ITERATIONS = 99, 3000
HALF = 0.5
ALL_RIGHT = 0.99  # what "every maze" is taken to mean, of a sample


def sizes(pool: Pool) -> Finding:
    """Judge extrapolation in size."""
    cells = {size: cell for size, cell in pool.ladder("size").items() if size >= TRAINED}
    larger = (
        f"confirmed where more than {STILL_RIGHT:.0%} are optimal at the smallest tested size of at least "
        f"{LARGER * TRAINED}; undecided where there is none, and where a refutation rests on a share that still rises "
        f"by over {100 * TRACE:.0f} point from the rung before the last, of fewer than {PUBLISHED_ITERATIONS:,} "
        "iterations"
    )
    beyond = [size for size in cells if size > TRAINED]
    claims = (
        *(
            Claim(
                f"{article} trained on 9×9 mazes solves larger ones",
                f"{STUDY}, of recurrent and of implicit networks; the size that we ask for is ours",
                larger,
                judge_answers(pool, name, beyond, "no larger size was run", lambda e: _larger(e, cells)),
            )
            for article, name in (("A DT-Net", "dt-net"), ("An IT-Net", "it-net"))
        ),
        Claim(
            f"DT-Net solves every maze of size 9 to {PUBLISHED_LAST} within {PUBLISHED_ITERATIONS:,} iterations",
            STUDY,
            f"confirmed where more than {ALL_RIGHT:.0%} are optimal, mean over sizes up to {PUBLISHED_LAST}, and no "
            f"size is surely below that; refuted where one is after at least {PUBLISHED_ITERATIONS:,} iterations; "
            "undecided where sizes or iterations end before",
            judge_answers(pool, "dt-net", beyond, "no larger size was run", lambda e: _all_sizes(e, cells)),
        ),
        Claim(
            f"PI-Net holds up to size {PI_NET_LAST} and declines above",
            STUDY,
            f"confirmed where at the largest tested size up to {PI_NET_LAST} more than {STILL_RIGHT:.0%} are optimal, "
            f"and at the largest of all over {100 * TRACE:.0f} point fewer; PI-Net answers by its own root finder, as "
            "published, where such a record exists",
            judge_answers(
                pool,
                "pi-net",
                [size for size in cells if size > PI_NET_LAST],
                f"sizes above {PI_NET_LAST} were not run",
                lambda e: _declines(e, cells),
            ),
        ),
        Claim(
            "Without recall DT-Net does not extrapolate in size: about 86 % at 13×13, none at 59×59",
            "second-hand, of Bansal et al. (arXiv 2202.05826)",
            f"confirmed where fewer than {HALF:.0%} are optimal at the largest tested size, at the last rung as "
            f"always; undecided where it solves {STILL_RIGHT:.0%} of the 9×9 mazes at no rung; its best rung stands "
            "beside it",
            judge_answers(
                pool, "dt-net-no-recall", beyond, "no larger size was run", lambda e: _without_recall(e, cells)
            ),
        ),
    )
    notes = [
        f"On {pool.suite.name} networks run {pool.suite.iterations[-1]:,} iterations; accuracy is read at the last, "
        "never at the best rung."
    ]
    return Finding(
        "Larger mazes",
        claims,
        tuple(size_tables(pool, cells)),
        tuple(notes) if cells else ("This suite has no ladder of sizes.",),
        tuple(pool.answerers),
    )


def _larger(entrant: Entrant, cells: dict[int, str]) -> Verdict:
    far = [size for size in cells if size >= LARGER * TRAINED]
    size = far[0] if far else max(cells)
    held = held_up_to(entrant, cells)
    reach = f"; {STILL_RIGHT:.0%} is held up to size {held}" if held else f"; {STILL_RIGHT:.0%} is held at no size"
    verdict = above(mean_share([entrant.right(cells[size])]), STILL_RIGHT, f"{entrant.name} at size {size}")
    verdict = replace(verdict, why=verdict.why + reach)
    if verdict.word == Word.REFUTED and _still_rises(entrant, cells[size]):
        return undecided(f"its share still rises at {entrant.rungs(cells[size])[-1]:,} iterations", verdict)
    return verdict if far else undecided(f"no size of at least {LARGER * TRAINED} was run", verdict)


def _without_recall(entrant: Entrant, cells: dict[int, str]) -> Verdict:
    home, size = min(cells), max(cells)
    verdict = below(mean_share([entrant.right(cells[size])]), HALF, f"{entrant.name} at size {size}")
    learnt, best = _best(entrant, cells[home]), _best(entrant, cells[size])
    verdict = replace(verdict, why=f"{verdict.why}; at its best {best[1]:.1%}, after {best[0]:,} iterations")
    if learnt[1] > STILL_RIGHT:
        return verdict
    return undecided(f"it has not learnt size {home}: {learnt[1]:.1%} at its best", verdict)


def _best(entrant: Entrant, cell: str) -> tuple[int, float]:
    """Return the number of iterations after which most answers are right, and their share."""
    shares = {rung: float(entrant.right(cell, rung=place).mean()) for place, rung in enumerate(entrant.rungs(cell))}
    return max(shares.items(), key=lambda item: item[1])


def _still_rises(entrant: Entrant, cell: str) -> bool:
    """Whether the last rung's share is over TRACE above that of the rung before, of fewer iterations than published."""
    rungs = entrant.rungs(cell)
    if len(rungs) < 2 or rungs[-1] >= PUBLISHED_ITERATIONS:
        return False
    return bool(entrant.right(cell).mean() - entrant.right(cell, rung=len(rungs) - 2).mean() > TRACE)


def _all_sizes(entrant: Entrant, cells: dict[int, str]) -> Verdict:
    inside = {size: cell for size, cell in cells.items() if size <= PUBLISHED_LAST}
    right = {size: entrant.right(cell) for size, cell in inside.items()}
    whole = above(mean_share(list(right.values())), ALL_RIGHT, f"{entrant.name}, mean over sizes up to {max(inside)}")
    each = [above(mean_share([r]), ALL_RIGHT, f"{entrant.name} at size {size}") for size, r in right.items()]
    failing = [verdict for verdict in (*each, whole) if verdict.word == Word.REFUTED]
    last = min(entrant.rungs(cell)[-1] for cell in inside.values())
    if failing and last < PUBLISHED_ITERATIONS:
        return undecided(f"only {last:,} of {PUBLISHED_ITERATIONS:,} iterations were run", failing[0])
    if failing:
        return failing[0]
    if whole.word == Word.CONFIRMED and max(inside) < PUBLISHED_LAST:
        return undecided(f"sizes above {max(inside)} were not run", whole)
    return whole


def _declines(entrant: Entrant, cells: dict[int, str]) -> Verdict:
    held = [size for size in cells if size <= PI_NET_LAST]
    if not held:
        return not_tested(f"sizes up to {PI_NET_LAST} were not run")
    before, after, last = entrant.right(cells[held[-1]]), entrant.right(cells[max(cells)]), max(cells)
    return every(
        above(mean_share([before]), STILL_RIGHT, f"{entrant.name} at size {held[-1]}"),
        above(fall(before, after), TRACE, f"{entrant.name}'s fall from size {held[-1]} to {last}"),
    )
