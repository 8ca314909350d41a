"""Check a record against a baseline: improved, equivalent, inconclusive, regressed, or not comparable.

Every paired test of a check (optimal accuracy of all mazes and of each cell, convergence of the watched ones) enters
one Holm adjustment, so an unchanged solver is called regressed by them at most once in twenty checks, whatever the
number of cells. Equivalent is a finding, not the lack of one: two one-sided tests within the margin.
"""

from dataclasses import dataclass

import numpy as np

from extramaze.comparing.baselines import Baseline
from extramaze.comparing.compare import circumstances, differences
from extramaze.comparing.report import Change, Checked, Margins, Outcome, Report
from extramaze.records import Record
from extramaze.records.measures import Measure, both_watched, function_evaluations, non_finite, optimal, with_fate
from extramaze.schema.plan import ARITHMETIC
from extramaze.statistics import (
    CONFIDENCE,
    Paired,
    difference_interval,
    equivalence,
    holm,
    mcnemar,
    share_at_most,
    smallest_drop,
)

ALPHA = 1 - CONFIDENCE
ALL = "all mazes"


@dataclass(frozen=True)
class _Test:
    """One paired test, turned so that a win is a maze that got better."""

    name: str
    margin: float
    primary: bool
    was: np.ndarray
    now: np.ndarray

    @property
    def pairs(self) -> Paired:
        return Paired.of(self.now, self.was)


def check(record: Record, baseline: Baseline, margins: Margins | None = None) -> Report:
    """Check a record against a baseline."""
    margins = margins or Margins()
    old = baseline.record
    differs = differences(record, old) + [
        f"{name}: {getattr(record.summary.plan, name)} and {getattr(old.summary.plan, name)}"
        for name in ARITHMETIC
        if getattr(record.summary.plan, name) != getattr(old.summary.plan, name)
    ]
    findings = () if differs else tuple(_findings(record, old, margins))
    return Report(
        verdict=Outcome.NOT_COMPARABLE if differs else _overall(findings),
        record=record.summary.plan.solver.name,
        suite=record.summary.plan.suite.name,
        baseline=f"{old.summary.plan.solver.name}, number {baseline.number}",
        accepted=baseline.entry.accepted,
        reason=baseline.entry.reason,
        margins=margins,
        findings=findings,
        changes=() if differs else tuple(_changes(record, old)),
        differs=tuple(differs),
        notes=() if differs else tuple(circumstances(record, old)),
    )


def judge(pairs: Paired, adjusted: float, margin: float) -> Outcome:
    """Judge one paired test; a drop that is surely within the margin is equivalence, however sure the drop is."""
    if adjusted <= ALPHA and pairs.wins > pairs.losses:
        return Outcome.IMPROVED
    if equivalence(pairs, margin) <= ALPHA:
        return Outcome.EQUIVALENT
    if adjusted <= ALPHA and pairs.losses > pairs.wins:
        return Outcome.REGRESSED
    return Outcome.INCONCLUSIVE


def _overall(findings: tuple[Checked, ...]) -> Outcome:
    if any(finding.verdict == Outcome.REGRESSED for finding in findings):
        return Outcome.REGRESSED
    primary = {finding.verdict for finding in findings if finding.primary}
    for verdict in (Outcome.INCONCLUSIVE, Outcome.IMPROVED):
        if verdict in primary:
            return verdict
    return Outcome.EQUIVALENT


def _findings(record: Record, old: Record, margins: Margins) -> list[Checked]:
    tests = list(_tests(record, old, margins))
    adjusted = holm([mcnemar(test.pairs) for test in tests])
    found = [_judged(test, p_value, len(tests)) for test, p_value in zip(tests, adjusted, strict=True)]
    if both_watched(record, old):
        found.append(_non_finite(non_finite(record).pooled, non_finite(old).pooled))
    return [*found, *_costs(record, old, margins.work)]


def _tests(record: Record, old: Record, margins: Margins) -> list[_Test]:
    now, was = optimal(record), optimal(old)
    tests = [_Test(f"optimal, {ALL}", margins.accuracy, True, was.pooled, now.pooled)]
    for cell in now.cells:
        tests.append(_Test(f"optimal, {cell}", margins.accuracy, False, was.cells[cell][1], now.cells[cell][1]))
    if both_watched(record, old):
        now, was = with_fate(record, "settled"), with_fate(old, "settled")
        tests.append(_Test("settled", margins.convergence, True, was.pooled, now.pooled))
        now, was = with_fate(record, "cycling"), with_fate(old, "cycling")
        tests.append(_Test("no cycle", margins.convergence, True, ~was.pooled, ~now.pooled))
    return tests


def _judged(test: _Test, adjusted: float, family: int) -> Checked:
    pairs = test.pairs
    low, high = difference_interval(pairs)
    drop = smallest_drop(pairs.n, (min(pairs.wins, pairs.losses) + 0.5) / pairs.n, ALPHA / family)
    sentence = f"{pairs.wins} better, {pairs.losses} worse of {pairs.n}"
    return Checked(
        name=test.name,
        verdict=judge(pairs, adjusted, test.margin),
        primary=test.primary,
        was=float(test.was.mean()),
        now=float(test.now.mean()),
        sentence=sentence,
        pairs=pairs,
        low=low,
        high=high,
        p_value=adjusted,
        smallest_drop=None if np.isnan(drop) else drop,
    )


def _non_finite(now: np.ndarray, was: np.ndarray) -> Checked:
    """A trajectory that newly ends in infinities or NaN is a fault, not a matter of chance: one is enough."""
    new = int((now & ~was).sum())
    bound = share_at_most(int(now.sum()), len(now))
    return Checked(
        name="finite",
        verdict=Outcome.REGRESSED if new else Outcome.EQUIVALENT,
        primary=True,
        was=1 - float(was.mean()),
        now=1 - float(now.mean()),
        sentence=f"{new} newly not finite of {len(now)} (95 % bound on the share: {bound:.1%})",
    )


def _costs(record: Record, old: Record, margin: float) -> list[Checked]:
    """What an answer costs: evaluations and memory, where both records state it, are gated; time never."""
    found = [_cost("function evaluations a maze", function_evaluations(old), function_evaluations(record), margin)]
    was, now = old.summary.run.peak_memory_bytes, record.summary.run.peak_memory_bytes
    if was and now:
        same = record.summary.plan.device == old.summary.plan.device
        found.append(_cost("peak memory, MiB", was / 2**20, now / 2**20, margin if same else None))
    return [*found, _cost("wall-clock, s", old.summary.run.seconds, record.summary.run.seconds, None)]


def _cost(name: str, was: float, now: float, margin: float | None) -> Checked:
    change = f"{now / was - 1:+.1%}" if was else "no figure before"
    if margin is None or not was:
        return Checked(name, None, False, was, now, f"{change}, not gated")
    if now > was * (1 + margin):
        verdict = Outcome.REGRESSED
    else:
        verdict = Outcome.IMPROVED if now < was * (1 - margin) else Outcome.EQUIVALENT
    return Checked(name, verdict, False, was, now, change)


def _changes(record: Record, old: Record) -> list[Change]:
    """List the mazes that changed, worse ones first, each with the command that draws it."""
    found = _changed(record, optimal(record), optimal(old), better=True)
    if both_watched(record, old):
        found += _changed(record, with_fate(record, "settled"), with_fate(old, "settled"), better=True)
        found += _changed(record, with_fate(record, "cycling"), with_fate(old, "cycling"), better=False)
        found += _changed(record, non_finite(record), non_finite(old), better=False)
    return sorted(found, key=lambda change: not change.worse)


def _changed(record: Record, now: Measure, was: Measure, better: bool) -> list[Change]:
    specs = {cell.name: cell.spec for cell in record.summary.cells}
    split = record.summary.plan.suite.split
    found = []
    for cell, (indices, yes) in now.cells.items():
        for at in np.flatnonzero(yes != was.cells[cell][1]):
            index = int(indices[at])
            command = (
                f'extramaze generate "{specs[cell]}" --split {split} --first {index} --count 1 '
                f"--picture {cell}-{index}.png"
            )
            said = now.name if yes[at] else f"not {now.name}"
            found.append(Change(cell, index, said, bool(yes[at]) != better, command))
    return found
