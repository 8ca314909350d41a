"""Comparisons and checks as text: for a terminal, as JSON, as JUnit XML, and as Markdown."""

import json
import math
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree

from extramaze.comparing.compare import Compared, Comparison, PairedLine
from extramaze.comparing.report import Change, Checked, Outcome, Report
from extramaze.core.escapes import for_markdown, for_xml
from extramaze.core.words import counted
from extramaze.statistics import POWER
from extramaze.tables import layout

SHOWN_CHANGES = 12  # mazes that changed, in a terminal or a summary; JSON has all
INTERVAL = "Tango's paired score interval (95 %)"


def comparison_text(comparison: Comparison) -> str:
    """Write a comparison for a terminal: one table a measure."""
    first, second = comparison.first, comparison.second
    parts = [
        f"{first} against {second} on {comparison.suite}. wins: mazes that only {first} has; losses: only {second}; "
        f"difference: {first} less {second}, {INTERVAL}; p: exact McNemar; Holm: over the cells"
    ]
    said = [compared for compared in comparison.measures if compared.pooled.pairs.wins + compared.pooled.pairs.losses]
    parts += [_compared_table(compared) for compared in said]
    same = [compared.measure for compared in comparison.measures if compared not in said]
    if same:
        parts.append(f"no maze differs in: {', '.join(same)}")
    if comparison.same:
        parts.append("both are one and the same record; give another folder to compare it with")
    if comparison.noise_floor is not None:
        parts.append(f"noise floor: rounding alone turns {comparison.noise_floor:.2%} of the answers")
    if comparison.notes:
        parts.append("also different: " + "; ".join(comparison.notes))
    return "\n\n".join(parts)


def _compared_table(compared: Compared) -> str:
    header = [compared.measure, "mazes", "wins", "losses", "difference", "95 % interval", "p", "Holm"]
    lines = [*compared.cells, compared.pooled]
    return "\n".join(layout(header, [_compared_line(line) for line in lines], markdown=False))


def _compared_line(line: PairedLine) -> list[str]:
    interval = f"{line.low:+.1%} to {line.high:+.1%}"
    counts = [str(line.pairs.n), str(line.pairs.wins), str(line.pairs.losses)]
    adjusted = "" if line.adjusted is None else _p(line.adjusted)
    return [line.cell, *counts, f"{line.difference:+.1%}", interval, _p(line.p_value), adjusted]


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def as_json(result: Comparison | Report) -> str:
    """Write a comparison or a check as JSON; whatever is no number is null."""
    return json.dumps(_plain(asdict(result)), indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def report_text(report: Report) -> str:
    """Write a check for a terminal."""
    parts = [_headline(report)]
    if report.findings:
        parts.append("\n".join(layout(*_findings_table(report), markdown=False)))
        parts.append(_legend(report))
    parts += [*_remarks(report), *_changes_text(report, "  ")]
    return "\n\n".join(parts)


def report_markdown(report: Report) -> str:
    """Write a check as Markdown, for a job's summary."""
    parts = [f"### extramaze check: {report.verdict}", for_markdown(_headline(report))]
    if report.findings:
        header, lines = _findings_table(report)
        cells = [list(map(for_markdown, line)) for line in lines]
        parts.append("\n".join(layout(header, cells, markdown=True)))
        parts.append(_legend(report))
    parts += [*map(for_markdown, _remarks(report)), *_changes_text(report, "    ")]
    return "\n\n".join(parts) + "\n"


def _headline(report: Report) -> str:
    return (
        f"{report.verdict}: {report.record} on {report.suite}, against {report.baseline} "
        f"(accepted {report.accepted}: {report.reason})"
    )


def _findings_table(report: Report) -> tuple[list[str], list[list[str]]]:
    header = ["", "verdict", "was", "now", "95 % interval", "p (Holm)", "detectable drop", "what"]
    return header, [_finding_line(finding) for finding in report.findings]


def _finding_line(finding: Checked) -> list[str]:
    share = finding.pairs is not None or finding.name == "finite"
    was, now = (f"{value:.1%}" if share else f"{value:,.1f}" for value in (finding.was, finding.now))
    interval = "" if finding.low is None else f"{finding.low:+.1%} to {finding.high:+.1%}"
    adjusted = "" if finding.p_value is None else _p(finding.p_value)
    drop = "" if finding.pairs is None else _drop(finding)
    return [finding.name, finding.verdict or "–", was, now, interval, adjusted, drop, finding.sentence]


def _drop(finding: Checked) -> str:
    return "no drop" if finding.smallest_drop is None else f"−{finding.smallest_drop:.1%}"


def _legend(report: Report) -> str:
    margins = report.margins
    return (
        f"Margins: accuracy {margins.accuracy:.1%}, convergence {margins.convergence:.1%}, work {margins.work:.1%}. "
        f"Equivalent: two one-sided tests within the margin at 5 %. Interval: {INTERVAL}, not adjusted; p is "
        f"adjusted for all lines. "
        f"Detectable drop: the smallest that would have been found with probability {POWER:.0%}."
    )


def _remarks(report: Report) -> list[str]:
    found = []
    if report.differs:
        found.append("They differ in: " + "; ".join(report.differs))
    if report.notes:
        found.append("Also different: " + "; ".join(report.notes))
    return found


def _changes_text(report: Report, indent: str) -> list[str]:
    if not report.changes:
        return []
    worse = sum(change.worse for change in report.changes)
    shown = report.changes[:SHOWN_CHANGES]
    lines = [f"{counted(worse, 'change')} for the worse, {len(report.changes) - worse} for the better:", ""]
    lines += [f"{indent}{_change(change)}\n{indent}  {change.command}" for change in shown]
    lines += ["", f"{indent}with its answer: extramaze plot RECORD --maze {shown[0].cell}:{shown[0].index}"]
    hidden = len(report.changes) - len(shown)
    return ["\n".join([*lines, *([f"{indent}… and {hidden} more; --json lists all"] if hidden else [])])]


def _change(change: Change) -> str:
    return f"{'worse' if change.worse else 'better'}: {change.cell} #{change.index} is now {change.measure}"


def report_junit(report: Report) -> str:
    """Write a check as JUnit XML: a test case for each finding; regressed ones fail, what is not gated is skipped."""
    failures = sum(finding.verdict == Outcome.REGRESSED for finding in report.findings)
    cases = len(report.findings) or 1
    suite = ElementTree.Element(
        "testsuite",
        name=f"extramaze check {report.suite}",
        tests=str(cases),
        failures=str(failures if report.findings else 1),
        errors="0",
        skipped=str(sum(finding.verdict is None for finding in report.findings)),
    )
    for finding in report.findings:
        _case(suite, report, finding)
    if not report.findings:
        case = ElementTree.SubElement(suite, "testcase", classname=f"extramaze.{report.record}", name="comparable")
        ElementTree.SubElement(case, "failure", message=report.verdict).text = for_xml("; ".join(report.differs))
    ElementTree.SubElement(suite, "system-out").text = for_xml(report_text(report))
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, report: Report, finding: Checked) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=f"extramaze.{report.record}", name=finding.name)
    if finding.verdict is None:
        ElementTree.SubElement(case, "skipped", message=finding.sentence)
    elif finding.verdict == Outcome.REGRESSED:
        message = f"{finding.sentence}: was {finding.was:.4g}, is {finding.now:.4g}"
        ElementTree.SubElement(case, "failure", message=message)
