"""Records and limits as text: aligned for the terminal, or Markdown."""

from collections import Counter
from collections.abc import Iterator, Sequence

from extramaze.costs import cell_cost, suite_cost
from extramaze.dynamics import Limit
from extramaze.mazes import Mazes, describe
from extramaze.mazes.describe import COLUMNS
from extramaze.models.checkpoint import TrainingResult
from extramaze.records import Record
from extramaze.records.schema import Audit, CellNoise, LimitOdds
from extramaze.suites import Suite

HEADINGS = {"in-distribution": "in-dist."}


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
    title = (
        f"limit × correct: raw float64 iterates, {plan.burn_in:,} steps of burn-in, a window of {plan.window}; "
        f"cells {', '.join(cells)}; odds: with the limit against without it, within cells, 95 % interval"
    )
    return "\n".join([title, "", *layout(header, lines, markdown=False)])


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
            str(sum(depends)) if depends else "–",
            odds_text(odds[limit]),
            ", ".join(f"{k}×{n}" for k, n in sorted(periods.items())) if limit == Limit.CYCLE else "",
        ]


def odds_text(found: LimitOdds) -> str:
    """Write odds with their interval; a dash where no cell has both limits and both outcomes."""
    if not found.informative:
        return "–"
    ratio, low, high = (
        "∞" if value is None else f"{value:.2g}" if value < 100 else f"{value:,.0f}"
        for value in (found.ratio, found.low, found.high)
    )
    return f"{ratio} ({low} to {high})"


def mazes_summary(mazes: Mazes) -> str:
    """Say in two lines what a batch of mazes is, how it was drawn and what it is like."""
    drawn = mazes.generation
    how = "" if drawn is None else f"{drawn.spec}, split {drawn.split or 'none'}: "
    kept = "" if drawn is None or not len(mazes) else f", {drawn.acceptance:.1%} of the attempts kept"
    measured = describe(mazes)
    means = (f"{name} {getattr(measured, name).mean():.1f}" for name in COLUMNS) if len(mazes) else ()
    return f"{how}{len(mazes)} mazes{kept}, sha256 {mazes.digest()[:16]}…\n  means: {', '.join(means) or 'none'}"


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
    title = (
        f"{plan.solver.name} on {plan.suite.name}: optimal answers after so many iterations; valid, exact at the last; "
        "overthought: right before and wrong at the last; as filling: the answer is dead-end filling's"
    )
    if plan.part:
        title += f". Partial ({plan.part}): not ranked"
    audits = [cell.audit for cell in record.summary.cells if cell.audit]
    notes = []
    if audits:
        seen, bad = sum(a.audited for a in audits), sum(a.disagree for a in audits)
        high = Audit.of(bad, seen).high
        notes = ["", f"retired when settled; of {seen} audited, {bad} changed later (95 %: at most {high:.1%})"]
    return "\n".join([title, "", *layout(header, lines, markdown=False), *notes])


def noise_table(noise: Sequence[CellNoise]) -> str:
    """Write how many mazes change with the block's size and with the precision."""
    header = ["cell", "mazes", "changed by block size", "changed in float64", "by either"]
    kinds = ("mazes", "block", "dtype", "either")
    lines = [[cell.cell, *(str(getattr(cell, kind)) for kind in kinds)] for cell in noise]
    lines.append(["all", *(str(sum(getattr(cell, kind) for cell in noise)) for kind in kinds)])
    title = "noise floor: mazes right in one run and wrong in the other, of the same solver, at the last rung"
    return "\n".join([title, "", *layout(header, lines, markdown=False)])


def solver_table(results: Sequence[TrainingResult], markdown: bool = False) -> str:
    """Write how trained solvers came about: accuracy on fresh mazes of the training distribution, and what it took."""
    header = ["solver", "right on fresh mazes", "training mazes", "seconds", "machine", "began with", "sha256"]
    lines = [
        [
            f"{found.recipe}@{found.seed}",
            f"{found.validation_accuracy:.2%} of {found.validation_count:,}"
            + ("" if found.reached_99 else " (< 99 %)"),
            f"{found.mazes:,}",
            f"{found.wall_seconds:,.0f}",
            found.machine,
            found.init_from or "–",
            f"{found.weights_sha256[:12]}…",
        ]
        for found in results
    ]
    title = (
        "trained solvers; seconds as logged, some of them beside other work; accuracy after the iterations that the "
        "recipe validates at"
    )
    return "\n".join([title, "", *layout(header, lines, markdown)])


def suite_table(suite: Suite) -> str:
    """Write a suite's cells with their counts, and what a width-32 DT-Net costs on them."""
    header = ["cell", "axis", "mazes", "specification", "TFLOP", "minutes"]
    lines = []
    for cell in suite.cells:
        cost = cell_cost(suite, cell)
        lines.append([cell.name, cell.axis, f"{cell.count:,}", cell.spec, f"{cost.tflop:,.2f}", f"{cost.minutes:,.2f}"])
    whole = suite_cost(suite)
    title = (
        f"{suite.name}: {len(suite.cells)} cells, {sum(cell.count for cell in suite.cells):,} mazes, "
        f"scale {suite.scale}, rungs {', '.join(f'{rung:,}' for rung in suite.iterations)}; for a width-32 DT-Net "
        f"{whole.tflop:,.1f} TFLOP, about {max(1, round(whole.minutes)):,} min on two CPU cores"
    )
    return "\n".join([title, "", *layout(header, lines, markdown=False)])


def layout(header: list[str], lines: list[list[str]], markdown: bool) -> list[str]:
    """Lay out a table: its lines, aligned for a terminal or as Markdown."""
    if markdown:
        rows = [header, ["---"] * len(header), *lines]
        return ["| " + " | ".join(row) + " |" for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    return ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip() for row in [header, *lines]]
