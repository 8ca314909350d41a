"""Finding 1: how far in size."""

from dataclasses import replace

from extramaze.findings.entrants import Entrant
from extramaze.findings.figures import fall, mean_share
from extramaze.findings.finding import NEW, STUDY, Claim, Finding
from extramaze.findings.judging import judge_answers
from extramaze.findings.ladders import TRACE
from extramaze.findings.pools import Pool
from extramaze.findings.size_tables import held_up_to, size_tables
from extramaze.findings.verdicts import Verdict, Word, above, below, every, not_tested, refutation, undecided
from extramaze.leaderboard.columns import STILL_RIGHT

TRAINED = 9  # the size that recipes are trained on
LARGER = 2  # times that size: where "solves larger ones" is asked
PI_NET_LAST = 59  # up to which PI-Net is said to hold
PUBLISHED_LAST, PUBLISHED_ITERATIONS = 99, 3000
HALF = 0.5
ALL_RIGHT = 0.99  # what "every maze" is taken to mean, of a sample
RUNG = (  # at which extrapolation is judged, to follow a rule's share
    f"at the last rung at which more than {STILL_RIGHT:.0%} of the {TRAINED}×{TRAINED} mazes are still optimal, mean "
    "over seeds (one rung for all seeds and sizes; the last of all where there is none): what more iterations spoil "
    "is overthinking, and a claim of its own"
)


def sizes(pool: Pool) -> Finding:
    """Judge extrapolation in size."""
    cells = {size: cell for size, cell in pool.ladder("size").items() if size >= TRAINED}
    larger = (
        f"confirmed where more than {STILL_RIGHT:.0%} are optimal at the smallest tested size of at least "
        f"{LARGER * TRAINED}, {RUNG}; undecided where there is no such size, and where a refutation rests on a share "
        f"that still rises by over {100 * TRACE:.0f} point from the rung before the last, of fewer than "
        f"{PUBLISHED_ITERATIONS:,} iterations"
    )
    beyond = [size for size in cells if size > TRAINED]
    claims = (
        *(
            Claim(
                f"{article} trained on 9×9 mazes solves larger ones",
                f"{STUDY}, of recurrent and of implicit networks; the size that we ask for is ours",
                larger,
                judge_answers(pool, name, beyond, "no larger size was run", lambda e: _larger(e, cells)),
                headline=True,
            )
            for article, name in (("A DT-Net", "dt-net"), ("An IT-Net", "it-net"))
        ),
        Claim(
            f"DT-Net solves every maze of size 9 to {PUBLISHED_LAST} within {PUBLISHED_ITERATIONS:,} iterations",
            STUDY,
            f"confirmed where more than {ALL_RIGHT:.0%} are optimal, mean over sizes up to {PUBLISHED_LAST}, and no "
            "size is surely below that, at the rung of the claims before; refuted where one is, run for at least "
            f"{PUBLISHED_ITERATIONS:,} iterations; "
            "undecided where sizes or iterations end before",
            judge_answers(pool, "dt-net", beyond, "no larger size was run", lambda e: _all_sizes(e, cells)),
            headline=True,
        ),
        Claim(
            f"PI-Net holds up to size {PI_NET_LAST} and declines above",
            STUDY,
            f"confirmed where at the largest tested size up to {PI_NET_LAST} more than {STILL_RIGHT:.0%} are optimal, "
            f"and at the largest of all over {100 * TRACE:.0f} point fewer, both at the rung of the claims before; "
            "PI-Net answers by its own root finder, as published, where such a record exists",
            judge_answers(
                pool,
                "pi-net",
                [size for size in cells if size > PI_NET_LAST],
                f"sizes above {PI_NET_LAST} were not run",
                lambda e: _declines(e, cells),
            ),
            headline=True,
        ),
        Claim(
            "Without recall DT-Net does not extrapolate in size: about 86 % at 13×13, none at 59×59",
            "second-hand, of Bansal et al. (arXiv 2202.05826)",
            f"confirmed where fewer than {HALF:.0%} are optimal at the largest tested size, at the rung of the claims "
            f"before; undecided where more than {STILL_RIGHT:.0%} of the {TRAINED}×{TRAINED} mazes are solved at no "
            "rung; the last rung stands beside it",
            judge_answers(
                pool, "dt-net-no-recall", beyond, "no larger size was run", lambda e: _without_recall(e, cells)
            ),
        ),
        Claim(
            "Without recall DT-Net overthinks: it loses mazes of its training size that it had solved",
            f"{NEW}; the word is Bansal et al.'s (arXiv 2202.05826)",
            f"confirmed where optimal {TRAINED}×{TRAINED} answers fall by more than half of all mazes from the rung of "
            "the claims before to the last of all; undecided where there is no such rung",
            judge_answers(
                pool,
                "dt-net-no-recall",
                [cell for size, cell in cells.items() if size == TRAINED],
                f"size {TRAINED} was not run",
                lambda e: _overthinks(e, cells),
            ),
        ),
    )
    notes = [
        f"On {pool.suite.name} networks run {pool.suite.iterations[-1]:,} iterations. Tables and boards read accuracy "
        "at the last; claims of extrapolation at the last at which the training size is still solved, never at the "
        "best one for the larger size."
    ]
    return Finding(
        "Larger mazes",
        claims,
        tuple(size_tables(pool, cells)),
        tuple(notes) if cells else ("This suite has no ladder of sizes.",),
        tuple(pool.answerers),
    )


def still_solved(entrant: Entrant, cells: dict[int, str]) -> int | None:
    """Return the place of the last rung at which the training size is still solved; None where it is at none."""
    places = range(len(entrant.rungs(cells[TRAINED]))) if TRAINED in cells else ()
    solved = [place for place in places if entrant.right(cells[TRAINED], rung=place).mean() > STILL_RIGHT]
    return max(solved, default=None)


def judged_rung(entrant: Entrant, cells: dict[int, str]) -> int:
    """Return the place of the rung at which extrapolation is judged, by the rule RUNG."""
    solved, last = still_solved(entrant, cells), len(entrant.rungs(min(cells.values()))) - 1
    return last if solved is None else solved


def _at(entrant: Entrant, cell: str, size: int, place: int) -> str:
    """Say whose share at which size it is, and after how many iterations where that is not the last rung."""
    rungs = entrant.rungs(cell)
    early = "" if place == len(rungs) - 1 else f" after {rungs[place]:,} iterations"
    return f"{entrant.name} at size {size}{early}"


def _larger(entrant: Entrant, cells: dict[int, str]) -> Verdict:
    far = [size for size in cells if size >= LARGER * TRAINED]
    size, place = far[0] if far else max(cells), judged_rung(entrant, cells)
    held = held_up_to(entrant, cells, place)
    reach = f"; {STILL_RIGHT:.0%} is held up to size {held}" if held else f"; {STILL_RIGHT:.0%} is held at no size"
    what = _at(entrant, cells[size], size, place)
    verdict = above(mean_share([entrant.right(cells[size], rung=place)]), STILL_RIGHT, what)
    verdict = replace(verdict, why=verdict.why + reach)
    if verdict.word == Word.REFUTED and _still_rises(entrant, cells[size], place):
        return undecided(f"its share still rises at {entrant.rungs(cells[size])[place]:,} iterations", verdict)
    return verdict if far else undecided(f"no size of at least {LARGER * TRAINED} was run", verdict)


def _without_recall(entrant: Entrant, cells: dict[int, str]) -> Verdict:
    size, place = max(cells), judged_rung(entrant, cells)
    what = _at(entrant, cells[size], size, place)
    verdict = below(mean_share([entrant.right(cells[size], rung=place)]), HALF, what)
    last = f"{entrant.right(cells[size]).mean():.1%} after {entrant.rungs(cells[size])[-1]:,}"
    return _learnt(entrant, cells, replace(verdict, why=f"{verdict.why}; {last}"))


def _overthinks(entrant: Entrant, cells: dict[int, str]) -> Verdict:
    cell, place = cells[TRAINED], judged_rung(entrant, cells)
    rungs = entrant.rungs(cell)
    what = f"{entrant.name}'s fall at size {TRAINED} from {rungs[place]:,} to {rungs[-1]:,} iterations"
    before, after = entrant.right(cell, rung=place), entrant.right(cell)
    figure = replace(fall(before, after, entrant.trained, entrant.noise([cell])), mazes=after.shape[1])  # the same ones
    return _learnt(entrant, cells, above(figure, HALF, what))


def _learnt(entrant: Entrant, cells: dict[int, str], verdict: Verdict) -> Verdict:
    """Hold back what is said of a solver that solves its training size at no rung."""
    if still_solved(entrant, cells) is not None:
        return verdict
    return undecided(f"it has not learnt size {TRAINED}: no rung has over {STILL_RIGHT:.0%}", verdict)


def _still_rises(entrant: Entrant, cell: str, place: int) -> bool:
    """Whether the last rung's share is over TRACE above that of the rung before, of fewer iterations than published.

    What rises at an earlier rung was run on, and spoilt its training size.
    """
    rungs = entrant.rungs(cell)
    if place != len(rungs) - 1 or place == 0 or rungs[-1] >= PUBLISHED_ITERATIONS:
        return False
    return bool(entrant.right(cell).mean() - entrant.right(cell, rung=place - 1).mean() > TRACE)


def _all_sizes(entrant: Entrant, cells: dict[int, str]) -> Verdict:
    inside = {size: cell for size, cell in cells.items() if size <= PUBLISHED_LAST}
    place = judged_rung(entrant, cells)
    right = {size: entrant.right(cell, rung=place) for size, cell in inside.items()}
    whole = above(mean_share(list(right.values())), ALL_RIGHT, f"{entrant.name}, mean over sizes up to {max(inside)}")
    each = [above(mean_share([r]), ALL_RIGHT, _at(entrant, cells[size], size, place)) for size, r in right.items()]
    failing = refutation([*each, whole])
    last = min(entrant.rungs(cell)[-1] for cell in inside.values())
    if failing and last < PUBLISHED_ITERATIONS:
        return undecided(f"only {last:,} of {PUBLISHED_ITERATIONS:,} iterations were run", failing)
    if failing:
        return failing
    if whole.word == Word.CONFIRMED and max(inside) < PUBLISHED_LAST:
        return undecided(f"sizes above {max(inside)} were not run", whole)
    return whole


def _declines(entrant: Entrant, cells: dict[int, str]) -> Verdict:
    held = [size for size in cells if size <= PI_NET_LAST]
    if not held:
        return not_tested(f"sizes up to {PI_NET_LAST} were not run")
    last, place = max(cells), judged_rung(entrant, cells)
    before, after = (entrant.right(cells[size], rung=place) for size in (held[-1], last))
    return every(
        above(mean_share([before]), STILL_RIGHT, _at(entrant, cells[held[-1]], held[-1], place)),
        above(fall(before, after), TRACE, f"{entrant.name}'s fall from size {held[-1]} to {last}"),
    )
