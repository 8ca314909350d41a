"""What a record holds, as text: its cells, its limits, and its noise floor."""

from collections import Counter
from collections.abc import Iterator, Sequence

from extramaze.dynamics.limits import Limit
from extramaze.records import Record
from extramaze.schema.record import CellNoise, LimitOdds
from extramaze.tables import layout

NONE = "–"
SPARSE = ("odds of right", "periods")  # columns that are left out where they say nothing
ENOUGH = 30  # trajectories of which odds are told


def limits_table(records: Sequence[Record]) -> str:
    """Write limit × correct: both read off the same raw float64 trajectories, over the watched cells.

    Then the odds of being right with a limit, divided by those without it, within cells (Mantel & Haenszel): a limit
    that is common where mazes are hard is not blamed for it.
    """
    plan = records[0].summary.plan.suite.limits
    if not any(record.summary.limits for record in records):
        return "limit × correct: no iterates were watched"
    cells = dict.fromkeys(result.cell for record in records for result in record.summary.limits)
    header = ["solver", "limit", "right", "wrong", "of", "answer flips", "depends on start", "odds of right", "periods"]
    lines = [line for record in records for line in _limit_lines(record)]
    told = [
        place for place, name in enumerate(header) if name not in SPARSE or any(line[place] != NONE for line in lines)
    ]
    table = layout(
        [header[place] for place in told], [[line[place] for place in told] for line in lines], markdown=False
    )
    title = f"limit × correct: raw float64 iterates of {', '.join(cells)}"
    key = {
        "undecided": f"{plan.window} steps, watched after {plan.burn_in:,}, showed neither rest nor a return"
        + (f", nor did {plan.pursuit} more tell what the motion is" if plan.pursuit else ""),
        "answer flips": "trajectories whose answer changes while they are watched",
        "depends on start": "trajectories whose answer is another one from another initial state",
        "odds of right": f"with the limit against without it, within cells; of {ENOUGH} trajectories or more",
    }
    shown = {header[place] for place in told} | {line[1] for line in lines}
    return "\n".join([title, "", *table, "", *(f"{term}: {said}" for term, said in key.items() if term in shown)])


def _limit_lines(record: Record) -> Iterator[list[str]]:
    """Write one solver's limits, a line each, over its watched cells."""
    summary = record.summary
    periods = sum((Counter(result.periods) for result in summary.limits), Counter[int]())
    odds = {found.limit: found for found in summary.odds}
    for limit in Limit:
        counts = [count for result in summary.limits for count in result.counts if count.limit == limit]
        if not counts:
            continue
        right, wrong = sum(c.right for c in counts), sum(c.wrong for c in counts)
        depends = [c.depends for c in counts if c.depends is not None]
        yield [
            summary.plan.solver.name,
            str(limit),
            str(right),
            str(wrong),
            str(sum(result.n for result in summary.limits)),
            str(sum(c.flips for c in counts)),
            str(sum(depends)) if depends else NONE,
            odds_text(odds[limit]) if sum(result.n for result in summary.limits) >= ENOUGH else NONE,
            ", ".join(f"{k}×{n}" for k, n in sorted(periods.items())) if limit == Limit.CYCLE else NONE,
        ]


def odds_text(found: LimitOdds) -> str:
    """Write odds with their interval; a dash where no cell has both limits and both outcomes."""
    if not found.informative:
        return NONE
    ratio, low, high = (
        "∞" if value is None else f"{value:.2g}" if value < 100 else f"{value:,.0f}"
        for value in (found.ratio, found.low, found.high)
    )
    return f"{ratio} ({low} to {high})"


def cell_table(record: Record) -> str:
    """Write one record cell by cell: optimal accuracy at every rung, with its interval at the last."""
    rungs = sorted({rung.iterations for cell in record.summary.cells for rung in cell.rungs})
    header = [
        "cell",
        "mazes",
        *(f"@{r}" for r in rungs),
        "95 % interval",
        "valid",
        "exact",
        "overthought",
        "as filling",
        "acceptance",
    ]
    lines = []
    for cell in record.summary.cells:
        shares = {rung.iterations: f"{rung.optimal.share:.1%}" for rung in cell.rungs}
        last = cell.rungs[-1]
        interval = f"{last.optimal.low:.1%} to {last.optimal.high:.1%}"
        ends = [interval, *(f"{share:.1%}" for share in (last.valid.share, last.exact.share, cell.overthought.share))]
        ends += [f"{cell.as_dead_end_filling.share:.1%}", f"{cell.acceptance:.1%}"]
        lines.append([cell.name, str(cell.n), *(shares.get(r, "") for r in rungs), *ends])
    plan = record.summary.plan
    title = f"{plan.solver.name} on {plan.suite.name}" + (f". Partial ({plan.part}): not ranked" if plan.part else "")
    key = [
        "@N: optimal answers after N iterations; valid (a simple path; the study's may have twigs) and exact: at the "
        "last, whose interval it is",
        "overthought: right before and wrong at the last; as filling: the answer is dead-end filling's",
    ]
    return "\n".join([title, "", *layout(header, lines, markdown=False), "", *key])


def noise_table(noise: Sequence[CellNoise]) -> str:
    """Write how many mazes change with the block's size and with the precision."""
    header = ["cell", "mazes", "changed by block size", "changed in float64", "by either"]
    kinds = ("mazes", "block", "dtype", "either")
    lines = [[cell.cell, *(str(getattr(cell, kind)) for kind in kinds)] for cell in noise]
    lines.append(["all", *(str(sum(getattr(cell, kind) for cell in noise)) for kind in kinds)])
    title = "noise floor: mazes right in one run and wrong in the other, of the same solver, at the last rung"
    return "\n".join([title, "", *layout(header, lines, markdown=False)])
